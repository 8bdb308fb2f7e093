/**
 * What the agent remembers on disk, in upstream's layout under `work_dir/meta` (facts: semantics, 8.2). Only frameworks
 * that asked for it are remembered. A file of one message is the message with its length in front (4 bytes, little
 * endian); `task.updates` is many of these. Files that upstream does not have begin with `meseta.`.
 */
import { needsCheckpoint } from '../../resources/checkpointed.ts';
import { type StatusUpdate, StatusUpdateRecord } from '../../wire/internal.ts';
import { ResourceState } from '../../wire/internal_slave.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { writeUtf8 } from '../../wire/utf8.ts';
import { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../../wire/v1.ts';
import { taskWithoutSecrets } from '../../wire/without-secrets.ts';
import { agentId, type Context } from './context.ts';
import type { Pid } from './effects.ts';
import type { Persist } from './persist.ts';
import type { AgentState, Executor, Framework, TaskKill, TaskRecord } from './state.ts';

export const metaDirectory = (workDir: string): string => `${workDir}/meta`;

export function metaAgentDirectory(workDir: string, id: string): string {
  return `${metaDirectory(workDir)}/slaves/${id}`;
}

export function metaFrameworkDirectory(workDir: string, id: string, frameworkId: string): string {
  return `${metaAgentDirectory(workDir, id)}/frameworks/${frameworkId}`;
}

export function metaExecutorDirectory(workDir: string, id: string, frameworkId: string, executorId: string): string {
  return `${metaFrameworkDirectory(workDir, id, frameworkId)}/executors/${executorId}`;
}

function frameworkFolder({ options, info }: AgentState, frameworkId: string): string {
  return metaFrameworkDirectory(options.workDir, info.id?.value ?? '', frameworkId);
}

function executorFolder(state: AgentState, executor: Executor): string {
  return metaExecutorDirectory(state.options.workDir, state.info.id?.value ?? '', executor.frameworkId, executor.id);
}

/** What is remembered of one run of an executor; it goes with the run's sandbox. */
export function metaRunDirectory(state: AgentState, executor: Executor): string {
  return `${executorFolder(state, executor)}/runs/${executor.containerId.value}`;
}

/** One record of a checkpoint file. */
export function record(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length, true);
  framed.set(bytes, 4);
  return framed;
}

export function text(content: string): Uint8Array {
  const bytes = new Uint8Array(content.length * 3);
  return bytes.subarray(0, writeUtf8(content, bytes, 0));
}

export function persist(context: Context, operation: Persist): void {
  context.emit({ kind: 'persist', operation });
}

function replace<T>(context: Context, path: string, type: MessageType<T>, message: T): void {
  persist(context, { how: 'replace', path, bytes: record(type.encode(message)) });
}

/** Whether the framework's tasks are to outlive this agent. */
export function isCheckpointed({ options }: AgentState, framework: Framework): boolean {
  return options.checkpoint && framework.info.checkpoint === true;
}

/** The version of what is written here. A later one that this program cannot read has another number. */
export const CHECKPOINT_FORMAT = '1';

/** The agent has an id, or what it says of itself has changed. */
export function rememberAgent(context: Context): void {
  const { options, info } = context.state;
  const id = agentId(context.state);
  if (id === undefined) return;
  const format = `${metaDirectory(options.workDir)}/meseta.format`;
  persist(context, { how: 'replace', path: format, bytes: text(CHECKPOINT_FORMAT) });
  replace(context, `${metaAgentDirectory(options.workDir, id)}/slave.info`, AgentInfo, info);
  persist(context, { how: 'link', path: latestAgentLink(context.state), target: id });
}

/** What comes next is a new agent. The folders stay, for it to collect in time. */
export function forgetAgent(context: Context): void {
  if (agentId(context.state) === undefined) return;
  persist(context, { how: 'remove', path: latestAgentLink(context.state) });
}

/** The link that says which agent is to go on here. */
export function latestAgentLink({ options }: AgentState): string {
  return `${metaDirectory(options.workDir)}/slaves/latest`;
}

export function rememberDrain(context: Context, config: DrainConfig | undefined): void {
  const id = agentId(context.state);
  if (id === undefined) return;
  const path = `${metaAgentDirectory(context.state.options.workDir, id)}/drain.config`;
  if (config === undefined) persist(context, { how: 'remove', path });
  else replace(context, path, DrainConfig, config);
}

export function rememberFramework(context: Context, framework: Framework): void {
  if (!isCheckpointed(context.state, framework)) return;
  const folder = frameworkFolder(context.state, framework.id);
  replace(context, `${folder}/framework.info`, FrameworkInfo, framework.info);
  persist(context, { how: 'replace', path: `${folder}/framework.pid`, bytes: text(framework.pid ?? '') });
}

/** A new run of an executor, before anything of it is started. */
export function rememberExecutor(context: Context, framework: Framework, executor: Executor): void {
  const { state } = context;
  if (!isCheckpointed(state, framework)) return;
  const folder = executorFolder(state, executor);
  replace(context, `${folder}/executor.info`, ExecutorInfo, executor.info);
  persist(context, { how: 'replace', path: `${folder}/meseta.kind`, bytes: text(executor.kind) });
  persist(context, {
    how: 'replace',
    path: `${metaRunDirectory(state, executor)}/meseta.launched`,
    bytes: text(String(executor.launchedAt)),
  });
  persist(context, { how: 'link', path: `${folder}/runs/latest`, target: executor.containerId.value });
}

/** What built-in executors need to take a task up again; upstream's executors have it in their memory. */
export interface TaskLaunch {
  readonly container?: string;
  readonly group?: readonly string[];
}

export function rememberTask(context: Context, framework: Framework, executor: Executor, task: TaskRecord): void {
  if (!isCheckpointed(context.state, framework)) return;
  const folder = `${metaRunDirectory(context.state, executor)}/tasks/${task.info.task_id.value}`;
  const launch: TaskLaunch = {
    ...(task.containerId !== undefined && { container: task.containerId.value }),
    ...(task.group !== undefined && { group: task.group.taskIds }),
  };
  replace(context, `${folder}/task.info`, Task, task.task);
  replace(context, `${folder}/meseta.task`, TaskInfo, taskWithoutSecrets(task.info));
  persist(context, { how: 'replace', path: `${folder}/meseta.launch`, bytes: text(JSON.stringify(launch)) });
}

/** Before the first signal: whoever finds the task ended by it must know that it was meant to. */
export function rememberKill(context: Context, framework: Framework, executor: Executor, record: TaskRecord): void {
  const { kill } = record;
  if (kill === undefined || !isCheckpointed(context.state, framework)) return;
  const path = `${metaRunDirectory(context.state, executor)}/tasks/${record.info.task_id.value}/meseta.kill`;
  const { wall, now } = context.env;
  const remembered: TaskKill = {
    ...kill,
    startedAt: wall + kill.startedAt - now,
    deadline: wall + kill.deadline - now,
  };
  persist(context, { how: 'replace', path, bytes: text(JSON.stringify(remembered)) });
}

/** The first process of the run has started. */
export function rememberProcess(context: Context, framework: Framework, executor: Executor, pid: number): void {
  if (!isCheckpointed(context.state, framework)) return;
  const path = `${metaRunDirectory(context.state, executor)}/pids/forked.pid`;
  persist(context, { how: 'replace', path, bytes: text(String(pid)) });
}

/** A framework's own executor has introduced itself, over libprocess or (no pid) over HTTP. */
export function rememberConnection(
  context: Context,
  framework: Framework,
  executor: Executor,
  pid: Pid | undefined,
): void {
  if (!isCheckpointed(context.state, framework)) return;
  const folder = `${metaRunDirectory(context.state, executor)}/pids`;
  if (pid === undefined) persist(context, { how: 'replace', path: `${folder}/http.marker`, bytes: text('') });
  else persist(context, { how: 'replace', path: `${folder}/libprocess.pid`, bytes: text(pid) });
}

/** Where the updates of a task go; undefined for a task that no executor has, or that is not remembered. */
function updatesPath(state: AgentState, frameworkId: string, taskId: string): string | undefined {
  const framework = state.frameworks.get(frameworkId);
  const executor = framework?.tasks.get(taskId);
  if (framework === undefined || executor === undefined || !isCheckpointed(state, framework)) return undefined;
  return `${metaRunDirectory(state, executor)}/tasks/${taskId}/task.updates`;
}

export function rememberUpdate(context: Context, update: StatusUpdate): void {
  const path = updatesPath(context.state, update.framework_id.value, update.status.task_id.value);
  if (path === undefined) return;
  const bytes = record(StatusUpdateRecord.encode({ type: 'UPDATE', update }));
  persist(context, { how: 'append', path, bytes });
}

export function rememberAcknowledgement(
  context: Context,
  frameworkId: string,
  taskId: string,
  uuid: Uint8Array | undefined,
): void {
  const path = updatesPath(context.state, frameworkId, taskId);
  if (path === undefined) return;
  const bytes = record(StatusUpdateRecord.encode({ type: 'ACK', ...(uuid && { uuid }) }));
  persist(context, { how: 'append', path, bytes });
}

/** The run is over and nothing of it is left to tell. */
export function rememberEnd(context: Context, framework: Framework, executor: Executor): void {
  if (!isCheckpointed(context.state, framework)) return;
  const path = `${metaRunDirectory(context.state, executor)}/executor.sentinel`;
  persist(context, { how: 'replace', path, bytes: text('') });
}

/** Reservations, volumes, and operations whose end has not been acknowledged. */
export function rememberResources(context: Context): void {
  const { state } = context;
  const path = `${metaDirectory(state.options.workDir)}/resources/resources_and_operations.state`;
  const operations = Array.from(state.operations.values(), ({ operation }) => operation);
  replace(context, path, ResourceState, { operations, resources: state.total.filter(needsCheckpoint).toProto() });
}
