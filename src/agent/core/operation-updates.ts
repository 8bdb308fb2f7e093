/** How operations ended: told until it is acknowledged. */
import { formatUuid, randomUuidBytes } from '../../base/random.ts';
import type { UpdateOperationStatusMessage } from '../../wire/internal.ts';
import type { Operation, OperationState, OperationStatus } from '../../wire/v1.ts';
import { rememberResources } from './checkpoints.ts';
import { type Context, log, send } from './context.ts';
import type { OperationRecord } from './state.ts';

/** As for tasks: 10 s after the first sending, then doubling, never more than 10 minutes. */
export const RETRY_MIN = 10_000;
const RETRY_MAX = 600_000;

const timerKey = (key: string): string => `operation/${key}`;

/** How logs name an operation. */
export function nameOperation({ info, uuid }: Operation): string {
  const id = info.id === undefined ? '' : ` '${info.id.value}'`;
  return `${info.type ?? 'UNKNOWN'} operation${id} (uuid ${formatUuid(uuid.value)})`;
}

/** The operation is over, well or not. */
export function endOperation(context: Context, key: string, outcome: OperationState, message?: string): void {
  const record = context.state.operations.get(key);
  if (record === undefined) return;
  const { operation } = record;
  const status: OperationStatus = {
    ...operation.latest_status,
    state: outcome,
    ...(message !== undefined && { message }),
    uuid: { value: randomUuidBytes(context.env.random) },
  };
  log(context, message === undefined ? 'info' : 'warning', `${nameOperation(operation)}: ${message ?? 'done'}`);
  record.operation = { ...operation, latest_status: status, statuses: [status] };
  record.update = updateOf(record.operation);
  rememberResources(context);
  tellEnd(context, key, record, RETRY_MIN);
}

/** What is told of an operation that is over. */
export function updateOf({
  framework_id,
  agent_id,
  latest_status: status,
  uuid,
}: Operation): UpdateOperationStatusMessage {
  return {
    ...(framework_id && { framework_id }),
    ...(agent_id && { slave_id: agent_id }),
    status,
    latest_status: status,
    operation_uuid: uuid,
  };
}

/** Sends how the operation ended, unless no master would take it now: then `resumeOperations` will. */
function tellEnd(context: Context, key: string, record: OperationRecord, backoff: number): void {
  const { phase, master } = context.state;
  if (record.update === undefined || phase !== 'running' || master === undefined) return;
  record.backoff = backoff;
  context.emit({ kind: 'arm', key: timerKey(key), after: backoff });
  send(context, master, 'mesos.internal.UpdateOperationStatusMessage', record.update);
}

/** The retry timer of this operation has fired. */
export function retryOperation(context: Context, key: string): void {
  const record = context.state.operations.get(key);
  if (record) tellEnd(context, key, record, Math.min(record.backoff * 2, RETRY_MAX));
}

/** A master has admitted the agent (again): whatever is unacknowledged goes out at once. */
export function resumeOperations(context: Context): void {
  for (const [key, record] of context.state.operations) tellEnd(context, key, record, RETRY_MIN);
}

/** The end of the operation is known to who wanted it; nobody will ask for it again. */
export function forgetOperation(context: Context, key: string): void {
  context.state.operations.delete(key);
  rememberResources(context);
  context.emit({ kind: 'disarm', key: timerKey(key) });
}

/** Tells the master once, without waiting for an acknowledgement. */
export function tellOnce(
  context: Context,
  status: OperationStatus,
  more: Pick<UpdateOperationStatusMessage, 'framework_id' | 'operation_uuid'>,
): void {
  const { master, info } = context.state;
  if (master === undefined) return;
  const message = { ...more, ...(info.id && { slave_id: info.id }), status };
  send(context, master, 'mesos.internal.UpdateOperationStatusMessage', message);
}
