import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { freePorts, type Running, start } from '../../../test/e2e/cluster.fixture.ts';
import { until } from '../../../test/e2e/daemons.fixture.ts';
import { ask } from './client.ts';
import { importFrom } from './import.ts';

/** A Marathon 1.4: every field there, null where nothing was said, old and new spellings side by side. */
const APP_1_4 = {
  id: '/legacy/web',
  cmd: null,
  args: null,
  user: null,
  env: { A: 'x' },
  instances: 2,
  cpus: 0.5,
  mem: 128,
  disk: 0,
  gpus: 0,
  executor: '',
  constraints: [['hostname', 'UNIQUE']],
  uris: ['http://x.example/a.tgz'],
  fetch: [{ uri: 'http://x.example/a.tgz', extract: true, executable: false, cache: false }],
  storeUrls: [],
  backoffSeconds: 1,
  backoffFactor: 1.15,
  maxLaunchDelaySeconds: 3600,
  container: {
    type: 'DOCKER',
    volumes: [{ containerPath: '/data', hostPath: '/srv/data', mode: 'RO' }],
    docker: {
      image: 'nginx:1.11',
      network: 'BRIDGE',
      portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 10001, protocol: 'tcp', name: null, labels: {} }],
      privileged: false,
      parameters: [],
      forcePullImage: false,
    },
  },
  healthChecks: [
    {
      gracePeriodSeconds: 300,
      intervalSeconds: 60,
      timeoutSeconds: 20,
      maxConsecutiveFailures: 3,
      portIndex: 0,
      path: '/',
      protocol: 'HTTP',
      ignoreHttp1xx: false,
    },
  ],
  readinessChecks: [],
  dependencies: ['/legacy/db'],
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  labels: { HAPROXY_GROUP: 'external' },
  acceptedResourceRoles: null,
  residency: null,
  secrets: {},
  taskKillGracePeriodSeconds: null,
  unreachableStrategy: { inactiveAfterSeconds: 300, expungeAfterSeconds: 600 },
  killSelection: 'YOUNGEST_FIRST',
  ports: [10001],
  portDefinitions: [{ port: 10001, protocol: 'tcp', labels: {} }],
  requirePorts: false,
  ipAddress: null,
  versionInfo: { lastScalingAt: '2017-01-01T00:00:00.000Z', lastConfigChangeAt: '2017-01-01T00:00:00.000Z' },
  version: '2017-01-01T00:00:00.000Z',
  tasksStaged: 0,
  tasksRunning: 2,
  tasksHealthy: 2,
  tasksUnhealthy: 0,
  deployments: [],
};

const DB_1_4 = {
  id: '/legacy/db',
  cmd: 'exec db',
  cpus: 1,
  mem: 64,
  instances: 1,
  ports: [0],
  uris: ['http://x.example/db.tgz'],
  upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
};

/** An address of its own, as before 1.5. */
const ADDRESS_1_4 = {
  id: '/legacy/addressed',
  cmd: 'exec it',
  cpus: 0.1,
  mem: 32,
  instances: 1,
  ports: [],
  portDefinitions: [],
  ipAddress: {
    groups: [],
    labels: {},
    discovery: { ports: [{ number: 80, name: 'http', protocol: 'tcp', labels: {} }] },
    networkName: 'overlay',
  },
};

const APP_1_11 = {
  id: '/modern/api',
  acceptedResourceRoles: ['*'],
  backoffFactor: 1.15,
  backoffSeconds: 1,
  cmd: 'exec api $PORT0',
  cpus: 0.1,
  disk: 0,
  executor: '',
  gpus: 0,
  instances: 1,
  killSelection: 'YOUNGEST_FIRST',
  labels: {},
  maxLaunchDelaySeconds: 300,
  mem: 32,
  networks: [{ mode: 'host' }],
  portDefinitions: [{ labels: {}, name: 'default', port: 10010, protocol: 'tcp' }],
  requirePorts: false,
  role: '*',
  unreachableStrategy: 'disabled',
  upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
  version: '2021-05-05T05:05:05.005Z',
  versionInfo: { lastConfigChangeAt: '2021-05-05T05:05:05.005Z', lastScalingAt: '2021-05-05T05:05:05.005Z' },
};

const POD_1_11 = {
  id: '/modern/pod',
  version: '2021-05-05T05:05:05.005Z',
  containers: [
    { name: 'c', resources: { cpus: 0.1, mem: 32, disk: 0, gpus: 0 }, exec: { command: { shell: 'sleep 1000' } } },
  ],
  networks: [{ mode: 'host' }],
  scaling: { kind: 'fixed', instances: 1 },
  scheduling: { backoff: { backoff: 1, backoffFactor: 1.15, maxLaunchDelay: 300 }, killSelection: 'YOUNGEST_FIRST' },
};

const group = (id: string, apps: readonly object[], groups: readonly object[] = [], more: object = {}): object => ({
  id,
  apps,
  groups,
  pods: [],
  dependencies: [],
  version: '2017-01-01T00:00:00.000Z',
  ...more,
});

interface Stub {
  readonly url: string;
  readonly asked: string[];
  tree: object;
  pods: unknown;
}

const servers: Server[] = [];
const programs: Running[] = [];
after(async () => {
  for (const server of servers) server.close();
  for (const program of programs) {
    program.process.kill('SIGTERM');
    await program.ended;
  }
});

/** A server that answers what an upstream Marathon answers. @param pods undefined: a version without them */
async function stub(tree: object, pods: unknown): Promise<Stub> {
  const self = { asked: [] as string[], tree, pods, url: '' };
  const server = createServer((request, response) => {
    self.asked.push(`${request.method} ${request.url}`);
    const isPods = request.url?.startsWith('/v2/pods') === true;
    const body = isPods ? self.pods : self.tree;
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(body === undefined ? '{"message":"HTTP 404 Not Found"}' : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return self;
}

/** A Marathon of ours, without a master. */
async function target(): Promise<{ readonly marathon: string; readonly output: 'json' }> {
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  programs.push(
    start('bin/marathon', [
      '--master=127.0.0.1:9',
      '--internal_store_backend=mem',
      '--http_address=127.0.0.1',
      '--hostname=127.0.0.1',
      `--http_port=${port}`,
    ]),
  );
  await until('Marathon leads', () =>
    ask({ marathon }, 'GET', '/v2/info').then(
      () => true,
      () => false,
    ),
  );
  return { marathon, output: 'json' };
}

/** What is printed while something is done. */
async function quietly<T>(
  action: () => Promise<T>,
): Promise<{ readonly value: T; readonly out: string; readonly err: string }> {
  const [stdout, stderr] = [process.stdout.write, process.stderr.write];
  let [out, err] = ['', ''];
  process.stdout.write = ((text: string) => {
    out += text;
    return true;
  }) as typeof process.stdout.write;
  process.stderr.write = ((text: string) => {
    err += text;
    return true;
  }) as typeof process.stderr.write;
  try {
    return { value: await action(), out, err };
  } finally {
    process.stdout.write = stdout;
    process.stderr.write = stderr;
  }
}

const appOf = async (place: { readonly marathon: string }, id: string) =>
  (await ask<{ readonly app: Record<string, unknown> }>(place, 'GET', `/v2/apps${id}`)).app;

test('apps of a Marathon 1.4 come over with their old spellings, groups with their dependencies', async () => {
  const source = await stub(
    group(
      '/',
      [],
      [
        group('/legacy', [APP_1_4, DB_1_4, ADDRESS_1_4], [], { dependencies: ['/base'] }),
        group('/base', [{ ...DB_1_4, id: '/base/dns' }]),
      ],
    ),
    undefined,
  );
  const into = await target();
  const dry = await quietly(() => importFrom(source.url, { ...into, dryRun: true }));
  assert.equal(dry.value, 0);
  assert.match(dry.out, /"id": "\/legacy\/web",\s+"state": "new"/);
  assert.deepEqual(
    (await ask<{ readonly apps: readonly unknown[] }>(into, 'GET', '/v2/apps')).apps,
    [],
    'nothing was done',
  );
  const done = await quietly(() => importFrom(source.url, into));
  assert.equal(done.value, 0, done.err);
  const web = await appOf(into, '/legacy/web');
  assert.deepEqual((web.container as { portMappings: { servicePort: number }[] }).portMappings[0]?.servicePort, 10001);
  assert.deepEqual(
    [web.networks, web.dependencies, web.fetch],
    [
      [{ mode: 'container/bridge' }],
      ['/legacy/db'],
      [{ uri: 'http://x.example/a.tgz', extract: true, executable: false, cache: false }],
    ],
  );
  assert.deepEqual(
    [web.maxLaunchDelaySeconds, web.unreachableStrategy],
    [3600, { inactiveAfterSeconds: 300, expungeAfterSeconds: 600 }],
  );
  const db = await appOf(into, '/legacy/db');
  assert.equal((db.portDefinitions as unknown[]).length, 1);
  assert.equal((db.fetch as { uri: string }[])[0]?.uri, 'http://x.example/db.tgz');
  assert.deepEqual((await appOf(into, '/legacy/addressed')).networks, [{ mode: 'container', name: 'overlay' }]);
  const legacy = await ask<{ readonly dependencies: readonly string[] }>(into, 'GET', '/v2/groups/legacy');
  assert.deepEqual(legacy.dependencies, ['/base']);
  const again = await quietly(() => importFrom(source.url, into));
  assert.equal(again.value, 0, `${again.out}${again.err}`);
  assert.match(again.err, /Took 0 apps and pods over from .*: 4 are here already, 0 could not be/);
});

test('apps and pods of a Marathon 1.11 come over; what differs here is left unless it is to be replaced', async () => {
  const source = await stub(group('/', [], [group('/modern', [APP_1_11])]), [POD_1_11]);
  const into = await target();
  await ask(into, 'POST', '/v2/apps', { id: '/modern/api', cmd: 'mine', instances: 0 });
  await ask(into, 'POST', '/v2/apps', { id: '/other', cmd: 'stays', instances: 0 });
  const first = await quietly(() => importFrom(source.url, into));
  assert.equal(first.value, 1, 'not everything was taken over');
  assert.match(
    first.err,
    /Took 1 apps and pods .* 1 could not be\.\nThose that differ are left as they are here; add --replace/,
  );
  assert.equal((await appOf(into, '/modern/api')).cmd, 'mine');
  const pods = await ask<readonly { readonly id: string }[]>(into, 'GET', '/v2/pods');
  assert.deepEqual(
    pods.map(({ id }) => id),
    ['/modern/pod'],
  );
  const second = await quietly(() => importFrom(source.url, { ...into, replace: true }));
  assert.equal(second.value, 0, second.err);
  const api = await appOf(into, '/modern/api');
  assert.deepEqual([api.cmd, api.unreachableStrategy], ['exec api $PORT0', 'disabled']);
  assert.equal((await appOf(into, '/other')).cmd, 'stays');
  assert.ok(
    source.asked.every((line) => line.startsWith('GET ')),
    'the other Marathon is only read',
  );
});

test('one that is no definition here does not hold up the others, and is named with its reason', async () => {
  const bad = { ...APP_1_11, id: '/modern/bad', cpus: -1 };
  const unwelcome = { ...APP_1_11, id: '/modern/gpu', gpus: 1 };
  const source = await stub(group('/', [], [group('/modern', [APP_1_11, bad, unwelcome])]), []);
  const into = await target();
  const done = await quietly(() => importFrom(source.url, into));
  assert.equal(done.value, 1);
  assert.match(done.out, /"id": "\/modern\/bad",\s+"state": "refused",\s+"reason": "\/cpus: /);
  assert.match(done.err, /\n {2}\/modern\/gpu: .*\n? *.*gpu_resources/);
  assert.equal((await appOf(into, '/modern/api')).cmd, 'exec api $PORT0');
});

test('a source that is no Marathon, is not there or breaks off is named, and nothing is changed', async () => {
  const into = await target();
  for (const [tree, pods, complaint] of [
    [[], [], /does not answer like a Marathon: \/v2\/groups is no tree/],
    [{ id: '/', apps: [{ cmd: 'x' }] }, [], /has an app without an id, in the group \//],
    [group('/', []), { not: 'a list' }, /\/v2\/pods is no list of pods/],
  ] as const) {
    const source = await stub(tree, pods);
    await assert.rejects(
      quietly(() => importFrom(source.url, into)),
      complaint,
    );
  }
  const port = await freePorts(1);
  await assert.rejects(
    quietly(() => importFrom(`http://name:hunter2@127.0.0.1:${port}`, into)),
    (error: Error) => {
      assert.match(error.message, /no Marathon answers at http:\/\/127/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
  assert.deepEqual((await ask<{ readonly apps: readonly unknown[] }>(into, 'GET', '/v2/apps')).apps, []);
});
