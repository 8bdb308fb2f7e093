import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Bench } from './testing.fixture.ts';

const root = process.getuid?.() === 0;

function place(bench: Bench, name: string, content: string | Uint8Array): string {
  const folder = join(bench.folder, 'files');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('files are copied before the task starts, under their name or the one asked for', async (t) => {
  const bench = await Bench.open(t);
  const [one, two] = [place(bench, 'one', '1'), place(bench, 'two', 'echo 2')];
  bench.launch('c', {
    file: 'sh',
    argv: ['sh', '-c', 'cat one; echo; sub/folder/run'],
    uris: [{ value: one }, { value: `file://${two}`, output_file: 'sub/folder/run', executable: true }],
  });
  assert.equal((await bench.exited('c')).status, 0);
  assert.equal(bench.read('c'), '1\n2\n');
  assert.match(bench.read('c', 'stderr'), /Fetched '.*one' to '.*one'/);
  assert.equal(bench.containers.metrics()['containerizer/fetcher/task_fetches_succeeded'], 1);
});

test('a relative path is looked for in the home of frameworks, where there is one', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('homeless', { uris: [{ value: 'files/one' }] });
  await bench.failed('homeless');
  assert.match(bench.read('homeless', 'stderr'), /--frameworks_home/);
  const second = await Bench.open(t, { frameworksHome: bench.folder });
  place(bench, 'one', '1');
  second.launch('c', { uris: [{ value: 'files/one' }] });
  await second.exited('c');
  assert.equal(second.read('c', 'one'), '1');
});

test('archives are unpacked unless told otherwise, and stay where they are', async (t) => {
  const bench = await Bench.open(t);
  const inside = place(bench, 'inside', 'text');
  const tar = join(bench.folder, 'files/a.tar.gz');
  execFileSync('tar', ['-C', join(inside, '..'), '-czf', tar, 'inside']);
  const plain = place(bench, 'plain.txt.gz', gzipSync('plain'));
  bench.launch('c', { file: 'ls', argv: ['ls'], uris: [{ value: tar }, { value: plain }] });
  bench.launch('closed', { file: 'ls', argv: ['ls'], uris: [{ value: tar, extract: false }] });
  await Promise.all([bench.exited('c'), bench.exited('closed')]);
  assert.deepEqual(bench.read('c').trim().split('\n').sort(), [
    'a.tar.gz',
    'inside',
    'plain.txt',
    'plain.txt.gz',
    'stderr',
    'stdout',
  ]);
  assert.equal(bench.read('c', 'plain.txt'), 'plain');
  assert.doesNotMatch(bench.read('closed'), /inside/);
});

test('a download follows redirects, and brings the bytes as they are', async (t) => {
  const bench = await Bench.open(t);
  const base = await serve(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/there' }).end();
    else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'));
  });
  bench.launch('c', { uris: [{ value: `${base}/moved`, output_file: 'got' }] });
  await bench.exited('c');
  assert.equal(execFileSync('gzip', ['-dc'], { input: bench.readBytes('c', 'got') }).toString(), 'x');
});

test('what cannot be fetched fails the launch in the words of upstream, and the sandbox tells why', async (t) => {
  const bench = await Bench.open(t, { stallTimeout: 1_500 });
  const base = await serve(t, (request, response) => {
    if (request.url === '/404') response.writeHead(404).end();
    // The others never hear anything.
  });
  const cases: [string, string, RegExp][] = [
    ['missing', 'file:///no/such/file', /ENOENT/],
    ['status', `${base}/404`, /status 404/],
    ['stalled', `${base}/stalled`, /nothing came for 1500 ms/],
    ['scheme', 'hdfs://host/path', /'hdfs' is not fetched/],
    ['nameless', `${base}/`, /names no file/],
  ];
  for (const [id, value] of cases) bench.launch(id, { uris: [{ value }] });
  bench.launch('outside', { uris: [{ value: '/etc/hostname', output_file: 'a/../../x' }] });
  for (const [id, , reason] of [...cases, ['outside', '', /inside the sandbox/] as const]) {
    const { stage, message } = await bench.failed(id);
    assert.equal(stage, 'launch');
    assert.equal(message, `Failed to fetch all URIs for container '${id}': exited with status 1`);
    assert.match(bench.read(id, 'stderr'), reason);
  }
  assert.deepEqual(bench.containers.metrics(), {
    'containerizer/fetcher/task_fetches_succeeded': 0,
    'containerizer/fetcher/task_fetches_failed': 6,
  });
  // Lines of the log are written at the end of their turn.
  await new Promise((resolve) => setImmediate(resolve));
  assert.match(bench.logged.join(''), /'missing': exited with status 1 \(Failed to fetch 'file:\/\/\/no\/such\/file'/);
});

test('a container that is destroyed while its files are fetched ends, and never runs', async (t) => {
  const bench = await Bench.open(t);
  const asked = Promise.withResolvers<void>();
  const base = await serve(t, () => asked.resolve());
  bench.launch('c', { uris: [{ value: `${base}/slow` }] });
  await asked.promise;
  bench.containers.destroy('c');
  assert.equal((await bench.exited('c')).status, constants.signals.SIGKILL);
  assert.equal(bench.news.length, 1);
});

test('more containers than may fetch at once get their files in turn', async (t) => {
  const bench = await Bench.open(t);
  const one = place(bench, 'one', '1');
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
  for (const id of ids) bench.launch(id, { file: 'cat', argv: ['cat', 'one'], uris: [{ value: one }] });
  for (const id of ids) {
    await bench.exited(id);
    assert.equal(bench.read(id), '1');
  }
});

test('fetching is done with the rights of the user of the task', {
  skip: !root && 'only root can become somebody else',
}, async (t) => {
  const bench = await Bench.open(t);
  chmodSync(bench.folder, 0o755);
  const [open, secret] = [place(bench, 'open', 'o'), place(bench, 'secret', 's')];
  chmodSync(secret, 0o600);
  bench.launch('allowed', { user: 'nobody', uris: [{ value: open }] });
  bench.launch('refused', { user: 'nobody', uris: [{ value: secret }] });
  await Promise.all([bench.exited('allowed'), bench.failed('refused')]);
  assert.equal(statSync(join(bench.sandbox('allowed'), 'open')).uid, bench.containers.findUser('nobody')?.uid);
  assert.match(bench.read('refused', 'stderr'), /EACCES/);
});
