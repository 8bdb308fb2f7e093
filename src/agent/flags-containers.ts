/** Flags of containers: how they are started, isolated and limited, and where their images come from. */
import { tmpdir } from 'node:os';
import type { Missing } from '../config/flag.ts';
import { flag, optional } from '../config/flag.ts';
import { bool, bytes, duration, jsonObject, oneOf, path, string } from '../config/kinds.ts';

const root = process.getuid?.() === 0;
const temporary = `${tmpdir()}/mesos`;

const unlimited = (what: string): { readonly missing: Missing } => ({
  missing: { act: 'warn', sentence: `${what} not in this build: tasks run without` },
});
const NO_IMAGES = unlimited('container images are');
const NO_CGROUPS = unlimited('cgroup isolators are');
const NO_LINUX = unlimited('Linux capability and namespace isolators are');
const NO_CNI = unlimited('CNI networks are');
const NO_MODULE: { readonly missing: Missing } = {
  missing: { act: 'refuse', sentence: 'C++ modules cannot be loaded' },
};

export const containerFlags = {
  isolation: flag(string, 'posix/cpu,posix/mem', 'Isolators, with commas between'),
  launcher: flag(oneOf('posix', 'linux'), 'posix', 'How containers are started'),
  launcher_dir: flag(path, '/usr/libexec/mesos', 'Taken for compatibility: there are no helper binaries'),
  runtime_dir: flag(
    path,
    root ? '/var/run/mesos' : `${temporary}/runtime`,
    'Folder for what need not survive a reboot',
  ),
  containerizers: flag(string, 'mesos', 'Containerizers in the order in which they are tried, with commas between', {
    validate: knownContainerizers,
  }),
  image_providers: optional(string, 'APPC and DOCKER: the kinds of images', NO_IMAGES),
  image_provisioner_backend: optional(string, 'aufs, bind, copy or overlay: how root filesystems are made', NO_IMAGES),
  image_gc_config: optional(jsonObject('an image GC configuration'), 'When images are removed', NO_IMAGES),
  appc_simple_discovery_uri_prefix: flag(string, 'http://', 'Where appc images are looked for', NO_IMAGES),
  appc_store_dir: flag(path, `${temporary}/store/appc`, 'Folder of appc images'),
  docker: flag(string, 'docker', 'The docker command'),
  docker_config: optional(
    jsonObject('a docker configuration'),
    'Docker configuration with credentials of registries',
    NO_IMAGES,
  ),
  docker_ignore_runtime: flag(
    bool,
    'false',
    "Pass over an image's entrypoint, command, environment and folder",
    NO_IMAGES,
  ),
  docker_kill_orphans: flag(bool, 'true', 'Kill containers that no agent knows any more'),
  docker_mesos_image: optional(
    string,
    'The image to run executors in where the agent itself runs in docker',
    NO_IMAGES,
  ),
  docker_registry: flag(string, 'https://registry-1.docker.io', 'Registry or folder of docker images'),
  docker_remove_delay: flag(duration, '6hrs', 'How long ended docker containers are kept'),
  docker_socket: flag(path, '/var/run/docker.sock', 'Socket of the docker daemon'),
  docker_stop_timeout: flag(duration, '0secs', 'How long docker stop waits before it kills'),
  docker_store_dir: flag(path, `${temporary}/store/docker`, 'Folder of docker images'),
  docker_volume_checkpoint_dir: flag(
    path,
    '/var/run/mesos/isolators/docker/volume',
    'Folder where mounted docker volumes are noted',
  ),
  docker_volume_chown: flag(bool, 'false', "Give a docker volume to the container's user", NO_IMAGES),
  sandbox_directory: flag(path, '/mnt/mesos/sandbox', 'Where the sandbox appears inside an image'),
  default_container_dns: optional(jsonObject('DNS settings'), 'DNS of container networks', NO_CNI),
  default_container_info: optional(
    jsonObject('a ContainerInfo'),
    'The ContainerInfo of tasks that have none',
    NO_IMAGES,
  ),
  default_container_shm_size: optional(bytes, 'Size of /dev/shm', NO_LINUX),
  host_path_volume_force_creation: optional(
    string,
    'Folders in which host paths of volumes may be created, with colons between',
    unlimited('host paths of volumes are'),
  ),
  volume_gid_range: optional(string, 'Group ids for shared volumes: [10000-20000]', NO_LINUX),
  cgroups_destroy_timeout: flag(duration, '60secs', 'How long a cgroup may take to end', NO_CGROUPS),
  cgroups_hierarchy: flag(path, '/sys/fs/cgroup', 'Where cgroups are mounted', NO_CGROUPS),
  cgroups_root: flag(string, 'mesos', 'The cgroup above all others of ours', NO_CGROUPS),
  cgroups_enable_cfs: flag(bool, 'false', 'Limit CPU time', NO_CGROUPS),
  cgroups_limit_swap: flag(bool, 'false', 'Limit memory and swap together', NO_CGROUPS),
  cgroups_cpu_enable_pids_and_tids_count: flag(
    bool,
    'false',
    'Report how many processes and threads a container has',
    NO_CGROUPS,
  ),
  cgroups_net_cls_primary_handle: optional(string, 'The primary net_cls handle', NO_CGROUPS),
  cgroups_net_cls_secondary_handles: optional(string, 'The range of secondary net_cls handles', NO_CGROUPS),
  agent_subsystems: optional(string, 'Cgroup subsystems that the agent itself runs in', {
    aliases: ['slave_subsystems'],
    ...NO_CGROUPS,
  }),
  allowed_devices: optional(jsonObject('a device whitelist'), 'Further devices that containers may use', NO_CGROUPS),
  nvidia_gpu_devices: optional(string, 'Minor numbers of the GPUs to use, with commas between', NO_CGROUPS),
  perf_events: optional(string, 'Perf events to sample', NO_CGROUPS),
  perf_interval: flag(duration, '60secs', 'Time between perf samples', NO_CGROUPS),
  perf_duration: flag(duration, '10secs', 'Length of a perf sample', NO_CGROUPS),
  revocable_cpu_low_priority: flag(bool, 'true', 'Give revocable CPUs few CPU shares', NO_CGROUPS),
  systemd_enable_support: flag(bool, 'true', 'Use systemd where it runs'),
  systemd_runtime_directory: flag(path, '/run/systemd/system', 'Where systemd keeps its state'),
  effective_capabilities: optional(jsonObject('capabilities'), 'Linux capabilities that tasks have', {
    aliases: ['allowed_capabilities'],
    ...NO_LINUX,
  }),
  bounding_capabilities: optional(jsonObject('capabilities'), 'Linux capabilities that tasks may have', NO_LINUX),
  disallow_sharing_agent_ipc_namespace: flag(
    bool,
    'false',
    "Containers must not share the agent's IPC namespace",
    NO_LINUX,
  ),
  disallow_sharing_agent_pid_namespace: flag(
    bool,
    'false',
    "Containers must not share the agent's PID namespace",
    NO_LINUX,
  ),
  seccomp_config_dir: optional(path, 'Folder of seccomp profiles', { build: 'ENABLE_SECCOMP_ISOLATOR', ...NO_LINUX }),
  seccomp_profile_name: optional(string, 'The seccomp profile of tasks', {
    build: 'ENABLE_SECCOMP_ISOLATOR',
    ...NO_LINUX,
  }),
  network_cni_plugins_dir: optional(path, 'Folders of CNI plugins, with colons between', NO_CNI),
  network_cni_config_dir: optional(path, 'Folder of CNI configurations', NO_CNI),
  network_cni_root_dir_persist: flag(bool, 'false', 'Keep what is known of CNI networks over a reboot', NO_CNI),
  network_cni_metrics: flag(bool, 'true', 'Show metrics of CNI networks', NO_CNI),
  container_disk_watch_interval: flag(duration, '15secs', 'Time between looks at the disk use of containers'),
  enforce_container_disk_quota: flag(
    bool,
    'false',
    'Kill containers that use more disk than they have',
    unlimited('disk limits are'),
  ),
  resource_provider_config_dir: optional(
    path,
    'Folder of resource provider configurations',
    unlimited('resource providers are'),
  ),
  csi_plugin_config_dir: optional(path, 'Folder of CSI plugin configurations', unlimited('CSI volumes are')),
  disk_profile_adaptor: optional(string, 'Name of a disk profile module', NO_MODULE),
} as const;

function knownContainerizers(text: string): string | undefined {
  const stranger = text.split(',').find((name) => name !== 'mesos' && name !== 'docker');
  return stranger === undefined ? undefined : `there is no containerizer '${stranger}'; there is mesos`;
}
