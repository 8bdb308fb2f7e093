import { toSummary } from '../../../resources/summary.ts';
import {
  ContainerInfo,
  ContainerStatus,
  DiscoveryInfo,
  HealthCheck,
  type Labels,
  type Task,
  type TaskInfo,
  type TaskStatus,
} from '../../../wire/v1.ts';

/** A task in the words of the older endpoints: the same shape as the master's. */
export function taskJson(task: Task): object {
  const { labels, discovery, container, health_check: healthCheck, user } = task;
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: task.framework_id.value,
    executor_id: task.executor_id?.value ?? '',
    slave_id: task.agent_id.value,
    state: task.state,
    resources: toSummary(task.resources ?? []),
    role: roleOf(task.resources),
    statuses: (task.statuses ?? []).map(statusJson),
    ...(user !== undefined && { user }),
    ...(labels && { labels: labelsJson(labels) }),
    ...(discovery && { discovery: DiscoveryInfo.v0.toJson(discovery) }),
    ...(container && { container: ContainerInfo.v0.toJson(container) }),
    ...(healthCheck && { health_check: HealthCheck.v0.toJson(healthCheck) }),
  };
}

/** A task that no executor has been given yet. */
export function queuedTaskJson(task: TaskInfo): object {
  const { command, discovery, executor } = task;
  return {
    id: task.task_id.value,
    name: task.name,
    slave_id: task.agent_id.value,
    resources: toSummary(task.resources ?? []),
    role: roleOf(task.resources),
    ...(command && { command: { shell: command.shell ?? true, value: command.value, argv: command.arguments ?? [] } }),
    ...(executor && { executor_id: executor.executor_id.value }),
    ...(discovery && { discovery: DiscoveryInfo.v0.toJson(discovery) }),
  };
}

function statusJson(status: TaskStatus): object {
  const { labels, container_status: container, healthy } = status;
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(labels && { labels: labelsJson(labels) }),
    ...(container && { container_status: containerJson(container) }),
    ...(healthy !== undefined && { healthy }),
  };
}

/** Without the process id, which upstream keeps to the newer API. */
function containerJson(container: ContainerStatus): object {
  const { executor_pid: _, ...shown } = ContainerStatus.v0.toJson(container);
  return shown;
}

/** The older endpoints have the list itself where the message has an object around it. */
export function labelsJson(labels: Labels): object[] {
  return (labels.labels ?? []).map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

/** The role that the resources of a task or an executor are allocated to: one for all of them. */
export function roleOf(resources: Task['resources']): string | undefined {
  return resources?.find((resource) => resource.allocation_info)?.allocation_info?.role;
}
