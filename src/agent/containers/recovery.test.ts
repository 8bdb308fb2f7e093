import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Connection } from './connection.ts';
import { launcherPlace } from './launcher-process.ts';
import { Bench, lives, until } from './testing.fixture.ts';

const { SIGKILL, SIGTERM } = constants.signals;

test('an agent that comes back finds what runs, and the status of what ended while it was away', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('short', 'while [ ! -e end ]; do sleep 0.01; done; exit 7');
  bench.launch('long', 'exec sleep 1000');
  const [short, long] = [await bench.started('short'), await bench.started('long')];
  const launcher = bench.containers.launcherPid;
  bench.containers.close();
  const touch = spawn('touch', ['end'], { cwd: bench.sandbox('short') });
  await once(touch, 'exit');
  await until(() => !lives(short.pid));
  bench.news.length = 0;
  await bench.open();
  assert.equal(bench.containers.launcherPid, launcher);
  const found = new Map(bench.containers.recover().map((one) => [one.containerId, one]));
  assert.equal((await bench.exited('short')).status, 7 << 8);
  assert.equal((await bench.started('long')).pid, long.pid);
  assert.equal(found.get('long')?.leader?.pid, long.pid);
  assert.equal(found.get('long')?.status, undefined);
  assert.deepEqual(bench.containers.list(), ['long']);
  bench.containers.destroy('long');
  assert.equal((await bench.exited('long')).status, SIGKILL);
});

test('a launcher keeps the statuses of tasks that all ended while the agent was away, however long that takes to come back', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('short', 'while [ ! -e end ]; do sleep 0.01; done; exit 7');
  const { pid } = await bench.started('short');
  const launcher = bench.containers.launcherPid!;
  bench.containers.close();
  await once(spawn('touch', ['end'], { cwd: bench.sandbox('short') }), 'exit');
  await until(() => !lives(pid));
  // Longer than a launcher waits that nobody needs.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.ok(lives(launcher));
  bench.news.length = 0;
  await bench.open();
  bench.containers.recover();
  assert.equal((await bench.exited('short')).status, 7 << 8);
});

test('a launcher that nobody needs ends by itself', async (t) => {
  const bench = await Bench.open(t);
  const launcher = bench.containers.launcherPid!;
  bench.containers.close();
  await until(() => !lives(launcher));
});

test('a launcher tells an agent of another version what it has, and goes on', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', 'exec sleep 1000');
  const { pid } = await bench.started('c');
  const { socket: path } = launcherPlace(join(bench.folder, 'run'), bench.folder);
  const socket = connect(path);
  socket.write(`${JSON.stringify({ id: 1, op: 'hello', version: 99, agentPid: 1, recoveryTimeout: 1 })}\n`);
  const [line] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const { code, error, remembered } = JSON.parse(line.toString());
  assert.deepEqual([code, remembered], ['version', 1]);
  assert.match(error, /speaks version 1, not 99/);
  assert.ok(lives(pid));
});

for (const remembered of [0, 2]) {
  const what = remembered === 0 ? 'ends a launcher of another version that has no tasks' : 'leaves alone one that has';
  test(`an agent ${what}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'meseta-launcher-'));
    const place = { folder, socket: join(folder, 'socket') };
    const asked: string[] = [];
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        for (const line of bytes.toString().trim().split('\n')) {
          const { id, op } = JSON.parse(line);
          asked.push(op);
          const refusal = { id, error: 'this launcher speaks version 2, not 1', code: 'version', remembered };
          socket.write(`${JSON.stringify(op === 'shutdown' ? { id, ok: {} } : refusal)}\n`);
          if (op === 'shutdown') other.close();
        }
      });
    });
    await once(other.listen(place.socket), 'listening');
    t.after(() => {
      other.close();
      rmSync(folder, { recursive: true });
    });
    if (remembered > 0) {
      await assert.rejects(Connection.open(place, 1_000), /cannot talk to .*version 2, not 1; 2 containers.*drain/);
      assert.deepEqual(asked, ['hello']);
      return;
    }
    const own = await Connection.open(place, 1_000);
    assert.deepEqual([asked, own.found], [['hello', 'shutdown'], []]);
    assert.notEqual(own.launcherPid, process.pid);
    own.close();
    await until(() => !lives(own.launcherPid));
  });
}

test('a status is remembered until it is acknowledged', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('kept', 'exit 1');
  bench.launch('acknowledged', 'exit 2');
  await Promise.all([bench.exited('kept'), bench.exited('acknowledged')]);
  bench.containers.destroy('acknowledged');
  bench.containers.close();
  bench.news.length = 0;
  await bench.open();
  const found = bench.containers.recover();
  assert.equal((await bench.exited('kept')).status, 1 << 8);
  assert.deepEqual(
    found.map(({ containerId, status }) => ({ containerId, status })),
    [{ containerId: 'kept', status: 1 << 8 }],
  );
});

test('tasks end, and the launcher too, when the agent stays away for longer than the recovery timeout', async (t) => {
  const bench = await Bench.open(t, { recoveryTimeout: 50 });
  bench.launch('c', 'exec sleep 1000');
  const { pid } = await bench.started('c');
  const launcher = bench.containers.launcherPid!;
  bench.containers.close();
  await until(() => !lives(pid) && !lives(launcher));
});

test('tasks end, and the launcher too, when the agent is gone and its runtime directory was removed', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', 'exec sleep 1000');
  const { pid } = await bench.started('c');
  const launcher = bench.containers.launcherPid!;
  bench.containers.close();
  rmSync(join(bench.folder, 'run'), { recursive: true });
  await until(() => !lives(pid) && !lives(launcher));
});

test('a launcher that was killed is replaced, and its tasks are ended and told as lost', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', "setsid sh -c 'echo $$; exec sleep 1000' & echo $$; exec sleep 1000");
  const pids = (await bench.lines('c', 2)).map(Number);
  const launcher = bench.containers.launcherPid!;
  process.kill(launcher, 'SIGKILL');
  const exit = await bench.exited('c');
  assert.equal(exit.status, SIGKILL);
  assert.match(exit.limitation?.message ?? '', /the launcher that had started it ended/);
  assert.deepEqual(pids.map(lives), [false, false]);
  assert.notEqual(bench.containers.launcherPid, launcher);
  assert.match(bench.logged.join(''), new RegExp(`E.* The launcher with process id ${launcher} has ended`));
  bench.launch('next', 'true');
  assert.equal((await bench.exited('next')).status, 0);
});

test('a launch that the end of the launcher cuts short is told as failed, or as lost when it ran, and is not left running', async (t) => {
  const bench = await Bench.open(t);
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
  for (const id of ids) bench.launch(id, 'exec sleep 1000');
  await bench.started('c0');
  process.kill(bench.containers.launcherPid!, 'SIGKILL');
  await Promise.all(ids.map((id) => Promise.race([bench.exited(id), bench.failed(id)])));
  for (const news of bench.news) if (news.kind === 'containerStarted') assert.equal(lives(news.pid), false);
  assert.deepEqual(bench.containers.list(), []);
});

test('stopping ends tasks, stubborn ones too, and the launcher, and tells nothing more', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('polite', 'exec sleep 1000');
  const { pid } = await bench.started('polite');
  const launcher = bench.containers.launcherPid!;
  await bench.containers.stop();
  await until(() => !lives(launcher));
  assert.equal(lives(pid), false);
  assert.equal(bench.news.length, 1);
});

test('two agents cannot use one launcher, and the second is told who does', async (t) => {
  const bench = await Bench.open(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const second = assert.rejects(bench.open(), new RegExp(`process id ${process.pid} is using this launcher`));
  const impatience = setInterval(() => t.mock.timers.tick(100), 1);
  await second;
  clearInterval(impatience);
  t.mock.timers.reset();
});

test('how tasks ended is known even to an agent that comes back when the launcher has left', async (t) => {
  const bench = await Bench.open(t, { recoveryTimeout: 50 });
  bench.launch('short', 'while [ ! -e end ]; do sleep 0.01; done; exit 7');
  bench.launch('long', 'exec sleep 1000');
  const [short] = [await bench.started('short'), await bench.started('long')];
  const launcher = bench.containers.launcherPid!;
  writeFileSync(join(bench.sandbox('short'), 'end'), '');
  await bench.exited('short');
  bench.containers.close();
  await until(() => !lives(launcher));
  for (let restarts = 0; restarts < 2; restarts++) {
    bench.news.length = 0;
    await bench.open();
    assert.notEqual(bench.containers.launcherPid, launcher);
    assert.equal((await bench.started('short')).pid, short.pid);
    const [ended, abandoned] = [await bench.exited('short'), await bench.exited('long')];
    assert.deepEqual([ended.status, ended.limitation], [7 << 8, undefined]);
    assert.equal(abandoned.status, SIGTERM);
    assert.match(abandoned.limitation?.message ?? '', /no agent came back within --recovery_timeout/);
    assert.deepEqual(bench.containers.list(), []);
    bench.containers.close();
  }
  bench.news.length = 0;
  await bench.open();
  for (const id of ['short', 'long']) bench.containers.destroy(id);
  await bench.containers.stop();
  await bench.open();
  assert.deepEqual(bench.containers.recover(), []);
});

test('what is to end with the agent ends when that is gone, stubborn or not, and nobody hears of it', async (t) => {
  const bench = await Bench.open(t);
  const mortal = (line: string) => ({ file: 'sh', argv: ['sh', '-c', line], endsWithAgent: true });
  bench.launch('polite', mortal('exec sleep 1000'));
  bench.launch('stubborn', mortal("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  bench.launch('other', 'exec sleep 1000');
  await bench.lines('stubborn', 1);
  const [polite, stubborn, other] = [
    await bench.started('polite'),
    await bench.started('stubborn'),
    await bench.started('other'),
  ];
  bench.containers.close();
  await until(() => !lives(polite.pid) && !lives(stubborn.pid));
  assert.equal(lives(other.pid), true);
  for (let found = ['']; found.length > 1 || found[0] !== 'other'; bench.containers.close()) {
    await bench.open();
    found = bench.containers.recover().map(({ containerId }) => containerId);
    assert.ok(found.includes('other'));
  }
  await bench.open();
});
