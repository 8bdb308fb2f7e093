/** Pods as the API shows them: what was asked for, and how each instance and each container is. */
import { isActive, isTerminal, taskStateOf } from '../core/condition.ts';
import type { Instance, Pod, TaskRecord } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { writeInstant } from '../definition/instant.ts';
import { writePod } from '../definition/pod-form.ts';
import type { Endpoint, PodContainer } from '../definition/types.ts';

type InstanceStatus = 'PENDING' | 'STAGING' | 'STABLE' | 'DEGRADED' | 'TERMINAL';

/** @param now wall clock, in ms */
export function podStatus(state: MarathonState, pod: Pod, now: number): object {
  const instances = [...(state.specs.get(pod.id)?.instances.values() ?? [])].filter(({ spec }) => spec.kind === 'pod');
  const views = instances.map((instance) => instanceView(instance, now));
  const stable = views.filter(({ status }) => status === 'STABLE').length;
  const since = writeInstant(instances.reduce((latest, each) => Math.max(latest, each.since), pod.version));
  return {
    id: pod.id,
    spec: writePod(pod),
    status: isBeingDeleted(state, pod) ? 'TERMINAL' : stable >= pod.instances ? 'STABLE' : 'DEGRADED',
    statusSince: since,
    instances: views,
    terminationHistory: historyOf(instances),
    lastUpdated: writeInstant(now),
    lastChanged: since,
  };
}

function isBeingDeleted(state: MarathonState, { id }: Pod): boolean {
  const deployment = state.deployments.get(state.locks.get(id) ?? '');
  return deployment?.plan.changes.some((change) => change.id === id && change.after === undefined) === true;
}

function historyOf(instances: readonly Instance[]): readonly object[] {
  return instances
    .filter(({ condition }) => isTerminal(condition))
    .map(({ id, activeSince, since, tasks, condition }) => ({
      instanceID: id,
      startedAt: writeInstant(activeSince ?? since),
      terminatedAt: writeInstant(since),
      message: condition,
      containers: tasks.map((task) => ({ containerId: task.id, lastKnownState: taskStateOf(task.condition) })),
    }));
}

function statusOf({ condition, healthy }: Instance): InstanceStatus {
  switch (condition) {
    case 'Scheduled':
    case 'Provisioned':
      return 'PENDING';
    case 'Staging':
    case 'Starting':
      return 'STAGING';
    case 'Running':
      return healthy === false ? 'DEGRADED' : 'STABLE';
    case 'Unreachable':
    case 'UnreachableInactive':
    case 'Killing':
      return 'DEGRADED';
    default:
      return 'TERMINAL';
  }
}

/** One instance of a pod. @param now wall clock, in ms */
export function instanceView(
  instance: Instance,
  now: number,
): { readonly status: InstanceStatus; readonly [field: string]: unknown } {
  const pod = instance.spec as Pod;
  const { placement } = instance;
  const since = writeInstant(instance.since);
  return {
    id: instance.id,
    status: statusOf(instance),
    statusSince: since,
    conditions: [],
    ...(placement && { agentHostname: placement.host, agentId: placement.agentId }),
    ...(placement?.region !== undefined && { agentRegion: placement.region }),
    ...(placement?.zone !== undefined && { agentZone: placement.zone }),
    resources: resourcesOf(instance, pod),
    networks: networksOf(instance),
    containers: pod.containers.map((container) => containerView(instance, container, now)),
    specReference: `/v2/pods${pod.id}::versions/${writeInstant(pod.version)}`,
    localVolumes: (instance.reservation?.volumes ?? []).map(({ name, persistenceId, uuid }) => ({
      runSpecId: pod.id,
      containerPath: name,
      uuid,
      persistenceId,
    })),
    role: pod.role,
    lastUpdated: since,
    lastChanged: since,
  };
}

function taskOf({ tasks }: Instance, { name }: PodContainer): TaskRecord | undefined {
  return tasks.find(({ container }) => container === name);
}

/** What its containers that are there use, and the executor beside them. */
function resourcesOf(instance: Instance, pod: Pod): object {
  const sum = {
    cpus: pod.executorResources.cpus,
    mem: pod.executorResources.mem,
    disk: pod.executorResources.disk,
    gpus: 0,
  };
  for (const container of pod.containers) {
    const task = taskOf(instance, container);
    if (task === undefined || !isActive(task.condition)) continue;
    sum.cpus += container.resources.cpus;
    sum.mem += container.resources.mem;
    sum.disk += container.resources.disk;
    sum.gpus += container.resources.gpus;
  }
  return { ...sum, cpus: Math.round(sum.cpus * 1000) / 1000 };
}

function networksOf({ tasks }: Instance): readonly object[] {
  const infos = tasks.find(({ status }) => status?.container_status)?.status?.container_status?.network_infos ?? [];
  return infos.map(({ name, ip_addresses }) => ({
    ...(name !== undefined && { name }),
    addresses: (ip_addresses ?? []).flatMap(({ ip_address }) => ip_address ?? []),
  }));
}

function containerView(instance: Instance, container: PodContainer, now: number): object {
  const task = taskOf(instance, container);
  const status = task?.status;
  const since = writeInstant(task?.startedAt ?? instance.since);
  return {
    name: container.name,
    status: taskStateOf(task?.condition ?? 'Scheduled'),
    statusSince: since,
    ...(task && { containerId: task.id }),
    endpoints: endpointsOf(instance, container, task),
    conditions:
      status?.healthy === undefined
        ? []
        : [
            {
              name: 'healthy',
              value: String(status.healthy),
              reason: 'health-reported-by-mesos',
              lastChanged: since,
              lastUpdated: writeInstant(now),
            },
          ],
    resources: container.resources,
    ...(task &&
      isTerminal(task.condition) && {
        termination: { message: status?.message ?? '', ...exitCodeOf(status?.message) },
      }),
    lastUpdated: since,
    lastChanged: since,
  };
}

function exitCodeOf(text = ''): object {
  const code = /exited with status (\d+)/.exec(text)?.[1];
  return code === undefined ? {} : { exitCode: Number(code) };
}

function endpointsOf(instance: Instance, container: PodContainer, task: TaskRecord | undefined): readonly object[] {
  return container.endpoints.map((endpoint: Endpoint, at) => ({
    name: endpoint.name,
    ...(typeof task?.hostPorts[at] === 'number' && { allocatedHostPort: task.hostPorts[at] }),
    ...(container.healthCheck && instance.healthy !== undefined && { healthy: instance.healthy }),
  }));
}
