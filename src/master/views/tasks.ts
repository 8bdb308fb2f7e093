import { toSummary } from '../../resources/summary.ts';
import {
  ContainerInfo,
  ContainerStatus,
  DiscoveryInfo,
  HealthCheck,
  type Labels,
  NetworkInfo,
  type Task,
  type TaskStatus,
} from '../../wire/v1.ts';
import type { Framework, MasterState } from '../core/state.ts';

/** A task as the older endpoints show it (facts: http-endpoints, 1.1). */
export function taskJson(task: Task): object {
  const { labels, discovery, container, health_check: healthCheck, limits } = task;
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: task.framework_id.value,
    executor_id: task.executor_id?.value ?? '',
    slave_id: task.agent_id.value,
    state: task.state,
    resources: toSummary(task.resources ?? []),
    ...(limits && Object.keys(limits).length > 0 && { limits: limitsJson(limits) }),
    role: task.resources?.[0]?.allocation_info?.role ?? '*',
    statuses: (task.statuses ?? []).map(statusJson),
    ...(task.user !== undefined && { user: task.user }),
    ...(labels && { labels: labelsJson(labels) }),
    ...(discovery && { discovery: DiscoveryInfo.v0.toJson(discovery) }),
    ...(container && { container: ContainerInfo.v0.toJson(container) }),
    ...(healthCheck && { health_check: HealthCheck.v0.toJson(healthCheck) }),
  };
}

/** The older endpoints have the list itself where the message has an object around it. */
export function labelsJson(labels: Labels): object[] {
  return (labels.labels ?? []).map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

/** Upstream prints a limit of infinity, which JSON has no number for, as text. */
function limitsJson(limits: NonNullable<Task['limits']>): object {
  const entries = Object.entries(limits);
  return Object.fromEntries(entries.map(([name, { value }]) => [name, Number.isFinite(value) ? value : 'Infinity']));
}

function statusJson(status: TaskStatus): object {
  const { labels, container_status: container } = status;
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(labels && { labels: labelsJson(labels) }),
    ...(container && { container_status: containerJson(container) }),
    ...(status.healthy !== undefined && { healthy: status.healthy }),
  };
}

function containerJson(container: ContainerStatus): object {
  const { container_id, cgroup_info } = ContainerStatus.v0.toJson(container);
  const networks = container.network_infos ?? [];
  return {
    ...(container_id !== undefined && { container_id }),
    ...(networks.length > 0 && { network_infos: networks.map(networkJson) }),
    ...(cgroup_info !== undefined && { cgroup_info }),
  };
}

function networkJson(network: NetworkInfo): object {
  const { groups, ip_addresses, name, port_mappings } = NetworkInfo.v0.toJson(network);
  const shown = { groups, labels: network.labels && labelsJson(network.labels), ip_addresses, name, port_mappings };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

/** Which tasks `/tasks` is to list. */
export interface TaskSelection {
  readonly frameworkId?: string;
  readonly taskId?: string;
  readonly limit?: number;
  readonly offset?: number;
  readonly ascending?: boolean;
}

const DEFAULT_LIMIT = 100;

/**
 * `/tasks`: tasks of present and completed frameworks, by the time of their first status. A negative limit means all, as
 * upstream has it.
 */
export function tasksJson(state: MasterState, selection: TaskSelection): string {
  const tasks: Task[] = [];
  for (const framework of everyFramework(state)) {
    if (selection.frameworkId !== undefined && framework.id !== selection.frameworkId) continue;
    for (const task of everyTask(framework)) {
      if (selection.taskId === undefined || task.task_id.value === selection.taskId) tasks.push(task);
    }
  }
  const time = (task: Task): number => task.statuses?.[0]?.timestamp ?? Number.NEGATIVE_INFINITY;
  const sign = selection.ascending ? 1 : -1;
  tasks.sort((a, b) => (time(a) === time(b) ? 0 : time(a) < time(b) ? -sign : sign));
  const limit = selection.limit ?? DEFAULT_LIMIT;
  const offset = Math.max(0, selection.offset ?? 0);
  const page = tasks.slice(offset, limit < 0 ? undefined : offset + limit);
  return `{"tasks":[${page.map((task) => JSON.stringify(taskJson(task))).join(',')}]}`;
}

export function* everyFramework(state: MasterState): Iterable<Framework> {
  yield* state.frameworks.values();
  yield* state.completedFrameworks.values();
}

export function* everyTask(framework: Framework): Iterable<Task> {
  yield* framework.tasks.values();
  yield* framework.unreachableTasks.values();
  yield* framework.completedTasks;
}
