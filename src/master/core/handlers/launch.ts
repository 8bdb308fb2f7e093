import { mapTask } from '../../../resources/carriers.ts';
import { upgrade } from '../../../resources/refinement.ts';
import { Resources } from '../../../resources/resources.ts';
import type { ExecutorInfo, Offer_Operation, Resource, TaskInfo, TaskStatus } from '../../../wire/v1.ts';
import { addExecutor, hasExecutor } from '../accounting.ts';
import { type Context, log, nameAgent, nameFramework, send, tellOperators } from '../context.ts';
import { resourceFor } from '../offers.ts';
import { type AgentRecord, count, type FrameworkRecord } from '../records.ts';
import { countEnd, masterStatus, sendUpdate } from '../status.ts';
import { addTask, taskOf } from '../tasks.ts';
import { validateTask } from '../validation/task.ts';
import type { Acceptance } from './acceptance.ts';

/** LAUNCH: each task by itself; one that is refused does not stop the others. */
export function launch(ctx: Context, acceptance: Acceptance, operation: Offer_Operation): void {
  for (const given of operation.launch?.task_infos ?? []) launchOne(ctx, acceptance, given);
}

function launchOne(ctx: Context, acceptance: Acceptance, given: TaskInfo): void {
  const { framework, agent, role, available } = acceptance;
  const task = mapTask(ownExecutor(given, framework), (resource) => allocated(resource, role));
  const valid = validateTask(task, { framework, agent, available: available.nonShared().plus(acceptance.shared) });
  if (!valid.ok) {
    refuseTask(ctx, framework, task, 'REASON_TASK_INVALID', valid.error);
    return;
  }
  const refusal = unauthorized(ctx, framework, task, task.executor);
  if (refusal !== undefined) {
    refuseTask(ctx, framework, task, 'REASON_TASK_UNAUTHORIZED', refusal);
    return;
  }
  copyShared(ctx, acceptance, task);
  const isNew = startTask(ctx, acceptance, task, task.executor);
  count(framework.counters.operations, 'LAUNCH');
  const toAgent = mapTask(task, (resource) => resourceFor(agent.capabilities, resource));
  send(ctx, agent.pid, 'mesos.internal.RunTaskMessage', {
    framework: framework.info,
    task: toAgent,
    launch_executor: task.executor === undefined || isNew,
    ...(framework.connection?.kind === 'pid' && { pid: framework.connection.pid }),
    ...versionsOf(agent),
  });
}

/** A task may use a shared volume of the offers although earlier ones have used up the copies that were offered. */
function copyShared(ctx: Context, acceptance: Acceptance, { resources = [] }: TaskInfo): void {
  const { framework, agent, available } = acceptance;
  const additional = Resources.of(resources).shared().minus(available.shared());
  if (additional.isEmpty) return;
  ctx.allocator.updateAllocation(framework.id, agent.id, additional, additional.plus(additional));
  acceptance.available = available.plus(additional);
}

/** Only an executor of a LAUNCH may leave out whose it is. */
function ownExecutor(task: TaskInfo, framework: FrameworkRecord): TaskInfo {
  if (task.executor === undefined || task.executor.framework_id !== undefined) return task;
  return { ...task, executor: { ...task.executor, framework_id: { value: framework.id } } };
}

/** In stack form, allocated to the offers' role where that is not said. */
export function allocated(resource: Resource, role: string): Resource {
  const upgraded = upgrade(resource);
  return upgraded.allocation_info?.role === undefined ? { ...upgraded, allocation_info: { role } } : upgraded;
}

/** Enters a task, and its executor if that is new. @returns whether the executor is new */
export function startTask(
  ctx: Context,
  acceptance: Acceptance,
  info: TaskInfo,
  executor: ExecutorInfo | undefined,
): boolean {
  const { framework, agent } = acceptance;
  const isNew = executor !== undefined && !hasExecutor(framework, agent.id, executor.executor_id.value);
  if (isNew) {
    addExecutor(framework, agent, executor);
    acceptance.available = acceptance.available.minus(Resources.of(executor.resources ?? []));
  }
  addTask(framework, agent, taskOf(info, framework.id));
  acceptance.available = acceptance.available.minus(Resources.of(info.resources ?? []));
  acceptance.progress = true;
  const taskId = info.task_id.value;
  log(ctx, 'info', `Launching task ${taskId} of framework ${nameFramework(framework)} on agent ${nameAgent(agent)}`);
  tellOperators(ctx, { type: 'TASK_ADDED', frameworkId: framework.id, taskId });
  return isNew;
}

/** Tells the agent which of its resources the launch counted on. */
export function versionsOf(agent: AgentRecord): {
  readonly resource_version_uuids?: readonly { readonly uuid: { readonly value: Uint8Array } }[];
} {
  if (agent.resourceVersion === undefined) return {};
  return { resource_version_uuids: [{ uuid: { value: agent.resourceVersion } }] };
}

/** @returns why the framework may not run this, or undefined if it may */
export function unauthorized(
  ctx: Context,
  framework: FrameworkRecord,
  task: TaskInfo,
  executor: ExecutorInfo | undefined,
): string | undefined {
  const user = task.command?.user ?? executor?.command?.user ?? framework.info.user;
  const allowed = ctx.options.authorize({
    action: 'RUN_TASK',
    framework: framework.info,
    task,
    user,
    ...(executor !== undefined && { executor }),
    ...(framework.principal !== undefined && { principal: framework.principal }),
  });
  return allowed ? undefined : `Not authorized to launch as user '${user}'`;
}

/** The task never starts: an error of the scheduler. */
export function refuseTask(
  ctx: Context,
  framework: FrameworkRecord,
  task: TaskInfo,
  reason: NonNullable<TaskStatus['reason']>,
  message: string,
): void {
  const status = masterStatus(ctx, {
    taskId: task.task_id,
    agentId: task.agent_id,
    state: 'TASK_ERROR',
    reason,
    message,
  });
  countEnd(ctx, framework, status.state, status);
  sendUpdate(ctx, framework, status);
}
