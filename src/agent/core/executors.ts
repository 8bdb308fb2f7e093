import { randomUuid } from '../../base/random.ts';
import type { ExecutorInfo, FrameworkInfo, TaskState, TaskStatus_Reason } from '../../wire/v1.ts';
import {
  forgetAgent,
  isCheckpointed,
  metaExecutorDirectory,
  metaFrameworkDirectory,
  metaRunDirectory,
  rememberEnd,
  rememberExecutor,
  rememberFramework,
} from './checkpoints.ts';
import { agentId, type Context, log, send } from './context.ts';
import type { Pid } from './effects.ts';
import { discard, keep } from './garbage.ts';
import { userOf } from './launch.ts';
import { endExecutorContainer } from './operator-containers.ts';
import { executorDirectory, frameworkDirectory, runsDirectory, virtualRunPath } from './paths.ts';
import { Ring } from './ring.ts';
import type { Executor, ExecutorKind, Framework } from './state.ts';
import { report } from './status.ts';

/** Upstream's default executor waits so long for the acknowledgement of its last task. */
const LINGER = 60_000;
/** Upstream's MAX_COMPLETED_TASKS_PER_EXECUTOR. */
export const COMPLETED_TASKS = 200;

/** The framework, known from now on; one that was completed comes back with its history. */
export function admitFramework(context: Context, info: FrameworkInfo, id: string, pid: Pid | undefined): Framework {
  const { state } = context;
  const known = state.frameworks.get(id);
  if (known) return known;
  const former = state.completedFrameworks.take((framework) => framework.id === id);
  const framework: Framework = {
    id,
    info,
    pid,
    phase: 'running',
    executors: new Map(),
    completedExecutors: former?.completedExecutors ?? new Ring(state.options.maxCompletedExecutorsPerFramework),
    tasks: new Map(),
  };
  state.frameworks.set(id, framework);
  rememberFramework(context, framework);
  keep(context, frameworkDirectory(state.options.workDir, agentId(state) ?? '', id));
  keep(context, metaFrameworkDirectory(state.options.workDir, agentId(state) ?? '', id));
  return framework;
}

/** A new run of an executor, with a container id and a sandbox of its own; nothing is started yet. */
export function addExecutor(context: Context, framework: Framework, info: ExecutorInfo, kind: ExecutorKind): Executor {
  const { state, env } = context;
  const id = info.executor_id.value;
  const containerId = randomUuid(env.random);
  const runs = runsDirectory(state.options.workDir, agentId(state) ?? '', framework.id, id);
  const executor: Executor = {
    id,
    frameworkId: framework.id,
    kind,
    info,
    containerId: { value: containerId },
    directory: `${runs}/${containerId}`,
    user: userOf(state, info.command, framework.info.user),
    launchedAt: env.wall,
    phase: 'registering',
    shown: false,
    processId: undefined,
    pid: undefined,
    stream: undefined,
    queued: new Map(),
    launched: new Map(),
    terminated: new Map(),
    completed: new Ring(COMPLETED_TASKS),
    pendingTermination: undefined,
    isReconnecting: false,
  };
  framework.executors.set(id, executor);
  for (const folder of executorFolders(context, framework, id)) keep(context, folder);
  rememberExecutor(context, framework, executor);
  return executor;
}

/** The executor's sandbox is there: show it under /files, by its own path and as the latest run. */
export function showSandbox(context: Context, executor: Executor): void {
  if (executor.shown) return;
  executor.shown = true;
  const owner = { frameworkId: executor.frameworkId, executorId: executor.id };
  const latest = virtualRunPath(executor.frameworkId, executor.id);
  context.state.latestRuns.set(latest, executor.directory);
  for (const virtual of [executor.directory, latest]) {
    context.emit({ kind: 'attachFiles', virtual, real: executor.directory, owner });
  }
}

export const shutdownTimer = (executor: Executor): string => `shutdown/${executor.frameworkId}/${executor.id}`;
export const lingerTimer = (executor: Executor): string => `linger/${executor.frameworkId}/${executor.id}`;
export const registrationTimer = (executor: Executor): string => `executor/${executor.frameworkId}/${executor.id}`;

/** How an executor ended: what the launcher says about its tasks, if it knows better than `Executor terminated`. */
export interface Ending {
  /** As waitpid tells it; -1 when nobody knows. */
  readonly status: number;
  readonly state?: TaskState | undefined;
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message?: string | undefined;
}

/** The executor is gone: so are the tasks that it still had. */
export function executorEnded(context: Context, framework: Framework, executor: Executor, ending: Ending): void {
  if (executor.phase === 'terminated') return;
  const { state } = context;
  state.metrics.executorsTerminated++;
  executor.phase = 'terminated';
  // Nobody waits for it any more, least of all the agent's registration.
  executor.isReconnecting = false;
  context.emit({ kind: 'disarm', key: shutdownTimer(executor) });
  context.emit({ kind: 'disarm', key: registrationTimer(executor) });
  context.emit({ kind: 'disarm', key: lingerTimer(executor) });
  const { status, reason, message } = ending;
  const termination = { ...(status >= 0 && { status }), ...(reason && { reason }), ...(message && { message }) };
  endExecutorContainer(context, executor.containerId.value, termination);
  if (executor.stream !== undefined) context.emit({ kind: 'closeExecutorStream', stream: executor.stream });
  executor.stream = undefined;
  endTasks(context, framework, executor, ending);
  tellDeparture(context, executor, ending.status);
  forgetExecutorIfDone(context, framework, executor);
}

/**
 * Tells that an executor is gone, or was never started although the master counts on it: masters count what executors hold,
 * except for command executors, of which they do not know.
 */
export function tellDeparture(
  context: Context,
  executor: Pick<Executor, 'frameworkId' | 'id' | 'kind'>,
  status: number,
): void {
  const { state } = context;
  const { id } = state.info;
  if (executor.kind === 'command' || id === undefined) return;
  const exited = {
    slave_id: id,
    framework_id: { value: executor.frameworkId },
    executor_id: { value: executor.id },
    status,
  };
  if (state.phase === 'running' && state.master !== undefined) {
    send(context, state.master, 'mesos.internal.ExitedExecutorMessage', exited);
  } else state.departed.push(exited);
}

function endTasks(context: Context, framework: Framework, executor: Executor, ending: Ending): void {
  const pending = executor.pendingTermination;
  const messages = [pending?.message, ending.message].filter((text) => text !== undefined);
  const removed = framework.phase === 'terminating';
  for (const taskId of [...executor.launched.keys(), ...executor.queued.keys()]) {
    report(context, framework, executor, taskId, {
      state: removed ? 'TASK_KILLED' : (ending.state ?? pending?.state ?? 'TASK_FAILED'),
      source: 'SOURCE_AGENT',
      reason: removed ? 'REASON_FRAMEWORK_REMOVED' : (ending.reason ?? pending?.reason ?? 'REASON_EXECUTOR_TERMINATED'),
      message: messages.length > 0 ? messages.join('; ') : 'Executor terminated',
    });
  }
}

/** The last status of a task has been acknowledged: the task is history. */
export function completeTask(context: Context, framework: Framework, executor: Executor, taskId: string): void {
  const record = executor.terminated.get(taskId);
  if (!record) return;
  executor.terminated.delete(taskId);
  executor.completed.push(record);
  framework.tasks.delete(taskId);
  if (executor.kind === 'default') retireIfIdle(context, framework, executor);
  forgetExecutorIfDone(context, framework, executor);
}

/**
 * A task group's executor ends when it has no tasks left. As upstream's it waits for the acknowledgements of their ends,
 * for a while: its framework may launch the next group with it until then.
 */
export function retireIfIdle(context: Context, framework: Framework, executor: Executor, waited = false): void {
  if (executor.queued.size + executor.launched.size > 0) return;
  const wait = executor.phase === 'running' && framework.phase === 'running' && executor.terminated.size > 0;
  if (!wait || waited) executorEnded(context, framework, executor, { status: 0 });
  else context.emit({ kind: 'arm', key: lingerTimer(executor), after: LINGER });
}

/** An ended executor is kept until its tasks' ends are acknowledged, or nobody is left to acknowledge them. */
export function forgetExecutorIfDone(context: Context, framework: Framework, executor: Executor): void {
  if (executor.phase !== 'terminated') return;
  const unfinished = executor.queued.size + executor.launched.size + executor.terminated.size;
  const { phase, isLeaving } = context.state;
  const abandoned = framework.phase === 'terminating' || (phase === 'terminating' && !isLeaving);
  if (unfinished > 0 && !abandoned) return;
  for (const [taskId, record] of executor.terminated) {
    executor.completed.push(record);
    framework.tasks.delete(taskId);
  }
  executor.terminated.clear();
  framework.executors.delete(executor.id);
  framework.completedExecutors.push(executor);
  rememberEnd(context, framework, executor);
  discardRun(context, framework, executor);
  forgetFrameworkIfIdle(context, framework);
}

/** The sandbox of a run goes in time, and with it what is remembered of the run, and of the executor if it has no other. */
function discardRun(context: Context, framework: Framework, executor: Executor): void {
  discard(context, executor.directory, virtualRunPath(framework.id, executor.id));
  if (isCheckpointed(context.state, framework)) discard(context, metaRunDirectory(context.state, executor));
  for (const folder of executorFolders(context, framework, executor.id)) discard(context, folder);
}

function executorFolders({ state }: Context, framework: Framework, executorId: string): string[] {
  const { workDir } = state.options;
  const agent = agentId(state) ?? '';
  const folder = executorDirectory(workDir, agent, framework.id, executorId);
  if (!isCheckpointed(state, framework)) return [folder];
  return [folder, metaExecutorDirectory(workDir, agent, framework.id, executorId)];
}

/** A framework without executors is history, until it launches again. */
export function forgetFrameworkIfIdle(context: Context, framework: Framework): void {
  const { state } = context;
  if (framework.executors.size > 0 || state.frameworks.get(framework.id) !== framework) return;
  log(context, 'info', `Framework ${framework.id} has no executors left on this agent`);
  state.frameworks.delete(framework.id);
  state.completedFrameworks.push(framework);
  discard(context, frameworkDirectory(state.options.workDir, agentId(state) ?? '', framework.id));
  if (isCheckpointed(state, framework)) {
    discard(context, metaFrameworkDirectory(state.options.workDir, agentId(state) ?? '', framework.id));
  }
  terminateIfDone(context);
}

/** An agent that is to end does so when nothing is left that ends with it. */
export function terminateIfDone(context: Context): void {
  const { state } = context;
  if (state.phase !== 'terminating') return;
  const remaining = [...state.frameworks.values()].filter((framework) => {
    return !state.isLeaving || !isCheckpointed(state, framework);
  });
  if (remaining.length > 0) return;
  const left = [...state.frameworks.values()].reduce((sum, { tasks }) => sum + tasks.size, 0);
  const reason = left > 0 ? `${left} tasks are left to the agent that comes next` : 'every task has ended';
  terminate(context, reason);
}

export function terminate(context: Context, reason: string): void {
  if (context.state.isForGood) forgetAgent(context);
  context.emit({ kind: 'terminate', status: 0, reason });
}
