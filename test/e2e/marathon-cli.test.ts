/** The subcommands about Marathon, against its API over the real core: tables, JSON and YAML, progress, refusals. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { JAVA_KEYSTORE, KEYSTORE, PASSWORD } from '../../src/marathon/http/keystore.fixture.ts';
import { readKeyStore } from '../../src/marathon/http/keystore.ts';
import { type Served, type ServeOptions, serve } from '../../src/marathon/http/serving.fixture.ts';
import { freePorts, meseta, type Outcome, start } from './cluster.fixture.ts';
import { until } from './daemons.fixture.ts';

const MINUTE = 60_000;

interface Bench extends Served {
  /** Runs a subcommand that has to succeed. */
  readonly run: (...args: string[]) => Promise<Outcome>;
  /** Runs one that must not. @returns what it says */
  readonly fail: (...args: string[]) => Promise<string>;
  /** A file with this text. */
  readonly file: (name: string, text: string) => string;
}

async function bench(t: TestContext, options: ServeOptions = {}, ...more: string[]): Promise<Bench> {
  const served = await serve(t, options);
  served.rig.addAgent('host1');
  const folder = mkdtempSync(join(tmpdir(), 'meseta-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = ['--marathon', `127.0.0.1:${served.port}`, ...more];
  const run = async (...args: string[]): Promise<Outcome> => {
    const outcome = await meseta([...args, ...at]);
    assert.equal(outcome.status, 0, outcome.stderr);
    return outcome;
  };
  const fail = async (...args: string[]): Promise<string> => {
    const outcome = await meseta([...args, ...at]);
    assert.equal(outcome.status, 1, outcome.stdout);
    assert.equal(outcome.stdout, '');
    return outcome.stderr;
  };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return { ...served, run, fail, file };
}

/** A cluster in which time goes on whenever somebody has looked how far deployments are. */
async function busyBench(t: TestContext): Promise<Bench> {
  const found = await bench(t, {
    onRequest: (_, url) => {
      if (url === '/v2/deployments') setTimeout(() => found.rig.advance(1_000), 10);
    },
  });
  return found;
}

function cells(stdout: string): readonly (readonly string[])[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

const WEB =
  '{"$schema":"https://x/app.json","id":"/prod/web","cmd":"sleep 1","instances":2,"cpus":0.5,"labels":{"env":"prod"}}';

test('apps are applied, listed and shown as tables, JSON and YAML', async (t) => {
  const { run, rig, file, ask } = await bench(t);
  const json = file('web.json', WEB);
  const yaml = file(
    'more.yaml',
    '$schema: x\nid: /prod/db\ncmd: sleep 1\n---\n- id: /test/db\n  args: [sleep, "1"]\n  instances: 0\n',
  );
  const applied = await run('app', 'apply', json, yaml);
  const [{ id }] = (await ask('GET', '/v2/deployments')).json;
  assert.deepEqual(cells(applied.stdout), [['DEPLOYMENT'], [id]], 'one deployment for all');
  rig.advance(MINUTE);
  const listed = cells((await run('app', 'list')).stdout);
  assert.equal(listed[0]![0], 'ID');
  assert.deepEqual(
    listed
      .slice(1)
      .map(([name]) => name)
      .sort(),
    ['/prod/db', '/prod/web', '/test/db'],
  );
  assert.ok(
    listed.some((row) => row[0] === '/prod/web' && row.includes('2/2')),
    JSON.stringify(listed),
  );
  const labelled = JSON.parse((await run('app', 'list', '--label', 'env==prod', '-o', 'json')).stdout);
  assert.deepEqual(
    labelled.map((app: { readonly id: string }) => app.id),
    ['/prod/web'],
  );
  const shown = await run('app', 'show', 'prod/web');
  assert.equal(cells(shown.stdout).length, 3);
  assert.match(shown.stdout, /^TASK +STATE +HEALTH +HOST +PORTS +STARTED\n.*TASK_RUNNING +- +host1 +\d+/);
  const whole = JSON.parse((await run('app', 'show', '/prod/web', '--output', 'json')).stdout);
  assert.deepEqual([whole.id, whole.tasksRunning, '$schema' in whole], ['/prod/web', 2, false]);
  assert.deepEqual(parse((await run('app', 'show', '/prod/web', '--output', 'yaml')).stdout), whole);
});

test('progress is shown until a deployment is over; beside JSON it goes to stderr', async (t) => {
  const { run, file, ask } = await busyBench(t);
  const applied = await run('app', 'apply', file('web.json', WEB), '--watch');
  assert.match(applied.stdout, /\/prod\/web: 2 of 2 running/);
  assert.match(applied.stdout, /\nDeployment [-0-9a-f]+ is done\.\n$/);
  const scaled = await run('app', 'scale', '/prod/web', '3', '-w', '-o', 'json');
  assert.deepEqual(Object.keys(JSON.parse(scaled.stdout)), ['deploymentId']);
  assert.match(scaled.stderr, /\/prod\/web: 3 of 3 running/);
  const restarted = await run('app', 'restart', '/prod/web', '-w');
  assert.match(restarted.stdout, /RestartApplication \/prod\/web/);
  const versions = cells((await run('app', 'versions', '/prod/web')).stdout);
  assert.ok(versions.length >= 3);
  await run('app', 'rollback', '/prod/web', versions.at(-1)![0]!, '-w');
  assert.equal((await ask('GET', '/v2/apps/prod/web')).json.app.instances, 2);
  const gone = await run('app', 'delete', '/prod/web', '-w');
  assert.match(gone.stdout, /\/prod\/web: gone/);
});

test('a deployment that is given up is said to be, and watching it fails', async (t) => {
  let looks = 0;
  const { run, file, ask, port } = await bench(t, {
    onRequest: (_, url) => void (url === '/v2/deployments' && looks++),
  });
  await run('app', 'apply', file('web.json', WEB.replace('"cpus":0.5', '"cpus":5000')));
  const [{ id }] = (await ask('GET', '/v2/deployments')).json;
  const before = looks;
  const watching = meseta(['deployment', 'watch', id, '--marathon', `127.0.0.1:${port}`]);
  await until('it watches', () => looks > before + 1);
  await run('deployment', 'stop', id);
  const { status, stdout } = await watching;
  assert.match(stdout, /\nDeployment [-0-9a-f]+ was given up: The deployment has been cancelled\n$/);
  assert.equal(status, 1);
  assert.match(
    (await run('deployment', 'watch', id)).stdout,
    /^Deployment [-0-9a-f]+ is not under way \(any more\)\.\n$/,
  );
});

test('tasks are killed, all or those that are named', async (t) => {
  const { run, fail, rig, file } = await bench(t);
  await run('app', 'apply', file('web.json', WEB), file('other.json', '{"id":"/other","cmd":"sleep 1"}'));
  rig.advance(MINUTE);
  const [one] = rig.running('/prod/web').map(({ tasks }) => tasks[0]!.id);
  const said = await fail('app', 'kill', '/other', one!);
  assert.equal(
    said,
    `meseta: nothing was killed: /other has no task ${one}; meseta app show /other lists those it has\n`,
  );
  assert.match(await fail('app', 'kill', '/nope', one!), /App '\/nope' does not exist/);
  assert.deepEqual(cells((await run('app', 'kill', '/prod/web', one!)).stdout), [
    ['KILLED', 'HOST'],
    [one, 'host1'],
  ]);
  rig.advance(MINUTE);
  assert.equal(cells((await run('app', 'kill', '/prod/web')).stdout).length, 3);
  rig.advance(MINUTE);
  assert.equal(cells((await run('app', 'kill', '/prod/web', '--scale')).stdout)[0]![0], 'DEPLOYMENT');
});

test('what cannot be an id is told before anybody is asked, and what looks like a query is none', async (t) => {
  const { fail, rig, run, file } = await bench(t);
  await run('app', 'apply', file('web.json', WEB));
  rig.advance(MINUTE);
  for (const command of [
    ['app', 'show', ''],
    ['app', 'show', '/'],
    ['app', 'show', '/prod/*'],
    ['app', 'show', '/prod/web/tasks'],
    ['app', 'why', 'a b'],
    ['group', 'show', 'a b'],
    ['group', 'delete', '/prod?force=true'],
    ['pod', 'show', '/prod::status'],
  ]) {
    const id = command.at(-1)!;
    assert.ok((await fail(...command)).startsWith(`meseta: '${id}' is no id: write one as /shop/front`), id);
  }
  assert.equal(rig.running('/prod/web').length, 2);
});

test('groups are applied, tried and deleted', async (t) => {
  const { run, rig, file, fail } = await bench(t);
  const tree = file('tree.yaml', 'id: /prod\ngroups:\n  - id: front\n    apps:\n      - {id: web, cmd: sleep 1}\n');
  assert.deepEqual(cells((await run('group', 'apply', tree, '--dry-run')).stdout), [
    ['STEP', 'ACTIONS'],
    ['1', 'StartApplication /prod/front/web'],
    ['2', 'ScaleApplication /prod/front/web'],
  ]);
  assert.match(await fail('group', 'show', '/prod'), /Group '\/prod' does not exist/);
  await run('group', 'apply', tree);
  rig.advance(MINUTE);
  assert.deepEqual(cells((await run('group', 'show')).stdout), [
    ['WHAT', 'ID', 'RUNNING'],
    ['group', '/'],
    ['group', '/prod'],
    ['group', '/prod/front'],
    ['app', '/prod/front/web', '1/1'],
  ]);
  assert.equal(JSON.parse((await run('group', 'show', 'prod', '-o', 'json')).stdout).id, '/prod');
  await run('group', 'delete', '/prod');
  rig.advance(MINUTE);
  assert.match(await fail('group', 'show', '/prod'), /does not exist/);
  const two = file('two.yaml', 'id: /a\n---\nid: /b\n');
  assert.match(await fail('group', 'apply', two), /holds 2 definitions, and a group is one/);
});

test('pods are applied, watched and deleted', async (t) => {
  const { run, file, fail } = await busyBench(t);
  const container = '{name: c, exec: {command: {shell: sleep 1}}, resources: {cpus: 0.1, mem: 32}}';
  const pod = file('pod.yaml', `id: /prod/pod\ncontainers:\n  - ${container}\n`);
  const applied = JSON.parse((await run('pod', 'apply', pod, '-o', 'json')).stdout);
  assert.equal(applied[0].pod, '/prod/pod');
  assert.match(applied[0].deploymentId, /^[-0-9a-f]{36}$/);
  assert.match((await run('pod', 'apply', pod, '--force', '-w')).stdout, /is done\.\n$/);
  assert.deepEqual(cells((await run('pod', 'list')).stdout), [
    ['ID', 'STATUS', 'INSTANCES', 'CONTAINERS'],
    ['/prod/pod', 'STABLE', '1/1', '1'],
  ]);
  assert.match((await run('pod', 'show', 'prod/pod')).stdout, /STABLE +host1 +c TASK_RUNNING/);
  await run('pod', 'delete', '/prod/pod', '-w');
  assert.match(await fail('pod', 'show', '/prod/pod'), /Pod '\/prod\/pod' does not exist/);
  assert.match(await fail('pod', 'apply', file('x.yaml', `containers: [${container}]\n`)), /the pod has no id/);
});

test('deployments are listed, undone and stopped', async (t) => {
  const { run, file, ask, fail } = await bench(t);
  await run('app', 'apply', file('web.json', WEB));
  const [{ id }] = (await ask('GET', '/v2/deployments')).json;
  assert.deepEqual(cells((await run('deployment', 'list')).stdout), [
    ['ID', 'STEP', 'NOW', 'OF'],
    [id, '2/2', 'ScaleApplication /prod/web', '/prod/web'],
  ]);
  const locked = await fail('app', 'scale', '/prod/web', '5');
  assert.match(locked, new RegExp(`by deployment ${id}.*meseta deployment watch ${id}.*--force`));
  assert.deepEqual(JSON.parse((await run('deployment', 'stop', id, '-o', 'json')).stdout), { stopped: id });
  await run('app', 'scale', '/prod/web', '5', '--force');
  const undone = (await ask('GET', '/v2/deployments')).json[0].id;
  assert.equal(cells((await run('deployment', 'rollback', undone)).stdout)[0]![0], 'DEPLOYMENT');
  assert.equal((await ask('GET', '/v2/apps/prod/web')).json.app.instances, 2);
  assert.match(await fail('deployment', 'stop', 'nope'), /DeploymentPlan nope does not exist/);
});

test('what is wrong with a definition is told path by path, and what is wrong with a file by its name', async (t) => {
  const { fail, file } = await bench(t);
  const wrong = await fail('app', 'apply', file('wrong.yaml', 'id: /web\ncpus: many\ninstances: -1\n'));
  assert.match(wrong, /wrong\.yaml: \/cpus: must be a number, not "many"/);
  assert.match(wrong, /wrong\.yaml: \/instances: must be at least 0, not -1/);
  assert.doesNotMatch(wrong, /error\./, 'codes are for programs');
  const typo = await fail('app', 'apply', file('two.yaml', 'id: /a\ncmd: sleep 1\n---\nid: /b\ncomand: sleep 1\n'));
  assert.match(
    typo,
    /two\.yaml, app 2: \/comand is no field that Marathon knows, and is passed over: is 'cmd' meant\?/,
  );
  assert.match(typo, /two\.yaml, app 2: \/: AppDefinition must either contain one of 'cmd' or 'args'/);
  assert.match(await fail('app', 'apply', file('no.yaml', 'id: [')), /no\.yaml is neither JSON nor YAML/);
  assert.match(
    await fail('app', 'apply', file('five.yaml', '5')),
    /five\.yaml holds 5, where a definition was expected/,
  );
  assert.match(await fail('app', 'apply', file('none.yaml', '')), /none\.yaml holds no definition/);
  const bomb = [
    'a: &a [x, x]',
    ...'bcdef'.split('').map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcde'[at]}`)}]`),
  ];
  assert.match(await fail('app', 'apply', file('bomb.yaml', bomb.join('\n'))), /bomb\.yaml cannot be used: .*aliases/);
  const twice = await fail(
    'app',
    'apply',
    file('a.yaml', 'id: /a\ncmd: sleep 1\n'),
    file('b.yaml', 'id: a\ncmd: sleep 2\n'),
  );
  assert.match(twice, /\/a is said twice, by .*a\.yaml and by .*b\.yaml/);
  assert.match(await fail('app', 'apply', '/nowhere.yaml'), /\/nowhere\.yaml cannot be read: there is no such file/);
});

test('names and passwords are sent, also with colons in them', async (t) => {
  const flags = ['--http_credentials=ann:pa:ss'];
  const { run } = await bench(t, { flags }, '--credentials', 'ann:pa:ss');
  assert.deepEqual(JSON.parse((await run('app', 'list', '-o', 'json')).stdout), []);
  const { fail } = await bench(t, { flags });
  assert.match(await fail('app', 'list'), /asks for a name and a password/);
  const nameless = await bench(t, { flags }, '--credentials', 'ann');
  assert.match(await nameless.fail('app', 'list'), /--credentials has to be USER:PASSWORD/);
});

test('a Marathon by HTTPS is asked by its URL; where there is none, that is told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keys'), KEYSTORE);
  const keystore = readKeyStore(join(folder, 'keys'), PASSWORD);
  assert.ok(keystore.ok);
  writeFileSync(join(folder, 'ca.pem'), keystore.value.trusted.join(''));
  const { port } = await serve(t, { keystore: keystore.value });
  const at = ['app', 'list', '-o', 'json', '--marathon'];
  const url = `https://127.0.0.1:${port}`;
  const trusting = await meseta([...at, url, '--cacert', join(folder, 'ca.pem')]);
  assert.deepEqual([trusting.status, trusting.stdout], [0, '[]\n'], trusting.stderr);
  assert.match((await meseta([...at, url])).stderr, /certificate/);
  assert.match(
    (await meseta([...at, url, '--cacert', '/nowhere'])).stderr,
    /--cacert \/nowhere cannot be read \(ENOENT\)/,
  );
  assert.match(
    (await meseta([...at, '127.0.0.1:1'])).stderr,
    /no Marathon answers at 127\.0\.0\.1:1.*--marathon HOST:PORT/,
  );
  const other = createServer((_, response) => response.writeHead(404).end('404 Not Found.')).listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  assert.match(
    (await meseta([...at, `127.0.0.1:${(other.address() as AddressInfo).port}`])).stderr,
    /what answers at 127\.0\.0\.1:\d+ says 404, and not as a Marathon does/,
  );
  assert.match((await meseta([...at, 'ftp://x'])).stderr, /--marathon ftp:\/\/x is no address/);
});

test('the program itself serves HTTPS, and says at its start what is wrong with a key store', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [keys, java, pem] = ['keys.p12', 'keys.jks', 'ca.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(keys, KEYSTORE);
  writeFileSync(java, JAVA_KEYSTORE);
  const read = readKeyStore(keys, PASSWORD);
  assert.ok(read.ok);
  writeFileSync(pem, read.value.trusted.join(''));
  const port = await freePorts(2);
  const flags = [
    '--master=127.0.0.1:1',
    '--internal_store_backend=mem',
    '--disable_http',
    '--hostname=127.0.0.1',
    '--https_address=127.0.0.1',
    `--https_port=${port}`,
    `--ssl_keystore_password=${PASSWORD}`,
  ];
  const refused = await start('bin/marathon', [...flags, `--ssl_keystore_path=${java}`]).ended;
  assert.equal(refused.status, 112);
  assert.match(refused.stderr, /keytool -importkeystore -srckeystore .*keys\.jks/);
  const program = start('bin/marathon', [...flags, `--ssl_keystore_path=${keys}`]);
  try {
    const url = `https://127.0.0.1:${port}`;
    await until('Marathon listens', async () => {
      const listed = await meseta(['app', 'list', '-o', 'json', '--marathon', url, '--cacert', pem]);
      return listed.stdout === '[]\n';
    });
    assert.match(program.stderr(), new RegExp(`Marathon is up at ${url}`));
  } finally {
    program.process.kill('SIGTERM');
  }
  assert.equal((await program.ended).status, 0);
});

test('schemas are printed for editors', async () => {
  for (const what of ['app', 'pod', 'group']) {
    const { status, stdout } = await meseta(['marathon', 'schema', what]);
    assert.deepEqual([status, JSON.parse(stdout).title], [0, `A Marathon ${what}`]);
  }
  const unknown = await meseta(['marathon', 'schema', 'job']);
  assert.deepEqual(
    [unknown.status, unknown.stderr],
    [1, "meseta: there is no schema of 'job', but of app, pod, group\n"],
  );
});
