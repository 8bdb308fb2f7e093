import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { constants, userInfo } from 'node:os';
import { test } from 'node:test';
import { DEFAULT_PATH } from './containers.ts';
import { Bench, lives } from './testing.fixture.ts';

const { SIGTERM, SIGKILL, SIGSTOP } = constants.signals;
const root = process.getuid?.() === 0;

test('a container tells its process id, writes to its sandbox and tells its exit code as waitpid does', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', 'pwd; echo to stderr >&2; cat; exit 3');
  const { pid } = await bench.started('c');
  assert.ok(pid > 1);
  assert.equal((await bench.exited('c')).status, 3 << 8);
  assert.equal(bench.read('c'), `${bench.sandbox('c')}\n`);
  assert.equal(bench.read('c', 'stderr'), 'to stderr\n');
  assert.deepEqual(
    bench.news.map(({ kind }) => kind),
    ['containerStarted', 'containerExited'],
  );
});

test('a container that a signal ended tells the signal', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', 'kill -USR1 $$');
  assert.equal((await bench.exited('c')).status, constants.signals.SIGUSR1);
});

test('output is appended to what the sandbox holds already', async (t) => {
  const bench = await Bench.open(t);
  for (const id of ['first', 'second']) {
    bench.launch(id, { file: 'sh', argv: ['sh', '-c', `echo ${id}`], sandbox: bench.sandbox('shared') });
    await bench.exited(id);
  }
  assert.equal(bench.read('shared'), 'first\nsecond\n');
});

test('a program is given its arguments as they are, the zeroth included', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { file: '/bin/sh', argv: ['other name', '-c', 'echo "$0|$1|$2"', 'a b', '$HOME', ''] });
  await bench.exited('c');
  assert.equal(bench.read('c'), 'a b|$HOME|\n');
  bench.launch('n', { file: '/bin/sh', argv: ['other name', '-c', 'tr "\\0" "\\n" < /proc/$$/cmdline | head -1'] });
  await bench.exited('n');
  assert.equal(bench.read('n'), 'other name\n');
});

test('the environment is exactly what was asked for, and a PATH', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { file: '/usr/bin/env', argv: ['env'], environment: { A: 'x=y z', B: '' } });
  bench.launch('p', { file: 'env', argv: ['env'], environment: { PATH: '/usr/bin:/bin' } });
  await Promise.all([bench.exited('c'), bench.exited('p')]);
  assert.deepEqual(bench.read('c').split('\n').sort(), ['', 'A=x=y z', 'B=', `PATH=${DEFAULT_PATH}`]);
  assert.equal(bench.read('p'), 'PATH=/usr/bin:/bin\n');
});

test('a program that does not exist fails the container with its name, and not the launcher', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('absolute', { file: '/no/such/program', argv: ['program'] });
  const failed = await bench.failed('absolute');
  assert.equal(failed.stage, 'launch');
  assert.match(failed.message, /no program '\/no\/such\/program'/);
  bench.launch('searched', { file: 'no-such-program', argv: ['x'] });
  assert.match((await bench.failed('searched')).message, /no program 'no-such-program' .* on the PATH \/usr/);
  bench.launch('directory', { file: '/tmp', argv: ['x'] });
  assert.match((await bench.failed('directory')).message, /'\/tmp' could not be executed/);
  bench.launch('huge', { file: '/bin/true', argv: ['true', 'x'.repeat(1 << 20)] });
  assert.match((await bench.failed('huge')).message, /E2BIG/);
  bench.launch('good', 'true');
  assert.equal((await bench.exited('good')).status, 0);
});

test('for the shell a program that does not exist is exit code 127', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', '/no/such/program');
  assert.equal((await bench.exited('c')).status, 127 << 8);
});

test('an unknown user is an error that names it, at the sandbox', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { user: 'no-such-user' });
  const failed = await bench.failed('c');
  assert.equal(failed.stage, 'sandbox');
  assert.equal(
    failed.message,
    `Failed to create executor directory '${bench.sandbox('c')}': Failed to chown directory to 'no-such-user': No such user 'no-such-user'`,
  );
});

test('whoever runs the agent can be named as the user, root or not', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { user: userInfo().username, file: 'id', argv: ['id', '-un'] });
  assert.equal((await bench.exited('c')).status, 0);
  assert.equal(bench.read('c'), `${userInfo().username}\n`);
});

test('root runs a container as another user, who owns the sandbox and the output', {
  skip: !root && 'only root can become somebody else',
}, async (t) => {
  const bench = await Bench.open(t);
  const nobody = bench.containers.findUser('nobody');
  assert.ok(nobody);
  bench.launch('c', { user: 'nobody', file: 'id', argv: ['id'] });
  await bench.exited('c');
  assert.match(
    bench.read('c'),
    new RegExp(`^uid=${nobody.uid}\\(nobody\\) gid=${nobody.gid}\\(.*\\) groups=${nobody.gid}\\(`),
  );
  for (const path of [bench.sandbox('c'), `${bench.sandbox('c')}/stdout`]) {
    const { uid, gid } = statSync(path);
    assert.deepEqual({ uid, gid }, { uid: nobody.uid, gid: nobody.gid });
  }
});

test('docker containers, images and volumes are refused with the field that asks for them', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('docker', { container: { type: 'DOCKER', docker: { image: 'x' } } });
  bench.launch('volume', { container: { type: 'MESOS', volumes: [{ mode: 'RW', container_path: '/x' }] } });
  assert.match((await bench.failed('docker')).message, /container\.type is DOCKER/);
  assert.match((await bench.failed('volume')).message, /container\.volumes/);
});

test('two hundred containers at once all start and end with their own status', async (t) => {
  const bench = await Bench.open(t);
  const ids = Array.from({ length: 200 }, (_, index) => `c${index}`);
  for (const [index, id] of ids.entries()) bench.launch(id, `exit ${index % 200}`);
  const exits = await Promise.all(ids.map((id) => bench.exited(id)));
  assert.deepEqual(
    exits.map(({ status }) => status >> 8),
    ids.map((_, index) => index % 200),
  );
  assert.equal(bench.news.length, 400);
  assert.deepEqual(bench.containers.list(), []);
});

test('a signal reaches every process of the container, and no other container', async (t) => {
  const bench = await Bench.open(t);
  const loop = 'echo ready; while :; do sleep 0.01; done';
  // The leader waits for its child: what the leader leaves behind when it ends is killed.
  bench.launch('c', `sh -c 'trap "echo child; exit" TERM; ${loop}' & trap "wait; echo leader; exit" TERM; ${loop}`);
  bench.launch('other', `trap "echo other" TERM; ${loop}`);
  await Promise.all([bench.lines('c', 2), bench.lines('other', 1)]);
  bench.containers.kill('c', SIGTERM);
  await bench.exited('c');
  assert.equal(bench.read('c'), 'ready\nready\nchild\nleader\n');
  assert.equal(bench.read('other'), 'ready\n');
});

test('whoever ignores SIGTERM goes by SIGKILL, and a stopped one hears SIGTERM', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('stubborn', 'trap "" TERM; echo ready; while :; do sleep 0.01; done');
  bench.launch('stopped', 'echo ready; exec sleep 1000');
  await Promise.all([bench.lines('stubborn', 1), bench.lines('stopped', 1)]);
  bench.containers.kill('stopped', SIGSTOP);
  bench.containers.kill('stopped', SIGTERM);
  assert.equal((await bench.exited('stopped')).status, SIGTERM);
  bench.containers.kill('stubborn', SIGTERM);
  bench.containers.kill('stubborn', SIGKILL);
  assert.equal((await bench.exited('stubborn')).status, SIGKILL);
});

test('destroying a container ends grandchildren that left its session', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', "setsid sh -c 'echo $$; exec sleep 1000' & sh -c 'echo $$; exec sleep 1000' & wait");
  const pids = (await bench.lines('c', 2)).map(Number);
  bench.containers.destroy('c');
  assert.equal((await bench.exited('c')).status, SIGKILL);
  assert.deepEqual(pids.map(lives), [false, false]);
});

test('when the first process ends, what it left behind is gone before the end is told, daemons included', async (t) => {
  const bench = await Bench.open(t);
  // The second one has no parent in the container and no session in common with it by then.
  bench.launch(
    'c',
    "(sleep 1000 & echo $!); (setsid sh -c 'cd /; echo $$; exec sleep 1000' &); while [ $(wc -l < stdout) -lt 2 ]; do :; done; exit 4",
  );
  const { status } = await bench.exited('c');
  const pids = (await bench.lines('c', 2)).map(Number);
  assert.equal(status, 4 << 8);
  assert.deepEqual(pids.map(lives), [false, false]);
});

test('a container that is destroyed before it was started ends, and never runs', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', 'echo ran');
  bench.containers.destroy('c');
  assert.equal((await bench.exited('c')).status, SIGKILL);
  assert.deepEqual(
    bench.news.map(({ kind }) => kind),
    ['containerExited'],
  );
});

test('signals and destruction of containers that nobody knows do nothing', async (t) => {
  const bench = await Bench.open(t);
  bench.containers.kill('nobody', SIGTERM);
  bench.containers.destroy('nobody');
  bench.launch('c', 'true');
  assert.equal((await bench.exited('c')).status, 0);
});

test('what a container uses is measured over all its processes', async (t) => {
  const bench = await Bench.open(t);
  assert.equal(bench.containers.usage('c'), undefined);
  bench.launch('c', 'sh -c "while :; do :; done" & while :; do :; done');
  await bench.started('c');
  let usage = bench.containers.usage('c');
  while (!usage?.cpus_user_time_secs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    usage = bench.containers.usage('c');
  }
  assert.ok(usage.mem_rss_bytes! > 100_000 && usage.mem_rss_bytes! < 100_000_000);
  assert.ok(Math.abs(usage.timestamp - Date.now() / 1000) < 60);
  bench.containers.destroy('c');
  await bench.exited('c');
  assert.equal(bench.containers.usage('c'), undefined);
});

test('what is written to a container that reads arrives in order, until its end; others read nothing', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { file: 'sh', argv: ['sh', '-c', 'cat; echo end'], input: true });
  bench.launch('deaf', 'sleep 100');
  await bench.started('c');
  await bench.started('deaf');
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  assert.equal(await bench.containers.write('c', bytes('one\n')), undefined);
  assert.equal(await bench.containers.write('c', bytes('two\n')), undefined);
  assert.equal(await bench.containers.write('c', undefined), undefined);
  assert.equal((await bench.exited('c')).status, 0);
  assert.equal(bench.read('c'), 'one\ntwo\nend\n');
  assert.match((await bench.containers.write('c', bytes('late'))) ?? '', /reads nothing/);
  assert.match((await bench.containers.write('deaf', bytes('x'))) ?? '', /reads nothing/);
  assert.match((await bench.containers.write('none', bytes('x'))) ?? '', /reads nothing/);
});
