/** The task group of a pod's instance, as the master is asked to launch it. */
import type { ContainerInfo, DiscoveryInfo, ExecutorInfo, Resource, TaskInfo, Volume } from '../../../wire/v1.ts';
import { writeInstant } from '../../definition/instant.ts';
import { taskName } from '../../definition/path-id.ts';
import { taskId } from '../../definition/task-id.ts';
import type { Endpoint, Pod, PodContainer } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { Instance, TaskRecord } from '../model.ts';
import { enforcesRole } from '../tree/groups.ts';
import { commandOf, podCheckInfo, podHealthCheckInfo } from './checks.ts';
import { linuxInfo } from './container.ts';
import { decimal, environment, escapedName, labelVariables } from './environment.ts';
import type { OpenOffer } from './open-offer.ts';
import type { Portions } from './portions.ts';
import type { Launch } from './result.ts';

export interface GroupRequest {
  readonly offer: OpenOffer;
  readonly instance: Instance;
  readonly pod: Pod;
  /** What was taken, to be dealt out. */
  readonly portions: Portions;
  readonly ports: readonly Resource[];
  /** In the order of the endpoints, container after container. */
  readonly hostPorts: readonly (number | null)[];
  /** Of a resident pod: they belong to the executor. */
  readonly volumes?: readonly Resource[];
}

/** One endpoint of one container, with the port of the host that it got. */
interface Allotted {
  readonly container: string;
  readonly endpoint: Endpoint;
  readonly hostPort: number | null;
}

export function launchGroup(ctx: Context, request: GroupRequest): Launch {
  const { pod, instance, hostPorts } = request;
  const allotted = allot(pod, hostPorts);
  const executor = executorInfo(ctx, request, allotted);
  const tasks = pod.containers.map((container) => {
    const id = taskId(instance.id, instance.incarnation + 1, container.name);
    return { id, info: taskInfo(ctx, request, container, allotted, id), container: container.name };
  });
  return {
    kind: 'launch',
    operations: [
      { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks: tasks.map(({ info }) => info) } } },
    ],
    tasks: tasks.map(
      ({ id, container }): TaskRecord => ({
        id,
        container,
        condition: 'Provisioned',
        stagedAt: ctx.env.wall,
        hostPorts: allotted.filter((each) => each.container === container).map(({ hostPort }) => hostPort),
      }),
    ),
  };
}

function allot({ containers }: Pod, hostPorts: readonly (number | null)[]): readonly Allotted[] {
  const endpoints = containers.flatMap(({ name, endpoints: own }) =>
    own.map((endpoint) => ({ container: name, endpoint })),
  );
  return endpoints.map((each, at) => ({ ...each, hostPort: hostPorts[at] ?? null }));
}

function isOnHost({ networks }: Pod): boolean {
  return networks.every(({ mode }) => mode === 'host');
}

function executorInfo({ options, state }: Context, request: GroupRequest, allotted: readonly Allotted[]): ExecutorInfo {
  const { pod, instance, portions, ports, volumes = [] } = request;
  const networks = isOnHost(pod) ? [] : networkInfos(pod, allotted, options.definitions.mesosBridgeName);
  return {
    type: 'DEFAULT',
    executor_id: { value: executorId(instance) },
    ...(state.frameworkId !== undefined && { framework_id: { value: state.frameworkId } }),
    resources: [...portions.take(pod.executorResources), ...ports, ...volumes],
    container: {
      type: 'MESOS',
      ...(networks.length > 0 && { network_infos: networks }),
      linux_info: { ...(pod.linuxInfo && linuxInfo(pod.linuxInfo)), share_cgroups: pod.legacySharedCgroups === true },
    },
    labels: labelsOf(pod.labels),
  };
}

/** What its executor is called: without volumes the same in each life. */
export function executorId(instance: Instance): string {
  return `instance-${instance.id}${instance.reservation ? `.${instance.incarnation + 1}` : ''}`;
}

function networkInfos(
  pod: Pod,
  allotted: readonly Allotted[],
  bridge: string,
): NonNullable<ContainerInfo['network_infos']> {
  return pod.networks.map(({ mode, name, labels }) => {
    const own = mode === 'container/bridge' ? bridge : name;
    const port_mappings = allotted
      .filter(({ endpoint }) => endpoint.networkNames.length === 0 || endpoint.networkNames.includes(own ?? ''))
      .flatMap(({ endpoint, hostPort }) => {
        if (hostPort === null) return [];
        const mapping = { host_port: hostPort, container_port: endpoint.containerPort || hostPort };
        return endpoint.protocol.length === 0
          ? [mapping]
          : endpoint.protocol.map((protocol) => ({ ...mapping, protocol }));
      });
    return {
      ...(own !== undefined && { name: own }),
      labels: labelsOf(labels),
      ...(port_mappings.length > 0 && { port_mappings }),
    };
  });
}

function taskInfo(
  ctx: Context,
  request: GroupRequest,
  container: PodContainer,
  allotted: readonly Allotted[],
  id: string,
): TaskInfo {
  const { pod, offer, portions } = request;
  const own = allotted.filter((each) => each.container === container.name);
  const portOf = (endpoint: string): number => {
    const found = own.find((each) => each.endpoint.name === endpoint);
    return (isOnHost(pod) ? found?.hostPort : found?.endpoint.containerPort || found?.hostPort) ?? 0;
  };
  const health = podHealthCheckInfo(container.healthCheck, portOf);
  const check = podCheckInfo(container.check, portOf);
  const described = containerInfo(pod, container);
  const grace = container.lifecycle?.killGracePeriodSeconds;
  return {
    name: container.name,
    task_id: { value: id },
    agent_id: offer.offer.agent_id,
    resources: portions.take(container.resources),
    command: commandInfo(ctx, request, container, allotted, id),
    ...(described && { container: described }),
    ...(health && { health_check: health }),
    ...(check && { check }),
    ...(grace !== undefined && { kill_policy: { grace_period: { nanoseconds: Math.round(grace * 1e9) } } }),
    ...(Object.keys(container.labels).length > 0 && { labels: labelsOf(container.labels) }),
    discovery: discovery(pod, own),
    ...limitsOf(container),
  };
}

function commandInfo(
  ctx: Context,
  { pod, instance, offer }: GroupRequest,
  container: PodContainer,
  allotted: readonly Allotted[],
  id: string,
): NonNullable<TaskInfo['command']> {
  const user = container.user ?? pod.user;
  const uris = container.artifacts.map(({ uri, extract, executable, cache, destPath }) => ({
    value: uri,
    extract,
    executable,
    cache,
    ...(destPath !== undefined && { output_file: destPath }),
  }));
  const told = {
    HOST: offer.placement.host,
    ...contextVariables(ctx, instance, pod, container, id),
    ...labelVariables({ ...pod.labels, ...container.labels }),
    ...endpointVariables(pod, allotted, ctx.options.envVarsPrefix.toUpperCase()),
  };
  const all = environment(told, { ...pod.env, ...container.env }, pod.secrets, 'told');
  return {
    ...execOf(container),
    environment: all,
    ...(uris.length > 0 && { uris }),
    ...(user !== undefined && { user }),
  };
}

/** Arguments alone go to what the image starts, unless they are to replace that; without an image the first one is started. */
function execOf({ exec, image }: PodContainer): NonNullable<TaskInfo['command']> {
  if (exec === undefined) return { shell: false };
  const { command, overrideEntrypoint } = exec;
  if ('shell' in command || image === undefined || overrideEntrypoint === true) return commandOf(command);
  return { shell: false, arguments: command.argv };
}

function contextVariables(
  { state }: Context,
  instance: Instance,
  pod: Pod,
  { name, resources }: PodContainer,
  id: string,
): Record<string, string> {
  return {
    MESOS_TASK_ID: id,
    MESOS_EXECUTOR_ID: executorId(instance),
    MARATHON_APP_ID: pod.id,
    MARATHON_APP_VERSION: writeInstant(pod.version),
    MARATHON_CONTAINER_ID: name,
    MARATHON_APP_ENFORCE_GROUP_ROLE: enforcesRole(state.root, pod.id) ? 'TRUE' : 'FALSE',
    MARATHON_CONTAINER_RESOURCE_CPUS: decimal(resources.cpus),
    MARATHON_CONTAINER_RESOURCE_MEM: decimal(resources.mem),
    MARATHON_CONTAINER_RESOURCE_DISK: decimal(resources.disk),
    MARATHON_CONTAINER_RESOURCE_GPUS: String(resources.gpus),
  };
}

/** Every container knows the endpoints of all. */
function endpointVariables(pod: Pod, allotted: readonly Allotted[], prefix: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { endpoint, hostPort } of allotted) {
    const name = escapedName(endpoint.name);
    const port = isOnHost(pod) ? hostPort : (endpoint.containerPort ?? null);
    if (port !== null) variables[`${prefix}ENDPOINT_${name}`] = String(port);
    if (hostPort !== null) variables[`${prefix}EP_HOST_${name}`] = String(hostPort);
    if (endpoint.containerPort !== undefined)
      variables[`${prefix}EP_CONTAINER_${name}`] = String(endpoint.containerPort);
  }
  return variables;
}

function containerInfo(pod: Pod, container: PodContainer): ContainerInfo | undefined {
  const volumes = container.volumeMounts.flatMap(({ name, mountPath, readOnly }): Volume[] => {
    const mount = { mode: readOnly ? 'RO' : 'RW', container_path: mountPath } as const;
    const volume = pod.volumes.find((each) => each.name === name);
    switch (volume?.kind) {
      case 'host':
        return [{ ...mount, host_path: volume.host }];
      case 'ephemeral':
        return [{ ...mount, source: inParent(`volumes/${name}`) }];
      case 'persistent':
        return [{ ...mount, source: inParent(name) }];
      case 'secret':
        return [
          {
            ...mount,
            mode: 'RO',
            source: {
              type: 'SECRET',
              secret: { type: 'REFERENCE', reference: { name: pod.secrets[volume.secret]?.source ?? volume.secret } },
            },
          },
        ];
      default:
        return [];
    }
  });
  const image = container.image && imageOf(pod, container.image);
  const info: ContainerInfo = {
    type: 'MESOS',
    ...(volumes.length > 0 && { volumes }),
    ...(image && { mesos: { image } }),
    ...(container.tty && { tty_info: {} }),
    linux_info: {
      ...(container.linuxInfo && linuxInfo(container.linuxInfo)),
      share_cgroups: pod.legacySharedCgroups === true,
    },
  };
  return info;
}

/** In the sandbox that all containers of the pod share. */
function inParent(path: string): NonNullable<Volume['source']> {
  return { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path } };
}

function imageOf({ secrets }: Pod, { id, forcePull, pullConfig }: NonNullable<PodContainer['image']>) {
  return {
    type: 'DOCKER' as const,
    ...(forcePull !== undefined && { cached: !forcePull }),
    docker: {
      name: id,
      ...(pullConfig && {
        config: {
          type: 'REFERENCE' as const,
          reference: { name: secrets[pullConfig.secret]?.source ?? pullConfig.secret },
        },
      }),
    },
  };
}

function discovery(pod: Pod, own: readonly Allotted[]): DiscoveryInfo {
  return {
    visibility: 'FRAMEWORK',
    name: taskName(pod.id),
    ports: {
      ports: own.flatMap(({ endpoint, hostPort }) => {
        const number = isOnHost(pod) ? hostPort : (hostPort ?? endpoint.containerPort ?? null);
        if (number === null) return [];
        const protocols = endpoint.protocol.length === 0 ? ['tcp'] : endpoint.protocol;
        return protocols.map((protocol) => ({
          number,
          name: endpoint.name,
          protocol,
          ...(Object.keys(endpoint.labels).length > 0 && { labels: labelsOf(endpoint.labels) }),
        }));
      }),
    },
  };
}

function labelsOf(all: Readonly<Record<string, string>>) {
  return { labels: Object.entries(all).map(([key, value]) => ({ key, value })) };
}

function limitsOf({ resourceLimits }: PodContainer): object {
  const entries = Object.entries(resourceLimits ?? {}).flatMap(([name, limit]) =>
    limit === undefined ? [] : [[name, { value: limit === 'unlimited' ? Number.POSITIVE_INFINITY : limit }] as const],
  );
  return entries.length === 0 ? {} : { limits: Object.fromEntries(entries) };
}
