import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeApp } from './app-form.ts';
import { full, gained, grouped, NOW, PLAIN, plain, problemsOf } from './definitions.fixture.ts';
import { applyAppUpdate, isRollback, readApp, readAppUpdate, readWholeApp } from './read-app.ts';
import type { App } from './types.ts';

const CMD = { id: '/a', cmd: 'sleep 1' };
const read = (rest: object, facts = plain): App => gained(readApp({ ...CMD, ...rest }, facts, NOW));

test('an app of which little is said is written with its defaults', () => {
  assert.deepEqual(writeApp(read({})), {
    id: '/a',
    cmd: 'sleep 1',
    instances: 1,
    cpus: 1,
    mem: 128,
    disk: 0,
    gpus: 0,
    executor: '',
    role: '*',
    labels: {},
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: 300,
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    requirePorts: false,
    portDefinitions: [{ port: 0, protocol: 'tcp', name: 'default' }],
    networks: [{ mode: 'host' }],
    version: '2024-02-29T12:00:00.005Z',
  });
});

test('versionInfo is written once the tree has taken the app in', () => {
  const app = { ...read({}), versionInfo: { lastScalingAt: 0, lastConfigChangeAt: 1 } };
  assert.deepEqual(writeApp(app).versionInfo, {
    lastScalingAt: '1970-01-01T00:00:00.000Z',
    lastConfigChangeAt: '1970-01-01T00:00:00.001Z',
  });
});

test('no ports asked for are no ports', () => {
  assert.deepEqual(read({ portDefinitions: [] }).portDefinitions, []);
});

test('old ports become port definitions, or mappings where the network is not the host', () => {
  assert.deepEqual(
    read({ ports: [8080, 0] }).portDefinitions?.map(({ port }) => port),
    [8080, 0],
  );
  const elsewhere = read({ ports: [0, 0], networks: [{ name: 'n' }], container: { type: 'MESOS' } });
  assert.equal(elsewhere.portDefinitions, undefined);
  assert.equal(elsewhere.container?.portMappings?.length, 2);
});

test('old uris become artifacts, unpacked where they are archives', () => {
  const { fetch } = read({ uris: ['http://x/a.tar.gz', 'http://x/a.sh', 'http://x/a.zip?q=1', 'mailto:a.zip'] });
  assert.deepEqual(
    fetch.map(({ extract }) => extract),
    [true, false, true, false],
  );
});

test('the old network of a Docker container becomes one of the app', () => {
  const app = read({ container: { docker: { image: 'i', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] } } });
  assert.deepEqual(app.networks, [{ mode: 'container/bridge', labels: {} }]);
  assert.deepEqual(app.container?.portMappings, [
    { containerPort: 80, hostPort: 0, servicePort: 0, protocol: 'tcp', labels: {}, networkNames: [] },
  ]);
  assert.deepEqual(read({ container: { docker: { image: 'i', network: 'HOST' } } }).networks, [
    { mode: 'host', labels: {} },
  ]);
});

test('an old ipAddress becomes a network, and its discovery the mappings', () => {
  const app = read({
    ipAddress: { networkName: 'n', labels: { a: 'b' }, discovery: { ports: [{ number: 80, name: 'http' }] } },
  });
  assert.deepEqual(app.networks, [{ mode: 'container', name: 'n', labels: { a: 'b' } }]);
  assert.deepEqual(app.container, {
    type: 'MESOS',
    volumes: [],
    portMappings: [{ containerPort: 80, servicePort: 0, name: 'http', protocol: 'tcp', labels: {}, networkNames: [] }],
  });
  assert.equal(read({ ipAddress: { networkName: 'mesos-bridge' } }).networks[0]?.mode, 'container/bridge');
});

test('a container network without a name gets the default one', () => {
  const facts = { ...plain, context: { ...PLAIN, defaultNetworkName: 'usual' } };
  const app = read({ networks: [{}], requirePorts: true }, facts);
  assert.deepEqual(app.networks, [{ mode: 'container', name: 'usual', labels: {} }]);
  assert.equal(app.requirePorts, false, 'host ports are only required on the host network');
  assert.equal(app.container?.portMappings?.[0]?.name, 'default');
});

test('a health check without a port asks the first one', () => {
  const checks = [{}, { port: 80 }, { protocol: 'COMMAND', command: { value: 'true' } }];
  const app = read({ portDefinitions: [{}], healthChecks: checks });
  assert.deepEqual(
    app.healthChecks.map(({ portIndex }) => portIndex),
    [0, undefined, undefined],
  );
});

test('an app with persistent volumes is upgraded in place, and shown with its residency', () => {
  const container = { type: 'MESOS', volumes: [{ containerPath: 'data', persistent: { size: 1, profileName: 'p' } }] };
  const app = read({ id: '/prod/a', container }, grouped);
  assert.equal(app.unreachableStrategy, 'disabled');
  assert.deepEqual(app.upgradeStrategy, { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 });
  const [volume] = app.container?.volumes ?? [];
  assert.equal(volume?.kind === 'persistent' && volume.persistent.type, 'mount');
  assert.deepEqual(writeApp(app).residency, {
    relaunchEscalationTimeoutSeconds: 3600,
    taskLostBehavior: 'WAIT_FOREVER',
  });
});

test('null is the same as nothing, and a field named like a part of every object is only a field', () => {
  const app = read({ user: null, labels: JSON.parse('{"__proto__": "x", "constructor": "y"}'), toString: 1 });
  assert.equal(app.user, undefined);
  assert.equal(Object.getPrototypeOf(app.labels), Object.prototype);
  assert.deepEqual(Object.keys(app.labels), ['__proto__', 'constructor']);
  const facts = { ...CMD, env: { K: { secret: 'constructor' } } };
  assert.match(problemsOf(readApp(facts, full, NOW)).join(), /references an undefined secret/);
});

const change = (value: unknown, current: App): App =>
  gained(applyAppUpdate(gained(readAppUpdate(value, PLAIN)), current, plain));

test('a partial update keeps what it does not say, but for limits and resources of the executor', () => {
  const app = read({
    mem: 64,
    args: [],
    resourceLimits: { cpus: 2 },
    executorResources: {},
    env: { A: 'x' },
    ports: [1],
  });
  const after = change({ cpus: 2, env: { B: 'y' } }, app);
  const { resourceLimits: _limits, executorResources: _resources, ...kept } = app;
  assert.deepEqual(
    JSON.parse(JSON.stringify(after)),
    JSON.parse(JSON.stringify({ ...kept, cpus: 2, env: { B: 'y' } })),
  );
  assert.equal(after.version, NOW, 'the tree gives the new version');
});

test('an app as a whole is what its document says, under the id of the request and whatever version it names', () => {
  const stamp = { version: NOW + 1 };
  const document = { cmd: 'sleep 2', id: '/ignored', version: '2001-01-01T00:00:00.000Z' };
  const whole = gained(readWholeApp(document, '/a', plain, stamp));
  assert.deepEqual(whole, gained(readApp({ id: '/a', cmd: 'sleep 2' }, plain, NOW + 1)));
  assert.deepEqual(problemsOf(readWholeApp([], '/a', plain, stamp)), problemsOf(readApp([], plain, NOW)));
});

test('an update to a version says nothing else', () => {
  const rollback = { version: '2024-02-29T12:00:00.005Z', id: 'a' };
  assert.deepEqual(readAppUpdate(rollback, PLAIN), { ok: true, value: { version: NOW, id: '/a' } });
  assert.match(problemsOf(readAppUpdate({ ...rollback, cpus: 1 }, PLAIN)).join(), /^\/ The 'version' field may only/);
  for (const other of [{ ...rollback, cpus: 1 }, { id: 'a' }, { version: null }, null, [], 'x']) {
    assert.equal(isRollback(other), false, JSON.stringify(other));
  }
  assert.ok(isRollback(rollback));
});
