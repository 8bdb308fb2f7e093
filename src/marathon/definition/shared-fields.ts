/** Kinds that apps and pods share. Limits and defaults are upstream's. */
import {
  choice,
  decimal,
  flag,
  instant,
  integer,
  isObject,
  type Kind,
  list,
  long,
  map,
  oneOf,
  refuse,
  text,
} from './kind.ts';
import { defaulted, optional, record, required } from './record.ts';
import type { Command, EnvValue, UnreachableStrategy } from './types.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_SHAPE = 'lower case letters, digits and inner hyphens';

export const anyPort = integer({ minimum: 0, maximum: 65_535 });
export const seconds = integer({ minimum: 0 });
/** Names of endpoints, pod containers and volumes. */
export const name = text({ minLength: 1, maxLength: 63, pattern: DNS_LABEL, shape: LABEL_SHAPE });
/** Names of an app's ports: as `name`, of any length. */
export const portName = text({ minLength: 1, pattern: DNS_LABEL, shape: LABEL_SHAPE });
const networkName = text({
  minLength: 1,
  maxLength: 63,
  pattern: /^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/,
  shape: 'lower case letters, digits and inner hyphens and underscores',
});
/** Paths in URLs and containers. */
export const path = text({ minLength: 1, maxLength: 1024 });
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const SEGMENT = `(?:\\.\\.|(?:${LABEL}\\.)*${LABEL})`;
/** The same paths as upstream's expression takes; that one needs exponential time for some, such as many slashes in a row. */
export const pathId = text({
  minLength: 1,
  pattern: new RegExp(`^/*(?:${SEGMENT}(?:/+${SEGMENT})*/*)?$`),
  shape: 'a path like /prod/db: lower case letters, digits, dots and inner hyphens between slashes',
});
export const labels = map(text());
export const scheme = oneOf('HTTP', 'HTTPS');
export const protocol = oneOf('tcp', 'udp', 'udp,tcp');
export const killSelection = oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST');

const secretRef = record({ secret: required(text(), 'Name of a declared secret.') });
export const env: Kind<Readonly<Record<string, EnvValue>>> = map(
  choice<EnvValue>(
    (value) => (isObject(value) ? secretRef : text()),
    (value) => value,
    [text().schema, secretRef.schema],
  ),
);

export const secrets = map(
  record({
    source: required(text({ minLength: 1 }), 'Where the value comes from; its form depends on the secret store.'),
  }),
);
export const pullConfig = record({
  secret: required(text({ minLength: 1 }), "Name of the secret that holds Docker's config.json."),
});

export const network = record({
  name: optional(networkName, 'Name of the container network.'),
  mode: defaulted(oneOf('container', 'container/bridge', 'host'), 'container', 'How containers are attached.'),
  labels: defaulted(labels, {}, 'Given to the network plugin.', { omitEmpty: true }),
});

export const artifact = record({
  uri: required(text({ minLength: 1, maxLength: 1024 }), 'What to fetch.'),
  extract: defaulted(flag, true, 'Whether to unpack it.'),
  executable: defaulted(flag, false, 'Whether to make it executable.'),
  cache: defaulted(flag, false, "Whether the agent's cache may hold it."),
  destPath: optional(path, 'Its name in the sandbox.'),
});

const limit = choice<number | 'unlimited'>(
  (value) => (typeof value === 'string' ? oneOf('unlimited') : decimal()),
  (value) => value,
  [decimal().schema, { const: 'unlimited' }],
);
export const resourceLimits = record({
  cpus: optional(limit, 'The most CPU that may be used: at least what is asked for, or `unlimited`.'),
  mem: optional(limit, 'The most memory that may be used, in MiB: at least what is asked for, or `unlimited`.'),
});

export const executorResources = record({
  cpus: defaulted(decimal({ minimum: 0.1 }), 0.1, 'CPUs of the executor.'),
  mem: defaulted(decimal({ minimum: 32 }), 32, 'Memory of the executor in MiB.'),
  disk: defaulted(decimal({ minimum: 10 }), 10, 'Disk of the executor in MiB.'),
});

export const linuxInfo = record({
  seccomp: optional(
    record({
      profileName: optional(text(), 'The profile that filters system calls.'),
      unconfined: defaulted(flag, false, 'Whether to run without any profile.'),
    }),
    'Which system calls are allowed.',
  ),
  ipcInfo: optional(
    record({
      mode: required(oneOf('PRIVATE', 'SHARE_PARENT'), 'Whether shared memory is its own.'),
      shmSize: optional(integer(), 'Size of /dev/shm in MiB.'),
    }),
    'Shared memory.',
  ),
});

const unreachableTimes = record({
  inactiveAfterSeconds: defaulted(long({ minimum: 0 }), 0, 'When a replacement is started.'),
  expungeAfterSeconds: defaulted(long({ minimum: 0 }), 0, 'When the lost instance is forgotten.'),
});
const unreachableOff = oneOf('disabled');
export const unreachableStrategy = choice<UnreachableStrategy>(
  (value) => (isObject(value) ? unreachableTimes : unreachableOff),
  (value) => value,
  [unreachableTimes.schema, unreachableOff.schema],
);

const shellCommand = record({ shell: required(text({ minLength: 1 }), 'A line for the shell.') });
const argvCommand = record({ argv: required(list(text(), { minItems: 1 }), 'A program and its arguments.') });
/** `{shell}` or `{argv}`, never both. */
export const command: Kind<Command> = {
  read(value, at, problems) {
    const isArgv = isObject(value) && value.argv !== undefined && value.argv !== null;
    if (isArgv && value.shell !== undefined && value.shell !== null) {
      return refuse(problems, at, 'error.multipleTypes', 'must have either shell or argv, not both');
    }
    return isArgv ? argvCommand.read(value, at, problems) : shellCommand.read(value, at, problems);
  },
  write: (value) => value,
  schema: { oneOf: [shellCommand.schema, argvCommand.schema] },
};

export const execCheck = record({ command: required(command, 'What is run in the task; 0 is good.') });

export const persistentInfo = record({
  type: optional(oneOf('root', 'path', 'mount'), 'Which disks; `root`, or `mount` where a profile is named.'),
  size: required(long({ minimum: 0 }), 'Size in MiB.'),
  maxSize: optional(long({ minimum: 0 }), 'The largest mount disk considered, in MiB.'),
  profileName: optional(text(), 'The storage profile that the disk must have.'),
  constraints: defaulted(
    list(list(text(), { minItems: 2, maxItems: 3 }), { unique: true }),
    [],
    'Which paths: ["path", "LIKE" or "UNLIKE", regular expression].',
  ),
});

export const versionInfo = record({
  lastScalingAt: required(instant, 'When the number of instances last changed.'),
  lastConfigChangeAt: required(instant, 'When anything else last changed.'),
});
