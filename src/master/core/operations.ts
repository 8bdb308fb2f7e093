/** The books of operations on agents' resources, and what schedulers are told of them. */
import { formatUuid } from '../../base/random.ts';
import type { Operation, OperationState, OperationStatus } from '../../wire/v1.ts';
import { type Context, send } from './context.ts';
import { checkDrainLater } from './drain.ts';
import { type AgentRecord, type FrameworkRecord, own } from './records.ts';
import { sendToFramework } from './streams.ts';

const TERMINAL: ReadonlySet<OperationState> = new Set<OperationState>([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_GONE_BY_OPERATOR',
]);

/** Whether nothing can come after this state. */
export function isTerminalOperation(state: OperationState): boolean {
  return TERMINAL.has(state);
}

/** Acknowledged operations of one agent that are remembered: as many as may be on their way at once, and more. */
const REMEMBERED = 100;

type OperationType = NonNullable<Operation['info']['type']>;

/** Counts operations as they are now: those that have ended stay counted as they ended. */
export function countOperation(ctx: Context, type: OperationType | undefined, state: OperationState, by = 1): void {
  const { operationCounts } = ctx.state;
  const key = `${type ?? 'UNKNOWN'}/${state}`;
  operationCounts.set(key, (operationCounts.get(key) ?? 0) + by);
}

/** Enters an operation, of a framework, of an operator, or one of which an agent tells. */
export function addOperation(ctx: Context, agent: AgentRecord, operation: Operation): void {
  const key = formatUuid(operation.uuid.value);
  countOperation(ctx, operation.info.type, operation.latest_status.state);
  own(agent, 'operations').set(key, operation);
  const frameworkId = operation.framework_id?.value;
  if (frameworkId === undefined) return;
  const framework = ctx.state.frameworks.get(frameworkId);
  if (framework !== undefined) framework.operations.set(key, operation);
  else orphan(ctx, frameworkId, key, agent.id);
}

/** Nobody speaks for the framework (yet): whoever subscribes with its id finds its operations. */
function orphan(ctx: Context, frameworkId: string, key: string, agentId: string): void {
  const { orphanOperations } = ctx.state;
  const known = orphanOperations.get(frameworkId);
  if (known === undefined) orphanOperations.set(frameworkId, new Map([[key, agentId]]));
  else known.set(key, agentId);
}

/** Gives a framework that has just been entered its operations. */
export function adoptOperations(ctx: Context, framework: FrameworkRecord): void {
  const { orphanOperations, agents } = ctx.state;
  for (const [key, agentId] of orphanOperations.get(framework.id) ?? []) {
    const operation = agents.get(agentId)?.operations.get(key);
    if (operation !== undefined) framework.operations.set(key, operation);
  }
  orphanOperations.delete(framework.id);
}

/** Takes over what the agent says. An operation that has ended keeps its end; a repeated status is not kept twice. */
export function updateOperation(
  ctx: Context,
  agent: AgentRecord,
  operation: Operation,
  status: OperationStatus,
): Operation {
  const key = formatUuid(operation.uuid.value);
  const { latest_status: before, statuses = [], info } = operation;
  const latest = isTerminalOperation(before.state) ? before : status;
  if (before.state !== latest.state) {
    countOperation(ctx, info.type, before.state, -1);
    countOperation(ctx, info.type, latest.state);
  }
  const last = statuses.at(-1);
  const repeated = last?.state === status.state && sameUuid(last.uuid?.value, status.uuid?.value);
  const updated: Operation = {
    ...operation,
    latest_status: latest,
    statuses: repeated ? [...statuses.slice(0, -1), status] : [...statuses, status],
  };
  own(agent, 'operations').set(key, updated);
  ctx.state.frameworks.get(operation.framework_id?.value ?? '')?.operations.set(key, updated);
  return updated;
}

export function sameUuid(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Forgets an operation everywhere. */
export function removeOperation(ctx: Context, agent: AgentRecord, operation: Operation): void {
  const key = formatUuid(operation.uuid.value);
  if (!agent.operations.has(key)) return;
  own(agent, 'operations').delete(key);
  const { state } = operation.latest_status;
  if (!isTerminalOperation(state)) countOperation(ctx, operation.info.type, state, -1);
  const frameworkId = operation.framework_id?.value ?? '';
  ctx.state.frameworks.get(frameworkId)?.operations.delete(key);
  const orphans = ctx.state.orphanOperations.get(frameworkId);
  orphans?.delete(key);
  if (orphans?.size === 0) ctx.state.orphanOperations.delete(frameworkId);
  checkDrainLater(ctx, agent);
}

/** Tells the agent that a status is known where it should be; with the last one the operation is history. */
export function acknowledge(
  ctx: Context,
  agent: AgentRecord,
  operation: Operation,
  status: OperationStatus,
  more: { readonly resource_provider_id?: { readonly value: string } } = {},
): void {
  if (status.uuid === undefined) return;
  if (isTerminalOperation(status.state)) {
    removeOperation(ctx, agent, operation);
    const recent = own(agent, 'acknowledgedOperations');
    recent.add(formatUuid(operation.uuid.value));
    if (recent.size > REMEMBERED) for (const oldest of recent) if (recent.delete(oldest)) break;
  }
  send(ctx, agent.pid, 'mesos.internal.AcknowledgeOperationStatusMessage', {
    status_uuid: status.uuid,
    operation_uuid: operation.uuid,
    ...more,
  });
}

/** Tells a scheduler of an operation that it has named. Drivers of version 0 have no words for it. */
export function sendOperationStatus(ctx: Context, framework: FrameworkRecord, status: OperationStatus): void {
  if (framework.connection?.kind === 'pid') return;
  sendToFramework(ctx, framework, { type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } });
}

/** A removed framework acknowledges nothing any more: what had ended is settled, what follows by its status updates. */
export function releaseOperations(ctx: Context, framework: FrameworkRecord): void {
  for (const operation of [...framework.operations.values()]) {
    const agent = ctx.state.agents.get(operation.agent_id?.value ?? '');
    if (agent !== undefined) acknowledge(ctx, agent, operation, operation.latest_status);
  }
  framework.operations.clear();
}

/** The agent is lost, and its operations with it; schedulers are told in which way, if one is given. */
export function loseOperations(
  ctx: Context,
  agent: AgentRecord,
  loss?: { readonly state: OperationState; readonly message: string },
): void {
  for (const operation of [...agent.operations.values()]) {
    removeOperation(ctx, agent, operation);
    const framework = ctx.state.frameworks.get(operation.framework_id?.value ?? '');
    if (loss === undefined || framework === undefined || operation.info.id === undefined) continue;
    sendOperationStatus(ctx, framework, {
      operation_id: operation.info.id,
      ...loss,
      agent_id: { value: agent.id },
    });
  }
}
