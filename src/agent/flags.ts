import { withoutPassword } from '../base/password.ts';
import { readCredential, readCredentials } from '../config/credentials.ts';
import { daemonFlags, disabledPaths, MESOS_VERSION, notNegative, positive } from '../config/daemon-flags.ts';
import { type FlagValues, flag, optional, type ReadFile, required } from '../config/flag.ts';
import { bool, bytes, count, double, duration, jsonObject, oneOf, path, port, string } from '../config/kinds.ts';
import type { Program } from '../config/load.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import { parseAttributes } from '../resources/attributes.ts';
import { parseResources } from '../resources/parse.ts';
import { validateRole } from '../resources/roles.ts';
import { agentFeatures } from './features.ts';
import { containerFlags } from './flags-containers.ts';
import { networkFlags } from './flags-network.ts';
import { FIXED_ESTIMATOR, oversubscribedResources, unknownModules } from './oversubscription.ts';

const NO_CONTROLLER = {
  missing: { act: 'warn', sentence: 'QoS controllers are not in this build: revocable tasks are not ended for others' },
} as const;
const NO_MODULE = { missing: { act: 'refuse', sentence: 'C++ modules cannot be loaded' } } as const;
const NO_TOKENS = {
  missing: {
    act: 'refuse',
    sentence: 'authentication of executors is not in this build; anybody could speak as an executor',
  },
} as const;
const NO_CACHE = {
  missing: { act: 'warn', sentence: 'fetched files are not kept in this build: each task fetches its own' },
} as const;
const NO_SOCKET = {
  missing: { act: 'warn', sentence: 'the executor socket is not in this build: executors use the TCP port' },
} as const;

/** The flags of `mesos-agent`: upstream's names, meanings and defaults. */
export const agentFlags = {
  ...daemonFlags,
  ...containerFlags,
  ...networkFlags,
  port: flag(port, '5051', 'Port to listen on'),
  master: optional(
    string,
    'The master: host:port, zk://host:port,host:port/path, or file:///path of a file that says it',
  ),
  work_dir: required(path, 'Folder for sandboxes and for what must survive a restart of the agent'),
  resources: optional(
    string,
    'What the machine has: cpus:4;mem:2048;ports:[31000-32000], or JSON; what is not named is detected',
    {
      validate: (text) => errorOf(parseResources(text)),
    },
  ),
  default_role: flag(string, '*', 'The role of resources that name none', {
    validate: (role) => errorOf(validateRole(role)),
  }),
  attributes: optional(string, 'What sets the machine apart: rack:r1;zone:eu', {
    validate: (text) => errorOf(parseAttributes(text)),
  }),
  agent_features: optional(
    jsonObject('agent features'),
    'The agent capabilities to announce: {"capabilities": [{"type": ...}]}',
    {
      validate: (features) => errorOf(agentFeatures(features)),
    },
  ),
  credential: optional(path, 'JSON file with the principal and the secret of this agent', {
    missing: {
      act: 'warn',
      sentence: 'authentication is not in this build: a master that demands it will refuse this agent',
    },
  }),
  authenticatee: flag(oneOf('crammd5'), 'crammd5', 'How the agent authenticates to the master'),
  authentication_backoff_factor: flag(duration, '1secs', 'Unit of the wait between authentications'),
  authentication_timeout_min: flag(duration, '5secs', 'The shortest time given to an authentication'),
  authentication_timeout_max: flag(duration, '1mins', 'The longest time given to an authentication'),
  registration_backoff_factor: flag(duration, '1secs', 'Unit of the wait between registrations', {
    validate: (value) => (value > 60_000 ? 'it must be at most 1mins' : positive(value)),
  }),
  master_detector: optional(string, 'Name of a module that finds the master', NO_MODULE),
  authorizer: flag(oneOf('local'), 'local', 'Who decides what is allowed: local reads --acls'),
  http_authenticators: optional(string, 'How HTTP clients authenticate'),
  http_credentials: optional(path, 'JSON file of the principals and secrets of HTTP clients'),
  authenticate_http_executors: flag(bool, 'false', 'Executors must bring a token', {
    build: 'USE_SSL_SOCKET',
    ...NO_TOKENS,
  }),
  jwt_secret_key: optional(path, 'File with the key of the tokens of executors', {
    aliases: ['executor_secret_key'],
    build: 'USE_SSL_SOCKET',
    missing: { act: 'warn', sentence: 'tokens for executors are not in this build' },
  }),
  http_executor_domain_sockets: flag(bool, 'false', 'Serve executors on a Unix socket', NO_SOCKET),
  domain_socket_location: optional(path, 'Path of the Unix socket for executors', {
    validate: (text) => (text.length >= 108 ? 'a Unix socket has a path shorter than 108 characters' : undefined),
    ...NO_SOCKET,
  }),
  switch_user: flag(bool, 'true', 'Run tasks as the user of their framework or command'),
  frameworks_home: flag(string, '', 'What stands in front of relative URIs of executors'),
  hadoop_home: optional(path, 'Folder of Hadoop, for hdfs:// URIs', {
    missing: { act: 'warn', sentence: 'hdfs:// URIs are not fetched in this build' },
  }),
  fetcher_cache_size: flag(bytes, '2GB', 'Most bytes kept in the cache of fetched files', NO_CACHE),
  fetcher_cache_dir: flag(
    path,
    containerFlags.appc_store_dir.fallback!.replace('store/appc', 'fetch'),
    'Folder of the cache of fetched files',
    NO_CACHE,
  ),
  fetcher_stall_timeout: flag(duration, '1mins', 'A download that brings nothing for this long is given up'),
  executor_environment_variables: optional(
    jsonObject('an environment'),
    "The environment of executors, in place of the agent's",
    {
      validate: onlyTexts,
    },
  ),
  executor_registration_timeout: flag(duration, '1mins', 'How long an executor may take to register', {
    validate: positive,
  }),
  executor_reregistration_timeout: flag(
    duration,
    '2secs',
    'How long an executor may take to come back after a restart of the agent',
    {
      validate: (value) => (value > 15_000 ? 'it must be at most 15secs' : notNegative(value)),
    },
  ),
  executor_reregistration_retry_interval: optional(duration, 'Time between messages that ask executors to come back', {
    validate: positive,
  }),
  executor_shutdown_grace_period: flag(duration, '5secs', 'How long an executor may take to end', {
    validate: notNegative,
  }),
  http_command_executor: flag(bool, 'false', 'Of no effect: the command executor is part of the agent'),
  http_heartbeat_interval: flag(duration, '30secs', 'Time between heartbeats on attached streams', {
    validate: positive,
  }),
  gc_delay: flag(duration, '1weeks', 'How long sandboxes of ended tasks are kept', { validate: notNegative }),
  gc_disk_headroom: flag(double, '0.1', 'The share of the disk to keep free by removing sandboxes earlier', {
    validate: (value) => (value < 0 || value > 1 ? 'it must be between 0.0 and 1.0' : undefined),
  }),
  gc_non_executor_container_sandboxes: flag(
    bool,
    'false',
    'Remove sandboxes of nested containers too, before their executor ends',
  ),
  disk_watch_interval: flag(duration, '1mins', 'Time between looks at the disk', { validate: positive }),
  container_logger: optional(string, 'Name of a module that writes the logs of containers', NO_MODULE),
  recover: flag(
    oneOf('reconnect', 'cleanup'),
    'reconnect',
    'What to do with tasks from before a restart: keep them, or end them and stop',
  ),
  recovery_timeout: flag(duration, '15mins', 'Tasks end if the agent stays away for longer', { validate: notNegative }),
  reconfiguration_policy: flag(
    oneOf('equal', 'additive'),
    'equal',
    'Whether an agent may come back with more resources and attributes',
  ),
  strict: flag(bool, 'true', 'Stop at an error in what was saved; otherwise pass over it'),
  max_completed_executors_per_framework: flag(count, '150', 'How many ended executors of a framework are remembered'),
  secret_resolver: optional(string, 'Name of a module that looks secrets up', NO_MODULE),
  modules: optional(jsonObject('modules'), 'Parameters of built-in modules; C++ modules cannot be loaded', {
    validate: unknownModules,
  }),
  resource_estimator: optional(
    oneOf(FIXED_ESTIMATOR),
    "Who says what could be offered twice; the resources are its parameter 'resources' in --modules",
  ),
  qos_controller: optional(string, 'Name of a module that ends revocable tasks', NO_MODULE),
  qos_correction_interval_min: flag(duration, '0secs', 'Least time between corrections', NO_CONTROLLER),
  oversubscribed_resources_interval: flag(duration, '15secs', 'Time between estimates', { validate: positive }),
  ip6: optional(string, 'IPv6 address of containers on the host network'),
  ip6_discovery_command: optional(string, 'A program that prints the IPv6 address'),
} as const;

export type AgentFlags = FlagValues<typeof agentFlags>;

export const agentProgram: Program<typeof agentFlags> = {
  name: 'mesos-agent',
  version: MESOS_VERSION,
  flags: agentFlags,
  check: checkAgentFlags,
};

/** Rules between flags. @returns a sentence that names the flags, if one is broken */
export function checkAgentFlags(flags: AgentFlags, readFile: ReadFile): string | undefined {
  if (flags.master === undefined) return '--master is needed: add --master=host:5050';
  const master = flags.master.trim();
  if (master.startsWith('zk://')) {
    const url = parseZooUrl(master);
    if (!url.ok) return `--master: ${url.error}`;
  } else if (!/^[^\s:/]+:\d{1,5}$/.test(master))
    return `--master=${withoutPassword(master)} is no address; write host:5050, or zk://host:2181,host:2181/mesos`;
  if (!flags.work_dir) return '--work_dir must name a folder: add --work_dir=/var/lib/mesos';
  if (flags.ip !== undefined && flags.ip_discovery_command !== undefined)
    return 'Only one of --ip and --ip_discovery_command may be given';
  if (flags.ip6 !== undefined && flags.ip6_discovery_command !== undefined)
    return 'Only one of --ip6 and --ip6_discovery_command may be given';
  const oversubscribed = oversubscribedResources(flags.resource_estimator, flags.modules);
  if (!oversubscribed.ok) return oversubscribed.error;
  if (flags.credential !== undefined) {
    const credential = readCredential(flags.credential, 'credential', readFile);
    if (!credential.ok) return credential.error;
  }
  if (flags.http_credentials === undefined) return undefined;
  return errorOf(readCredentials(flags.http_credentials, 'http_credentials', readFile));
}

/** What a person should know before relying on this agent: said in the log at every start. */
export function agentWarnings(flags: AgentFlags): string[] {
  const warnings: string[] = [];
  const isolators = flags.isolation.split(',').filter((name) => name !== '' && !ISOLATORS.has(name));
  if (isolators.length > 0)
    warnings.push(`--isolation: ${isolators.join(', ')} not in this build: tasks run as plain processes without them`);
  if (flags.launcher === 'linux')
    warnings.push(
      '--launcher=linux: cgroups are not in this build: tasks run in process groups, as with --launcher=posix',
    );
  if (flags.containerizers.split(',').includes('docker'))
    warnings.push('--containerizers: docker is not in this build: tasks with a docker container fail');
  if (disabledPaths(flags.firewall_rules).length > 0)
    warnings.push(`--firewall_rules: 403 on ${disabledPaths(flags.firewall_rules).join(', ')}`);
  return warnings;
}

/** Isolators that ask for nothing beyond plain processes, or for what tasks have anyway. */
const ISOLATORS: ReadonlySet<string> = new Set([
  'posix/cpu',
  'posix/mem',
  'posix',
  'filesystem/posix',
  'process',
  'volume/sandbox_path',
  'volume/secret',
  'environment_secret',
]);

function errorOf(result: { readonly ok: true } | { readonly ok: false; readonly error: string }): string | undefined {
  return result.ok ? undefined : result.error;
}

function onlyTexts(variables: Readonly<Record<string, unknown>>): string | undefined {
  const stranger = Object.entries(variables).find(([, value]) => typeof value !== 'string');
  return stranger === undefined ? undefined : `the value of '${stranger[0]}' must be a text`;
}
