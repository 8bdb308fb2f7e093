import { type ContainerID, ContainerStatus, type Resource, ResourceStatistics } from '../../../wire/v1.ts';
import type { Response_GetContainers_Container } from '../../../wire/v1_agent.ts';
import type { AgentState, Executor, OperatorContainer } from '../state.ts';
import { allocatedTo } from './allocated.ts';

const MEGABYTE = 1024 * 1024;

/** What was measured of a container's processes, by its id; absent while nothing has been. */
export type Usage = (containerId: string) => ResourceStatistics | undefined;

/** Which containers are wanted; absent members do not restrict. */
export interface ContainerSelection {
  readonly containerId?: string | undefined;
  readonly frameworkId?: string | undefined;
  readonly executorId?: string | undefined;
  /** Also the containers of tasks that run inside an executor's. */
  readonly nested?: boolean | undefined;
  /** Also containers that operators have launched on their own. */
  readonly standalone?: boolean | undefined;
}

/** Containers of executors that live, and if wanted those nested in them. */
export function listContainers(
  state: AgentState,
  usage: Usage,
  wall: number,
  selection: ContainerSelection = {},
): Response_GetContainers_Container[] {
  const containers: Response_GetContainers_Container[] = [];
  for (const framework of state.frameworks.values()) {
    if (selection.frameworkId !== undefined && framework.id !== selection.frameworkId) continue;
    for (const executor of framework.executors.values()) {
      if (executor.phase === 'terminated') continue;
      if (selection.executorId !== undefined && executor.id !== selection.executorId) continue;
      if (selection.containerId !== undefined && executor.containerId.value !== selection.containerId) continue;
      containers.push(executorContainer(executor, usage, wall));
      if (!selection.nested) continue;
      containers.push(...nestedContainers(executor, usage, wall));
      containers.push(...operatorContainers(state, usage, wall, executor.containerId.value, true));
    }
  }
  if (selection.standalone) {
    for (const { id } of [...state.operatorContainers.values()].filter(isStandalone)) {
      containers.push(...operatorContainers(state, usage, wall, id.value, selection.nested ?? false));
    }
  }
  return containers;
}

function executorContainer(executor: Executor, usage: Usage, wall: number): Response_GetContainers_Container {
  return {
    ...describe(executor, executor.containerId, executor.processId),
    resource_statistics: { timestamp: wall / 1000, ...limits(executor), ...measured(executor, usage) },
  };
}

/** As upstream, what is nested says where it is, but not whose it is. */
function nestedContainers(executor: Executor, usage: Usage, wall: number): Response_GetContainers_Container[] {
  if (executor.kind !== 'default') return [];
  return [...executor.launched.values()].flatMap(({ containerId, processId, info }) => {
    if (!containerId) return [];
    return [nestedContainer(containerId, processId, wall, limitsOf(info.resources ?? []), usage(containerId.value))];
  });
}

function isStandalone({ id }: OperatorContainer): boolean {
  return id.parent === undefined;
}

/** Those that live, in the one with this id. */
function operatorContainers(
  state: AgentState,
  usage: Usage,
  wall: number,
  root: string,
  nested: boolean,
): Response_GetContainers_Container[] {
  return [...state.operatorContainers.values()].flatMap(({ key, id, processId, termination }) => {
    const isWanted = key === root || (nested && key.startsWith(`${root}.`));
    return isWanted && termination === undefined ? [nestedContainer(id, processId, wall, {}, usage(key))] : [];
  });
}

function nestedContainer(
  id: ContainerID,
  processId: number | undefined,
  wall: number,
  limits: Partial<ResourceStatistics>,
  statistics: ResourceStatistics | undefined,
): Response_GetContainers_Container {
  return {
    container_id: { value: id.value },
    container_status: { container_id: id, ...(processId !== undefined && { executor_pid: processId }) },
    resource_statistics: { timestamp: wall / 1000, ...limits, ...statistics },
  };
}

function describe(executor: Executor, containerId: ContainerID, processId: number | undefined) {
  return {
    framework_id: { value: executor.frameworkId },
    executor_id: { value: executor.id },
    executor_name: executor.info.name ?? '',
    container_id: containerId,
    container_status: { container_id: containerId, ...(processId !== undefined && { executor_pid: processId }) },
  };
}

function limits(executor: Executor): Partial<ResourceStatistics> {
  return limitsOf(allocatedTo(executor));
}

function limitsOf(resources: Iterable<Resource>): Partial<ResourceStatistics> {
  const sum = (name: string): number =>
    [...resources].reduce((total, one) => total + (one.name === name ? (one.scalar?.value ?? 0) : 0), 0);
  const memory = Math.round(sum('mem') * MEGABYTE);
  return {
    cpus_soft_limit: Math.round(sum('cpus') * 1000) / 1000,
    mem_limit_bytes: memory,
    mem_soft_limit_bytes: memory,
  };
}

/** A task group's executor has no process: its figures are the sums over its tasks. */
function measured(executor: Executor, usage: Usage): Partial<ResourceStatistics> {
  if (executor.kind !== 'default') return usage(executor.containerId.value) ?? {};
  const parts = [...executor.launched.values()].flatMap(({ containerId }) => {
    const part = containerId && usage(containerId.value);
    return part ? [part] : [];
  });
  if (parts.length === 0) return {};
  const sum = (of: (part: ResourceStatistics) => number | undefined): number =>
    parts.reduce((total, part) => total + (of(part) ?? 0), 0);
  return {
    timestamp: Math.max(...parts.map((part) => part.timestamp)),
    cpus_user_time_secs: sum((part) => part.cpus_user_time_secs),
    cpus_system_time_secs: sum((part) => part.cpus_system_time_secs),
    mem_rss_bytes: sum((part) => part.mem_rss_bytes),
  };
}

/** `/containers`: as GET_CONTAINERS, in the shape of the older endpoints. */
export function containersJson(
  state: AgentState,
  usage: Usage,
  wall: number,
  selection: ContainerSelection = {},
): object[] {
  return listContainers(state, usage, wall, selection).map((container) => ({
    container_id: container.container_id.value,
    ...statisticsEntry(state, container),
    ...(container.container_status && { status: ContainerStatus.v0.toJson(container.container_status) }),
  }));
}

/** `/monitor/statistics`: only what was measured. */
export function statisticsJson(state: AgentState, usage: Usage, wall: number): object[] {
  return listContainers(state, usage, wall).map((container) => statisticsEntry(state, container));
}

function statisticsEntry(state: AgentState, container: Response_GetContainers_Container): object {
  const frameworkId = container.framework_id?.value ?? '';
  const executorId = container.executor_id?.value ?? '';
  const executor = state.frameworks.get(frameworkId)?.executors.get(executorId);
  return {
    executor_id: executorId,
    executor_name: container.executor_name ?? '',
    framework_id: frameworkId,
    source: executor?.info.source ?? '',
    ...(container.resource_statistics && {
      statistics: ResourceStatistics.v0.toJson(container.resource_statistics),
    }),
  };
}
