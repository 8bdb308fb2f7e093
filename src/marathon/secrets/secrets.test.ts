import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeKey, putSecret } from '../../cli/marathon/secrets.ts';
import { Rig } from '../core/rig.fixture.ts';
import { queueView } from '../views/queue.ts';
import { whyView } from '../views/why.ts';
import { SecretFile, secretProblem } from './file-store.ts';
import { withSecrets } from './give.ts';

const root = mkdtempSync(join(tmpdir(), 'marathon-secrets-'));
after(() => rmSync(root, { recursive: true, force: true }));

const VALUE = 'hunter2-öffne-dich';

function keyFile(name: string, text: string): string {
  const file = join(root, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function opened(file: string, key: string): SecretFile {
  const store = SecretFile.open(file, key);
  assert.ok(store.ok, store.ok ? '' : store.error);
  return store.value;
}

function contents(store: SecretFile): Readonly<Record<string, string>> {
  const read = store.read();
  assert.ok(read.ok, read.ok ? '' : read.error);
  return Object.fromEntries([...read.value].map(([name, value]) => [name, Buffer.from(value).toString()]));
}

for (const [what, text] of [
  ['a key', 'ab'.repeat(32)],
  ['a passphrase', 'correct horse battery staple\n'],
] as const) {
  test(`with ${what}, secrets are kept in a file that says nothing of them`, () => {
    const file = join(root, `secrets of ${what}`);
    const key = keyFile(`key of ${what}`, text);
    const store = opened(file, key);
    assert.deepEqual(contents(store), {}, 'a file that is not there holds none');
    for (const [name, value] of [
      ['db/password', VALUE],
      ['token', 't'],
      ['db/password', `${VALUE}2`],
    ] as const) {
      assert.ok(store.change(name, Buffer.from(value)).ok);
    }
    assert.deepEqual(contents(opened(file, key)), { 'db/password': `${VALUE}2`, token: 't' });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const stored = readFileSync(file, 'latin1');
    for (const word of ['hunter2', 'password', 'token', Buffer.from(VALUE).toString('base64').slice(0, 8)]) {
      assert.ok(!stored.includes(word), `'${word}' can be read`);
    }
    assert.ok(opened(file, key).change('token', undefined).ok);
    assert.deepEqual(Object.keys(contents(store)), ['db/password'], 'what another process changed is seen');
    const other = opened(file, keyFile(`other of ${what}`, 'cd'.repeat(32))).read();
    assert.match(other.ok ? '' : other.error, /made with another k/);
  });
}

test('each byte of the file is guarded: whatever was changed, it is refused and nothing is overwritten', () => {
  const file = join(root, 'guarded');
  const key = keyFile('guarding', 'ef'.repeat(32));
  assert.ok(opened(file, key).change('a', Buffer.from(VALUE)).ok);
  const good = readFileSync(file);
  for (let at = 0; at < good.length - 1; at++) {
    const bad = Buffer.from(good);
    bad[at] = bad[at] === 0x41 ? 0x42 : 0x41;
    writeFileSync(file, bad);
    const store = opened(file, key);
    const read = store.read();
    // A name that is not looked at, or base64 that means the same, may differ.
    if (read.ok) {
      assert.deepEqual(contents(store), { a: VALUE });
      continue;
    }
    assert.match(read.error, /guarded cannot be used: it (is no file of secrets|was made with another|has version)/);
    assert.ok(!read.error.includes('hunter2'));
    assert.ok(!store.change('b', Buffer.from('x')).ok);
    assert.deepEqual(readFileSync(file), bad, 'it stays for whoever can repair it');
  }
  for (const text of [
    '',
    'null',
    '{}',
    '[]',
    '{"format":"meseta-secrets","version":2}',
    '{"format":"meseta-secrets","version":1,"scrypt":{"N":1073741824,"r":8,"p":1,"salt":""},"nonce":"","data":""}',
  ]) {
    writeFileSync(file, text);
    const read = opened(file, key).read();
    assert.match(read.ok ? '' : read.error, /guarded cannot be used/, text);
  }
});

test('a key that others can read, that is short or missing is refused with what to do', () => {
  const file = join(root, 'unused');
  const open = keyFile('open', 'ab'.repeat(32));
  chmodSync(open, 0o640);
  for (const [key, complaint] of [
    [open, /others than its owner can use it: chmod 600/],
    [keyFile('short', 'short'), /must hold a key of 64 hexadecimal digits, or a passphrase of 12/],
    [join(root, 'missing'), /cannot be read \(ENOENT\): make a key with 'meseta marathon secret key/],
  ] as const) {
    const store = SecretFile.open(file, key);
    assert.match(store.ok ? '' : store.error, complaint);
  }
});

test('a change that is under way is not undone by another one, and one that was cut short is named', () => {
  const file = join(root, 'busy');
  const key = keyFile('busy key', 'ab'.repeat(32));
  assert.ok(opened(file, key).change('a', Buffer.from('1')).ok);
  writeFileSync(`${file}.new`, 'half');
  const refused = opened(file, key).change('b', Buffer.from('2'));
  assert.match(refused.ok ? '' : refused.error, /somebody else is changing .*busy; if nobody is, remove .*busy.new/);
  assert.deepEqual(contents(opened(file, key)), { a: '1' });
  rmSync(`${file}.new`);
  assert.ok(opened(file, key).change('b', Buffer.from('2')).ok);
  assert.deepEqual(
    readdirSync(root).filter((name) => name.endsWith('.new')),
    [],
  );
});

test('names and values that could not be given to a task are refused', async () => {
  for (const name of ['', '/a', 'a/', 'a//b', 'a b', 'ä', 'x'.repeat(300)])
    assert.match(secretProblem(name) ?? '', /no name of a secret/);
  for (const name of ['a', 'databases/orders/pass-word_1.x']) assert.equal(secretProblem(name), undefined);
  assert.match(secretProblem('a', Buffer.alloc(0)) ?? '', /nothing on standard input/);
  assert.match(secretProblem('a', Buffer.from('a\0b')) ?? '', /null byte/);
  assert.match(secretProblem('a', Buffer.from([0xff])) ?? '', /no text in UTF-8/);
  assert.match(secretProblem('a', Buffer.alloc(200_000, 'x')) ?? '', /has 200000 bytes/);
  const keyPath = join(root, 'made.key');
  await makeKey(keyPath);
  assert.equal(statSync(keyPath).mode & 0o777, 0o600);
  await assert.rejects(makeKey(keyPath), /is there already/);
  const input = join(root, 'value');
  writeFileSync(input, 'a value\n');
  const options = { file: join(root, 'put'), keyFile: keyPath };
  await putSecret('plain', options, input);
  await putSecret('exact', { ...options, exact: true }, input);
  assert.deepEqual(contents(opened(options.file, keyPath)), { plain: 'a value', exact: 'a value\n' });
  assert.ok(!existsSync(`${options.file}.new`));
});

const APP = {
  id: '/web',
  cmd: 'sleep 1',
  cpus: 0.1,
  env: { PASSWORD: { secret: 'pw' }, PLAIN: 'x' },
  secrets: { pw: { source: 'db/password' } },
};

function rigWithSecrets(): Rig {
  const features = new Set(['secrets']);
  const { definitions } = new Rig().options;
  const rig = new Rig({
    features,
    definitions: { ...definitions, features, builtInSecrets: true },
    minReviveOffersInterval: 0,
  });
  rig.addAgent('h');
  return rig;
}

test('an app waits for a secret that is not there and says so everywhere; once it is there, the app runs', () => {
  const rig = rigWithSecrets();
  rig.step({ kind: 'secrets', names: new Set(['other']) });
  assert.ok(rig.change({ kind: 'createApp', document: APP }).ok);
  rig.advance(10_000);
  assert.equal(rig.running('/web').length, 0);
  const { state } = rig.core;
  const sentence =
    /The secret 'db\/password', for the variable PASSWORD, is not in the store of secrets: put it there with 'meseta marathon secret put db\/password'/;
  const record = state.specs.get('/web')!;
  assert.match(record.lastFailure?.message ?? '', sentence);
  assert.match(JSON.stringify(whyView(state, state.current.get('/web')!, 0)), sentence);
  assert.match(JSON.stringify(queueView(state, 0, true)), sentence);
  const failures = [...rig.stored.keys()].filter((key) => key.startsWith('failure/')).length;
  assert.equal(failures, 1);
  rig.step({ kind: 'secrets', names: new Set(['db/password']) });
  rig.advance(10_000);
  assert.equal(rig.running('/web').length, 1);
  assert.deepEqual(state.deployments.size, 0);
});

test('an app waits for the secret of a file too', () => {
  const rig = rigWithSecrets();
  rig.step({ kind: 'secrets', names: new Set(['other']) });
  const volumes = [{ containerPath: 'etc/password', secret: 'pw' }];
  rig.change({ kind: 'createApp', document: { ...APP, env: {}, container: { type: 'MESOS', volumes } } });
  rig.change({
    kind: 'createPod',
    document: {
      id: '/pod',
      secrets: { pw: { source: 'pods/password' } },
      volumes: [{ name: 'v', secret: 'pw' }],
      containers: [
        {
          name: 'c',
          resources: { cpus: 0.1, mem: 32 },
          exec: { command: { shell: 'sleep 1' } },
          volumeMounts: [{ name: 'v', mountPath: 'password' }],
        },
      ],
    },
  });
  rig.advance(10_000);
  const why = (id: string) => rig.core.state.specs.get(id)?.lastFailure?.message ?? '';
  assert.match(why('/web'), /'db\/password', for the file etc\/password, is not in the store/);
  assert.match(why('/pod'), /'pods\/password', for the volume v, is not in the store/);
});

test('values are put into calls in the last moment: the core, its events, its store and its log have none', () => {
  const rig = rigWithSecrets();
  rig.step({ kind: 'secrets', names: new Set(['db/password']) });
  const container = { type: 'MESOS', volumes: [{ containerPath: 'etc/password', secret: 'pw' }] };
  rig.change({ kind: 'createApp', document: { ...APP, container } });
  rig.change({
    kind: 'createPod',
    document: {
      id: '/pod',
      environment: { PASSWORD: { secret: 'pw' } },
      secrets: { pw: { source: 'db/password' } },
      volumes: [{ name: 'v', secret: 'pw' }],
      containers: [
        {
          name: 'c',
          volumeMounts: [{ name: 'v', mountPath: 'password' }],
          resources: { cpus: 0.1, mem: 32 },
          exec: { command: { shell: 'sleep 1' } },
        },
      ],
    },
  });
  rig.advance(10_000);
  const accepted = rig.calls.filter(({ type }) => type === 'ACCEPT');
  const lookUp = (name: string) => (name === 'db/password' ? Buffer.from(VALUE) : undefined);
  const variables = accepted.flatMap((call) =>
    (withSecrets(call, lookUp).accept?.operations ?? []).flatMap(({ launch, launch_group: group }) =>
      [...(launch?.task_infos ?? []), ...(group?.task_group.tasks ?? [])].flatMap(
        ({ command }) => command?.environment?.variables ?? [],
      ),
    ),
  );
  const volumes = accepted.flatMap((call) =>
    (withSecrets(call, lookUp).accept?.operations ?? []).flatMap(({ launch, launch_group: group }) =>
      [...(launch?.task_infos ?? []), ...(group?.task_group.tasks ?? [])].flatMap(
        ({ container }) => container?.volumes ?? [],
      ),
    ),
  );
  const source = { type: 'SECRET', secret: { type: 'VALUE', value: { data: Buffer.from(VALUE) } } };
  assert.deepEqual(volumes, [
    { mode: 'RO', container_path: 'etc/password', source },
    { mode: 'RO', container_path: 'password', source },
  ]);
  const given = variables.filter(({ name }) => name === 'PASSWORD');
  assert.deepEqual(
    given,
    Array.from({ length: 2 }, () => ({
      name: 'PASSWORD',
      type: 'SECRET',
      secret: { type: 'VALUE', value: { data: Buffer.from(VALUE) } },
    })),
  );
  assert.ok(variables.some(({ name, value }) => name === 'PLAIN' && value === 'x'));
  const unknown = withSecrets(accepted[0]!, () => undefined);
  assert.deepEqual(unknown, accepted[0], 'what is not there stays a reference');
  const all = JSON.stringify([rig.calls, rig.published, rig.log, [...rig.stored]]);
  assert.ok(!all.includes('hunter2') && !all.includes(Buffer.from(VALUE).toString('base64')));
});

test('passwords of registries and executors of their own are given no secrets, and paths of files have to be in sandboxes: 422, with the path', () => {
  const rig = rigWithSecrets();
  const mesos = { type: 'MESOS' };
  const files = (containerPath: string, secret = 'pw', container: object = mesos) => ({
    container: { ...container, volumes: [{ containerPath, secret }] },
  });
  for (const [more, path] of [
    [files('/x'), '/container/volumes(0)/containerPath'],
    [files('a/../../x'), '/container/volumes(0)/containerPath'],
    [files('x/'), '/container/volumes(0)/containerPath'],
    [files('x', 'gone'), '/container/volumes(0)'],
    [files('x', 'pw', { type: 'DOCKER', docker: { image: 'i' } }), '/container/volumes(0)'],
    [{ ...files('x'), env: {}, executor: '/my/executor' }, '/container/volumes(0)/secret'],
    [{ container: { ...mesos, docker: { image: 'i', pullConfig: { secret: 'pw' } } } }, '/container/docker/pullConfig'],
    [{ executor: '/my/executor' }, '/env/PASSWORD/secret'],
  ] as const) {
    const outcome = rig.change({ kind: 'createApp', document: { ...APP, ...more } });
    assert.ok(!outcome.ok && outcome.refusal.kind === 'invalid', JSON.stringify(outcome));
    assert.ok(
      outcome.refusal.problems.some(
        (problem) =>
          problem.path === path &&
          /secrets gives|masters would show|must be a path inside|must name a file|not in secrets|type DOCKER/.test(
            problem.error,
          ),
      ),
      JSON.stringify(outcome),
    );
  }
  const without = new Rig().change({ kind: 'createApp', document: APP });
  assert.match(
    JSON.stringify(without),
    /Enable with --enable_features secrets, and name a key with --secrets_key_file/,
  );
});
