/** Secrets as files: in memory, for the container's user alone, and for as long as the container lives. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { ContainerInfo } from '../../wire/v1.ts';
import { SecretFiles } from './secret-files.ts';
import { Bench } from './testing.fixture.ts';

const TMPFS = 0x01021994;
const VALUE = 'hunter2-in-a-file';
const noMemory = process.platform === 'linux' ? false : 'only Linux has tmpfs';

/** What the core makes of a volume whose secret came with its value. */
function asked(sandbox: string, path: string) {
  const container: ContainerInfo = {
    type: 'MESOS',
    volumes: [
      {
        mode: 'RO',
        container_path: path,
        source: { type: 'SECRET', secret: { type: 'VALUE', value: { data: Buffer.from(VALUE) } } },
      },
    ],
  };
  const link = path.startsWith('/') ? path : `${sandbox}/${path}`;
  return { container, secretFiles: [{ link, data: Buffer.from(VALUE) }] };
}

const shell = (line: string) => ({ file: 'sh', argv: ['sh', '-c', line] });

test('a task reads its secret from a file in memory, which is gone with the task', { skip: noMemory }, async (t) => {
  const bench = await Bench.open(t);
  bench.launch('one', { ...shell('cat etc/password; sleep 1000'), ...asked(bench.sandbox('one'), 'etc/password') });
  await bench.started('one');
  const link = join(bench.sandbox('one'), 'etc/password');
  const target = realpathSync(link);
  assert.equal(statfsSync(target).type, TMPFS);
  assert.ok(!target.startsWith(bench.folder));
  assert.equal(statSync(target).mode & 0o777, 0o400);
  assert.equal(statSync(dirname(target)).mode & 0o777, 0o700);
  bench.containers.destroy('one');
  await bench.exited('one');
  assert.ok(!existsSync(dirname(target)));
  assert.equal(bench.read('one'), VALUE);
  assert.equal(readlinkSync(link), target, 'only the link is left');
});

test('an agent that comes back keeps the files of what runs, and removes those of what has ended', {
  skip: noMemory,
}, async (t) => {
  const bench = await Bench.open(t);
  for (const id of ['stays', 'ends']) {
    bench.launch(id, { ...shell('read line; cat p'), input: true, ...asked(bench.sandbox(id), 'p') });
    await bench.started(id);
  }
  const [stays, ends] = ['stays', 'ends'].map((id) => dirname(realpathSync(join(bench.sandbox(id), 'p'))));
  bench.containers.close();
  const { pid } = await bench.started('ends');
  process.kill(pid, 'SIGKILL');
  // The next agent may find it dead already, or hear of it a moment later.
  bench.news.length = 0;
  await bench.open();
  await bench.exited('ends');
  assert.ok(!existsSync(ends!));
  assert.ok(existsSync(join(stays!, '0')));
  assert.equal(await bench.containers.write('stays', Buffer.from('go\n')), undefined);
  await bench.exited('stays');
  assert.equal(bench.read('stays'), VALUE);
  assert.ok(!existsSync(stays!));
});

test('what cannot be given as a file fails the task with a sentence that has no value', {
  skip: noMemory,
}, async (t) => {
  const bench = await Bench.open(t);
  const reference = asked('', 'p').container;
  const source = { type: 'SECRET', secret: { type: 'REFERENCE', reference: { name: 'a' } } } as const;
  const cases = {
    absolute: [asked(bench.sandbox('absolute'), '/etc/p'), /must be a path inside the sandbox/],
    outside: [asked(bench.sandbox('outside'), '../p'), /must be a path inside the sandbox/],
    reference: [
      { container: { ...reference, volumes: [{ ...reference.volumes![0]!, source }] }, secretFiles: [] },
      /the volume 'p' has a secret of type REFERENCE, and it must be VALUE/,
    ],
    forgotten: [
      {
        container: {
          ...reference,
          volumes: [{ ...reference.volumes![0]!, source: { type: 'SECRET', secret: { type: 'VALUE' } } }],
        },
        secretFiles: [],
      },
      /The value of the secret for the file 'p' is gone/,
    ],
    executor: [{ container: reference }, /Only tasks of built-in executors are given secrets as files/],
  } as const;
  for (const [id, [more, expected]] of Object.entries(cases)) {
    bench.launch(id, more as object);
    const { message } = await bench.failed(id);
    assert.match(message, expected);
    assert.ok(!message.includes(VALUE));
  }
  assert.ok(!bench.logged.join('').includes(VALUE));
});

test('without a place in memory that is the agent’s own nothing is written', { skip: noMemory }, async (t) => {
  const bench = await Bench.open(t);
  const sandbox = bench.sandbox('x');
  mkdirSync(sandbox, { recursive: true });
  const { secretFiles } = asked(sandbox, 'p');
  const none = new SecretFiles(bench.folder, bench.folder, ['/proc', join(bench.folder, 'missing')]);
  assert.match(
    none.give('x', sandbox, secretFiles, undefined) ?? '',
    /in memory only .* Let --runtime_dir be on a tmpfs/,
  );

  const place = `/dev/shm/meseta-test-${process.pid}`;
  mkdirSync(place);
  t.after(() => rmSync(place, { recursive: true }));
  const files = new SecretFiles(bench.folder, bench.folder, [place]);
  assert.equal(files.give('x', sandbox, secretFiles, undefined), undefined);
  const folder = dirname(dirname(realpathSync(join(sandbox, 'p'))));
  files.keepOnly(new Set());
  assert.ok(!existsSync(folder));
  // Somebody else may have been there first, with a folder that others can write to.
  mkdirSync(folder, { mode: 0o777 });
  chmodSync(folder, 0o777);
  assert.match(files.give('x', sandbox, secretFiles, undefined) ?? '', /is not a folder of the agent's user/);
  assert.ok(lstatSync(join(sandbox, 'p')).isSymbolicLink());
  assert.ok(!existsSync(join(folder, 'x')));
});
