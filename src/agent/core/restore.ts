/** Makes the state of an agent of before anew, out of what it has left. Nothing is done yet: `resume` does. */
import { formatUuid } from '../../base/random.ts';
import type { StatusUpdate } from '../../wire/internal.ts';
import type { ResourceState } from '../../wire/internal_slave.ts';
import { formatContainerId, idOf } from './container-id.ts';
import { COMPLETED_TASKS } from './executors.ts';
import type { KeptContainer } from './kept-containers.ts';
import { initialCheckStatus, userOf } from './launch.ts';
import { RETRY_MIN, updateOf } from './operation-updates.ts';
import { runsDirectory } from './paths.ts';
import type { Recovered, RecoveredFramework, RecoveredRun, RecoveredTask } from './recovered.ts';
import { changeTotal, totalWith } from './resources.ts';
import { Ring } from './ring.ts';
import type { AgentState, Executor, Framework, TaskGroup, TaskRecord, UpdateStream } from './state.ts';
import { withStatus } from './status.ts';
import { isTerminal } from './task-state.ts';
import { hex, newStream } from './updates.ts';

/** @param state of an agent that has just been made */
export function restore(state: AgentState, recovered: Recovered): void {
  state.metrics.recoveryErrors += recovered.errors;
  restoreTotal(state, recovered.resources);
  for (const container of recovered.operatorContainers ?? []) restoreContainer(state, container);
  const id = recovered.info?.id;
  if (id === undefined) return;
  restoreOperations(state, recovered.resources);
  state.info = { ...state.info, id };
  if (recovered.drain !== undefined) state.drain = { config: recovered.drain, startedAt: state.startTime };
  for (const framework of recovered.frameworks) restoreFramework(state, framework);
}

function restoreContainer(
  state: AgentState,
  { id: parts, sandbox, user, environment, termination }: KeptContainer,
): void {
  const id = idOf(parts);
  const key = formatContainerId(id);
  state.operatorContainers.set(key, {
    key,
    id,
    sandbox,
    user,
    environment,
    isSession: false,
    isKept: true,
    ticket: undefined,
    processId: undefined,
    isEnding: false,
    termination,
  });
  if (termination !== undefined) state.endedContainers.add(key);
}

/** Reservations that do not fit any more are left out: the agent may have come back with less. */
function restoreTotal(state: AgentState, { resources }: ResourceState): void {
  const total = totalWith(state, resources ?? []);
  if (total.ok) changeTotal(state, total.value);
  else state.metrics.recoveryErrors++;
}

function restoreOperations(state: AgentState, { operations }: ResourceState): void {
  for (const operation of operations ?? []) {
    const isOver = operation.latest_status.state !== 'OPERATION_PENDING';
    const update = isOver ? updateOf(operation) : undefined;
    state.operations.set(formatUuid(operation.uuid.value), { operation, update, backoff: RETRY_MIN });
  }
}

function restoreFramework(state: AgentState, { info, pid, runs }: RecoveredFramework): void {
  const id = info.id?.value;
  if (id === undefined) return;
  const framework: Framework = {
    id,
    info,
    pid,
    phase: 'running',
    executors: new Map(),
    completedExecutors: new Ring(state.options.maxCompletedExecutorsPerFramework),
    tasks: new Map(),
  };
  for (const run of runs) restoreRun(state, framework, run);
  if (framework.executors.size > 0) state.frameworks.set(id, framework);
  else state.completedFrameworks.push(framework);
}

function restoreRun(state: AgentState, framework: Framework, run: RecoveredRun): void {
  const id = run.info.executor_id.value;
  const runsFolder = runsDirectory(state.options.workDir, state.info.id?.value ?? '', framework.id, id);
  const executor: Executor = {
    id,
    frameworkId: framework.id,
    kind: run.kind,
    info: run.info,
    containerId: { value: run.containerId },
    directory: `${runsFolder}/${run.containerId}`,
    user: userOf(state, run.info.command, framework.info.user),
    launchedAt: run.launchedAt,
    phase: run.isCompleted ? 'terminated' : run.kind === 'default' ? 'running' : 'registering',
    shown: false,
    processId: run.processId,
    pid: undefined,
    stream: undefined,
    queued: new Map(),
    launched: new Map(),
    terminated: new Map(),
    completed: new Ring(COMPLETED_TASKS),
    pendingTermination: undefined,
    isReconnecting: run.kind === 'custom' && !run.isCompleted && (run.pid !== undefined || run.isHttp),
  };
  const groups = new Map<string, TaskGroup>();
  for (const task of run.tasks) {
    if (run.isCompleted) executor.completed.push(restoreRecord(executor, task, groups));
    else restoreTask(state, framework, executor, task, groups);
  }
  // Its only task has ended: what is left to do is to have that acknowledged.
  if (run.kind === 'command' && executor.queued.size + executor.launched.size === 0) executor.phase = 'terminated';
  if (run.isCompleted) {
    framework.completedExecutors.push(executor);
    return;
  }
  framework.executors.set(id, executor);
  if (run.kind === 'custom') {
    state.containers.set(run.containerId, { frameworkId: framework.id, executor });
    executor.pid = run.pid;
  }
}

function restoreTask(
  state: AgentState,
  framework: Framework,
  executor: Executor,
  recovered: RecoveredTask,
  groups: Map<string, TaskGroup>,
): void {
  const { info, launch } = recovered;
  const taskId = info.task_id.value;
  const { stream, isOver } = restoreStream(framework.id, taskId, recovered);
  const record = restoreRecord(executor, recovered, groups);
  for (const { timestamp } of record.task.statuses ?? []) {
    state.lastTimestamp = Math.max(state.lastTimestamp, timestamp ?? 0);
  }
  if (isOver) {
    executor.completed.push(record);
    return;
  }
  framework.tasks.set(taskId, executor);
  if (stream !== undefined) state.streams.set(`${framework.id}/${taskId}`, stream);
  const hasUpdates = (record.task.statuses ?? []).length > 0;
  if (isTerminal(record.task.state)) executor.terminated.set(taskId, record);
  // A framework's own executor that had never introduced itself has been handed nothing.
  else if (hasUpdates || executor.isReconnecting) executor.launched.set(taskId, record);
  else executor.queued.set(taskId, record);
  if (launch.container === undefined || isTerminal(record.task.state)) return;
  state.containers.set(launch.container, { frameworkId: framework.id, executor, taskId });
}

function restoreRecord(
  executor: Executor,
  { info, task, launch, kill, records }: RecoveredTask,
  groups: Map<string, TaskGroup>,
): TaskRecord {
  const containerId =
    launch.container === undefined
      ? undefined
      : executor.kind === 'default'
        ? { value: launch.container, parent: executor.containerId }
        : executor.containerId;
  let record: TaskRecord = {
    info,
    task,
    containerId,
    group: groupOf(launch.group, groups),
    processId: undefined,
    kill: undefined,
    killBefore: kill,
    checkers: [],
    checkStatus: initialCheckStatus(info),
    healthy: undefined,
  };
  for (const { update } of records) {
    if (update !== undefined) record = { ...record, task: withStatus(record, update.status) };
  }
  return record;
}

/** Members of a group share one record of it. */
function groupOf(taskIds: readonly string[] | undefined, groups: Map<string, TaskGroup>): TaskGroup | undefined {
  const key = taskIds?.[0];
  if (taskIds === undefined || key === undefined) return undefined;
  const group = groups.get(key) ?? { taskIds, ending: false };
  groups.set(key, group);
  return group;
}

function restoreStream(
  frameworkId: string,
  taskId: string,
  { records }: RecoveredTask,
): { readonly stream: UpdateStream | undefined; readonly isOver: boolean } {
  if (records.length === 0) return { stream: undefined, isOver: false };
  const stream = newStream(frameworkId, taskId);
  let isOver = false;
  for (const { type, update } of records) {
    if (type === 'UPDATE' && update !== undefined) takeUp(stream, update);
    else if (type === 'ACK') {
      const first = stream.pending.shift();
      if (isTerminal(first?.status.state)) isOver = true;
    }
  }
  return { stream, isOver };
}

function takeUp(stream: UpdateStream, update: StatusUpdate): void {
  stream.received.add(hex(update.uuid));
  stream.terminal ||= isTerminal(update.status.state);
  stream.pending.push(update);
}
