/** Finds containers of every kind by their ids: executors', tasks', and those that operators have launched. */
import type { ContainerID } from '../../wire/v1.ts';
import { isCheckpointed } from './checkpoints.ts';
import { formatContainerId, rootOf } from './container-id.ts';
import type { Termination } from './effects.ts';
import { commandEnvironment, executorEnvironment } from './environment.ts';
import { keepsStandalone } from './kept-containers.ts';
import { taskEnvironment, taskSandbox, userOf } from './launch.ts';
import { nestedSandbox } from './paths.ts';
import type { AgentState, Executor, Framework, TaskRecord } from './state.ts';

/** A container that lives. */
export interface LivingContainer {
  /** Its name with the launcher; absent for the executor of a task group, which has no process. */
  readonly launcherId: string | undefined;
  /** Whether it has been started. */
  readonly isStarted: boolean;
  readonly isEnding: boolean;
  readonly sandbox: string;
  /** Whoever is nested in it is this user, unless told otherwise. */
  readonly user: string | undefined;
  /** What its process sees. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it outlives this agent. */
  readonly isKept: boolean;
  /** It can be written to. */
  readonly hasInput: boolean;
  /** Set for the container of an executor itself. */
  readonly executor: Executor | undefined;
}

/** @returns undefined when there is none with this id, or it has ended */
export function findLiving(state: AgentState, id: ContainerID): LivingContainer | undefined {
  const own = state.operatorContainers.get(formatContainerId(id));
  if (own !== undefined && own.termination === undefined) {
    const { key, processId, isEnding, sandbox, user, environment, isKept, isSession } = own;
    const isStarted = processId !== undefined;
    const more = { isKept, hasInput: isSession, executor: undefined };
    return { launcherId: key, isStarted, isEnding, sandbox, user, environment, ...more };
  }
  const found = findExecutor(state, id.parent ?? id);
  if (found === undefined) return undefined;
  return id.parent === undefined ? executorContainer(state, found) : taskContainer(state, found, id.value);
}

interface Found {
  readonly framework: Framework;
  readonly executor: Executor;
}

/** The executor that lives in this container. */
function findExecutor(state: AgentState, { value, parent }: ContainerID): Found | undefined {
  if (parent !== undefined) return undefined;
  for (const framework of state.frameworks.values()) {
    for (const executor of framework.executors.values()) {
      if (executor.containerId.value === value && executor.phase !== 'terminated') return { framework, executor };
    }
  }
  return undefined;
}

function executorContainer(state: AgentState, { framework, executor }: Found): LivingContainer {
  const [task] = [...executor.launched.values(), ...executor.queued.values()];
  const environment =
    executor.kind === 'command' && task !== undefined
      ? taskEnvironment(state, framework, executor, task)
      : { ...executorEnvironment(state, framework, executor), ...commandEnvironment(executor.info.command) };
  return {
    launcherId: executor.kind === 'default' ? undefined : executor.containerId.value,
    isStarted: executor.processId !== undefined,
    isEnding: false,
    sandbox: executor.directory,
    user: executor.kind === 'command' ? userOf(state, task?.info.command, executor.user) : executor.user,
    environment,
    isKept: isCheckpointed(state, framework),
    hasInput: false,
    executor,
  };
}

function taskContainer(state: AgentState, { framework, executor }: Found, value: string): LivingContainer | undefined {
  if (executor.kind !== 'default') return undefined;
  const records = [...executor.launched.values(), ...executor.queued.values()];
  const task: TaskRecord | undefined = records.find(({ containerId }) => containerId?.value === value);
  if (task === undefined || !state.containers.has(value)) return undefined;
  return {
    launcherId: value,
    isStarted: task.processId !== undefined,
    isEnding: false,
    sandbox: taskSandbox(executor, task),
    user: userOf(state, task.info.command, executor.user),
    environment: taskEnvironment(state, framework, executor, task),
    isKept: isCheckpointed(state, framework),
    hasInput: false,
    executor: undefined,
  };
}

/** Whether the outermost container of this id is one that the agent has: a living executor's, or an operator's. */
export function isRootKnown(state: AgentState, id: ContainerID): boolean {
  return rootSandbox(state, id) !== undefined;
}

/** Where the sandbox of a nested container lies, or lay; undefined when its outermost parent is not known. */
export function sandboxOf(state: AgentState, id: ContainerID): string | undefined {
  if (id.parent === undefined) return rootSandbox(state, id);
  const outer = sandboxOf(state, id.parent);
  return outer === undefined ? undefined : nestedSandbox(outer, id.value);
}

function rootSandbox(state: AgentState, id: ContainerID): string | undefined {
  const root = rootOf(id);
  return state.operatorContainers.get(root.value)?.sandbox ?? findExecutor(state, root)?.executor.directory;
}

/** Where a container without a parent has its sandbox: upstream's place for it. */
export function standaloneSandbox({ options }: AgentState, { value }: ContainerID): string {
  return `${options.workDir}/containers/${value}`;
}

/** How the container ended; undefined while it lives, `unknown` when there is none. */
export function fateOfContainer(state: AgentState, id: ContainerID): Termination | undefined | 'unknown' {
  const own = state.operatorContainers.get(formatContainerId(id));
  if (own?.termination !== undefined) return own.termination;
  return findLiving(state, id) === undefined ? 'unknown' : undefined;
}

/** What a container without a parent starts from. */
export function nobody(state: AgentState): Pick<LivingContainer, 'user' | 'environment' | 'isKept'> {
  return { user: undefined, environment: {}, isKept: keepsStandalone(state) };
}
