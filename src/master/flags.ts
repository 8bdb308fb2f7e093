import { readCredentials } from '../config/credentials.ts';
import { daemonFlags, disabledPaths, MESOS_VERSION, notNegative, positive } from '../config/daemon-flags.ts';
import { type FlagValues, flag, optional, type ReadFile } from '../config/flag.ts';
import {
  bool,
  bytes,
  count,
  double,
  duration,
  integer,
  jsonObject,
  oneOf,
  path,
  port,
  string,
} from '../config/kinds.ts';
import type { Program } from '../config/load.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import { agentRemovalRate, minAllocatable, percent, rateLimits, roleList, weightList } from './settings.ts';

const MINUTE = 60_000;
const NO_LOG = {
  act: 'warn',
  sentence: 'there is no replicated log here: the registry is in ZooKeeper or LMDB, which need no such setting',
} as const;

/** The flags of `mesos-master`: upstream's names, meanings and defaults. */
export const masterFlags = {
  ...daemonFlags,
  port: flag(port, '5050', 'Port to listen on'),
  root_submissions: flag(bool, 'true', 'Whether tasks of frameworks may run as root'),
  work_dir: optional(path, 'Folder for what must survive a restart; needed with --registry=replicated_log'),
  registry: flag(
    oneOf('replicated_log', 'in_memory', 'lmdb', 'zookeeper'),
    'replicated_log',
    'Where admitted agents, quotas and weights are kept: replicated_log means ZooKeeper with --zk and LMDB without; in_memory forgets them',
  ),
  quorum: optional(integer(1), 'How many masters must agree; needed with --zk and --registry=replicated_log'),
  registry_strict: flag(bool, 'false', 'No longer supported upstream', {
    validate: (value) => (value ? 'upstream removed strict registries; leave the flag out' : undefined),
  }),
  registry_fetch_timeout: flag(duration, '60secs', 'How long reading the registry may take', { validate: positive }),
  registry_store_timeout: flag(duration, '20secs', 'How long writing the registry may take', { validate: positive }),
  log_auto_initialize: flag(bool, 'true', 'Initialize an empty replicated log', { missing: NO_LOG }),
  agent_reregister_timeout: flag(
    duration,
    '10mins',
    'How long agents may take to come back after a failover of the master',
    {
      aliases: ['slave_reregister_timeout'],
      validate: (value) =>
        value < 10 * MINUTE ? 'it must be at least 10mins, because agents pace their retries by that' : undefined,
    },
  ),
  recovery_agent_removal_limit: flag(
    string,
    '100%',
    'The share of agents that may stay away after a failover before the master gives up',
    {
      aliases: ['recovery_slave_removal_limit'],
      validate: (text) => errorOf(percent(text)),
    },
  ),
  agent_removal_rate_limit: optional(string, 'How many agents may be marked unreachable in which time: 1/10mins', {
    aliases: ['slave_removal_rate_limit'],
    validate: (text) => errorOf(agentRemovalRate(text)),
  }),
  webui_dir: flag(path, '/usr/share/mesos/webui', 'Folder of the web UI'),
  whitelist: optional(
    path,
    'File with the hostnames of agents whose resources are offered, one a line; read again every 5 seconds',
  ),
  role_sorter: flag(oneOf('drf', 'random'), 'drf', 'Order of roles in an allocation', {
    aliases: ['user_sorter'],
  }),
  framework_sorter: flag(oneOf('drf', 'random'), 'drf', 'Order of the frameworks of a role in an allocation'),
  allocation_interval: flag(duration, '1secs', 'Time between allocations', { validate: positive }),
  cluster: optional(string, 'Name of the cluster, for people to read'),
  roles: optional(string, 'Deprecated: the only roles that may be used, with commas between', {
    validate: (text) => errorOf(roleList(text)),
  }),
  weights: optional(string, 'Deprecated: role=weight,role=weight', { validate: (text) => errorOf(weightList(text)) }),
  authenticate_frameworks: flag(bool, 'false', 'Frameworks must authenticate', { aliases: ['authenticate'] }),
  authenticate_agents: flag(bool, 'false', 'Agents must authenticate', { aliases: ['authenticate_slaves'] }),
  authentication_v0_timeout: flag(duration, '15secs', 'How long an authentication over libprocess may take'),
  authenticate_http_readwrite: { ...daemonFlags.authenticate_http_readwrite, aliases: ['authenticate_http'] },
  authenticate_http_frameworks: flag(bool, 'false', 'Frameworks must authenticate on /api/v1/scheduler'),
  credentials: optional(path, 'JSON file of principals and secrets'),
  rate_limits: optional(
    jsonObject('rate limits'),
    'How fast the messages of version 0 frameworks are taken, by principal: {"limits": [{"principal": "p", "qps": 10}]}',
    {
      validate: (limits) => errorOf(rateLimits(limits)),
    },
  ),
  max_executors_per_agent: optional(count, 'Most executors on one agent', {
    aliases: ['max_executors_per_slave'],
    build: 'ENABLE_PORT_MAPPING_ISOLATOR',
  }),
  offer_timeout: optional(duration, 'Offers that are not answered are taken back after this time', {
    validate: positive,
  }),
  authenticators: flag(oneOf('crammd5'), 'crammd5', 'How agents and frameworks authenticate over libprocess'),
  allocator: flag(oneOf('hierarchical'), 'hierarchical', 'How resources are divided'),
  allocator_agent_recovery_factor: flag(
    double,
    '0.8',
    'The share of known agents that must be back after a failover before offers are made',
    { validate: (value) => (value < 0 || value > 1 ? 'it must be between 0 and 1, as in 0.8' : undefined) },
  ),
  allocator_recovery_timeout: flag(
    duration,
    '10mins',
    'How long offers wait for agents to come back after a failover',
    {
      validate: notNegative,
    },
  ),
  fair_sharing_excluded_resource_names: optional(string, 'Resources that do not count in shares, with commas between'),
  filter_gpu_resources: flag(
    bool,
    'true',
    'Offer agents with GPUs only to frameworks with the capability GPU_RESOURCES',
  ),
  min_allocatable_resources: flag(
    string,
    'cpus:0.01|mem:32',
    'The least that makes an offer; alternatives with | between',
    {
      validate: (text) => errorOf(minAllocatable(text)),
    },
  ),
  agent_ping_timeout: flag(duration, '15secs', 'How long the answer to a ping may take', {
    aliases: ['slave_ping_timeout'],
    validate: (value) => (value < 1000 || value > 15 * MINUTE ? 'it must be between 1secs and 15mins' : undefined),
  }),
  max_agent_ping_timeouts: flag(
    integer(1),
    '5',
    'How many pings in a row may go unanswered before an agent is unreachable',
    {
      aliases: ['max_slave_ping_timeouts'],
    },
  ),
  authorizers: flag(oneOf('local'), 'local', 'Who decides what is allowed: local reads --acls'),
  http_authenticators: flag(string, 'basic', 'How HTTP clients authenticate', { validate: knownAuthenticators }),
  http_framework_authenticators: optional(
    string,
    'How frameworks authenticate; needed with --authenticate_http_frameworks',
    {
      validate: knownAuthenticators,
    },
  ),
  max_operator_event_stream_subscribers: flag(
    integer(1),
    '1000',
    'Most event streams of operators; beyond it the oldest ends',
  ),
  max_completed_frameworks: flag(count, '50', 'How many ended frameworks are remembered'),
  max_completed_tasks_per_framework: flag(count, '1000', 'How many ended tasks of a framework are remembered'),
  max_unreachable_tasks_per_framework: flag(count, '1000', 'How many unreachable tasks of a framework are remembered'),
  master_contender: optional(string, 'Name of a module that contends for leadership', { missing: noSuchModule() }),
  master_detector: optional(string, 'Name of a module that finds the leader', { missing: noSuchModule() }),
  registry_gc_interval: flag(duration, '15mins', 'Time between cleanings of the registry', { validate: positive }),
  registry_max_agent_age: flag(duration, '2weeks', 'How long unreachable and gone agents are remembered', {
    validate: notNegative,
  }),
  registry_max_agent_count: flag(count, '102400', 'How many unreachable and gone agents are remembered'),
  zk: optional(string, 'zk://host:port,host:port/path, which masters meet at to elect a leader', {
    validate: (text) => errorOf(parseZooUrl(text)),
  }),
  require_agent_domain: flag(bool, 'false', 'Agents must have a --domain'),
  publish_per_framework_metrics: flag(bool, 'true', 'Show master/frameworks/... in the metrics'),
  offer_constraints_re2_max_mem: flag(bytes, '4096B', 'Most memory of a regular expression in offer constraints'),
  offer_constraints_re2_max_program_size: flag(
    count,
    '100',
    'Most instructions of a regular expression in offer constraints',
  ),
} as const;

export type MasterFlags = FlagValues<typeof masterFlags>;

export const masterProgram: Program<typeof masterFlags> = {
  name: 'mesos-master',
  version: MESOS_VERSION,
  flags: masterFlags,
  check: checkMasterFlags,
};

/** Rules between flags. @returns a sentence that names the flags, if one is broken */
export function checkMasterFlags(flags: MasterFlags, readFile: ReadFile): string | undefined {
  if (flags.ip !== undefined && flags.ip_discovery_command !== undefined)
    return 'Only one of --ip and --ip_discovery_command may be given';
  if (flags.registry === 'zookeeper' && flags.zk === undefined)
    return '--registry=zookeeper needs --zk: add --zk=zk://host:2181/mesos, or take --registry=lmdb';
  if ((flags.registry === 'replicated_log' || flags.registry === 'lmdb') && !flags.work_dir)
    return '--work_dir is needed for the registry: add --work_dir=/var/lib/mesos, or --registry=in_memory to keep nothing';
  if (flags.registry === 'replicated_log' && flags.zk !== undefined && flags.quorum === undefined)
    return '--quorum is needed with --zk and --registry=replicated_log: the number of masters divided by two, plus one';
  if (flags.authenticate_http_frameworks && flags.http_framework_authenticators === undefined)
    return '--http_framework_authenticators is needed with --authenticate_http_frameworks: add --http_framework_authenticators=basic';
  if (flags.authenticate_http_frameworks)
    return '--authenticate_http_frameworks: HTTP authentication is not in this build; /api/v1/scheduler would be open to everybody';
  const whitelist = flags.roles === undefined ? undefined : roleList(flags.roles);
  const weights = flags.weights === undefined ? undefined : weightList(flags.weights);
  if (whitelist?.ok && weights?.ok) {
    const stranger = weights.value.find(({ role }) => role !== '*' && !whitelist.value.has(role));
    if (stranger) return `--weights names the role '${stranger.role}', which is not in --roles=${flags.roles}`;
  }
  if (flags.credentials !== undefined) return errorOf(readCredentials(flags.credentials, 'credentials', readFile));
  return undefined;
}

/** What a person should know before relying on this master: said in the log at every start. */
export function masterWarnings(flags: MasterFlags): string[] {
  const warnings: string[] = [];
  if (flags.authenticate_agents)
    warnings.push('--authenticate_agents: authentication is not in this build, so every agent is refused');
  if (flags.authenticate_frameworks)
    warnings.push('--authenticate_frameworks: authentication is not in this build, so every framework is refused');
  if (flags.zk !== undefined && (flags.registry === 'lmdb' || flags.registry === 'in_memory'))
    warnings.push(
      `--registry=${flags.registry}: every master keeps a registry of its own, so that the next leader knows no quota, weights, ` +
        'drains or maintenance of this one; leave the flag out to keep them in ZooKeeper',
    );
  if (flags.roles !== undefined) warnings.push('--roles is deprecated upstream');
  if (disabledPaths(flags.firewall_rules).length > 0)
    warnings.push(`--firewall_rules: 403 on ${disabledPaths(flags.firewall_rules).join(', ')}`);
  return warnings;
}

function errorOf(result: { readonly ok: true } | { readonly ok: false; readonly error: string }): string | undefined {
  return result.ok ? undefined : result.error;
}

function knownAuthenticators(text: string): string | undefined {
  const stranger = text.split(',').find((name) => name !== 'basic' && name !== 'jwt');
  return stranger === undefined ? undefined : `there is no authenticator '${stranger}'; there are basic and jwt`;
}

function noSuchModule() {
  return { act: 'refuse', sentence: 'C++ modules cannot be loaded; use --zk' } as const;
}
