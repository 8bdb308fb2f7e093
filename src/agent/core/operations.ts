/** Operations on the agent's resources: reservations and persistent volumes. */
import { formatUuid } from '../../base/random.ts';
import type { ApplyOperationMessage } from '../../wire/internal.ts';
import type { Operation } from '../../wire/v1.ts';
import { rememberResources } from './checkpoints.ts';
import { type Context, log } from './context.ts';
import type { AgentEvent } from './events.ts';
import { endOperation, nameOperation, RETRY_MIN } from './operation-updates.ts';
import { registerAgain } from './registration.ts';
import { bareOperation, changeTotal, volumeChanges, withoutOperation } from './resources.ts';
import type { AgentState } from './state.ts';

/** Applies an operation to the agent's resources; its end is told when its volumes have been seen to. */
export function startOperation(context: Context, message: ApplyOperationMessage): void {
  const { state } = context;
  const { operation_uuid: uuid } = message;
  const key = formatUuid(uuid.value);
  const operation = newOperation(state, message);
  state.operations.set(key, { operation, update: undefined, backoff: RETRY_MIN });
  log(context, 'info', `Applying ${nameOperation(operation)}`);
  const before = state.total;
  const total = before.apply(bareOperation(message.operation_info));
  if (!total.ok) {
    failOperation(context, key, total.error);
    return;
  }
  changeTotal(state, total.value);
  rememberResources(context);
  const changes = volumeChanges(state.options.workDir, before, total.value, key);
  if (changes.length === 0) endOperation(context, key, 'OPERATION_FINISHED');
  else context.emit({ kind: 'changeVolumes', operation: key, changes });
}

function newOperation(state: AgentState, message: ApplyOperationMessage): Operation {
  const { framework_id, operation_info: info, operation_uuid: uuid } = message;
  const agent = state.info.id === undefined ? {} : { agent_id: state.info.id };
  return {
    ...(framework_id && { framework_id }),
    ...agent,
    info,
    latest_status: { ...(info.id && { operation_id: info.id }), state: 'OPERATION_PENDING', ...agent },
    uuid,
  };
}

/** The folders of the operation's volumes are there, or gone; or they could not be. */
export function volumesChanged(context: Context, event: Extract<AgentEvent, { kind: 'volumesChanged' }>): void {
  const { state } = context;
  const { operation: key, problem } = event;
  const record = state.operations.get(key);
  if (record === undefined || record.update !== undefined) return;
  if (problem === undefined) {
    endOperation(context, key, 'OPERATION_FINISHED');
    return;
  }
  const undone = withoutOperation(state.total, bareOperation(record.operation.info));
  if (undone !== undefined) changeTotal(state, undone);
  failOperation(context, key, problem);
}

/** The master has applied the operation in its books already: it has to hear what this agent really has. */
function failOperation(context: Context, key: string, reason: string): void {
  endOperation(context, key, 'OPERATION_FAILED', reason);
  registerAgain(context, `an operation failed: ${reason}`);
}

/** After a restart: what an operation was about may not have been done yet, and doing it again changes nothing. */
export function resumePending(context: Context): void {
  const { state } = context;
  for (const [key, { operation, update }] of [...state.operations]) {
    if (update !== undefined) continue;
    const before = withoutOperation(state.total, bareOperation(operation.info)) ?? state.total;
    const changes = volumeChanges(state.options.workDir, before, state.total, key);
    if (changes.length === 0) endOperation(context, key, 'OPERATION_FINISHED');
    else context.emit({ kind: 'changeVolumes', operation: key, changes });
  }
}
