/** An agent that was restarted takes up what the one before it has left. */
import type { TaskInfo } from '../../wire/v1.ts';
import { taskLost } from './built-in.ts';
import { type Context, log, send } from './context.ts';
import { executorEnded, forgetExecutorIfDone, registrationTimer, retireIfIdle, showSandbox } from './executors.ts';
import { discardFound, showCompleted } from './found.ts';
import { drainPolicy, killTask } from './kill.ts';
import { taskSandbox } from './launch.ts';
import { resumePending } from './operations.ts';
import { resumeOperatorContainers } from './operator-containers.ts';
import type { Recovered } from './recovered.ts';
import { showAgentDirectory } from './registration.ts';
import { endAgent } from './shutdown.ts';
import type { Executor, Framework } from './state.ts';
import { report } from './status.ts';
import { droppedState, goneState } from './task-state.ts';

/**
 * The first step after a restart. Containers are told of next, by the launcher; executors of frameworks' own have a while
 * to introduce themselves again.
 * @param cleanup end everything and then the agent, instead of going on
 */
export function resume(context: Context, recovered: Recovered, cleanup: boolean): void {
  const { state } = context;
  clearLost(context, recovered.containers);
  const tasks = [...state.frameworks.values()].reduce((sum, framework) => sum + framework.tasks.size, 0);
  const id = recovered.info?.id?.value;
  if (id !== undefined) {
    // The agent before may have been killed when it had an id and no folder yet.
    showAgentDirectory(context, id);
    log(context, 'info', `Recovered ${state.frameworks.size} frameworks with ${tasks} tasks as agent ${id}`);
  }
  showCompleted(context);
  discardFound(context, recovered);
  resumePending(context);
  for (const framework of [...state.frameworks.values()]) {
    for (const executor of [...framework.executors.values()]) {
      showSandbox(context, executor);
      resumeExecutor(context, framework, executor, recovered.containers);
    }
  }
  resumeOperatorContainers(context, recovered.containers);
  if (cleanup) endAgent(context, '--recover=cleanup', { forGood: true });
}

/**
 * Ends what is left of containers that the launcher no longer knows. Before anything is written: were the agent killed in
 * between, the next one would take them for over, and leave their processes alone.
 */
function clearLost({ state, emit }: Context, containers: ReadonlySet<string>): void {
  for (const framework of state.frameworks.values()) {
    for (const executor of framework.executors.values()) {
      if (executor.kind === 'custom') {
        const { containerId, directory } = executor;
        if (!containers.has(containerId.value)) {
          emit({ kind: 'clearContainer', containerId: containerId.value, sandbox: directory });
        }
        continue;
      }
      for (const record of [...executor.queued.values(), ...executor.launched.values()]) {
        const id = record.containerId?.value;
        if (id === undefined || containers.has(id)) continue;
        emit({ kind: 'clearContainer', containerId: id, sandbox: taskSandbox(executor, record) });
      }
    }
  }
}

function resumeExecutor(
  context: Context,
  framework: Framework,
  executor: Executor,
  containers: ReadonlySet<string>,
): void {
  if (executor.kind === 'custom') {
    resumeCustom(context, framework, executor, containers.has(executor.containerId.value));
    return;
  }
  for (const record of [...executor.queued.values(), ...executor.launched.values()]) {
    // Without a container the agent before was killed while it wrote the task down.
    const containerId = record.containerId?.value;
    if (containerId !== undefined && containers.has(containerId)) continue;
    if (containerId !== undefined) context.state.containers.delete(containerId);
    taskLost(context, framework, executor, record);
  }
  if (executor.phase === 'terminated') forgetExecutorIfDone(context, framework, executor);
  else if (executor.kind === 'default') retireIfIdle(context, framework, executor);
}

function resumeCustom(context: Context, framework: Framework, executor: Executor, isThere: boolean): void {
  const { state } = context;
  if (!isThere) {
    state.containers.delete(executor.containerId.value);
    executorEnded(context, framework, executor, {
      status: -1,
      state: goneState(framework.info),
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: 'The executor ended while the agent was away',
    });
    return;
  }
  const { executorReregistrationTimeout, executorRegistrationTimeout } = state.options;
  const after = executor.isReconnecting ? executorReregistrationTimeout : executorRegistrationTimeout;
  context.emit({ kind: 'arm', key: registrationTimer(executor), after });
  if (executor.pid !== undefined) context.emit({ kind: 'link', pid: executor.pid, reconnect: false });
  callBack(context, executor);
}

/** Asks a version 0 executor to introduce itself again, and asks again in a while if that is wanted. */
export function callBack(context: Context, executor: Executor): void {
  const { info, options } = context.state;
  const { pid, isReconnecting } = executor;
  if (pid === undefined || !isReconnecting || info.id === undefined) return;
  send(context, pid, 'mesos.internal.ReconnectExecutorMessage', { slave_id: info.id });
  const after = options.executorReregistrationRetryInterval;
  if (after !== undefined) context.emit({ kind: 'arm', key: reconnectTimer(executor), after });
}

const reconnectTimer = (executor: Executor): string => `reconnect/${executor.frameworkId}/${executor.id}`;

/** An executor that is back may not have heard that the agent is being drained. */
export function drainExecutor(context: Context, framework: Framework, executor: Executor): void {
  const { drain } = context.state;
  if (drain === undefined) return;
  for (const [taskId, { info }] of [...executor.queued, ...executor.launched]) {
    killTask(context, framework, executor, taskId, drainPolicy(info, drain.config));
  }
}

/**
 * An executor has introduced itself to the new agent. What was handed to it and it does not know has been lost on the way.
 * @param known what it has, as far as it was not told that its updates had arrived
 */
export function executorIsBack(
  context: Context,
  framework: Framework,
  executor: Executor,
  known: readonly TaskInfo[],
): void {
  executor.isReconnecting = false;
  const ids = new Set(known.map(({ task_id }) => task_id.value));
  for (const [taskId, record] of [...executor.launched]) {
    if (ids.has(taskId) || (record.task.statuses ?? []).length > 0) continue;
    report(context, framework, executor, taskId, {
      state: droppedState(framework.info),
      source: 'SOURCE_AGENT',
      reason: 'REASON_AGENT_RESTARTED',
      message: 'The task was being launched when the agent restarted',
    });
  }
}
