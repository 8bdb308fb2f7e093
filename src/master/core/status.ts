import type { AgentID, ContainerStatus, ExecutorID, Task, TaskID, TaskState, TaskStatus } from '../../wire/v1.ts';
import { type Context, countUp, log, nameFramework, seconds } from './context.ts';
import type { CounterName } from './counters.ts';
import { type AgentRecord, count, type FrameworkRecord } from './records.ts';
import { sendToFramework } from './streams.ts';

const TERMINAL: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

/** Nothing more will come from this task. */
export function isTerminal(state: TaskState): boolean {
  return TERMINAL.has(state);
}

/** The task holds no resources any more, as far as the master can tell. */
export function isRemovable(state: TaskState): boolean {
  return state === 'TASK_UNREACHABLE' || isTerminal(state);
}

const STATE_COUNTERS: Partial<Record<TaskState, CounterName>> = {
  TASK_FINISHED: 'tasks_finished',
  TASK_FAILED: 'tasks_failed',
  TASK_KILLED: 'tasks_killed',
  TASK_LOST: 'tasks_lost',
  TASK_ERROR: 'tasks_error',
  TASK_DROPPED: 'tasks_dropped',
  TASK_GONE: 'tasks_gone',
  TASK_GONE_BY_OPERATOR: 'tasks_gone_by_operator',
};

/** Counts an end, in the metrics of the master and of the framework; being unreachable is one, but not for good. */
export function countEnd(ctx: Context, framework: FrameworkRecord, state: TaskState, status: TaskStatus): void {
  const { source = 'SOURCE_MASTER', reason } = status;
  if (reason !== undefined) count(ctx.state.taskCounters, `${state}/${source}/${reason}`.toLowerCase());
  const counter = STATE_COUNTERS[state];
  if (counter === undefined) return;
  countUp(ctx, counter);
  count(framework.counters.terminalTasks, state);
}

/** What the master says of a task by itself. It carries no uuid: nobody acknowledges it. */
export interface MasterStatus {
  readonly taskId: TaskID;
  readonly agentId?: AgentID;
  readonly executorId?: ExecutorID;
  readonly state: TaskState;
  readonly reason: NonNullable<TaskStatus['reason']>;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly unreachableTime?: number;
}

export function masterStatus(ctx: Context, said: MasterStatus): TaskStatus {
  return {
    task_id: said.taskId,
    state: said.state,
    message: said.message,
    source: 'SOURCE_MASTER',
    reason: said.reason,
    timestamp: seconds(ctx),
    ...(said.agentId !== undefined && { agent_id: said.agentId }),
    ...(said.executorId !== undefined && { executor_id: said.executorId }),
    ...(said.unreachableTime !== undefined && {
      unreachable_time: { nanoseconds: Math.round(said.unreachableTime * 1e6) },
    }),
  };
}

/** A master's status that repeats what is known of the task: its health, check and container. */
export function taskStatus(
  ctx: Context,
  task: Task,
  said: Pick<MasterStatus, 'state' | 'reason' | 'message'>,
): TaskStatus {
  const status = masterStatus(ctx, {
    ...said,
    taskId: task.task_id,
    agentId: task.agent_id,
    ...(task.executor_id !== undefined && { executorId: task.executor_id }),
  });
  const last = task.statuses?.at(-1);
  const container = lastContainerStatus(task);
  return {
    ...status,
    ...(last?.healthy !== undefined && { healthy: last.healthy }),
    ...(last?.check_status !== undefined && { check_status: last.check_status }),
    ...(container !== undefined && { container_status: container }),
  };
}

function lastContainerStatus(task: Task): ContainerStatus | undefined {
  return task.statuses?.findLast((status) => status.container_status !== undefined)?.container_status;
}

/**
 * Tells the scheduler, if it is there.
 * @param agent set if the agent waits for an acknowledgement
 */
export function sendUpdate(ctx: Context, framework: FrameworkRecord, status: TaskStatus, agent?: AgentRecord): void {
  if (framework.state !== 'CONNECTED') {
    log(
      ctx,
      'info',
      `Dropping update ${status.state} of task ${status.task_id.value}: framework ${nameFramework(framework)} is not connected`,
    );
    return;
  }
  sendToFramework(ctx, framework, { type: 'UPDATE', update: { status } }, agent?.pid);
}
