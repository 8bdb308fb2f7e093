import { Resources } from '../../resources/resources.ts';
import type { Task, TaskInfo, TaskState, TaskStatus } from '../../wire/v1.ts';
import { withoutSecrets } from '../../wire/without-secrets.ts';
import { addUsed, freeUsed } from './accounting.ts';
import { type Context, tellOperators } from './context.ts';
import { checkDrainLater } from './drain.ts';
import { type AgentRecord, addTo, type FrameworkRecord, own, takeFrom } from './records.ts';
import { sameMessage } from './same-message.ts';
import { countEnd, isRemovable, isTerminal } from './status.ts';

/** The record of a task that is just being launched. */
export function taskOf(info: TaskInfo, frameworkId: string): Task {
  const user = info.command?.user ?? info.executor?.command?.user;
  return {
    name: info.name,
    task_id: info.task_id,
    framework_id: { value: frameworkId },
    agent_id: info.agent_id,
    state: 'TASK_STAGING',
    ...(info.resources !== undefined && { resources: info.resources }),
    ...(info.executor !== undefined && { executor_id: info.executor.executor_id }),
    ...(info.labels !== undefined && { labels: info.labels }),
    ...(info.discovery !== undefined && { discovery: info.discovery }),
    ...(info.container !== undefined && { container: withoutSecrets(info.container) }),
    ...(info.health_check !== undefined && { health_check: info.health_check }),
    ...(info.kill_policy !== undefined && { kill_policy: info.kill_policy }),
    ...(info.limits !== undefined && { limits: info.limits }),
    ...(user !== undefined && { user }),
  };
}

/** Enters a task that is not known yet; a live one holds its resources from now on. */
export function addTask(framework: FrameworkRecord, agent: AgentRecord, task: Task): void {
  framework.tasks.set(task.task_id.value, task);
  addTo(agent.tasks, framework.id, task.task_id.value);
  if (!isRemovable(task.state)) addUsed(framework, agent, Resources.of(task.resources ?? []));
}

export interface TaskChange {
  readonly status: TaskStatus;
  /** The newest state that the agent knows of; may be ahead of the status. */
  readonly latest?: TaskState;
  /** Set if the status went to a scheduler that is to acknowledge it. */
  readonly uuid?: Uint8Array;
}

/**
 * Enters a status. A task that reached its end keeps that state whatever comes later; when it reaches it, its resources
 * become free at once, though the scheduler may not have seen the end yet.
 * @returns the task as it is now
 */
export function updateTask(ctx: Context, framework: FrameworkRecord, task: Task, change: TaskChange): Task {
  const { status, latest, uuid } = change;
  const told = latest ?? status.state;
  const state = isTerminal(task.state) ? task.state : told;
  const isOver =
    task.status_update_state !== undefined && isTerminal(task.status_update_state) && !isTerminal(status.state);
  const updated: Task = {
    ...task,
    state,
    statuses: withStatus(task.statuses, status),
    // What the scheduler was told last, and is told again when it asks. After the end it can only be late: it came over
    // a connection that was replaced, and the end is what will be acknowledged.
    ...(uuid !== undefined && !isOver && { status_update_state: status.state, status_update_uuid: uuid }),
  };
  framework.tasks.set(task.task_id.value, updated);
  if (uuid !== undefined && !isOver) rememberEnd(framework, task, uuid);
  if (isRemovable(state) && !isRemovable(task.state)) {
    countEnd(ctx, framework, state, status);
    const agent = ctx.state.agents.get(task.agent_id.value);
    if (agent !== undefined) freeUsed(ctx, framework, agent, Resources.of(task.resources ?? []));
  }
  const probed =
    status.reason === 'REASON_TASK_CHECK_STATUS_UPDATED' || status.reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';
  if (probed || state !== task.state || status.state !== task.statuses?.at(-1)?.state) {
    tellOperators(ctx, { type: 'TASK_UPDATED', frameworkId: framework.id, status, state });
  }
  return updated;
}

/** An end that was told before and is told under another uuid now: the scheduler may acknowledge either. */
function rememberEnd(framework: FrameworkRecord, before: Task, uuid: Uint8Array): void {
  const { status_update_state: state, status_update_uuid: earlier, task_id } = before;
  if (state === undefined || !isTerminal(state) || earlier === undefined || sameMessage(earlier, uuid)) return;
  framework.earlierEnds.set(task_id.value, [...(framework.earlierEnds.get(task_id.value) ?? []), earlier]);
}

/** One status per state change, without the scheduler's data: upstream's bound on what a task remembers. */
function withStatus(statuses: readonly TaskStatus[] | undefined, status: TaskStatus): readonly TaskStatus[] {
  const { data: _, ...kept } = status;
  const list = statuses ?? [];
  return list.at(-1)?.state === status.state ? [...list.slice(0, -1), kept] : [...list, kept];
}

/** Takes a task out of the live ones. It must hold nothing any more, and is remembered among the ended or unreachable. */
export function removeTask(
  ctx: Context,
  framework: FrameworkRecord,
  task: Task,
  to: 'completed' | 'unreachable',
): void {
  const id = task.task_id.value;
  const agent = ctx.state.agents.get(task.agent_id.value);
  if (agent !== undefined) {
    if (!isRemovable(task.state)) freeUsed(ctx, framework, agent, Resources.of(task.resources ?? []));
    takeFrom(agent.tasks, framework.id, id);
    if (agent.pendingKills.size > 0) takeFrom(own(agent, 'pendingKills'), framework.id, id);
    checkDrainLater(ctx, agent);
  }
  framework.tasks.delete(id);
  framework.earlierEnds.delete(id);
  if (to === 'unreachable') framework.unreachableTasks.set(id, task);
  else framework.completedTasks.push(task);
}

/** The framework's tasks on one agent. */
export function tasksOn(framework: FrameworkRecord, agent: AgentRecord): Task[] {
  return [...(agent.tasks.get(framework.id) ?? [])].flatMap((id) => framework.tasks.get(id) ?? []);
}
