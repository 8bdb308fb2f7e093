/** What Marathon keeps, with real processes: nothing acknowledged is lost, whatever happens to the store; and secrets stay secret. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { freePorts, ROOT, type Running } from './cluster.fixture.ts';
import { startDaemons, until } from './daemons.fixture.ts';
import { api, startMarathon } from './marathon.fixture.ts';

const leads = (marathon: string): Promise<void> =>
  until('Marathon leads', async () => {
    const reply = await api(marathon, 'GET', '/v2/info').catch(() => undefined);
    return reply?.status === 200 && reply.body?.elected === true;
  });

async function end(program: Running | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (program && program.process.exitCode === null && program.process.signalCode === null) program.process.kill(signal);
  await program?.ended;
}

const app = (id: string, more: object = {}): object => ({ id, cmd: 'sleep 1000', cpus: 0.1, mem: 32, ...more });

async function ids(marathon: string): Promise<readonly string[]> {
  const { body } = await api<{ readonly apps: readonly { readonly id: string }[] }>(marathon, 'GET', '/v2/apps');
  return body.apps.map(({ id }) => id).sort();
}

/** Creates apps until Marathon is gone. @returns those that were acknowledged */
async function createUntilGone(marathon: string, prefix: string, most: number): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; i < most; i++) {
    const id = `${prefix}-${String(i).padStart(4, '0')}`;
    const document = app(id, { instances: 0, labels: { filler: 'x'.repeat(2_000) } });
    const reply = await api(marathon, 'POST', '/v2/apps', document).catch(() => undefined);
    if (reply === undefined) break;
    if (reply.status === 201) acknowledged.push(id);
  }
  return acknowledged;
}

/** `meseta` with something on its standard input. */
function meseta(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(join(ROOT, 'bin', 'meseta'), args, { cwd: ROOT, input, encoding: 'utf8' });
}

const TMPFS = 0x01021994;

/** The links in sandboxes that lead to files elsewhere, which are there. */
function secretFilesIn(workDir: string): readonly { readonly link: string; readonly target: string }[] {
  const links = new Map<string, string>();
  for (const entry of readdirSync(workDir, { recursive: true, withFileTypes: true })) {
    const link = join(entry.parentPath, entry.name);
    const isSecret = entry.isSymbolicLink() && entry.name.endsWith('password') && existsSync(link);
    // Other links lead to the same sandboxes.
    if (isSecret) links.set(realpathSync(link), join(realpathSync(entry.parentPath), entry.name));
  }
  return [...links].map(([target, link]) => ({ link, target }));
}

const withoutRoot =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount a small disk';

test('on a full disk Marathon ends with the reason, and what it had acknowledged is there when there is room again', {
  skip: withoutRoot,
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'meseta-full-'));
  const disk = join(root, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', disk]);
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const flags = ['--master=127.0.0.1:9', `--work_dir=${join(disk, 'state')}`];
  let program: Running | undefined = startMarathon(port, ...flags);
  try {
    await leads(marathon);
    const acknowledged = await createUntilGone(marathon, '/full', 2_000);
    const outcome = await program.ended;
    assert.ok(acknowledged.length > 5 && acknowledged.length < 2_000, `${acknowledged.length} were acknowledged`);
    assert.equal(outcome.status, 101);
    assert.match(
      outcome.stderr,
      /The state cannot be stored: the store in .*state cannot be written: .*look at the disk/,
    );
    execFileSync('mount', ['-o', 'remount,size=20m', disk]);
    program = startMarathon(port, ...flags);
    await leads(marathon);
    const there = await ids(marathon);
    assert.deepEqual(
      acknowledged.filter((id) => !there.includes(id)),
      [],
      'nothing acknowledged is lost',
    );
    assert.ok(there.length <= acknowledged.length + 1, 'at most the one without an answer came on top');
  } finally {
    await end(program);
    execFileSync('umount', [disk]);
    rmSync(root, { recursive: true, force: true });
  }
});

test('when ZooKeeper is lost the leader ends, another one leads once it is back, and nothing acknowledged is lost', {
  skip: withoutZooKeeper,
}, async () => {
  const ensemble = await TestEnsemble.start(1);
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const flags = ['--master=127.0.0.1:9', `--zk=zk://${ensemble.addresses}/marathon`, '--zk_session_timeout=2000'];
  let program: Running | undefined = startMarathon(port, ...flags);
  try {
    await leads(marathon);
    const creating = createUntilGone(marathon, '/zk', 5_000);
    await until('some are there', async () => (await ids(marathon)).length > 20);
    await ensemble.kill(0);
    const outcome = await program.ended;
    const acknowledged = await creating;
    assert.ok(acknowledged.length >= 20 && acknowledged.length < 5_000, `${acknowledged.length} were acknowledged`);
    assert.ok([101, 103].includes(outcome.status ?? 0), `${outcome.status}: ${outcome.stderr.slice(-500)}`);
    assert.doesNotMatch(outcome.stderr, /\n {4}at /, 'a sentence, and no stack');
    await ensemble.startMember(0);
    program = startMarathon(port, ...flags);
    await leads(marathon);
    const there = await ids(marathon);
    assert.deepEqual(
      acknowledged.filter((id) => !there.includes(id)),
      [],
    );
    assert.ok(there.length <= acknowledged.length + 1);
  } finally {
    await end(program);
    await ensemble.stop();
  }
});

test('a change of thousands of apps at once is kept in ZooKeeper too, and so is one that names them all', {
  skip: withoutZooKeeper,
}, async () => {
  const ensemble = await TestEnsemble.start(1);
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const flags = ['--master=127.0.0.1:9', `--zk=zk://${ensemble.addresses}/marathon`, '--disable_ha'];
  let program: Running | undefined = startMarathon(port, ...flags);
  try {
    await leads(marathon);
    const count = 3_000;
    const apps = Array.from({ length: count }, (_, i) => app(`/many/app-${i}`));
    const created = await api(marathon, 'PUT', '/v2/groups', { id: '/', groups: [{ id: '/many', apps }] });
    assert.equal(created.status, 200, created.text.slice(0, 300));
    await end(program, 'SIGKILL');
    program = startMarathon(port, ...flags);
    await leads(marathon);
    assert.equal((await ids(marathon)).length, count);
    const { body } = await api<readonly { readonly affectedApps: readonly string[] }[]>(
      marathon,
      'GET',
      '/v2/deployments',
    );
    assert.deepEqual(
      body.map(({ affectedApps }) => affectedApps.length),
      [count],
      'the deployment goes on',
    );
    const large = await api(marathon, 'POST', '/v2/apps', app('/large', { labels: { text: 'x'.repeat(600_000) } }));
    assert.equal(large.status, 422);
    assert.match(large.text, /definition of \/large is too large to be stored/);
    assert.equal((await api(marathon, 'GET', '/ping')).status, 200);
  } finally {
    await end(program);
    await ensemble.stop();
  }
});

test('DELETE /v2/leader has the next leader back up and restore; a backup moves from LMDB to ZooKeeper', {
  skip: withoutZooKeeper,
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'meseta-leader-'));
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const work = join(root, 'state');
  const flags = ['--master=127.0.0.1:9', `--work_dir=${work}`];
  const [before, later] = [join(root, 'before.json'), join(root, 'later.json')];
  let program: Running | undefined = startMarathon(port, ...flags);
  const ensemble = await TestEnsemble.start(1);
  try {
    await leads(marathon);
    await api(marathon, 'POST', '/v2/apps', app('/first', { instances: 0 }));
    assert.equal(meseta(['marathon', 'backup', `lmdb:${work}`, before]).status, 0, 'while it is running');
    await api(marathon, 'POST', '/v2/apps', app('/second', { instances: 0 }));
    for (const wrong of ['backup=s3://bucket/key', 'restore=relative', 'backup=file://host/x']) {
      const refused = await api(marathon, 'DELETE', `/v2/leader?${wrong}`);
      assert.equal(refused.status, 422, wrong);
      assert.match(refused.text, /write file:\/\/\/PATH|only file:\/\/\/PATH/);
    }
    const gone = await api(marathon, 'DELETE', `/v2/leader?backup=file://${later}&restore=file://${before}`);
    assert.deepEqual([gone.status, gone.body], [200, { message: 'Leadership abdicated' }]);
    assert.equal((await program.ended).status, 105);
    program = startMarathon(port, ...flags);
    await leads(marathon);
    assert.deepEqual(await ids(marathon), ['/first']);
    await end(program);

    const zk = `zk://${ensemble.addresses}/marathon`;
    const restored = meseta(['marathon', 'restore', zk, later]);
    assert.equal(restored.status, 0, restored.stderr);
    program = startMarathon(port, '--master=127.0.0.1:9', `--zk=${zk}`);
    await leads(marathon);
    assert.deepEqual(await ids(marathon), ['/first', '/second']);
    const refused = meseta(['marathon', 'restore', zk, before]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /holds \d+ records already: stop its Marathons, and add --force/);
  } finally {
    await end(program);
    await ensemble.stop();
    rmSync(root, { recursive: true, force: true });
  }
});

/** All files below, as far as they are small. */
function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }
}

test('a task gets its secret, and nobody else is shown it; a new value comes with the next start', async () => {
  const root = mkdtempSync(join(tmpdir(), 'meseta-secrets-'));
  const daemons = await startDaemons();
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const [file, key] = [join(root, 'secrets'), join(root, 'key')];
  const at = ['--file', file, '--key-file', key];
  const work = join(root, 'state');
  const put = (name: string, value: string) => meseta(['marathon', 'secret', 'put', name, ...at], value);
  assert.equal(meseta(['marathon', 'secret', 'key', key]).status, 0);
  let program: Running | undefined;
  try {
    const agent = await daemons.startAgent();
    program = startMarathon(
      port,
      `--master=127.0.0.1:${daemons.master.port}`,
      `--work_dir=${work}`,
      '--enable_features=secrets',
      `--secrets_file=${file}`,
      `--secrets_key_file=${key}`,
    );
    await leads(marathon);
    const web = app('/web', {
      cmd: 'test "$PASSWORD" = "$(cat etc/password)" && printf %s "$PASSWORD" > told; exec sleep 1000',
      env: { PASSWORD: { secret: 'pw' } },
      container: { type: 'MESOS', volumes: [{ containerPath: 'etc/password', secret: 'pw' }] },
      secrets: { pw: { source: 'db/password' } },
      backoffSeconds: 0,
    });
    assert.equal((await api(marathon, 'POST', '/v2/apps', web)).status, 201);
    const podded = {
      id: '/pod',
      environment: { PASSWORD: { secret: 'pw' } },
      secrets: { pw: { source: 'db/password' } },
      volumes: [{ name: 'file', secret: 'pw' }],
      containers: [
        {
          name: 'c',
          resources: { cpus: 0.1, mem: 32 },
          volumeMounts: [{ name: 'file', mountPath: 'password' }],
          exec: {
            command: {
              shell: 'test "$PASSWORD" = "$(cat password)" && printf %s "$PASSWORD" > told; exec sleep 1000',
            },
          },
        },
      ],
    };
    assert.equal((await api(marathon, 'POST', '/v2/pods', podded)).status, 201);
    await until('the app says what it waits for', async () =>
      /'meseta marathon secret put db\/password'/.test(
        (await api(marathon, 'GET', '/v2/apps/web?embed=app.lastTaskFailure')).text,
      ),
    );
    const value = 'first-hunter2';
    const kept = put('db/password', `${value}\n`);
    assert.equal(kept.status, 0, kept.stderr);
    // Links lead to the same files by several ways.
    const told = (): readonly string[] =>
      [
        ...new Set(
          [...filesBelow(agent.workDir)].filter((each) => each.endsWith('/told')).map((each) => realpathSync(each)),
        ),
      ].map((each) => readFileSync(each, 'utf8'));
    await until('both have been told', () => Promise.resolve(told().filter((each) => each === value).length === 2));

    const shown: string[] = [];
    for (const path of [
      '/v2/apps?embed=apps.tasks',
      '/v2/apps/web',
      '/v2/apps/web/versions',
      '/v2/tasks',
      '/v2/pods',
      '/v2/pods/pod::status',
      '/v2/groups?embed=group.apps&embed=group.pods',
      '/v2/deployments',
      '/v2/queue',
      '/v2/info',
      '/config',
      '/metrics',
      '/v2/why/web',
    ]) {
      shown.push((await api(marathon, 'GET', path)).text);
    }
    for (const path of ['/state', '/tasks', '/frameworks', '/state-summary']) {
      shown.push((await api(`127.0.0.1:${daemons.master.port}`, 'GET', path)).text);
    }
    for (const path of ['/state', '/containers']) shown.push((await api(`127.0.0.1:${agent.port}`, 'GET', path)).text);
    for (const type of ['GET_STATE', 'GET_TASKS', 'GET_EXECUTORS', 'GET_FRAMEWORKS']) {
      shown.push((await api(`127.0.0.1:${daemons.master.port}`, 'POST', '/api/v1', { type })).text);
    }
    for (const type of ['GET_STATE', 'GET_TASKS', 'GET_EXECUTORS', 'GET_CONTAINERS']) {
      shown.push((await api(`127.0.0.1:${agent.port}`, 'POST', '/api/v1', { type })).text);
    }
    const files = secretFilesIn(agent.workDir);
    assert.equal(files.length, 2, 'one of the app, one of the pod');
    for (const { link, target } of files) {
      assert.equal(statfsSync(target).type, TMPFS);
      // Who may read a sandbox over the network does not get at what its link leads to.
      for (const what of ['read', 'download']) {
        const path = `/files/${what}?path=${encodeURIComponent(link)}&offset=0&length=100`;
        const reply = await api(`127.0.0.1:${agent.port}`, 'GET', path);
        assert.notEqual(reply.status, 200, reply.text);
        shown.push(reply.text);
      }
    }
    // The environment of a task, which goes on after a restart of the agent, is kept; files are not.
    for (const each of filesBelow(join(agent.workDir, 'meta'))) {
      const bytes = readFileSync(each);
      if (!each.endsWith('/meseta.task')) shown.push(bytes.toString('latin1'));
      else assert.equal(bytes.toString('latin1').split(value).length - 1, 1, `${each} has it in the environment alone`);
    }
    shown.push(
      program.stdout(),
      program.stderr(),
      daemons.master.stderr(),
      agent.stderr(),
      meseta(['marathon', 'secret', 'list', ...at]).stdout,
    );
    for (const each of filesBelow(work)) shown.push(readFileSync(each, 'latin1'));
    for (const text of shown) {
      for (const form of [value, Buffer.from(value).toString('base64')]) {
        assert.ok(!text.includes(form), `shown in: ${text.slice(0, 400)}`);
      }
    }
    assert.equal(meseta(['marathon', 'secret', 'get', 'db/password', ...at]).stdout, value);

    assert.equal(put('db/password', 'second-hunter2').status, 0);
    assert.equal((await api(marathon, 'POST', '/v2/apps/web/restart')).status, 200);
    await until('the new task has the new value', () => Promise.resolve(told().includes('second-hunter2')));
    assert.equal(told().filter((each) => each === value).length, 2, 'the pod was left alone');
    assert.equal((await api(marathon, 'DELETE', '/v2/apps/web')).status, 200);
    assert.equal((await api(marathon, 'DELETE', '/v2/pods/pod')).status, 202);
    await until('the files are gone with their tasks', () =>
      Promise.resolve(files.every(({ target }) => !existsSync(target)) && secretFilesIn(agent.workDir).length === 0),
    );
    assert.ok(existsSync(file));
  } finally {
    await end(program);
    await daemons.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
