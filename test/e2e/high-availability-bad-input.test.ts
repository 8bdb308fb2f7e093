/** What people and disks do to masters and agents that are to be highly available, and what these say to it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { ZooKeeper } from '../../src/coordination/zookeeper/client.ts';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { freePorts, type Outcome, type Running, start } from './cluster.fixture.ts';
import { masterState, startDaemons, until } from './daemons.fixture.ts';
import { Framework } from './framework.fixture.ts';
import { get } from './plain-http.fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'meseta-ha-bad-'));
after(() => rmSync(root, { recursive: true, force: true }));

const running: Running[] = [];
afterEach(async () => {
  for (const { process: child } of running)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

function launch(program: 'master' | 'agent', port: number, ...flags: string[]): Running {
  const place = ['--ip=127.0.0.1', '--hostname=127.0.0.1', `--port=${port}`, '--zk_session_timeout=2secs'];
  const own =
    program === 'master'
      ? ['--quorum=1']
      : [`--runtime_dir=${join(root, `run-${port}`)}`, '--registration_backoff_factor=10ms'];
  if (program === 'agent' && process.getuid?.() !== 0) own.push('--no-switch_user');
  const workDir = `--work_dir=${join(root, `${program}-${port}`)}`;
  const byName = new Map([...place, ...own, workDir, ...flags].map((flag) => [flag.split('=')[0], flag]));
  const one = start(`bin/mesos-${program}`, [...byName.values()]);
  running.push(one);
  return one;
}

/** @returns its end, which has to be a refusal and not a crash */
async function refused(program: 'master' | 'agent', ...flags: string[]): Promise<Outcome> {
  const outcome = await launch(program, await freePorts(1), ...flags).ended;
  assert.equal(outcome.status, 1, `${flags}: ${outcome.stderr}`);
  assert.doesNotMatch(outcome.stderr, /^\s+at .*:\d+:\d+/m, 'a sentence and no trace of calls');
  return outcome;
}

const statusOf = (port: number, path: string): Promise<number | undefined> =>
  get(port, path).then(
    ({ status }) => status,
    () => undefined,
  );

it('a zk:// URL that is wrong is refused with the flag, what is wrong and the right form, without the password', async () => {
  const file = join(root, 'address');
  writeFileSync(file, 'zk://user:secret@a:2181\n');
  const cases = [
    ['zk://user:secret@a:2181', /has no path/],
    ['zk://user:secret@a/mesos', /'a' is not a server/],
    ['zk://user:secret@a:99999/mesos', /the port of 'a:99999' is not/],
    ['zk://user:secret@:2181/mesos', /':2181' is not a server/],
    ['zk://secret@a:2181/mesos', /must be user:password/],
    [`file://${file}`, /has no path/],
  ] as const;
  const scheme = ['zookeeper://user:secret@a:2181/mesos', /zookeeper:\/\/\*\*\*@a:2181/] as const;
  const checks = [...cases, scheme].flatMap(([url, complaint]) =>
    (['master', 'agent'] as const).map(async (program) => {
      const flag = program === 'master' ? '--zk' : '--master';
      const { stderr } = await refused(program, `${flag}=${url}`);
      assert.match(stderr, complaint);
      assert.ok(stderr.includes(flag), stderr);
      assert.match(stderr, /zk:\/\/host/);
      assert.doesNotMatch(stderr, /secret/);
    }),
  );
  await Promise.all(checks);
});

describe('in ZooKeeper', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  let owner: ZooKeeper;
  before(async () => {
    ensemble = await TestEnsemble.start();
    owner = new ZooKeeper({ servers: ensemble.servers, timeout: 4_000, credentials: 'alice:secret' });
    owner.start();
  });
  after(async () => {
    owner.close();
    await ensemble.stop();
  });
  const zk = (path: string, credentials = ''): string => `zk://${credentials}${ensemble.addresses}${path}`;

  it('a path that belongs to others is named, with what to do, by masters and agents', async () => {
    await owner.create('/private', undefined, { acl: [{ permissions: 31, scheme: 'auth', id: '' }] });
    for (const [program, flag] of [
      ['master', '--zk'],
      ['agent', '--master'],
    ] as const) {
      const { stderr } = await refused(program, `${flag}=${zk('/private')}`);
      assert.match(
        stderr,
        new RegExp(`${flag}: .*/private.*belongs to others: give the credentials in zk://user:password@`),
      );
      const wrong = await refused(program, `${flag}=${zk('/private', 'alice:wrong-secret@')}`);
      assert.match(wrong.stderr, /belongs to others/);
      assert.doesNotMatch(wrong.stderr, /wrong-secret/);
    }
    const port = await freePorts(1);
    launch('master', port, `--zk=${zk('/private', 'alice:secret@')}`);
    await until('with the right password it leads', async () => (await statusOf(port, '/state')) === 200);
    const flags = JSON.parse((await get(port, '/flags')).body) as { flags: { zk: string } };
    assert.equal(flags.flags.zk, `zk://***@${ensemble.addresses}/private`);
  });

  it('what others keep below the path is left alone', async () => {
    const port = await freePorts(1);
    for (const path of ['/app/brokers/1', '/app/info_file', '/taken/registry/users']) await owner.mkdirp(path);
    launch('master', port, `--zk=${zk('/app')}`);
    await until('it leads', async () => (await statusOf(port, '/state')) === 200);
    const children = await owner.getChildren('/app');
    assert.deepEqual(children.filter((name) => !name.startsWith('json.info_')).sort(), [
      'brokers',
      'info_file',
      'registry',
    ]);
    assert.deepEqual(await owner.getChildren('/app/brokers'), ['1']);

    const { stderr } = await refused('master', `--zk=${zk('/taken')}`);
    assert.match(stderr, /ZooKeeper at \/taken\/registry belongs to others: 'users' is there.*take another path/);
    assert.deepEqual(await owner.getChildren('/taken/registry'), ['users']);
  });

  it('a registry of a later version is refused, and nothing in it is changed', async () => {
    const port = await freePorts(1);
    const master = launch('master', port, `--zk=${zk('/later')}`);
    await until('it leads', async () => (await statusOf(port, '/state')) === 200);
    master.process.kill('SIGTERM');
    await master.ended;
    await owner.setData('/later/registry/meta/format', Buffer.from('7'));
    const { stderr } = await refused('master', `--zk=${zk('/later')}`);
    assert.match(
      stderr,
      /ZooKeeper at \/later\/registry: the registry has format 7, and this program knows only format 1: run the/,
    );
    assert.equal(Buffer.from((await owner.getData('/later/registry/meta/format')).data).toString(), '7');
  });

  it('masters and agents wait for an ensemble that is down, say so, and go on when it comes', async () => {
    const late = await TestEnsemble.start();
    try {
      await late.kill(0);
      const first = await freePorts(2);
      const address = `zk://${late.addresses}/late`;
      const master = launch('master', first, `--zk=${address}`);
      const agent = launch('agent', first + 1, `--master=${address}`);
      for (const { stderr } of [master, agent]) {
        await until('it says that it waits', () =>
          /No ZooKeeper answers yet \(127.0.0.1:\d+: .*ECONNREFUSED/.test(stderr()),
        );
      }
      assert.equal(await statusOf(first, '/state'), 503);
      assert.equal(await statusOf(first, '/health'), 200);
      assert.equal(await statusOf(first + 1, '/state'), 200);
      await late.startMember(0);
      await until('the agent has registered', async () => {
        return (await statusOf(first, '/state')) === 200 && (await masterState(first)).slaves.length === 1;
      });
    } finally {
      await Promise.all(running.splice(0).map(({ process: child, ended }) => child.kill('SIGINT') && ended));
      await late.stop();
    }
  });
});

it('a registry in LMDB that is of a later version or damaged is refused with what to do', async () => {
  const workDir = join(root, 'lmdb');
  const backup = join(root, 'backup.json');
  const port = await freePorts(1);
  const master = launch('master', port, `--work_dir=${workDir}`);
  await until('it leads', async () => (await statusOf(port, '/state')) === 200);
  master.process.kill('SIGTERM');
  await master.ended;
  const place = `lmdb:${join(workDir, 'registry')}`;
  assert.equal((await start('bin/meseta', ['registry', 'export', place, backup]).ended).status, 0);

  const file = join(workDir, 'registry/data.mdb');
  const good = readFileSync(file);
  const later = Buffer.from(good);
  const at = later.lastIndexOf('meta/format1');
  assert.ok(at > 0);
  later.write('meta/format7', at);
  writeFileSync(file, later);
  const { stderr } = await refused('master', `--work_dir=${workDir}`);
  assert.match(stderr, /LMDB in .*lmdb\/registry: the registry has format 7.*run the version that wrote it/);

  writeFileSync(file, good.fill('nonsense', 4_096));
  const damaged = await refused('master', `--work_dir=${workDir}`);
  assert.match(
    damaged.stderr,
    /data\.mdb is damaged, move .*lmdb\/registry away.*'meseta registry import lmdb:.*lmdb\/registry'/,
  );
  rmSync(join(workDir, 'registry'), { recursive: true });
  assert.equal((await start('bin/meseta', ['registry', 'import', place, backup]).ended).status, 0);
  launch('master', port, `--work_dir=${workDir}`);
  await until('with the backup it leads again', async () => (await statusOf(port, '/state')) === 200);
});

const withoutDisks =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount a small disk';

describe('a disk that is full', { skip: withoutDisks }, () => {
  const disk = join(root, 'disk');
  before(() => {
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', disk]);
  });
  after(() => execFileSync('umount', ['-l', disk]));
  /** Takes the room that is left. */
  const fillUp = (): void => {
    execFileSync('sh', ['-c', `cat /dev/zero > ${disk}/filler 2>/dev/null || true`]);
  };

  it('ends an agent before it acknowledges what it could not write; tasks go on, and nothing is lost with room', async () => {
    const daemons = await startDaemons('--allocation_interval=100ms');
    const master = `127.0.0.1:${daemons.master.port}`;
    const agent = await daemons.startAgent(`--work_dir=${disk}/work`);
    const release = join(root, 'release');
    const early = new Framework(master, { early: `while [ ! -e ${release} ]; do sleep 0.1; done` });
    await early.isTold('early', 'TASK_RUNNING');
    fillUp();
    const late = new Framework(master, { late: 'true' });
    const { status, stderr } = await agent.ended;
    assert.equal(status, 1);
    assert.match(stderr, /^E.*Ending: The checkpoint .*disk\/work\/meta\/slaves\/.* cannot be written: ENOSPC/m);
    assert.deepEqual(late.states('late'), [], 'nobody was told of what was not written');

    writeFileSync(release, '');
    rmSync(join(disk, 'filler'));
    agent.restart(`--work_dir=${disk}/work`);
    await early.isTold('early', 'TASK_FINISHED', 30_000);
    assert.deepEqual(early.states('early'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    await late.isTold('late', 'TASK_LOST', 30_000);
    await early.teardown();
    await late.teardown();
    await daemons.stop();
  });

  it('ends a master with the path of its registry, and what it had acknowledged is still there', async () => {
    const workDir = join(disk, 'master');
    const port = await freePorts(1);
    const master = launch('master', port, `--work_dir=${workDir}`);
    await until('it leads', async () => (await statusOf(port, '/state')) === 200);
    fillUp();
    const put = async (weights: readonly object[]): Promise<number | undefined> =>
      fetch(`http://127.0.0.1:${port}/weights`, { method: 'PUT', body: JSON.stringify(weights) }).then(
        ({ status }) => status,
        () => undefined,
      );
    const roles: string[] = [];
    for (let round = 0; round < 200; round++) {
      const some = Array.from({ length: 20 }, (_, i) => ({ role: `role-${round}-${i}`.padEnd(300, '.'), weight: 2 }));
      if ((await put(some)) !== 200) break;
      roles.push(...some.map(({ role }) => role));
    }
    const { status, stderr } = await master.ended;
    assert.equal(status, 1);
    assert.match(stderr, /^F.*the store in .*disk\/master\/registry cannot be written: No space left on device/m);

    rmSync(join(disk, 'filler'));
    launch('master', port, `--work_dir=${workDir}`);
    await until('with room it leads again', async () => (await statusOf(port, '/state')) === 200);
    const known = JSON.parse((await get(port, '/weights')).body) as { role: string }[];
    const names = new Set(known.map(({ role }) => role));
    assert.deepEqual(
      roles.filter((role) => !names.has(role)),
      [],
    );
  });
});
