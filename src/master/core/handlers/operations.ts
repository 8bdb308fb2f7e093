/** Offer operations that convert resources, and their feedback. */
import { formatUuid, randomUuidBytes } from '../../../base/random.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { mapOperation, resourcesIn } from '../../../resources/carriers.ts';
import { needsCheckpoint } from '../../../resources/checkpointed.ts';
import type { Resources } from '../../../resources/resources.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { Offer_Operation, OperationStatus, TaskInfo, TaskStatus } from '../../../wire/v1.ts';
import type { Call_AcknowledgeOperationStatus, Call_ReconcileOperations } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import { checkDrainLater } from '../drain.ts';
import { resourceFor } from '../offers.ts';
import type { AgentRecord, FrameworkRecord } from '../records.ts';
import { countEnd, masterStatus, sendUpdate } from '../status.ts';
import { sendToFramework } from '../streams.ts';
import { validateOperation } from '../validation/operation.ts';
import type { Acceptance } from './acceptance.ts';
import { allocated } from './launch.ts';

/**
 * RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME: applied here at once, as if the agent had done it
 * already, so that later operations of the same ACCEPT can use the outcome.
 */
export function convert(ctx: Context, acceptance: Acceptance, given: Offer_Operation): void {
  const { framework, agent } = acceptance;
  const plan = planConversion(ctx, acceptance, given);
  if (!plan.ok) {
    dropOperation(ctx, framework, given, plan.error);
    return;
  }
  const { operation, available, total } = plan.value;
  ctx.allocator.updateAllocation(framework.id, agent.id, acceptance.available, available);
  acceptance.available = available;
  acceptance.progress = true;
  agent.total = total;
  agent.checkpointed = total.filter(needsCheckpoint);
  applyOnAgent(ctx, framework, agent, operation);
}

interface Conversion {
  /** In stack form, and allocated. */
  readonly operation: Offer_Operation;
  /** What is left of the offers afterwards. */
  readonly available: Resources;
  /** What the agent has afterwards. */
  readonly total: Resources;
}

function planConversion(ctx: Context, acceptance: Acceptance, given: Offer_Operation): Result<Conversion> {
  const { framework, agent, role } = acceptance;
  const wellFormed = validateResources(resourcesIn(given));
  if (!wellFormed.ok) return wellFormed;
  const operation = mapOperation(given, (resource) => allocated(resource, role));
  const valid = validateOperation(operation, framework, agent);
  if (!valid.ok) return valid;
  const problem = feedbackProblem(operation, framework, agent) ?? forbidden(ctx, operation, framework);
  if (problem !== undefined) return err(problem);
  const available = acceptance.available.apply(operation);
  if (!available.ok) return available;
  const bare = mapOperation(operation, ({ allocation_info: _, ...resource }) => resource);
  const total = agent.total.apply(bare);
  return total.ok ? ok({ operation, available: available.value, total: total.value }) : total;
}

/** Only agents that report back can serve operations with an id. */
function feedbackProblem(
  operation: Offer_Operation,
  framework: FrameworkRecord,
  agent: AgentRecord,
): string | undefined {
  if (operation.id === undefined) return undefined;
  if (framework.connection?.kind === 'pid') return "'id' is for schedulers that are connected over HTTP";
  const able = agent.capabilities.has('RESOURCE_PROVIDER') && agent.capabilities.has('AGENT_OPERATION_FEEDBACK');
  return able ? undefined : "the agent cannot report on operations; leave out 'id'";
}

const ACTIONS = {
  RESERVE: 'RESERVE_RESOURCES',
  UNRESERVE: 'UNRESERVE_RESOURCES',
  CREATE: 'CREATE_VOLUME',
  DESTROY: 'DESTROY_VOLUME',
  GROW_VOLUME: 'RESIZE_VOLUME',
  SHRINK_VOLUME: 'RESIZE_VOLUME',
} as const;

function forbidden(ctx: Context, operation: Offer_Operation, framework: FrameworkRecord): string | undefined {
  const action = ACTIONS[operation.type as keyof typeof ACTIONS];
  const { principal } = framework;
  const refused = resourcesIn(operation).some(
    (resource) => !ctx.options.authorize({ action, resource, ...(principal !== undefined && { principal }) }),
  );
  return refused ? `principal '${principal ?? ''}' is not authorized to ${action}` : undefined;
}

/** Tells the agent of an operation that is already in the books. @param framework none: an operator's */
export function applyOnAgent(
  ctx: Context,
  framework: FrameworkRecord | undefined,
  agent: AgentRecord,
  operation: Offer_Operation,
): void {
  const uuid = randomUuidBytes(ctx.env.random);
  const who = framework === undefined ? 'an operator' : `framework ${nameFramework(framework)}`;
  log(ctx, 'info', `Applying ${operation.type} of ${who} on agent ${agent.id}`);
  if (!agent.capabilities.has('RESOURCE_PROVIDER') || agent.resourceVersion === undefined) {
    send(ctx, agent.pid, 'mesos.internal.CheckpointResourcesMessage', {
      resources: agent.checkpointed.toProto().map((resource) => resourceFor(agent.capabilities, resource)),
    });
    return;
  }
  const status: OperationStatus = {
    state: 'OPERATION_PENDING',
    ...(operation.id !== undefined && { operation_id: operation.id }),
  };
  const of = framework === undefined ? {} : { framework_id: { value: framework.id } };
  const record = {
    ...of,
    agent_id: { value: agent.id },
    info: operation,
    latest_status: status,
    uuid: { value: uuid },
  };
  const key = formatUuid(uuid);
  framework?.operations.set(key, record);
  agent.operations.set(key, record);
  send(ctx, agent.pid, 'mesos.internal.ApplyOperationMessage', {
    ...of,
    operation_info: mapOperation(operation, (resource) => resourceFor(agent.capabilities, resource)),
    operation_uuid: record.uuid,
    resource_version_uuid: { uuid: { value: agent.resourceVersion } },
  });
}

/** The operation is not done. Who gave it an id is told so; tasks in it are refused one by one elsewhere. */
export function dropOperation(
  ctx: Context,
  framework: FrameworkRecord,
  operation: Offer_Operation,
  reason: string,
): void {
  log(ctx, 'warning', `Dropping ${operation.type} operation of framework ${nameFramework(framework)}: ${reason}`);
  if (operation.id === undefined) return;
  sendOperationStatus(ctx, framework, { operation_id: operation.id, state: 'OPERATION_ERROR', message: reason });
}

export function sendOperationStatus(ctx: Context, framework: FrameworkRecord, status: OperationStatus): void {
  if (framework.connection?.kind === 'pid') return;
  sendToFramework(ctx, framework, { type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } });
}

/** Tasks that never start, through no fault in them. */
export function dropTasks(
  ctx: Context,
  framework: FrameworkRecord,
  tasks: readonly TaskInfo[],
  reason: NonNullable<TaskStatus['reason']>,
  message: string,
): void {
  const state = framework.capabilities.has('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
  for (const task of tasks) {
    const status = masterStatus(ctx, { taskId: task.task_id, agentId: task.agent_id, state, reason, message });
    countEnd(ctx, framework, state, status);
    sendUpdate(ctx, framework, status);
  }
}

const TERMINAL: ReadonlySet<OperationStatus['state']> = new Set<OperationStatus['state']>([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_GONE_BY_OPERATOR',
]);

export function isTerminalOperation(state: OperationStatus['state']): boolean {
  return TERMINAL.has(state);
}

/** Forgets an operation everywhere. */
export function removeOperation(ctx: Context, key: string, agent: AgentRecord): void {
  const operation = agent.operations.get(key);
  agent.operations.delete(key);
  checkDrainLater(ctx, agent);
  ctx.state.frameworks.get(operation?.framework_id?.value ?? '')?.operations.delete(key);
}

/** ACKNOWLEDGE_OPERATION_STATUS: passed on to the agent; the end acknowledged, the operation is forgotten. */
export function acknowledgeOperation(
  ctx: Context,
  framework: FrameworkRecord,
  call: Call_AcknowledgeOperationStatus,
): void {
  countUp(ctx, 'messages_operation_status_update_acknowledgement');
  const agent = ctx.state.agents.get(call.agent_id?.value ?? '');
  const found = [...framework.operations].find(([, operation]) => operation.info.id?.value === call.operation_id.value);
  if (agent === undefined || !agent.connected || found === undefined || !agent.operations.has(found[0])) {
    const what = `acknowledgement for operation ${call.operation_id.value} of framework ${nameFramework(framework)}`;
    log(ctx, 'warning', `Ignoring ${what}: the operation or its agent is not known`);
    countUp(ctx, 'invalid_operation_status_update_acknowledgements');
    return;
  }
  const [key, operation] = found;
  send(ctx, agent.pid, 'mesos.internal.AcknowledgeOperationStatusMessage', {
    status_uuid: { value: call.uuid },
    operation_uuid: operation.uuid,
    ...(call.resource_provider_id !== undefined && { resource_provider_id: call.resource_provider_id }),
  });
  countUp(ctx, 'valid_operation_status_update_acknowledgements');
  const { latest_status: last } = operation;
  const isLast = last.uuid !== undefined && sameBytes(last.uuid.value, call.uuid);
  if (isLast && isTerminalOperation(last.state)) removeOperation(ctx, key, agent);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** RECONCILE_OPERATIONS: answers come as UPDATE_OPERATION_STATUS without a uuid. None named means all. */
export function reconcileOperations(ctx: Context, framework: FrameworkRecord, call: Call_ReconcileOperations): void {
  countUp(ctx, 'messages_reconcile_operations');
  const asked = call.operations ?? [];
  const known = new Map([...framework.operations.values()].map((operation) => [operation.info.id?.value, operation]));
  if (asked.length === 0) {
    for (const operation of known.values()) {
      if (operation.info.id !== undefined) sendLatest(ctx, framework, operation.latest_status);
    }
  }
  for (const { operation_id, agent_id, resource_provider_id } of asked) {
    const operation = known.get(operation_id.value);
    if (operation !== undefined) {
      sendLatest(ctx, framework, operation.latest_status);
      continue;
    }
    sendOperationStatus(ctx, framework, {
      operation_id,
      ...verdictOn(ctx, agent_id?.value),
      ...(agent_id !== undefined && { agent_id }),
      ...(resource_provider_id !== undefined && { resource_provider_id }),
    });
  }
}

function sendLatest(ctx: Context, framework: FrameworkRecord, status: OperationStatus): void {
  const { uuid: _, ...shown } = status;
  sendOperationStatus(ctx, framework, shown);
}

function verdictOn(ctx: Context, agentId: string | undefined): Pick<OperationStatus, 'state' | 'message'> {
  const { state } = ctx;
  const say = (suffix: string): string => `Reconciliation: ${suffix}`;
  if (agentId === undefined) {
    return { state: 'OPERATION_UNKNOWN', message: say("Operation is unknown and no 'agent_id' was provided") };
  }
  if (state.agents.has(agentId)) return { state: 'OPERATION_UNKNOWN', message: say('Operation is unknown') };
  if (state.recovered.has(agentId)) {
    return { state: 'OPERATION_RECOVERING', message: say('Agent is recovered but has not re-registered') };
  }
  if (state.unreachable.has(agentId)) return { state: 'OPERATION_UNREACHABLE', message: say('Agent is unreachable') };
  if (state.gone.has(agentId)) {
    return { state: 'OPERATION_GONE_BY_OPERATOR', message: say('Agent was marked gone by an operator') };
  }
  return { state: 'OPERATION_UNKNOWN', message: say('Both operation and agent are unknown') };
}

/** What becomes of operations whose agent is lost. */
export function loseOperations(ctx: Context, agent: AgentRecord, state: OperationStatus['state']): void {
  for (const [key, operation] of [...agent.operations]) {
    const framework = ctx.state.frameworks.get(operation.framework_id?.value ?? '');
    removeOperation(ctx, key, agent);
    if (framework === undefined || operation.info.id === undefined) continue;
    const agent_id = { value: agent.id };
    sendOperationStatus(ctx, framework, { operation_id: operation.info.id, state, agent_id });
  }
}
