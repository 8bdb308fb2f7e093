import { domain } from './domain.ts';
import { flag, optional } from './flag.ts';
import { bool, count, duration, jsonObject, oneOf, port, string } from './kinds.ts';

/** The version of upstream whose wires are spoken: what `--version`, `/version` and MasterInfo say. */
export const MESOS_VERSION = '1.12.0';

const NO_MODULES = {
  act: 'refuse',
  sentence: 'C++ modules cannot be loaded; what they are used for most (authentication, ACLs, isolators) is built in',
} as const;

/** The flags that the master and the agent have in common. */
export const daemonFlags = {
  quiet: flag(bool, 'false', 'Do not log to stderr'),
  logging_level: flag(oneOf('INFO', 'WARNING', 'ERROR'), 'INFO', 'The least severe messages that are logged'),
  log_dir: optional(string, 'Folder for log files; without it logs go to stderr only'),
  logbufsecs: flag(count, '0', 'Seconds for which log lines may stay in a buffer'),
  initialize_driver_logging: flag(bool, 'true', 'Of no use to a daemon; taken for compatibility'),
  external_log_file: optional(string, 'A log written by somebody else, shown under /files in place of our own'),
  help: flag(bool, 'false', 'Print this and exit'),
  version: flag(bool, 'false', 'Print the version and exit'),
  hostname: optional(string, 'The name to advertise; without it the IP address is looked up'),
  hostname_lookup: flag(bool, 'true', 'Look the name up; with --no-hostname_lookup the IP address is the name'),
  ip: optional(string, 'IPv4 address to listen on; not together with --ip_discovery_command', { validate: ipv4 }),
  advertise_ip: optional(string, 'IPv4 address that others are told, where it is not the one listened on', {
    validate: ipv4,
  }),
  advertise_port: optional(port, 'Port that others are told, where it is not the one listened on'),
  ip_discovery_command: optional(string, 'A program that prints the IP address to listen on'),
  memory_profiling: flag(bool, 'false', 'Serve /memory-profiler', {
    missing: { act: 'warn', sentence: 'the jemalloc profiler does not exist here; use node --heap-prof' },
  }),
  zk_session_timeout: flag(duration, '10secs', 'ZooKeeper session timeout', { validate: positive }),
  domain: optional(domain, 'Region and zone of this machine, as a DomainInfo'),
  acls: optional(jsonObject('ACLs'), 'Who may do what, as ACLs', { validate: unenforcedAcls }),
  firewall_rules: optional(
    jsonObject('firewall rules'),
    'Endpoints that answer 403: {"disabled_endpoints": {"paths": [...]}}',
    {
      validate: firewallShape,
    },
  ),
  modules: optional(jsonObject('modules'), 'C++ modules to load; not together with --modules_dir', {
    missing: NO_MODULES,
  }),
  modules_dir: optional(string, 'Folder of module manifests', { missing: NO_MODULES }),
  hooks: optional(string, 'Names of hook modules', { missing: NO_MODULES }),
  authenticate_http_readwrite: flag(bool, 'false', 'Ask for credentials on endpoints that change something', {
    missing: {
      act: 'refuse',
      sentence: 'HTTP authentication is not in this build; endpoints would be open to everybody',
    },
  }),
  authenticate_http_readonly: flag(bool, 'false', 'Ask for credentials on endpoints that only read', {
    missing: {
      act: 'refuse',
      sentence: 'HTTP authentication is not in this build; endpoints would be open to everybody',
    },
  }),
} as const;

/** The paths of `--firewall_rules`. */
export function disabledPaths(rules: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  const paths = (rules?.disabled_endpoints as { paths?: unknown } | undefined)?.paths;
  return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
}

/** For `validate`: a dotted IPv4 address. */
export function ipv4(text: string): string | undefined {
  const parts = text.split('.');
  const good = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  return good ? undefined : `'${text}' is not an IPv4 address; write one as 192.0.2.7`;
}

/** For `validate`: more than zero. */
export function positive(value: number): string | undefined {
  return value > 0 ? undefined : 'it must be more than zero';
}

/** For `validate`: zero or more. */
export function notNegative(value: number): string | undefined {
  return value >= 0 ? undefined : 'it must not be less than zero';
}

function firewallShape(rules: Readonly<Record<string, unknown>>): string | undefined {
  const disabled = rules.disabled_endpoints as { paths?: unknown } | undefined;
  if (disabled === undefined) return undefined;
  const paths = disabled?.paths;
  if (Array.isArray(paths) && paths.every((path) => typeof path === 'string' && path.startsWith('/'))) return undefined;
  return 'disabled_endpoints.paths must be a list of paths that begin with /';
}

/** Rules that would forbid something may not be passed over; an object that has none asks for nothing. */
function unenforcedAcls(acls: Readonly<Record<string, unknown>>): string | undefined {
  const rules = Object.entries(acls).filter(
    ([name, value]) => Array.isArray(value) || (name === 'permissive' && value === false),
  );
  if (rules.length === 0) return undefined;
  const names = rules.map(([name]) => name).join(', ');
  return `authorization is not in this build, so the rules for ${names} would not be enforced; start without --acls to let everybody do everything`;
}
