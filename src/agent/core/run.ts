import { randomUuid } from '../../base/random.ts';
import type { RunTaskMessage } from '../../wire/internal.ts';
import type { ContainerID, ExecutorInfo, FrameworkInfo, TaskInfo, TaskStatus_Reason } from '../../wire/v1.ts';
import { startTasks } from './built-in.ts';
import { rememberTask } from './checkpoints.ts';
import { type Context, log } from './context.ts';
import { deliverTasks } from './custom.ts';
import type { Pid } from './effects.ts';
import {
  addExecutor,
  admitFramework,
  executorEnded,
  forgetFrameworkIfIdle,
  registrationTimer,
  tellDeparture,
} from './executors.ts';
import { launchExecutorContainer, newTask, showVolumes } from './launch.ts';
import { tellResources } from './registration.ts';
import type { Executor, ExecutorKind, Framework, TaskGroup, TaskRecord } from './state.ts';
import { reportMissing } from './status.ts';
import { droppedState } from './task-state.ts';

/** Tasks to run: one, or a group that lives and dies together. */
export interface Launch {
  readonly framework: FrameworkInfo;
  readonly schedulerPid: Pid | undefined;
  readonly kind: ExecutorKind;
  readonly executor: ExecutorInfo;
  readonly tasks: readonly TaskInfo[];
  readonly grouped: boolean;
  /** Whether the master counted a new executor; unset by old masters. */
  readonly launchExecutor: boolean | undefined;
  readonly resourceVersions: RunTaskMessage['resource_version_uuids'];
}

/** Upstream's masters give a v1 scheduler this pid. */
const NO_PID = '@0.0.0.0:0';

/** Takes the tasks and starts them, or tells their scheduler at once why they will not run. */
export function runTasks(context: Context, launch: Launch): void {
  const { state } = context;
  const id = launch.framework.id?.value;
  if (id === undefined || launch.tasks.length === 0) {
    log(context, 'error', 'Ignoring a launch without a framework id or without tasks');
    return;
  }
  if (state.phase === 'terminating' || state.info.id === undefined) {
    log(context, 'warning', `Ignoring tasks of framework ${id}: the agent is ${state.phase}`);
    // The word that it is admitted was overtaken: the master has to hear that these are not here.
    if (state.info.id === undefined) state.isInventoryStale = true;
    return;
  }
  const pid = launch.schedulerPid === NO_PID || launch.schedulerPid === '' ? undefined : launch.schedulerPid;
  const framework = admitFramework(context, launch.framework, id, pid);
  if (framework.phase === 'terminating') {
    log(context, 'warning', `Ignoring tasks of framework ${id}: it is being shut down`);
    return;
  }
  const fresh = launch.tasks.filter((task) => !framework.tasks.has(task.task_id.value));
  if (fresh.length < launch.tasks.length) {
    log(context, 'warning', `Ignoring tasks of framework ${id} that are here already`);
    forgetFrameworkIfIdle(context, framework);
    return;
  }
  const refusal = refuse(context, framework, launch);
  if (refusal) drop(context, framework, launch, refusal);
  else start(context, framework, launch);
}

interface Refusal {
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

function refuse(context: Context, framework: Framework, launch: Launch): Refusal | undefined {
  if (context.state.phase === 'disconnected') {
    // What an agent takes on between two registrations is in no inventory that its master sees: the master would give the
    // same resources away once more.
    return { reason: 'REASON_AGENT_DISCONNECTED', message: 'The agent is registering again' };
  }
  if (context.state.drain !== undefined) {
    return { reason: 'REASON_AGENT_DRAINING', message: 'Task was received while agent was already draining' };
  }
  const own = context.state.resourceVersion;
  const outdated = launch.resourceVersions?.some(
    ({ resource_provider_id, uuid }) => resource_provider_id === undefined && !sameBytes(uuid.value, own),
  );
  if (outdated) {
    // Messages that cross may leave the master with an old version for good, which would refuse everything it launches.
    tellResources(context);
    return { reason: 'REASON_INVALID_OFFERS', message: 'Task assumes outdated resource state' };
  }
  const executor = framework.executors.get(launch.executor.executor_id.value);
  const reason = 'REASON_EXECUTOR_TERMINATED';
  if (!executor) {
    if (launch.launchExecutor !== false) return undefined;
    return { reason, message: 'No executor is expected to launch and there is none running' };
  }
  if (launch.launchExecutor === true) {
    return { reason, message: 'Master wants to launch executor, but one already exists' };
  }
  if (executor.phase === 'terminating' || executor.phase === 'terminated') {
    return { reason, message: `Executor ${executor.phase}` };
  }
  return undefined;
}

function drop(context: Context, framework: Framework, launch: Launch, refusal: Refusal): void {
  const state = droppedState(framework.info);
  for (const task of launch.tasks) {
    const taskId = task.task_id.value;
    log(context, 'warning', `Dropping task ${taskId} of framework ${framework.id}: ${refusal.message}`);
    reportMissing(context, framework.id, taskId, { state, source: 'SOURCE_AGENT', ...refusal });
  }
  const id = launch.executor.executor_id.value;
  if (launch.launchExecutor && !framework.executors.has(id)) {
    tellDeparture(context, { id, frameworkId: framework.id, kind: launch.kind }, -1);
  }
  forgetFrameworkIfIdle(context, framework);
}

function start(context: Context, framework: Framework, launch: Launch): void {
  const existing = framework.executors.get(launch.executor.executor_id.value);
  const executor = existing ?? addExecutor(context, framework, launch.executor, launch.kind);
  if (!existing && executor.kind === 'default') {
    context.emit({ kind: 'makeSandbox', path: executor.directory, user: executor.user });
    showVolumes(context, executor, executor.info.resources ?? []);
  }
  const group: TaskGroup | undefined = launch.grouped
    ? { taskIds: launch.tasks.map((task) => task.task_id.value), ending: false }
    : undefined;
  const records = launch.tasks.map((info) => enqueue(context, framework, executor, info, group));
  const ids = launch.tasks.map((task) => task.task_id.value).join(', ');
  log(context, 'info', `Launching ${ids} of framework ${framework.id} with executor ${executor.id}`);
  if (executor.kind !== 'custom') startTasks(context, framework, executor, records);
  else if (existing) {
    showVolumes(
      context,
      executor,
      launch.tasks.flatMap((task) => task.resources ?? []),
    );
    deliverTasks(context, framework, executor);
  } else if (launchExecutorContainer(context, framework, executor)) {
    const after = context.state.options.executorRegistrationTimeout;
    context.emit({ kind: 'arm', key: registrationTimer(executor), after });
  } else {
    executorEnded(context, framework, executor, { status: -1, message: "The executor's command has no value to run" });
  }
}

function enqueue(
  context: Context,
  framework: Framework,
  executor: Executor,
  info: TaskInfo,
  group: TaskGroup | undefined,
): TaskRecord {
  const record = newTask(framework, executor, info, containerFor(context, executor), group);
  executor.queued.set(info.task_id.value, record);
  framework.tasks.set(info.task_id.value, executor);
  rememberTask(context, framework, executor, record);
  return record;
}

/** A command task runs in its executor's container, a task of a group in one nested in it, others in none. */
function containerFor(context: Context, executor: Executor): ContainerID | undefined {
  if (executor.kind === 'command') return executor.containerId;
  if (executor.kind === 'custom') return undefined;
  return { value: randomUuid(context.env.random), parent: executor.containerId };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
