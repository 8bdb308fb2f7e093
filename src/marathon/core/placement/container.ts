/** The container of an app's task: its image, its volumes and its networks. */
import type {
  ContainerInfo,
  Volume as MesosVolume,
  NetworkInfo,
  Secret,
  Volume_Source_CSIVolume,
} from '../../../wire/v1.ts';
import type {
  App,
  Container,
  CsiInfo,
  Labels,
  LinuxInfo,
  PortMapping,
  Secrets,
  Volume,
} from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { PortFacts } from './environment.ts';

/** @param ports as the task has them  @param hostPorts in the same order */
export function containerInfo(
  { options }: Context,
  app: App,
  ports: readonly PortFacts[],
  hostPorts: readonly (number | null)[],
  taskId: string,
): ContainerInfo | undefined {
  const { container, networks } = app;
  const isHost = networks.every(({ mode }) => mode === 'host');
  if (container === undefined && isHost && app.tty === undefined) return undefined;
  const type = container?.type ?? 'MESOS';
  const volumes = (container?.volumes ?? []).flatMap((volume) => volumeOf(volume, app.secrets) ?? []);
  const mappings = mappingsOf(container, ports, hostPorts);
  return {
    type,
    ...(volumes.length > 0 && { volumes }),
    ...(type === 'DOCKER'
      ? dockerInfo(app, container!, mappings, taskId)
      : mesosInfo(container, app, isHost ? [] : networkInfos(app, mappings, options.definitions.mesosBridgeName))),
    ...(app.tty && { tty_info: {} }),
    ...(container?.linuxInfo && { linux_info: linuxInfo(container.linuxInfo) }),
  };
}

interface Mapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly networkNames: readonly string[];
}

/** Only ports that the host has too are mapped. */
function mappingsOf(
  container: Container | undefined,
  ports: readonly PortFacts[],
  hostPorts: readonly (number | null)[],
): readonly Mapping[] {
  return (container?.portMappings ?? []).flatMap((mapping: PortMapping, at) => {
    const hostPort = hostPorts[at];
    if (hostPort === null || hostPort === undefined) return [];
    const containerPort = mapping.containerPort === 0 ? ports[at]!.effective : mapping.containerPort;
    return mapping.protocol
      .split(',')
      .map((protocol) => ({ hostPort, containerPort, protocol, networkNames: mapping.networkNames }));
  });
}

function networkInfos({ networks }: App, mappings: readonly Mapping[], bridge: string): readonly NetworkInfo[] {
  return networks.map(({ mode, name, labels }) => {
    const own = mode === 'container/bridge' ? bridge : name;
    const port_mappings = mappings
      .filter(({ networkNames }) => networkNames.length === 0 || (own !== undefined && networkNames.includes(own)))
      .map(({ hostPort, containerPort, protocol }) => ({
        host_port: hostPort,
        container_port: containerPort,
        protocol,
      }));
    return {
      ip_addresses: [{}],
      ...(own !== undefined && { name: own }),
      labels: { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) },
      ...(port_mappings.length > 0 && { port_mappings }),
    };
  });
}

function dockerInfo(
  app: App,
  container: Container,
  mappings: readonly Mapping[],
  taskId: string,
): Partial<ContainerInfo> {
  const docker = container.docker!;
  const [network] = app.networks;
  const mode = network?.mode === 'container' ? 'USER' : network?.mode === 'container/bridge' ? 'BRIDGE' : 'HOST';
  return {
    docker: {
      image: docker.image,
      network: mode,
      port_mappings: mappings.map(({ hostPort, containerPort, protocol }) => ({
        host_port: hostPort,
        container_port: containerPort,
        protocol,
      })),
      privileged: docker.privileged,
      // Lets people find the container of a task with Docker's own tools.
      parameters: [...docker.parameters, { key: 'label', value: `MESOS_TASK_ID=${taskId}` }],
      force_pull_image: docker.forcePullImage,
    },
    ...(mode === 'USER' && { network_infos: [{ ip_addresses: [{}], ...(network?.name && { name: network.name }) }] }),
  };
}

function mesosInfo(
  container: Container | undefined,
  { secrets }: App,
  networks: readonly NetworkInfo[],
): Partial<ContainerInfo> {
  const docker = container?.docker;
  const pull = docker?.pullConfig;
  return {
    mesos: docker
      ? {
          image: {
            type: 'DOCKER',
            docker: {
              name: docker.image,
              ...(pull && {
                config: { type: 'REFERENCE', reference: { name: secrets[pull.secret]?.source ?? pull.secret } },
              }),
            },
            cached: !docker.forcePullImage,
          },
        }
      : {},
    ...(networks.length > 0 && { network_infos: networks }),
  };
}

/** Persistent volumes come with their resources, and not here. */
function volumeOf(volume: Volume, secrets: Secrets): MesosVolume | undefined {
  switch (volume.kind) {
    case 'host':
      return { mode: volume.mode, container_path: volume.containerPath, host_path: volume.hostPath };
    case 'secret':
      return {
        mode: 'RO',
        container_path: volume.containerPath,
        source: {
          type: 'SECRET',
          secret: { type: 'REFERENCE', reference: { name: secrets[volume.secret]?.source ?? volume.secret } },
        },
      };
    case 'dvdi': {
      const { name, options } = volume.external;
      const driver = options['dvdi/driver'] ?? '';
      const others = Object.entries(options).filter(([key]) => key !== 'dvdi/driver');
      const parameter = others.map(([key, value]) => ({ key: key.replace(/^[^/]*\//, ''), value }));
      return {
        mode: volume.mode,
        container_path: volume.containerPath,
        source: {
          type: 'DOCKER_VOLUME',
          docker_volume: { driver, name, ...(parameter.length > 0 && { driver_options: { parameter } }) },
        },
      };
    }
    case 'csi':
      return {
        mode: volume.mode,
        container_path: volume.containerPath,
        source: { type: 'CSI_VOLUME', csi_volume: csiVolume(volume.external, secrets) },
      };
    default:
      return undefined;
  }
}

/** A volume that was made beforehand, under the id that the definition gives as its name. */
function csiVolume({ name, options }: CsiInfo, secrets: Secrets): Volume_Source_CSIVolume {
  const { pluginName, capability, nodeStageSecret, nodePublishSecret, volumeContext } = options;
  const { accessMode, accessType, fsType, mountFlags } = capability;
  const references = (all: Labels): Readonly<Record<string, Secret>> =>
    Object.fromEntries(
      Object.entries(all).map(([key, secret]) => [
        key,
        { type: 'REFERENCE', reference: { name: secrets[secret]?.source ?? secret } },
      ]),
    );
  return {
    plugin_name: pluginName,
    static_provisioning: {
      volume_id: name,
      volume_capability: {
        ...(accessType === 'block'
          ? { block: {} }
          : { mount: { ...(fsType !== undefined && { fs_type: fsType }), mount_flags: mountFlags } }),
        access_mode: { mode: accessMode },
      },
      node_stage_secrets: references(nodeStageSecret),
      node_publish_secrets: references(nodePublishSecret),
      volume_context: volumeContext,
    },
  };
}

/** Security and memory that containers share. */
export function linuxInfo({ seccomp, ipcInfo }: LinuxInfo): NonNullable<ContainerInfo['linux_info']> {
  return {
    ...(seccomp && {
      seccomp: {
        ...(seccomp.profileName !== undefined && { profile_name: seccomp.profileName }),
        unconfined: seccomp.unconfined,
      },
    }),
    ...(ipcInfo && {
      ipc_mode: ipcInfo.mode,
      ...(ipcInfo.shmSize !== undefined && { shm_size: ipcInfo.shmSize }),
    }),
  };
}
