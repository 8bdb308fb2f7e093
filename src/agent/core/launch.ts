import type {
  CheckStatusInfo,
  CommandInfo,
  ContainerID,
  ExecutorInfo,
  Resource,
  Task,
  TaskInfo,
} from '../../wire/v1.ts';
import { withoutSecrets } from '../../wire/without-secrets.ts';
import { isCheckpointed } from './checkpoints.ts';
import { agentId, type Context } from './context.ts';
import type { LaunchContainer, SecretFile } from './effects.ts';
import { commandEnvironment, commandLine, executorEnvironment, ipOf, unresolvedSecret } from './environment.ts';
import { nestedSandbox, runsDirectory } from './paths.ts';
import type { AgentState, Executor, Framework, TaskGroup, TaskRecord } from './state.ts';
import { sandboxLinks, secretFiles, volumeLinks } from './volumes.ts';

/** The task as it is reported from its arrival on. */
export function newTask(
  framework: Framework,
  executor: Executor,
  info: TaskInfo,
  containerId: ContainerID | undefined,
  group: TaskGroup | undefined,
): TaskRecord {
  const user = info.command?.user ?? executor.info.command?.user;
  const task: Task = {
    name: info.name,
    task_id: info.task_id,
    framework_id: { value: framework.id },
    ...(executor.kind !== 'command' && { executor_id: { value: executor.id } }),
    agent_id: info.agent_id,
    state: 'TASK_STAGING',
    ...(info.resources && { resources: info.resources }),
    ...(info.labels && { labels: info.labels }),
    ...(info.discovery && { discovery: info.discovery }),
    ...(info.container && { container: withoutSecrets(info.container) }),
    ...(info.health_check && { health_check: info.health_check }),
    ...(info.kill_policy && { kill_policy: info.kill_policy }),
    ...(info.limits && { limits: info.limits }),
    ...(user !== undefined && { user }),
  };
  return {
    info,
    task,
    containerId,
    group,
    processId: undefined,
    kill: undefined,
    checkers: [],
    checkStatus: initialCheckStatus(info),
    healthy: undefined,
  };
}

/** Starts the container of a task of a built-in executor. @returns false when there is nothing to run */
export function launchTaskContainer(
  context: Context,
  framework: Framework,
  executor: Executor,
  record: TaskRecord,
): boolean {
  const { state } = context;
  const { info, containerId } = record;
  const line = commandLine(info.command);
  if (!line || !containerId) return false;
  const nested = executor.kind === 'default';
  const taskId = info.task_id.value;
  const sandbox = taskSandbox(executor, record);
  const links = runLinks(state, executor);
  if (nested) {
    links.push({ link: `${executor.directory}/tasks/${taskId}`, target: `../containers/${containerId.value}` });
  }
  emitLaunch(context, executor, {
    containerId: containerId.value,
    ...line,
    environment: taskEnvironment(state, framework, executor, record),
    user: userOf(state, info.command, executor.user),
    sandbox,
    links,
    volumes: [
      ...volumeLinks(context, sandbox, info.resources),
      ...sandboxLinks(sandbox, nested ? executor.directory : undefined, info.container),
    ],
    secretFiles: secretFiles(sandbox, info.container),
    command: info.command,
    container: info.container,
    resources: info.resources,
    taskId,
  });
  return true;
}

/** Where a task of a built-in executor runs. */
export function taskSandbox(executor: Executor, { containerId }: TaskRecord): string {
  if (executor.kind !== 'default' || !containerId) return executor.directory;
  return nestedSandbox(executor.directory, containerId.value);
}

/** The variables that a task of a built-in executor sees: its own win over the executor's, and those over upstream's. */
export function taskEnvironment(
  state: AgentState,
  framework: Framework,
  executor: Executor,
  record: TaskRecord,
): Record<string, string> {
  const { info } = record;
  const role = info.resources?.find((resource) => resource.allocation_info)?.allocation_info?.role;
  return {
    ...executorEnvironment(state, framework, executor),
    ...commandEnvironment(executor.info.command),
    MESOS_SANDBOX: taskSandbox(executor, record),
    ...(executor.kind === 'default' && { MESOS_CONTAINER_IP: ipOf(state.options.pid) }),
    ...(role !== undefined && { MESOS_ALLOCATION_ROLE: role }),
    ...commandEnvironment(info.command),
  };
}

/** Starts the process of a framework's own executor. @returns false when there is nothing to run */
export function launchExecutorContainer(context: Context, framework: Framework, executor: Executor): boolean {
  const { command } = executor.info;
  const line = commandLine(command);
  if (!line) return false;
  const queued = [...executor.queued.values()].flatMap((record) => record.info.resources ?? []);
  emitLaunch(context, executor, {
    containerId: executor.containerId.value,
    ...line,
    environment: { ...executorEnvironment(context.state, framework, executor), ...commandEnvironment(command) },
    user: executor.user,
    sandbox: executor.directory,
    links: runLinks(context.state, executor),
    volumes: [
      ...volumeLinks(context, executor.directory, [...(executor.info.resources ?? []), ...queued]),
      ...sandboxLinks(executor.directory, undefined, executor.info.container),
    ],
    command,
    container: executor.info.container,
    resources: executor.info.resources,
    taskId: undefined,
  });
  return true;
}

interface Plan
  extends Pick<LaunchContainer, 'containerId' | 'file' | 'argv' | 'environment' | 'sandbox' | 'links' | 'volumes'> {
  readonly user: string | undefined;
  /** Of tasks only: how executors are started is shown to everybody. */
  readonly secretFiles?: readonly SecretFile[];
  readonly command: CommandInfo | undefined;
  readonly container: ExecutorInfo['container'];
  readonly resources: readonly Resource[] | undefined;
  readonly taskId: string | undefined;
}

function emitLaunch(context: Context, executor: Executor, plan: Plan): void {
  const { command, container, resources, taskId, ...rest } = plan;
  const { frameworkId } = executor;
  const unresolved = unresolvedSecret(command);
  const framework = context.state.frameworks.get(frameworkId);
  context.state.containers.set(plan.containerId, { frameworkId, executor, taskId });
  context.emit({
    kind: 'launchContainer',
    ...rest,
    uris: command?.uris ?? [],
    rlimits: container?.rlimit_info,
    container,
    resources: amounts(resources),
    ...(unresolved !== undefined && { unresolvedSecret: unresolved }),
    ...(framework !== undefined && !isCheckpointed(context.state, framework) && { endsWithAgent: true }),
    frameworkId,
    executorId: executor.id,
  });
}

/** Shows volumes in the sandbox of an executor that has one already, or has no process that is launched with them. */
export function showVolumes(context: Context, executor: Executor, resources: readonly Resource[]): void {
  const volumes = volumeLinks(context, executor.directory, resources);
  if (volumes.length === 0) return;
  context.emit({ kind: 'linkVolumes', sandbox: executor.directory, volumes, user: executor.user });
}

/** Whom to run as: the command's user, else the executor's, unless the agent must not change users. */
export function userOf(
  state: AgentState,
  command: CommandInfo | undefined,
  otherwise: string | undefined,
): string | undefined {
  return state.options.switchUser ? (command?.user ?? otherwise) : undefined;
}

function runLinks(state: AgentState, executor: Executor): { link: string; target: string }[] {
  const runs = runsDirectory(state.options.workDir, agentId(state) ?? '', executor.frameworkId, executor.id);
  return [{ link: `${runs}/latest`, target: executor.containerId.value }];
}

/** A task with a check has a status of it from the beginning, though it says nothing yet. */
export function initialCheckStatus({ check }: TaskInfo): CheckStatusInfo | undefined {
  switch (check?.type) {
    case 'COMMAND':
      return { type: 'COMMAND', command: {} };
    case 'HTTP':
      return { type: 'HTTP', http: {} };
    case 'TCP':
      return { type: 'TCP', tcp: {} };
    default:
      return undefined;
  }
}

/** What a container may use, out of its resources. */
export function amounts(resources: readonly Resource[] | undefined): LaunchContainer['resources'] {
  const sum = (name: string): number => {
    let total = 0;
    for (const resource of resources ?? []) if (resource.name === name) total += resource.scalar?.value ?? 0;
    return Math.round(total * 1000) / 1000;
  };
  return { cpus: sum('cpus'), mem: sum('mem'), disk: sum('disk'), gpus: sum('gpus') };
}
