import { formatUuid } from '../../../base/random.ts';
import type { UpdateOperationStatusMessage } from '../../../wire/internal.ts';
import type { Operation, OperationStatus } from '../../../wire/v1.ts';
import { type Context, countUp, log } from '../context.ts';
import {
  acknowledge,
  isTerminalOperation,
  removeOperation,
  sendOperationStatus,
  updateOperation,
} from '../operations.ts';
import type { AgentRecord } from '../records.ts';

/** For so long after an agent has come back its operations' frameworks may come back too, before they count as gone. */
const MIN_WAIT_FOR_FRAMEWORK = 600_000;

/** UpdateOperationStatusMessage of an agent. Operations that nobody follows are acknowledged by the master itself. */
export function operationStatus(ctx: Context, message: UpdateOperationStatusMessage): void {
  countUp(ctx, 'messages_operation_status_update');
  const { operation_uuid, slave_id } = message;
  // The answer to what a framework had asked, which the master passed on.
  if (operation_uuid === undefined) {
    passOn(ctx, message);
    return;
  }
  const key = formatUuid(operation_uuid.value);
  const agent = ctx.state.agents.get(slave_id?.value ?? '');
  const operation = agent?.operations.get(key);
  if (agent === undefined || operation === undefined) {
    // The end of an operation that the master had asked about, and heard of in another way meanwhile.
    if (agent !== undefined && message.framework_id === undefined) return;
    log(ctx, 'warning', `Ignoring status ${message.status.state} of operation '${key}': it is not known`);
    countUp(ctx, 'invalid_operation_status_updates');
    if (agent !== undefined) passOn(ctx, message);
    return;
  }
  countUp(ctx, 'valid_operation_status_updates');
  const named = operation.info.id === undefined ? {} : { operation_id: operation.info.id };
  const status = { ...(message.latest_status ?? message.status), ...named };
  settle(ctx, agent, updateOperation(ctx, agent, operation, status), status);
}

function passOn(ctx: Context, { framework_id, status }: UpdateOperationStatusMessage): void {
  const framework = ctx.state.frameworks.get(framework_id?.value ?? '');
  if (framework !== undefined && status.operation_id !== undefined) sendOperationStatus(ctx, framework, status);
}

function settle(ctx: Context, agent: AgentRecord, operation: Operation, status: OperationStatus): void {
  const over = isTerminalOperation(status.state);
  const frameworkId = operation.framework_id?.value ?? '';
  const framework = ctx.state.frameworks.get(frameworkId);
  if (operation.info.id !== undefined && framework !== undefined) {
    sendOperationStatus(ctx, framework, status);
    // Without a uuid it is told only once, and nobody acknowledges it.
    if (over && status.uuid === undefined) removeOperation(ctx, agent, operation);
    return;
  }
  if (operation.info.id !== undefined && mayComeBack(ctx, agent, frameworkId)) return;
  acknowledge(ctx, agent, operation, status);
  if (over) removeOperation(ctx, agent, operation);
}

/** After a failover agents may come back before the frameworks whose operations they have. */
function mayComeBack(ctx: Context, agent: AgentRecord, frameworkId: string): boolean {
  if (ctx.state.completedFrameworks.has(frameworkId)) return false;
  return ctx.env.wall - (agent.reregisteredTime ?? agent.registeredTime) < MIN_WAIT_FOR_FRAMEWORK;
}
