/**
 * The command executor and the default (task group) executor: upstream runs them as processes that ask the agent to
 * run tasks; here they are these functions, and a task costs no process but its own.
 */
import type { TaskState } from '../../wire/v1.ts';
import { startCheckers, stopCheckers } from './checks.ts';
import { taskContainerStatus } from './container-status.ts';
import { type Context, log } from './context.ts';
import { commandLine } from './environment.ts';
import type { ContainerLimitation } from './events.ts';
import { executorEnded, retireIfIdle } from './executors.ts';
import { drainPolicy, graceOf, killTimer, type StopOptions, stopTask } from './kill.ts';
import { launchTaskContainer } from './launch.ts';
import type { Executor, Framework, TaskRecord } from './state.ts';
import { report } from './status.ts';
import { describeExit, droppedState, goneState, succeeded } from './task-state.ts';

const completionTimer = (containerId: string): string => `completion/${containerId}`;

/** Starts tasks that are queued at a built-in executor: one of a command executor, or a whole group. */
export function startTasks(
  context: Context,
  framework: Framework,
  executor: Executor,
  records: readonly TaskRecord[],
): void {
  if (executor.kind === 'default') {
    executor.phase = 'running';
    for (const record of records) {
      handOver(executor, record);
      report(context, framework, executor, record.info.task_id.value, {
        state: 'TASK_STARTING',
        source: 'SOURCE_EXECUTOR',
        checkStatus: record.checkStatus,
        container: taskContainerStatus(context.state, executor, record),
      });
    }
  }
  const [runnable, hopeless] = partition(records, (record) => commandLine(record.info.command) !== undefined);
  for (const record of runnable) launchTaskContainer(context, framework, executor, record);
  for (const record of hopeless) {
    endTask(context, framework, executor, record, 'TASK_FAILED', { message: "The task's command has no value to run" });
    afterTask(context, framework, executor, record, 0);
  }
}

function partition<T>(items: readonly T[], question: (item: T) => boolean): [T[], T[]] {
  return [items.filter(question), items.filter((item) => !question(item))];
}

/** The task's process runs. */
export function taskStarted(
  context: Context,
  framework: Framework,
  executor: Executor,
  taskId: string,
  pid: number,
): void {
  const record = executor.queued.get(taskId) ?? executor.launched.get(taskId);
  if (!record) return;
  record.processId = pid;
  if (executor.kind === 'command') executor.processId = pid;
  // Being destroyed since before it ran: its end comes next.
  if (record.kill || executor.phase === 'terminating') return;
  const news = {
    source: 'SOURCE_EXECUTOR',
    checkStatus: record.checkStatus,
    container: taskContainerStatus(context.state, executor, record),
  } as const;
  const statuses = record.task.statuses ?? [];
  if (executor.kind === 'command') {
    executor.phase = 'running';
    handOver(executor, record);
    if (statuses.length === 0) report(context, framework, executor, taskId, { state: 'TASK_STARTING', ...news });
  }
  // After a restart of the agent the task may have been seen running before.
  const running = statuses.find(({ state }) => state === 'TASK_RUNNING');
  if (running === undefined) report(context, framework, executor, taskId, { state: 'TASK_RUNNING', ...news });
  startCheckers(context, framework, executor, record);
  limitCompletion(context, record, running?.timestamp);
  const end = endingBefore(context, executor, record);
  if (end !== undefined) stopTask(context, framework, executor, record, end);
}

function limitCompletion(context: Context, record: TaskRecord, runningSince: number | undefined): void {
  const limit = record.info.max_completion_time;
  if (!limit || !record.containerId) return;
  const past = runningSince === undefined ? 0 : Math.max(0, context.env.wall - runningSince * 1000);
  const after = Math.max(0, limit.nanoseconds / 1e6 - past);
  context.emit({ kind: 'arm', key: completionTimer(record.containerId.value), after });
}

/** How a task is to end that was being ended when the agent restarted, or should have been. */
function endingBefore({ state, env }: Context, executor: Executor, record: TaskRecord): StopOptions | undefined {
  const { killBefore, info } = record;
  if (killBefore !== undefined) {
    const { deadline, verdict, healthy } = killBefore;
    return { grace: Math.max(0, deadline - env.wall), verdict, healthy };
  }
  if (state.drain !== undefined) return { grace: graceOf(info, drainPolicy(info, state.drain.config)) };
  const others = [...executor.terminated.values(), ...executor.completed];
  const hasFailed = others.some(
    ({ group, task }) => group !== undefined && group === record.group && task.state !== 'TASK_FINISHED',
  );
  return hasFailed || record.task.state === 'TASK_KILLING' ? { grace: graceOf(info, undefined) } : undefined;
}

/** After a restart of the agent: nobody has the task's process, or knows how it ended. */
export function taskLost(context: Context, framework: Framework, executor: Executor, record: TaskRecord): void {
  const hasRun = (record.task.statuses ?? []).some(({ state }) => state === 'TASK_RUNNING');
  report(context, framework, executor, record.info.task_id.value, {
    source: 'SOURCE_AGENT',
    ...(hasRun
      ? {
          state: goneState(framework.info),
          reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
          message: 'The task ended while the agent was away, and its exit status is not known',
        }
      : {
          state: droppedState(framework.info),
          reason: 'REASON_AGENT_RESTARTED',
          message: 'The task was being launched when the agent restarted',
        }),
  });
  afterTask(context, framework, executor, record, -1);
}

/** The task's process has ended. */
export function taskExited(
  context: Context,
  framework: Framework,
  executor: Executor,
  taskId: string,
  status: number,
  limitation: ContainerLimitation | undefined,
): void {
  const record = executor.launched.get(taskId);
  if (record) {
    const state = verdict(record, status);
    const message = `Command ${describeExit(status)}`;
    endTask(context, framework, executor, record, limitation && !record.kill ? 'TASK_FAILED' : state, {
      message: limitation ? `${message}: ${limitation.message}` : message,
      reason: limitation?.reason ?? record.kill?.verdict?.reason,
    });
  }
  afterTask(context, framework, executor, record, status);
}

function verdict(record: TaskRecord, status: number): TaskState {
  if (record.kill) return record.kill.verdict?.state ?? 'TASK_KILLED';
  return succeeded(status) ? 'TASK_FINISHED' : 'TASK_FAILED';
}

/** The task's container could not be started. */
export function taskNotLaunched(
  context: Context,
  framework: Framework,
  executor: Executor,
  taskId: string,
  stage: 'sandbox' | 'launch',
  problem: string,
): void {
  log(context, 'error', `Task ${taskId} of framework ${framework.id} was not launched: ${problem}`);
  const message = stage === 'launch' ? `Failed to launch container: ${problem}` : problem;
  if (stage === 'launch') context.state.metrics.containerLaunchErrors++;
  if (executor.kind === 'command') {
    executor.pendingTermination =
      stage === 'launch'
        ? { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message }
        : { state: droppedState(framework.info), reason: 'REASON_EXECUTOR_TERMINATED', message };
    executorEnded(context, framework, executor, { status: -1 });
    return;
  }
  const record = executor.launched.get(taskId);
  if (record) {
    const state = record.kill ? 'TASK_KILLED' : 'TASK_FAILED';
    endTask(context, framework, executor, record, state, { message, reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
  }
  afterTask(context, framework, executor, record, 0);
}

/** The task has run for as long as it may. */
export function taskOutOfTime(context: Context, containerId: string): void {
  const use = context.state.containers.get(containerId);
  const framework = use && context.state.frameworks.get(use.frameworkId);
  const record = use?.taskId === undefined ? undefined : use.executor.launched.get(use.taskId);
  if (!use || !framework || !record || record.kill) return;
  stopTask(context, framework, use.executor, record, {
    grace: graceOf(record.info, undefined),
    verdict: { state: 'TASK_FAILED', reason: 'REASON_MAX_COMPLETION_TIME_REACHED' },
  });
}

function handOver(executor: Executor, record: TaskRecord): void {
  const taskId = record.info.task_id.value;
  executor.queued.delete(taskId);
  executor.launched.set(taskId, record);
}

function endTask(
  context: Context,
  framework: Framework,
  executor: Executor,
  record: TaskRecord,
  state: TaskState,
  why: { message: string; reason?: ContainerLimitation['reason'] | undefined },
): void {
  report(context, framework, executor, record.info.task_id.value, {
    state,
    source: 'SOURCE_EXECUTOR',
    ...why,
    healthy: record.kill?.healthy,
    checkStatus: record.checkStatus,
    container: taskContainerStatus(context.state, executor, record),
  });
}

/** What the end of a task means for its group and its executor. */
function afterTask(
  context: Context,
  framework: Framework,
  executor: Executor,
  record: TaskRecord | undefined,
  status: number,
): void {
  const containerId = record?.containerId?.value;
  if (record && containerId !== undefined) {
    stopCheckers(context, record);
    context.emit({ kind: 'disarm', key: killTimer(containerId) });
    context.emit({ kind: 'disarm', key: completionTimer(containerId) });
  }
  if (executor.kind === 'command') {
    executorEnded(context, framework, executor, { status });
    return;
  }
  if (record?.group && record.task.state !== 'TASK_FINISHED' && executor.phase === 'running') {
    endGroup(context, framework, executor, record);
  }
  retireIfIdle(context, framework, executor);
}

/** Tasks of a group end together as soon as one ends badly. */
function endGroup(context: Context, framework: Framework, executor: Executor, culprit: TaskRecord): void {
  const { group } = culprit;
  if (!group || group.ending) return;
  group.ending = true;
  for (const taskId of group.taskIds) {
    const record = executor.launched.get(taskId);
    if (record) stopTask(context, framework, executor, record, { grace: graceOf(record.info, undefined) });
  }
}
