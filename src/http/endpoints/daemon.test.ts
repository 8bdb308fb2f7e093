import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FilesTable } from '../files/table.ts';
import { echo, serve } from '../testing.fixture.ts';
import { daemonEndpoints } from './daemon.ts';

async function daemon(t: TestContext) {
  const levels: number[] = [];
  const endpoints = daemonEndpoints(
    {
      process: 'master',
      flags: () => ({ port: '5050' }),
      metrics: () => ({ 'master/uptime_secs': 1.5, 'allocator/runs': 0 }),
      metricNames: { rules: [], counters: new Set(['allocator/runs']) },
      log: { get: () => 0, set: (level) => void levels.push(level), original: 0 },
      files: new FilesTable(),
      processes: () => ['master'],
    },
    [
      echo('/state', {
        methods: ['GET'],
        realm: 'readonly',
        authorization: ['VIEW_TASK'],
        parameters: [{ name: 'x', description: 'Any <b>' }],
      }),
    ],
  );
  return { ...(await serve(t, endpoints)), levels };
}

test('version, health, flags, system and processes answer with the keys of upstream', async (t) => {
  const { ask } = await daemon(t);
  const version = JSON.parse((await ask('GET', '/version')).body);
  assert.equal(version.version, '1.12.0');
  for (const key of ['build_date', 'build_user', 'git_sha', 'meseta_version'])
    assert.equal(typeof version[key], 'string');
  assert.equal(typeof version.build_time, 'number');
  const health = await ask('GET', '/health?jsonp=cb');
  assert.deepEqual([health.status, health.headers['content-type'], health.body], [200, undefined, '']);
  assert.equal((await ask('GET', '/master/flags?jsonp=f')).body, 'f({"flags":{"port":"5050"}})');
  const stats = JSON.parse((await ask('GET', '/system/stats.json')).body);
  assert.deepEqual(Object.keys(stats), [
    'avg_load_15min',
    'avg_load_1min',
    'avg_load_5min',
    'cpus_total',
    'mem_free_bytes',
    'mem_total_bytes',
  ]);
  assert.equal((await ask('GET', '/__processes__')).body, '[{"events":[],"id":"master"}]');
});

test('metrics are sorted, and a timeout must be a duration', async (t) => {
  const { ask } = await daemon(t);
  assert.equal((await ask('GET', '/metrics/snapshot')).body, '{"allocator/runs":0,"master/uptime_secs":1.5}');
  for (const timeout of ['5secs', '1ns'])
    assert.equal((await ask('GET', `/metrics/snapshot?timeout=${timeout}`)).status, 200);
  for (const timeout of ['', '5', 'x']) {
    const refused = await ask('GET', `/metrics/snapshot?timeout=${timeout}`);
    assert.equal(refused.status, 400);
    assert.match(refused.body, new RegExp(`^Invalid timeout '${timeout}'`));
  }
});

test('the log level is told, set with both parameters, and refused in the words of upstream', async (t) => {
  const { ask, levels } = await daemon(t);
  const told = await ask('PUT', '/logging/toggle');
  assert.deepEqual([told.status, told.headers['content-type'], told.body], [200, 'text/plain; charset=utf-8', '0\n']);
  assert.equal((await ask('POST', '/logging/toggle?level=2&duration=1secs')).status, 200);
  assert.deepEqual(levels, [2]);
  const cases: [string, string][] = [
    ['level=-1&duration=1secs', "Invalid level '-1'.\n"],
    ['level=x&duration=1secs', "Failed to convert 'x' to number.\n"],
    ['duration=1secs', "Expecting 'level=value' in query.\n"],
    ['level=1', "Expecting 'duration=value' in query.\n"],
  ];
  for (const [query, body] of cases) {
    const refused = await ask('POST', `/logging/toggle?${query}`);
    assert.deepEqual([refused.status, refused.body], [400, body]);
  }
  assert.equal((await ask('POST', '/logging/toggle?level=1&duration=soon')).status, 400);
});

test('the profiler is refused and the memory profiler is not there', async (t) => {
  const { ask } = await daemon(t);
  assert.equal((await ask('GET', '/profiler/stop')).status, 400);
  assert.equal((await ask('GET', '/memory-profiler/state')).status, 404);
});

test('help is a page for everything, for a process and for an endpoint, made from the records', async (t) => {
  const { ask } = await daemon(t);
  const index = await ask('GET', '/help', { 'accept-encoding': 'gzip' });
  assert.deepEqual([index.headers['content-type'], index.headers['content-encoding']], ['text/html', 'gzip']);
  assert.match((await ask('GET', '/help')).body, /href="\/help\/files"/);
  assert.match((await ask('GET', '/help/master')).body, /href="\/help\/master\/state"/);
  const page = (await ask('GET', '/help/master/state')).body;
  assert.match(page, /Echoes \/state/);
  assert.match(page, /VIEW_TASK/);
  assert.match(page, /&#60;b/);
  assert.equal((await ask('GET', '/help/master?format=json')).headers['content-type'], 'text/html');
  assert.equal((await ask('GET', '/help/version')).status, 200);
  const metrics = (await ask('GET', '/help/metrics')).body;
  assert.match(metrics, /format of Prometheus[\s\S]*href="\/help\/metrics\/snapshot"/);
  assert.match((await ask('GET', '/help/metrics/snapshot')).body, /TL;DR/);
  for (const path of ['/help/nobody', '/help/master/nothing']) assert.equal((await ask('GET', path)).status, 400);
  const curl = await ask('GET', '/help/master', { 'user-agent': 'curl/8' });
  assert.equal(curl.headers['content-type'], 'text/x-markdown');
});

test('help as JSON has every process with its endpoints', async (t) => {
  const { ask } = await daemon(t);
  const { processes } = JSON.parse((await ask('GET', '/help?format=json')).body) as {
    processes: { id: string; endpoints: { name: string; text: string }[] }[];
  };
  assert.deepEqual(
    processes.map(({ id, endpoints }) => `${id}: ${endpoints.map(({ name }) => name).join(' ')}`),
    [
      'files: /browse /debug /download /read',
      'logging: /toggle',
      'master: /flags /health /state',
      'metrics: / /snapshot',
      'profiler: /start /stop',
      'system: /stats.json',
      'version: /',
    ],
  );
  assert.match(processes[1]!.endpoints[0]!.text, /### USAGE ###\n> {8}\/logging\/toggle\n/);
});
