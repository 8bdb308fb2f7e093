/** Offer operations that convert resources, and their feedback. */
import { randomUuidBytes } from '../../../base/random.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { mapOperation, resourcesIn } from '../../../resources/carriers.ts';
import { needsCheckpoint } from '../../../resources/checkpointed.ts';
import { Resources } from '../../../resources/resources.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { Offer_Operation, OperationStatus, Resource, TaskInfo, TaskStatus } from '../../../wire/v1.ts';
import { type Context, log, nameFramework, send } from '../context.ts';
import { offersOf, rescindOffer, resourceFor } from '../offers.ts';
import { addOperation, countOperation, sendOperationStatus } from '../operations.ts';
import { type AgentRecord, count, type FrameworkRecord } from '../records.ts';
import { countEnd, masterStatus, sendUpdate } from '../status.ts';
import { validateOperation } from '../validation/operation.ts';
import type { Acceptance } from './acceptance.ts';
import { allocated } from './launch.ts';
import { questionsAbout } from './operator/resource-questions.ts';

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
  if (operation.destroy !== undefined) rescindVolumes(ctx, agent, operation.destroy.volumes ?? []);
  ctx.allocator.updateAllocation(framework.id, agent.id, acceptance.available, available);
  acceptance.available = available;
  if (operation.type === 'CREATE' || operation.type === 'DESTROY') acceptance.shared = available.shared();
  acceptance.progress = true;
  agent.total = total;
  agent.checkpointed = total.filter(needsCheckpoint);
  applyOnAgent(ctx, framework, agent, operation);
}

/** Other copies of a shared volume may be on offer, to others as well. */
function rescindVolumes(ctx: Context, agent: AgentRecord, volumes: readonly Resource[]): void {
  const doomed = Resources.of(volumes).unallocate();
  for (const offer of offersOf(ctx, agent)) {
    const offered = offer.resources.unallocate();
    if ([...doomed].some((volume) => offered.contains(volume))) rescindOffer(ctx, offer);
  }
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
  const problem = feedbackProblem(operation, agent) ?? forbidden(ctx, operation, framework);
  if (problem !== undefined) return err(problem);
  const available = acceptance.available.apply(operation);
  if (!available.ok) return available;
  const bare = mapOperation(operation, ({ allocation_info: _, ...resource }) => resource);
  const total = agent.total.apply(bare);
  return total.ok ? ok({ operation, available: available.value, total: total.value }) : total;
}

/** Only agents that report back can serve operations with an id. */
function feedbackProblem({ id }: Offer_Operation, { capabilities }: AgentRecord): string | undefined {
  const missing = ['RESOURCE_PROVIDER', 'AGENT_OPERATION_FEEDBACK'].find((name) => !capabilities.has(name));
  if (id === undefined || missing === undefined) return undefined;
  return `'id' asks for feedback, and the agent lacks the capability ${missing}; leave it out`;
}

function forbidden(ctx: Context, operation: Offer_Operation, { principal }: FrameworkRecord): string | undefined {
  const who = principal === undefined ? {} : { principal };
  const refused = questionsAbout(operation).find((question) => !ctx.options.authorize({ ...question, ...who }));
  return refused && `principal '${principal ?? ''}' is not authorized to ${refused.action}`;
}

/** CREATE_DISK, DESTROY_DISK: they are the business of storage resource providers, and no agent of this build has one. */
export function dropDiskOperation(ctx: Context, { framework, agent, role }: Acceptance, given: Offer_Operation): void {
  const wellFormed = validateResources(resourcesIn(given));
  const valid = wellFormed.ok
    ? validateOperation(
        mapOperation(given, (resource) => allocated(resource, role)),
        framework,
        agent,
      )
    : wellFormed;
  const reason = valid.ok ? `no storage resource provider takes operations of type ${given.type}` : valid.error;
  dropOperation(ctx, framework, given, reason);
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
  if (framework !== undefined) count(framework.counters.operations, operation.type ?? 'UNKNOWN');
  if (!agent.capabilities.has('RESOURCE_PROVIDER') || agent.resourceVersion === undefined) {
    send(ctx, agent.pid, 'mesos.internal.CheckpointResourcesMessage', {
      resources: agent.checkpointed.toProto().map((resource) => resourceFor(agent.capabilities, resource)),
    });
    return;
  }
  const status: OperationStatus = {
    state: 'OPERATION_PENDING',
    ...(operation.id !== undefined && { operation_id: operation.id }),
    agent_id: { value: agent.id },
  };
  const of = framework === undefined ? {} : { framework_id: { value: framework.id } };
  const record = {
    ...of,
    agent_id: { value: agent.id },
    info: operation,
    latest_status: status,
    uuid: { value: uuid },
  };
  addOperation(ctx, agent, record);
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
  countOperation(ctx, operation.type, 'OPERATION_ERROR');
  if (operation.id === undefined) return;
  sendOperationStatus(ctx, framework, { operation_id: operation.id, state: 'OPERATION_ERROR', message: reason });
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
