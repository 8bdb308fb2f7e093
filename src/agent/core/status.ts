import { randomUuidBytes } from '../../base/random.ts';
import type { StatusUpdate } from '../../wire/internal.ts';
import type {
  CheckStatusInfo,
  ContainerStatus,
  TaskState,
  TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
} from '../../wire/v1.ts';
import { type Context, log } from './context.ts';
import type { Executor, Framework, TaskRecord } from './state.ts';
import { hasCapability, isTerminal } from './task-state.ts';
import { submitUpdate } from './updates.ts';

const MICROSECOND = 1e-6;

/** What there is to say about a task; the rest of the status is filled in. */
export interface News {
  readonly state: TaskState;
  readonly source: TaskStatus_Source;
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message?: string | undefined;
  readonly healthy?: boolean | undefined;
  readonly checkStatus?: CheckStatusInfo | undefined;
  readonly container?: ContainerStatus | undefined;
}

/** Tells of a task that an executor has: on the task itself, and to the scheduler. */
export function report(context: Context, framework: Framework, executor: Executor, taskId: string, news: News): void {
  const update = makeUpdate(context, framework.id, taskId, news, executor.id);
  if (update) takeUpdate(context, framework, executor, update);
}

/** Tells the scheduler of a task that no executor has. */
export function reportMissing(context: Context, frameworkId: string, taskId: string, news: News): void {
  const update = makeUpdate(context, frameworkId, taskId, news, undefined);
  if (!update) return;
  context.state.metrics.validStatusUpdates++;
  countTerminal(context, update.status.state);
  submitUpdate(context, update);
}

/** Takes a complete update, the agent's own or an executor's, for a task that the executor has. */
export function takeUpdate(context: Context, framework: Framework, executor: Executor, received: StatusUpdate): void {
  const update = whileDraining(context, framework, received);
  const { status } = update;
  const taskId = status.task_id.value;
  const record = executor.queued.get(taskId) ?? executor.launched.get(taskId);
  if (!record) {
    log(context, 'warning', `Ignoring ${status.state} of task ${taskId} of framework ${framework.id}: it has ended`);
    context.state.metrics.invalidStatusUpdates++;
    return;
  }
  context.state.metrics.validStatusUpdates++;
  record.task = withStatus(record, status);
  if (isTerminal(status.state)) {
    countTerminal(context, status.state);
    executor.queued.delete(taskId);
    executor.launched.delete(taskId);
    executor.terminated.set(taskId, record);
  }
  // Upstream's scheduler has asked for the end of everything and is told nothing more.
  if (framework.phase === 'running') submitUpdate(context, update);
}

function makeUpdate(
  context: Context,
  frameworkId: string,
  taskId: string,
  news: News,
  executorId: string | undefined,
): StatusUpdate | undefined {
  const agent = context.state.info.id;
  if (!agent) return undefined;
  const uuid = randomUuidBytes(context.env.random);
  const timestamp = Math.max(context.env.wall / 1000, context.state.lastTimestamp + MICROSECOND);
  context.state.lastTimestamp = timestamp;
  const status: TaskStatus = {
    task_id: { value: taskId },
    state: news.state,
    source: news.source,
    agent_id: agent,
    timestamp,
    uuid,
    ...(executorId !== undefined && { executor_id: { value: executorId } }),
    ...(news.reason && { reason: news.reason }),
    ...(news.message !== undefined && { message: news.message }),
    ...(news.healthy !== undefined && { healthy: news.healthy }),
    ...(news.checkStatus && { check_status: news.checkStatus }),
    ...(news.container && { container_status: news.container }),
  };
  return {
    framework_id: { value: frameworkId },
    ...(executorId !== undefined && { executor_id: { value: executorId } }),
    slave_id: agent,
    status,
    timestamp,
    uuid,
  };
}

/** A drained agent's tasks end because of that, and are gone for good when the agent is to be. */
function whileDraining(context: Context, framework: Framework, update: StatusUpdate): StatusUpdate {
  const { drain } = context.state;
  const { state } = update.status;
  if (!drain || (state !== 'TASK_KILLING' && state !== 'TASK_KILLED')) return update;
  const gone =
    state === 'TASK_KILLED' && drain.config.mark_gone === true && hasCapability(framework.info, 'PARTITION_AWARE');
  return {
    ...update,
    status: { ...update.status, reason: 'REASON_AGENT_DRAINING', ...(gone && { state: 'TASK_GONE_BY_OPERATOR' }) },
  };
}

/** The task with one more status; a status that repeats the state before it takes its place, and data is not kept. */
export function withStatus(record: TaskRecord, status: TaskStatus): TaskRecord['task'] {
  const { data: _, ...kept } = status;
  const before = record.task.statuses ?? [];
  const statuses = before.at(-1)?.state === kept.state ? before.slice(0, -1) : before;
  return { ...record.task, state: kept.state, statuses: [...statuses, kept] };
}

function countTerminal(context: Context, state: TaskState): void {
  const { metrics } = context.state;
  if (state === 'TASK_FINISHED') metrics.tasksFinished++;
  else if (state === 'TASK_FAILED') metrics.tasksFailed++;
  else if (state === 'TASK_KILLED') metrics.tasksKilled++;
  else if (state === 'TASK_LOST') metrics.tasksLost++;
  else if (state === 'TASK_GONE') metrics.tasksGone++;
}
