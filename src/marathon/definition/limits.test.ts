/**
 * Every limit of every field, broken one at a time: the refusal has to name the field and the code. The limits are taken from the
 * records themselves, so that a field that is added without a document here fails the test.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appKind } from './app-fields.ts';
import { appSchema, groupSchema, podSchema } from './json-schema.ts';
import { isObject, type JsonSchema, type Kind } from './kind.ts';
import { podKind } from './pod-fields.ts';
import { groupKind } from './read-group.ts';
import { schemaProblems } from './schema-check.fixture.ts';
import type { Problem } from './types.ts';

const LABELS = { l: 'v' };
const PROBE = { port: 1, portIndex: 0 };
const EXEC = { command: { shell: 'true' } };
const TIMING = { intervalSeconds: 60, timeoutSeconds: 20, delaySeconds: 15 };
const LINUX = {
  seccomp: { profileName: 'p', unconfined: false },
  ipcInfo: { mode: 'PRIVATE', shmSize: 1 },
};
const ARTIFACT = { uri: 'u', extract: true, executable: true, cache: true, destPath: 'd' };
const PERSISTENT = { size: 1, type: 'mount', maxSize: 2, profileName: 'p', constraints: [['path', 'LIKE', '.*']] };
const PORT = { containerPort: 80, hostPort: 0, servicePort: 0, protocol: 'tcp', name: 'http', labels: LABELS };
const DVDI = { provider: 'dvdi', name: 'v', size: 1, options: LABELS, shared: true };
const CSI = {
  provider: 'csi',
  name: 'v',
  options: {
    pluginName: 'p',
    capability: { accessMode: 'SINGLE_NODE_WRITER', accessType: 'mount', fsType: 'ext4', mountFlags: ['noatime'] },
    nodeStageSecret: LABELS,
    nodePublishSecret: LABELS,
    volumeContext: LABELS,
  },
};
const VERSION = '2015-09-25T15:13:48.343Z';
const LIMITS = { cpus: 2, mem: 'unlimited' };
const RESOURCES = { cpus: 1, mem: 128, disk: 10, gpus: 0 };
const SECRETS = { s: { source: 'x' } };
const ENV = { A: 'x', S: { secret: 's' } };
const EXECUTOR = { cpus: 0.1, mem: 32, disk: 10 };
const UNREACHABLE = { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 };
const UPGRADE = { minimumHealthCapacity: 1, maximumOverCapacity: 1 };

/** Every field that an app can have. As a whole it keeps no rule: each field is only as it has to be by itself. */
const APP = {
  $schema: 'x',
  id: '/a',
  cmd: 'sleep 1',
  args: ['x'],
  user: 'u',
  env: ENV,
  instances: 1,
  ...RESOURCES,
  executor: '//cmd',
  executorResources: EXECUTOR,
  constraints: [['hostname', 'UNIQUE']],
  acceptedResourceRoles: ['*'],
  role: '*',
  dependencies: ['/b'],
  labels: LABELS,
  backoffSeconds: 1,
  backoffFactor: 1,
  maxLaunchDelaySeconds: 1,
  taskKillGracePeriodSeconds: 1,
  killSelection: 'OLDEST_FIRST',
  unreachableStrategy: UNREACHABLE,
  upgradeStrategy: UPGRADE,
  requirePorts: true,
  portDefinitions: [{ port: 1, protocol: 'tcp', name: 'http', labels: LABELS }],
  networks: [{ name: 'n', mode: 'container', labels: LABELS }],
  container: {
    type: 'MESOS',
    docker: {
      image: 'i',
      forcePullImage: true,
      privileged: true,
      parameters: [{ key: 'k', value: 'v' }],
      pullConfig: { secret: 's' },
      credential: { principal: 'p', secret: 's' },
      network: 'HOST',
      portMappings: [{ ...PORT, networkNames: ['n'] }],
    },
    linuxInfo: LINUX,
    volumes: [
      { containerPath: 'x', hostPath: 'y', mode: 'RO' },
      { containerPath: 'x', mode: 'RW', persistent: PERSISTENT },
      { containerPath: 'x', mode: 'RW', external: DVDI },
      { containerPath: 'x', mode: 'RW', external: CSI },
      { containerPath: 'x', secret: 's' },
    ],
    portMappings: [{ ...PORT, networkNames: ['n'] }],
  },
  fetch: [ARTIFACT],
  healthChecks: [
    {
      protocol: 'HTTP',
      command: { value: 'true' },
      path: '/',
      ...PROBE,
      ...TIMING,
      gracePeriodSeconds: 1,
      maxConsecutiveFailures: 3,
      ignoreHttp1xx: true,
      ipProtocol: 'IPv4',
    },
  ],
  check: { http: { ...PROBE, path: '/', scheme: 'HTTP' }, tcp: PROBE, exec: EXEC, ...TIMING },
  readinessChecks: [
    {
      name: 'r',
      protocol: 'HTTP',
      path: '/',
      portName: 'http',
      intervalSeconds: 30,
      timeoutSeconds: 10,
      httpStatusCodesForReady: [200],
      preserveLastResponse: true,
    },
  ],
  residency: { relaunchEscalationTimeoutSeconds: 1, taskLostBehavior: 'WAIT_FOREVER' },
  resourceLimits: LIMITS,
  secrets: SECRETS,
  tty: true,
  version: VERSION,
  versionInfo: { lastScalingAt: VERSION, lastConfigChangeAt: VERSION },
  ports: [1],
  uris: ['u'],
  ipAddress: {
    networkName: 'n',
    labels: LABELS,
    groups: ['g'],
    discovery: { ports: [{ number: 1, name: 'http', protocol: 'tcp', labels: LABELS }] },
  },
};

const PROBES = {
  http: { endpoint: 'e', path: '/', scheme: 'HTTP' },
  tcp: { endpoint: 'e' },
  exec: { command: { argv: ['true'] } },
};

const POD = {
  $schema: 'x',
  id: '/p',
  labels: LABELS,
  version: VERSION,
  user: 'u',
  environment: ENV,
  role: '*',
  containers: [
    {
      name: 'c',
      exec: { ...EXEC, overrideEntrypoint: true },
      resources: RESOURCES,
      resourceLimits: LIMITS,
      image: { kind: 'DOCKER', id: 'i', forcePull: true, pullConfig: { secret: 's' }, labels: LABELS },
      endpoints: [{ name: 'e', containerPort: 1, hostPort: 0, protocol: ['tcp'], labels: LABELS, networkNames: ['n'] }],
      environment: ENV,
      user: 'u',
      healthCheck: { ...PROBES, ...TIMING, gracePeriodSeconds: 1, maxConsecutiveFailures: 1 },
      check: { ...PROBES, ...TIMING },
      volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }],
      artifacts: [ARTIFACT],
      labels: LABELS,
      lifecycle: { killGracePeriodSeconds: 1 },
      tty: true,
      linuxInfo: LINUX,
    },
  ],
  secrets: SECRETS,
  volumes: [
    { name: 'v' },
    { name: 'v', host: '/x' },
    { name: 'v', secret: 's' },
    { name: 'v', persistent: PERSISTENT },
  ],
  networks: [{ name: 'n', mode: 'container', labels: LABELS }],
  scaling: { kind: 'fixed', instances: 1 },
  scheduling: {
    backoff: { backoff: 1, backoffFactor: 1, maxLaunchDelay: 1 },
    upgrade: UPGRADE,
    placement: {
      constraints: [{ fieldName: 'hostname', operator: 'MAX_PER', value: '1' }],
      acceptedResourceRoles: ['*'],
    },
    killSelection: 'OLDEST_FIRST',
    unreachableStrategy: UNREACHABLE,
  },
  executorResources: EXECUTOR,
  linuxInfo: LINUX,
  legacySharedCgroups: true,
};

const GROUP = {
  $schema: 'x',
  id: 'g',
  apps: [APP],
  groups: [{ id: 'h' }],
  dependencies: ['/x'],
  scaleBy: 1,
  version: VERSION,
  enforceRole: true,
};

type At = readonly (string | number)[];

/** One limit that is broken. */
interface Break {
  readonly at: At;
  /** What stands there instead; nothing: it is left out. */
  readonly by: unknown;
  readonly code: string;
  /** Where it is told, if not there: below a value that may have one of several shapes, the refusal may be of another shape. */
  readonly below?: At;
}

/** A value of another type, and what that is told by. */
const OTHER_TYPE: Readonly<Record<string, readonly [by: unknown, code: string]>> = {
  string: [5, 'error.expected.jsstring'],
  number: ['x', 'error.expected.jsnumber'],
  integer: ['x', 'error.expected.jsnumber'],
  boolean: ['x', 'error.expected.jsboolean'],
  array: ['x', 'error.expected.jsarray'],
  object: ['x', 'error.expected.jsobject'],
};

type Breaker = (wanted: never, value: unknown) => readonly [by: unknown, code: string] | undefined;

/** What breaks each keyword. */
const BREAKERS: Readonly<Record<string, Breaker>> = {
  type: (type: string) => OTHER_TYPE[type],
  minimum: (least: number) => [least - 1, 'error.min'],
  maximum: (most: number) => [most + 1, 'error.max'],
  minLength: (least: number) => ['x'.repeat(least - 1), 'error.minLength'],
  maxLength: (most: number) => ['x'.repeat(most + 1), 'error.maxLength'],
  pattern: (pattern: string) => [['A B', '//'].find((text) => !new RegExp(pattern).test(text)), 'error.pattern'],
  enum: () => ['NOBODY', 'error.unknown.enum.literal'],
  const: () => ['NOBODY', 'error.unknown.enum.literal'],
  format: () => ['yesterday', 'error.expected.date.isoformat'],
  minItems: (least: number, value) => [(value as unknown[]).slice(0, least - 1), 'error.minLength'],
  maxItems: (most: number, value) => [Array(most + 1).fill((value as unknown[])[0]), 'error.maxLength'],
};

function* breaksOf(schema: JsonSchema, value: unknown, at: At, below?: At): Generator<Break> {
  const shapes = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined;
  if (shapes !== undefined) return yield* breaksOf(shapeOf(shapes, value, at), value, at, at);
  for (const [keyword, wanted] of Object.entries(schema)) {
    // Another type is another shape; and an instant is no more one as a number than as another text.
    if (keyword === 'type' && (below === at || schema.format !== undefined)) continue;
    const broken = BREAKERS[keyword]?.(wanted as never, value);
    if (broken) yield { at, by: broken[0], code: broken[1], ...(below && { below }) };
  }
  if (schema.type === 'integer') yield { at, by: 1.5, code: 'error.expected.', ...(below && { below }) };
  yield* breaksInside(schema, value, at, below);
}

function* breaksInside(schema: JsonSchema, value: unknown, at: At, below: At | undefined): Generator<Break> {
  if (Array.isArray(value) && isObject(schema.items)) {
    assert.ok(value.length > 0, `nothing in ${at.join('/')}`);
    for (const [index, each] of value.entries()) yield* breaksOf(schema.items, each, [...at, index], below);
  }
  if (!isObject(value)) return;
  if (isObject(schema.additionalProperties)) {
    for (const [key, each] of Object.entries(value)) {
      yield* breaksOf(schema.additionalProperties, each, [...at, key], below);
    }
  }
  for (const name of (schema.required ?? []) as readonly string[]) {
    yield { at: [...at, name], by: undefined, code: 'error.path.missing', ...(below && { below }) };
  }
  for (const [name, each] of Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>)) {
    assert.ok(Object.hasOwn(value, name), `the document has no ${[...at, name].join('/')}: add it`);
    yield* breaksOf(each, value[name], [...at, name], below);
  }
}

/** The shape that knows most of the fields. */
function shapeOf(shapes: readonly JsonSchema[], value: unknown, at: At): JsonSchema {
  const fitting = shapes.filter((shape) => schemaProblems(shape, value).length === 0);
  assert.ok(fitting.length > 0, `the document has no right value at ${at.join('/')}`);
  const known = ({ properties = {} }: JsonSchema): number => Object.keys(properties as object).length;
  return fitting.reduce((best, shape) => (known(shape) > known(best) ? shape : best));
}

function withBreak(value: unknown, [key, ...rest]: At, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = withBreak(copy[key], rest, by);
  return copy;
}

function pathOf(at: At): string {
  return at.map((key) => (typeof key === 'number' ? `(${key})` : `/${key}`)).join('') || '/';
}

function isTold({ at, code, below }: Break, problems: readonly Problem[]): boolean {
  if (below !== undefined) return problems.some(({ path }) => path.startsWith(pathOf(below)));
  return problems.some(({ path, error }) => path === pathOf(at) && error.startsWith(code));
}

const KINDS: Readonly<Record<string, readonly [kind: Kind<unknown>, schema: JsonSchema, document: object]>> = {
  app: [appKind, appSchema(), APP],
  pod: [podKind, podSchema(), POD],
  group: [groupKind, groupSchema(), GROUP],
};

for (const [what, [kind, schema, document]] of Object.entries(KINDS)) {
  test(`every limit of every field of ${what}s is kept: by the server with path and code, and by editors`, () => {
    assert.deepEqual(schemaProblems(schema, document), []);
    const fine: Problem[] = [];
    kind.read(document, '', fine);
    assert.deepEqual(fine, []);
    let count = 0;
    for (const each of breaksOf(kind.schema, document, [])) {
      const broken = withBreak(document, each.at, each.by);
      const complaints = schemaProblems(schema, broken);
      // Without the field that told it, it may be another shape that is fine as well.
      if (each.below !== undefined && each.by === undefined && complaints.length === 0) continue;
      const problems: Problem[] = [];
      kind.read(broken, '', problems);
      const about = `${each.code} at ${pathOf(each.at)}: told ${JSON.stringify(problems)}`;
      assert.ok(isTold(each, problems), about);
      assert.ok(
        problems.some(({ error }) => !error.startsWith('error.')),
        `a code alone: ${about}`,
      );
      // To an editor it may be another shape with a field that nobody knows.
      if (each.below === undefined) assert.notDeepEqual(complaints, [], `editors say nothing: ${about}`);
      count++;
    }
    assert.ok(count > 200, `only ${count} limits`);
  });
}
