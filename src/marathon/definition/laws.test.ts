import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeApp } from './app-form.ts';
import { isUpgrade, rejectedChange } from './compare.ts';
import { full, gained, grouped, NOW, PLAIN } from './definitions.fixture.ts';
import { appSchema, groupSchema, podSchema } from './json-schema.ts';
import { writePod } from './pod-form.ts';
import { applyAppUpdate, readApp, readAppUpdate } from './read-app.ts';
import { readGroupUpdate } from './read-group.ts';
import { readPod } from './read-pod.ts';
import { schemaProblems } from './schema-check.fixture.ts';
import type { App, Pod, RunSpec } from './types.ts';

/** As much as an app can say: every field but the old spellings. */
const APP = {
  id: '/prod/a',
  cmd: 'sleep 1',
  user: 'nobody',
  env: { A: 'x', S: { secret: 's' } },
  secrets: { s: { source: 'src' } },
  instances: 1,
  cpus: 0.5,
  mem: 64,
  disk: 1,
  gpus: 1,
  executor: '/x',
  executorResources: { cpus: 1 },
  constraints: [
    ['hostname', 'UNIQUE'],
    ['a', 'LIKE', 'x.*'],
  ],
  acceptedResourceRoles: ['*'],
  dependencies: ['/prod/b'],
  labels: { l: 'v' },
  backoffSeconds: 2,
  backoffFactor: 2,
  maxLaunchDelaySeconds: 9,
  taskKillGracePeriodSeconds: 3,
  killSelection: 'OLDEST_FIRST',
  networks: [{ name: 'n', labels: { a: 'b' } }],
  container: {
    type: 'MESOS',
    docker: { image: 'i', forcePullImage: true, pullConfig: { secret: 's' } },
    linuxInfo: { seccomp: { unconfined: true }, ipcInfo: { mode: 'PRIVATE', shmSize: 1 } },
    portMappings: [{ containerPort: 80, hostPort: 0, name: 'http', labels: { VIP_0: 'x' }, networkNames: ['n'] }],
    volumes: [
      { containerPath: 'd', persistent: { size: 1, type: 'path', constraints: [['path', 'LIKE', '.*']] }, mode: 'RW' },
      { containerPath: '/h', hostPath: '/h', mode: 'RO' },
      { containerPath: '/s', secret: 's' },
    ],
  },
  fetch: [{ uri: 'http://x/y', executable: true, destPath: 'z' }],
  healthChecks: [
    { path: '/x' },
    { protocol: 'MESOS_TCP', portIndex: 0 },
    { protocol: 'COMMAND', command: { value: 'true' } },
  ],
  check: { http: { portIndex: 0 } },
  readinessChecks: [{ portName: 'http' }],
  resourceLimits: { cpus: 'unlimited', mem: 128 },
  tty: true,
};
const POD = {
  id: '/prod/p',
  labels: { l: 'v' },
  user: 'nobody',
  environment: { A: 'x', S: { secret: 's' } },
  secrets: { s: { source: 'src' } },
  containers: [
    {
      name: 'c',
      exec: { command: { argv: ['sleep', '1'] }, overrideEntrypoint: true },
      image: { kind: 'DOCKER', id: 'i', forcePull: true, labels: { a: 'b' } },
      endpoints: [{ name: 'e', containerPort: 80, hostPort: 0, protocol: ['tcp'], labels: { a: 'b' } }],
      environment: { B: 'y' },
      healthCheck: { http: { endpoint: 'e', path: '/' } },
      volumeMounts: [
        { name: 'v', mountPath: '/v', readOnly: true },
        { name: 'd', mountPath: '/d' },
      ],
      artifacts: [{ uri: 'x' }],
      lifecycle: { killGracePeriodSeconds: 1.5 },
      resourceLimits: { mem: 'unlimited' },
    },
  ],
  volumes: [{ name: 'v' }, { name: 'd', persistent: { size: 1 } }],
  networks: [{ name: 'n' }],
  scaling: { kind: 'fixed', instances: 3 },
  scheduling: {
    backoff: { backoff: 0.5 },
    placement: { constraints: [{ fieldName: 'hostname', operator: 'UNIQUE' }], acceptedResourceRoles: ['*'] },
    killSelection: 'OLDEST_FIRST',
  },
  executorResources: { mem: 64 },
};

const app = (rest: object = {}): App => gained(readApp({ ...APP, ...rest }, grouped, NOW));
const pod = (rest: object = {}): Pod => gained(readPod({ ...POD, ...rest }, grouped, { version: NOW }));
const plainly = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Places in a JSON value, to be spoiled. */
function places(value: unknown, at: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [at, ...keys.flatMap((key) => places((value as Record<string | number, unknown>)[key], [...at, key]))];
}

function spoiled(value: unknown, at: readonly (string | number)[], by: unknown): unknown {
  const [key, ...rest] = at;
  if (key === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[key] = spoiled(copy[key], rest, by);
  return copy;
}

const poison = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    0.5,
    2 ** 31,
    Number.POSITIVE_INFINITY,
    '',
    '/',
    'x',
    '*',
    'disabled',
    'COMMAND',
    'DOCKER',
    'host',
    [],
    {},
    [[]],
  ),
);
const mutant = (document: object): fc.Arbitrary<unknown> => {
  const all = places(document);
  const step = fc.tuple(fc.constantFrom(...all), poison);
  return fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) =>
    steps.reduce<unknown>((value, [at, by]) => {
      try {
        return spoiled(value, at, by);
      } catch {
        return value; // an earlier step took the place away
      }
    }, document),
  );
};

test('an app that was read is written so that it is read as the same', () => {
  assert.deepEqual(plainly(gained(readApp(writeApp(app()), grouped, NOW))), plainly(app()));
  fc.assert(
    fc.property(mutant(APP), (document) => {
      const first = readApp(document, full, NOW);
      if (!first.ok) return;
      const again = gained(readApp(writeApp(first.value), full, NOW));
      assert.deepEqual(plainly(again), plainly(first.value));
      assert.equal(isUpgrade(first.value, again), false);
    }),
    { numRuns: 2000 },
  );
});

test('what an app leaves out is filled in at once, so that a change of its number is never one of the app', () => {
  const checks = [{ protocol: 'HTTP' }, { protocol: 'TCP', port: 80 }, { protocol: 'MESOS_TCP', portIndex: 0 }];
  const networks = [
    undefined,
    [],
    [{ mode: 'host' }],
    [{ mode: 'container', name: 'n' }],
    [{ mode: 'container/bridge' }],
  ];
  const containers = [
    undefined,
    { type: 'MESOS' },
    { type: 'DOCKER', docker: { image: 'i' } },
    { type: 'MESOS', portMappings: [{ containerPort: 80 }] },
    { type: 'MESOS', volumes: [{ containerPath: 'd', persistent: { size: 1 }, mode: 'RW' }] },
  ];
  const ports = [{}, { portDefinitions: [] }, { portDefinitions: [{ port: 0 }] }, { ports: [0, 0] }, { ports: [] }];
  let seen = 0;
  for (const network of networks)
    for (const container of containers)
      for (const port of ports)
        for (const healthChecks of [[], ...checks.map((check) => [check]), checks]) {
          const document = { id: '/prod/a', cmd: 'sleep 1', networks: network, container, healthChecks, ...port };
          const first = readApp(plainly(document), grouped, NOW);
          if (!first.ok) continue;
          seen++;
          const scaled = gained(applyAppUpdate(gained(readAppUpdate({ instances: 2 }, PLAIN)), first.value, grouped));
          assert.equal(isUpgrade(first.value, scaled), false, JSON.stringify(document));
          const repeated = gained(applyAppUpdate(gained(readAppUpdate({ healthChecks }, PLAIN)), first.value, grouped));
          assert.equal(isUpgrade(first.value, repeated), false, JSON.stringify(document));
        }
  assert.ok(seen > 100, `only ${seen} were allowed`);
});

test('a pod that was read is written so that it is read as the same', () => {
  assert.deepEqual(plainly(gained(readPod(writePod(pod()), grouped, { version: NOW }))), plainly(pod()));
  fc.assert(
    fc.property(mutant(POD), (document) => {
      const first = readPod(document, grouped, { version: NOW });
      if (!first.ok) return;
      const again = gained(readPod(writePod(first.value), grouped, { version: NOW }));
      assert.deepEqual(plainly(again), plainly(first.value));
      assert.equal(isUpgrade(first.value, again), false);
    }),
    { numRuns: 2000 },
  );
});

test('a list with a hole is refused like any other that holds nothing where something should be', () => {
  const healthChecks: unknown[] = [];
  healthChecks[1] = { path: '/' };
  const read = readApp({ ...APP, healthChecks }, grouped, NOW);
  assert.ok(!read.ok && read.error.kind === 'schema');
  assert.equal(read.error.problems[0]?.path, '/healthChecks(0)');
});

test('no JSON at all makes reading throw, and every refusal says where and why', () => {
  const group = { id: 'prod', apps: [APP], groups: [{ id: 'h', apps: [{ ...APP, id: 'x' }] }], dependencies: ['/x'] };
  const facts = { context: full.context, rolesOf: () => grouped.roles, now: NOW };
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 4 }), mutant(APP), mutant(POD), mutant(group));
  fc.assert(
    fc.property(anything, (document) => {
      const update = readAppUpdate(document, PLAIN);
      for (const result of [
        readApp(document, grouped, NOW),
        readPod(document, grouped, { version: NOW }),
        readGroupUpdate(document, '/', facts),
        update,
        update.ok ? applyAppUpdate(update.value, app(), grouped) : update,
      ]) {
        if (result.ok) continue;
        if (result.error.kind === 'normalization') assert.notEqual(result.error.message, '');
        else {
          assert.ok(result.error.problems.length > 0);
          assert.ok(result.error.problems.every(({ path, error }) => path.startsWith('/') && error !== ''));
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('any change of an app restarts its tasks, but for how many there are and what only the executor sees', () => {
  const before = app();
  const restarting: readonly object[] = [
    { cmd: 'sleep 2' },
    { labels: {} },
    { dependencies: [] },
    { backoffSeconds: 5 },
    { killSelection: 'YOUNGEST_FIRST' },
    { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } },
    { healthChecks: [] },
    { readinessChecks: [] },
    { resourceLimits: undefined },
    { role: undefined, env: {} },
    { networks: [{ name: 'n' }] },
    { tty: false },
    { constraints: [['hostname', 'UNIQUE']] },
  ];
  for (const rest of restarting) assert.equal(isUpgrade(before, app(rest)), true, JSON.stringify(rest));
  const harmless: readonly object[] = [
    { instances: 4 },
    { executorResources: { cpus: 2 } },
    { version: '2020-01-01T00:00:00Z' },
    { constraints: [...APP.constraints].reverse() },
    { healthChecks: [...APP.healthChecks].reverse() },
  ];
  for (const rest of harmless) assert.equal(isUpgrade(before, app(rest)), false, JSON.stringify(rest));
  assert.equal(
    isUpgrade(before, { ...before, version: 1, versionInfo: { lastScalingAt: 1, lastConfigChangeAt: 1 } }),
    false,
  );
});

test('a pod takes changes of who goes first, of the lost, of its executor and of control groups without a restart', () => {
  const scheduling = { ...POD.scheduling, killSelection: 'YOUNGEST_FIRST', unreachableStrategy: 'disabled' };
  const harmless: readonly object[] = [
    { scheduling },
    { executorResources: {} },
    { scaling: { kind: 'fixed', instances: 9 } },
  ];
  for (const rest of harmless) assert.equal(isUpgrade(pod(), pod(rest)), false, JSON.stringify(rest));
  const restarting: readonly object[] = [
    { scheduling: {} },
    { labels: {} },
    { user: 'root' },
    { environment: {} },
    { containers: [{ ...POD.containers[0], user: 'root' }] },
    { networks: [{ name: 'm' }] },
  ];
  for (const rest of restarting) assert.equal(isUpgrade(pod(), pod(rest)), true, JSON.stringify(rest));
});

const lines = (before: RunSpec, after: RunSpec): readonly string[] =>
  rejectedChange(before, after).map(({ path, error }) => `${path} ${error}`);
const mapping = APP.container.portMappings[0];

/** A change to a resident app, and how what is said about it begins. */
const REJECTED: readonly (readonly [change: object, line: string])[] = [
  [{ cpus: 2 }, '/cpus Services with persistent volumes configured may not change resource requirements.'],
  [{ mem: 65 }, '/mem Services with persistent volumes'],
  [{ disk: 65 }, '/disk Services with persistent volumes'],
  [{ gpus: 2 }, '/gpus Services with persistent volumes'],
  [{ container: { ...APP.container, volumes: [] } }, '/ Persistent volumes can not be changed!'],
  [
    { container: { ...APP.container, portMappings: [{ ...mapping, hostPort: 31_000 }] } },
    '/ Services with persistent volumes configured may not change host ports.',
  ],
];

test('a resident app keeps what is reserved for it', () => {
  for (const [rest, line] of REJECTED) {
    const found = lines(app(), app(rest));
    assert.ok(
      found.some((each) => each.startsWith(line)),
      `${line}: told ${JSON.stringify(found)}`,
    );
  }
  assert.deepEqual(lines(app(), app({ cmd: 'sleep 2', instances: 5 })), []);
  const free = gained(readApp({ id: '/b', cmd: 'sleep 1' }, grouped, NOW));
  assert.deepEqual(lines(free, { ...free, cpus: 4 }), [], 'without volumes anything may change');
});

test('a resident pod keeps what is reserved for it', () => {
  const container = (rest: object): object => ({ containers: [{ ...POD.containers[0], ...rest }] });
  assert.match(lines(pod(), pod(container({ resources: { cpus: 2 } }))).join(), /^\/ cpus cannot be updated/);
  assert.match(lines(pod(), pod({ executorResources: { mem: 65 } })).join(), /^\/ mem cannot be updated/);
  assert.match(
    lines(pod(), pod({ volumes: [{ name: 'v' }, { name: 'd', persistent: { size: 2 } }] })).join(),
    /^\/ persistent volumes cannot be updated/,
  );
  const endpoint = { ...POD.containers[0]!.endpoints[0], hostPort: 31_000 };
  assert.match(lines(pod(), pod(container({ endpoints: [endpoint] }))).join(), /^\/ host ports cannot be updated/);
  assert.deepEqual(lines(pod(), pod({ labels: {} })), []);
});

test('schemas name every field, say what it is for, and let a document name its schema', () => {
  for (const schema of [appSchema(), podSchema(), groupSchema()]) {
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    const properties = schema.properties as Record<string, { description?: string }>;
    assert.ok('$schema' in properties && 'id' in properties);
    assert.ok(Object.values(properties).every(({ description }) => description?.endsWith('.')));
    assert.deepEqual(plainly(schema), schema, 'it is JSON');
  }
  const properties = appSchema().properties as Record<string, object>;
  assert.deepEqual(
    Object.keys(APP).filter((name) => !(name in properties)),
    [],
  );
  assert.deepEqual(properties.ports, {
    type: 'array',
    items: { type: 'integer', minimum: 0, maximum: 65_535 },
    description: 'Use portDefinitions.',
    deprecated: true,
  });
  assert.deepEqual(appSchema().required, ['id']);
});

test('schemas take documents that say all there is, as they are given and as they are shown', () => {
  assert.deepEqual(schemaProblems(appSchema(), APP), []);
  assert.deepEqual(schemaProblems(appSchema(), writeApp(app())), []);
  assert.deepEqual(schemaProblems(podSchema(), POD), []);
  assert.deepEqual(schemaProblems(podSchema(), writePod(pod())), []);
  const group = { $schema: 'x', id: '/g', apps: [APP], groups: [{ id: 'h', groups: [], dependencies: ['/g'] }] };
  assert.deepEqual(schemaProblems(groupSchema(), group), []);
  assert.deepEqual(schemaProblems(groupSchema(), { version: '2024-01-01T00:00:00.000Z' }), []);
  const wrong = { ...group, groups: [{ id: 'h', apps: [{ ...APP, instances: 'x' }] }] };
  assert.deepEqual(schemaProblems(groupSchema(), wrong), ['/groups/0/apps/0/instances is no integer']);
});
