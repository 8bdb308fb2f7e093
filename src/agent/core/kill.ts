import type { Millis } from '../../base/machine.ts';
import type { DrainConfig, KillPolicy, TaskInfo } from '../../wire/v1.ts';
import { rememberKill } from './checkpoints.ts';
import { taskContainerStatus } from './container-status.ts';
import { type Context, log } from './context.ts';
import { isConnected, tell } from './custom.ts';
import { executorEnded, shutdownTimer } from './executors.ts';
import type { Executor, Framework, KillProgress, TaskRecord } from './state.ts';
import { report } from './status.ts';
import { hasCapability } from './task-state.ts';

const SIGKILL = 9;
const SIGTERM = 15;
/** Upstream's grace between SIGTERM and SIGKILL where nobody says otherwise. */
const DEFAULT_GRACE: Millis = 3000;
/** Upstream's executors stop their tasks this much before the agent would stop them: reaping, and a second. */
const SHUTDOWN_MARGIN: Millis = 2000;

export const killTimer = (containerId: string): string => `kill/${containerId}`;

/** How long a task may take to end after SIGTERM: what the kill says, else the task, else 3 s. */
export function graceOf(task: TaskInfo, override: KillPolicy | undefined): Millis {
  const given = override?.grace_period ?? task.kill_policy?.grace_period;
  return given ? Math.max(0, given.nanoseconds / 1e6) : DEFAULT_GRACE;
}

/** A drain's limit, for tasks that would take longer, or say nothing. @returns none: the task's own policy counts */
export function drainPolicy(
  { kill_policy }: TaskInfo,
  { max_grace_period: limit }: DrainConfig,
): KillPolicy | undefined {
  const own = kill_policy?.grace_period;
  if (limit === undefined || (own !== undefined && own.nanoseconds <= limit.nanoseconds)) return undefined;
  return { grace_period: limit };
}

/** A scheduler, or the master, wants this task to end. */
export function killTask(
  context: Context,
  framework: Framework,
  executor: Executor,
  taskId: string,
  policy: KillPolicy | undefined,
): void {
  if (executor.phase === 'terminating' || executor.phase === 'terminated') {
    log(context, 'warning', `Not killing task ${taskId}: its executor ${executor.id} is ${executor.phase}`);
    return;
  }
  const queued = executor.queued.get(taskId);
  if (queued) {
    killQueued(context, framework, executor, queued);
    return;
  }
  const record = executor.launched.get(taskId);
  if (!record) return;
  if (executor.kind === 'custom') {
    const kill = { task_id: { value: taskId }, ...(policy && { kill_policy: policy }) };
    tell(context, framework, executor, { type: 'KILL', kill });
    return;
  }
  stopTask(context, framework, executor, record, { grace: graceOf(record.info, policy) });
}

/** A task that no executor has seen ends at once, and with it its whole group. */
function killQueued(context: Context, framework: Framework, executor: Executor, record: TaskRecord): void {
  const group = record.group?.taskIds;
  const message = group
    ? 'A task within the task group was killed before delivery to the executor'
    : 'Killed before delivery to the executor';
  for (const taskId of group ?? [record.info.task_id.value]) {
    const doomed = executor.queued.get(taskId);
    if (!doomed) continue;
    // First this: the launch may be waiting for the disk, and must not get ahead while the end is being written down.
    if (doomed.containerId) context.emit({ kind: 'destroyContainer', containerId: doomed.containerId.value });
    report(context, framework, executor, taskId, {
      state: 'TASK_KILLED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
      message,
    });
  }
  // A command executor has lost its only task: it ends when the launcher confirms that nothing runs.
  if (executor.kind === 'command') executor.phase = 'terminating';
  else if (executor.phase === 'running' && executor.queued.size + executor.launched.size === 0) {
    shutdownExecutor(context, framework, executor);
  }
}

export interface StopOptions {
  readonly grace: Millis;
  readonly verdict?: KillProgress['verdict'];
  readonly healthy?: false | undefined;
}

/** SIGTERM now, SIGKILL after the grace. A later call can only bring SIGKILL nearer. */
export function stopTask(
  context: Context,
  framework: Framework,
  executor: Executor,
  record: TaskRecord,
  options: StopOptions,
): void {
  const { now } = context.env;
  const containerId = record.containerId?.value;
  if (containerId === undefined) return;
  const timer = killTimer(containerId);
  if (record.kill) {
    const deadline = record.kill.startedAt + options.grace;
    if (deadline >= record.kill.deadline) return;
    record.kill.deadline = deadline;
    rememberKill(context, framework, executor, record);
    context.emit({ kind: 'arm', key: timer, after: Math.max(0, deadline - now) });
    return;
  }
  const { grace, verdict, healthy } = options;
  record.kill = { startedAt: now, deadline: now + grace, verdict, healthy };
  rememberKill(context, framework, executor, record);
  // After a restart of the agent that may have been told before.
  if (hasCapability(framework.info, 'TASK_KILLING_STATE') && record.task.state !== 'TASK_KILLING') {
    report(context, framework, executor, record.info.task_id.value, {
      state: 'TASK_KILLING',
      source: 'SOURCE_EXECUTOR',
      healthy,
      container: taskContainerStatus(context.state, executor, record),
    });
  }
  if (record.processId === undefined) {
    context.emit({ kind: 'destroyContainer', containerId });
    return;
  }
  context.emit({ kind: 'killContainer', containerId, signal: SIGTERM });
  context.emit({ kind: 'arm', key: timer, after: grace });
}

/** The grace is over. */
export function killNow(context: Context, containerId: string): void {
  const use = context.state.containers.get(containerId);
  if (!use) return;
  log(context, 'warning', `Container ${containerId} did not end in time after SIGTERM: sending SIGKILL`);
  context.emit({ kind: 'killContainer', containerId, signal: SIGKILL });
}

/** Asks an executor to end, tasks first; what has not ended after its grace is destroyed. */
export function shutdownExecutor(context: Context, framework: Framework, executor: Executor): void {
  if (executor.phase === 'terminating' || executor.phase === 'terminated') return;
  executor.phase = 'terminating';
  const own = executor.info.shutdown_grace_period;
  const grace = own ? own.nanoseconds / 1e6 : context.state.options.executorShutdownGracePeriod;
  context.emit({ kind: 'arm', key: shutdownTimer(executor), after: grace });
  if (executor.kind === 'custom') {
    if (isConnected(executor)) tell(context, framework, executor, { type: 'SHUTDOWN' });
    // One that is to come back is told when it does.
    else if (!executor.isReconnecting) destroyExecutor(context, executor);
    return;
  }
  if (executor.queued.size + executor.launched.size === 0) {
    executorEnded(context, framework, executor, { status: 0 });
    return;
  }
  for (const { containerId } of executor.queued.values()) {
    if (containerId) context.emit({ kind: 'destroyContainer', containerId: containerId.value });
  }
  for (const record of [...executor.launched.values()]) {
    stopTask(context, framework, executor, record, { grace: Math.max(0, grace - SHUTDOWN_MARGIN) });
  }
}

/** Ends everything that the executor runs, at once. */
export function destroyExecutor(context: Context, executor: Executor): void {
  if (executor.kind === 'custom') {
    context.emit({ kind: 'destroyContainer', containerId: executor.containerId.value });
    return;
  }
  for (const { containerId } of [...executor.queued.values(), ...executor.launched.values()]) {
    if (containerId) context.emit({ kind: 'destroyContainer', containerId: containerId.value });
  }
}
