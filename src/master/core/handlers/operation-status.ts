import { formatUuid } from '../../../base/random.ts';
import type { UpdateOperationStatusMessage } from '../../../wire/internal.ts';
import { type Context, countUp, log, send } from '../context.ts';
import { isTerminalOperation, removeOperation, sendOperationStatus } from './operations.ts';

/** UpdateOperationStatusMessage of an agent. Operations that nobody follows are acknowledged by the master itself. */
export function operationStatus(ctx: Context, message: UpdateOperationStatusMessage): void {
  countUp(ctx, 'messages_operation_status_update');
  const { operation_uuid } = message;
  const agent = ctx.state.agents.get(message.slave_id?.value ?? '');
  const key = operation_uuid === undefined ? '' : formatUuid(operation_uuid.value);
  const operation = agent?.operations.get(key);
  if (agent === undefined || operation === undefined || operation_uuid === undefined) {
    log(ctx, 'warning', `Ignoring status ${message.status.state} of operation '${key}': it is not known`);
    countUp(ctx, 'invalid_operation_status_updates');
    return;
  }
  const named = operation.info.id === undefined ? {} : { operation_id: operation.info.id };
  const status = { ...message.status, ...named };
  const latest = { ...(message.latest_status ?? status), ...named };
  const updated = { ...operation, latest_status: latest, statuses: [...(operation.statuses ?? []), status] };
  agent.operations.set(key, updated);
  const framework = ctx.state.frameworks.get(operation.framework_id?.value ?? '');
  framework?.operations.set(key, updated);
  countUp(ctx, 'valid_operation_status_updates');
  if (framework !== undefined && operation.info.id !== undefined) {
    sendOperationStatus(ctx, framework, status);
    return;
  }
  if (status.uuid !== undefined) {
    const acknowledgement = { status_uuid: status.uuid, operation_uuid };
    send(ctx, agent.pid, 'mesos.internal.AcknowledgeOperationStatusMessage', acknowledgement);
  }
  if (isTerminalOperation(latest.state)) removeOperation(ctx, key, agent);
}
