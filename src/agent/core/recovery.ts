/** An agent that was restarted takes up what the one before it has left. */
import type { TaskInfo } from '../../wire/v1.ts';
import { taskLost } from './built-in.ts';
import { type Context, log, send } from './context.ts';
import {
  discardRun,
  executorEnded,
  forgetExecutorIfDone,
  registrationTimer,
  retireIfIdle,
  showSandbox,
} from './executors.ts';
import { discard } from './garbage.ts';
import { resumePending } from './operations.ts';
import { resumeOperatorContainers } from './operator-containers.ts';
import type { Recovered } from './recovered.ts';
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
  const tasks = [...state.frameworks.values()].reduce((sum, framework) => sum + framework.tasks.size, 0);
  log(
    context,
    'info',
    `Recovered ${state.frameworks.size} frameworks with ${tasks} tasks as agent ${recovered.info.id?.value}`,
  );
  for (const path of recovered.leftovers) discard(context, path);
  discardCompleted(context, recovered);
  resumePending(context);
  for (const framework of [...state.frameworks.values()]) {
    for (const executor of [...framework.executors.values()]) {
      showSandbox(context, executor);
      resumeExecutor(context, framework, executor, recovered.containers);
    }
  }
  resumeOperatorContainers(context, recovered.containers);
  if (cleanup) endAgent(context, '--recover=cleanup', false);
}

/** What ended before the restart is collected as if there had been none: the oldest first. */
function discardCompleted(context: Context, recovered: Recovered): void {
  const { state, env } = context;
  const runs = recovered.frameworks.flatMap(({ info, runs }) =>
    runs.map((run) => ({ frameworkId: info.id?.value, run })),
  );
  runs.sort((a, b) => a.run.modifiedAt - b.run.modifiedAt);
  for (const { frameworkId = '', run } of runs) {
    if (!run.isCompleted) continue;
    const framework =
      state.frameworks.get(frameworkId) ?? [...state.completedFrameworks].find(({ id }) => id === frameworkId);
    const executor = [...(framework?.completedExecutors ?? [])].find(
      ({ containerId }) => containerId.value === run.containerId,
    );
    if (framework === undefined || executor === undefined) continue;
    showSandbox(context, executor);
    discardRun(context, framework, executor, Math.max(0, env.wall - run.modifiedAt));
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
    if (record.containerId === undefined || containers.has(record.containerId.value)) continue;
    context.state.containers.delete(record.containerId.value);
    taskLost(context, framework, executor, record);
  }
  if (executor.phase === 'terminated') forgetExecutorIfDone(context, framework, executor);
  else if (executor.kind === 'default') retireIfIdle(context, framework, executor);
}

function resumeCustom(context: Context, framework: Framework, executor: Executor, isThere: boolean): void {
  const { state } = context;
  if (!isThere) {
    state.containers.delete(executor.containerId.value);
    executor.isReconnecting = false;
    context.emit({ kind: 'clearContainer', containerId: executor.containerId.value, sandbox: executor.directory });
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
  const { pid } = executor;
  if (pid === undefined || state.info.id === undefined) return;
  context.emit({ kind: 'link', pid, reconnect: false });
  send(context, pid, 'mesos.internal.ReconnectExecutorMessage', { slave_id: state.info.id });
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
