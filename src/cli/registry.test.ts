import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LmdbStore } from '../coordination/store/lmdb.ts';
import { testClient } from '../coordination/zookeeper/client.fixture.ts';
import { TestEnsemble, withoutZooKeeper } from '../coordination/zookeeper/server.fixture.ts';
import { encodeEntity } from '../master/core/registry-entities.ts';
import { exportRegistry, importRegistry } from './registry.ts';

const root = mkdtempSync(join(tmpdir(), 'registry-'));
after(() => rmSync(root, { recursive: true, force: true }));

async function filled(name: string): Promise<string> {
  const folder = join(root, name);
  const store = LmdbStore.open(folder);
  assert.ok(store.ok);
  await store.value.load();
  await store.value.apply([
    { key: 'meta/format', value: Buffer.from('1') },
    { key: 'weights/a/b', value: encodeEntity('weights', { info: { role: 'a/b', weight: 2 } }) },
  ]);
  await store.value.close();
  return `lmdb:${folder}`;
}

async function contents(place: string): Promise<string[]> {
  const store = LmdbStore.open(place.slice('lmdb:'.length));
  assert.ok(store.ok);
  const read = await store.value.read();
  await store.value.close();
  return read.ok ? [...read.value].map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`) : [];
}

test('a registry is moved as a file, and not over another one unless it is forced', async () => {
  const from = await filled('from');
  const into = `lmdb:${join(root, 'into')}`;
  const file = join(root, 'backup.json');
  await exportRegistry(from, { file });
  await importRegistry(into, { file });
  assert.deepEqual(await contents(into), await contents(from));
  await assert.rejects(importRegistry(into, { file }), /holds 2 entities already.*--force/);
  const other = await filled('other');
  await importRegistry(other, { file, force: true });
  assert.deepEqual(await contents(other), await contents(from));
});

test('a file that was damaged, is of a later version or is something else is refused', async () => {
  const from = await filled('good');
  const file = join(root, 'good.json');
  await exportRegistry(from, { file });
  const good = readFileSync(file, 'utf8');
  const sealed = (entities: Readonly<Record<string, unknown>>): string => {
    const hash = createHash('sha256');
    for (const key of Object.keys(entities).sort()) hash.update(`${key}\n${entities[key]}\n`);
    return JSON.stringify({ format: 'meseta-registry', version: 1, entities, sha256: hash.digest('hex') });
  };
  const [format, later] = ['1', '2'].map((text) => Buffer.from(text).toString('base64'));
  for (const [text, complaint] of [
    [good.replace('"weights/a/b"', '"weights/a/c"'), /good.json: the checksum does not fit/],
    [good.replace('"MQ=="', '"Mg=="'), /checksum does not fit/],
    [good.slice(0, -20), /this is no JSON/],
    [
      sealed({ 'meta/format': later }),
      /has format 2, and this program knows only format 1: run the version that wrote/,
    ],
    [sealed({ 'meta/format': format, 'agents/x': 'AP8B' }), /'agents\/x' cannot be read/],
    [sealed({ 'meta/format': format, 'pets/x': 'AA==' }), /'pets\/x', which is nothing that this program knows/],
    [sealed({ 'weights/x': 'AA==' }), /has no 'meta\/format'/],
    [sealed({ 'meta/format': 1 }), /'entities' is no object of texts/],
    ['null', /not written by 'meseta registry export'/],
    [good.replace('"version": 1', '"version": 2'), /version 2 was written by a later Meseta/],
    ['{}', /not written by 'meseta registry export'/],
    ['nonsense', /this is no JSON/],
  ] as const) {
    writeFileSync(file, text);
    await assert.rejects(importRegistry(`lmdb:${join(root, 'untouched')}`, { file }), complaint);
  }
  assert.ok(!existsSync(join(root, 'untouched')));
  await assert.rejects(exportRegistry('somewhere', { file }), /'somewhere' is no place of a registry: write lmdb:/);
});

test('a place without a registry is named, and not made', async () => {
  const nowhere = join(root, 'nowhere');
  const file = join(root, 'unwritten.json');
  await assert.rejects(
    exportRegistry(`lmdb:${nowhere}`, { file }),
    /there is no registry in .*nowhere: write lmdb:FOLDER/,
  );
  assert.ok(!existsSync(nowhere));
  assert.ok(!existsSync(file));
  await assert.rejects(importRegistry(`lmdb:${nowhere}`, { file }), /unwritten.json cannot be read: ENOENT/);
  await assert.rejects(exportRegistry('zk://user:secret@host/mesos', { file }), (error: Error) => {
    assert.match(error.message, /'host' is not a server/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test('a backup that cannot be written leaves the one of before', async () => {
  const from = await filled('kept');
  const file = join(root, 'kept.json');
  writeFileSync(file, 'the backup of before');
  mkdirSync(`${file}.new`);
  await assert.rejects(
    exportRegistry(from, { file }),
    /kept.json cannot be written: .*was there before is still there/,
  );
  assert.equal(readFileSync(file, 'utf8'), 'the backup of before');
});

test('a registry that is damaged is said to be, and the backup takes its place', async () => {
  const from = await filled('sound');
  const file = join(root, 'sound.json');
  await exportRegistry(from, { file });
  const folder = join(root, 'damaged');
  await filled('damaged');
  writeFileSync(join(folder, 'data.mdb'), Buffer.alloc(20_000, 'damaged '));
  const complaint = /the store in .*damaged cannot be used: .*data\.mdb is damaged, move .*'meseta registry import/;
  await assert.rejects(exportRegistry(`lmdb:${folder}`, { file: join(root, 'not.json') }), complaint);
  await assert.rejects(importRegistry(`lmdb:${folder}`, { file, force: true }), complaint);
  rmSync(folder, { recursive: true });
  await importRegistry(`lmdb:${folder}`, { file });
  assert.deepEqual(await contents(`lmdb:${folder}`), await contents(from));
});

test('a place may be named in a file, as the --zk of masters: a password does not belong on a command line', async () => {
  const meseta = fileURLToPath(new URL('main.ts', import.meta.url));
  const run = (...words: string[]): [number | null, string] => {
    const { status, stderr } = spawnSync(process.execPath, [meseta, ...words], { encoding: 'utf8' });
    return [status, stderr];
  };
  const place = join(root, 'place');
  writeFileSync(place, `${await filled('named')}\n`);
  const backup = join(root, 'named.json');
  assert.deepEqual(run('registry', 'export', `file://${place}`, backup), [
    0,
    `Exported 2 entities from LMDB in ${root}/named.\n`,
  ]);
  writeFileSync(place, 'zk://mesos:secret@127.0.0.1:99999/mesos');
  for (const words of [
    ['registry', 'import', `file://${place}`, backup],
    ['agents', '--master', `file://${place}`],
  ]) {
    const [status, said] = run(...words);
    assert.equal(status, 1);
    assert.match(said, /^meseta: (--master: )?'zk:\/\/\*\*\*@127.0.0.1:99999\/mesos' is no ZooKeeper address/);
  }
  assert.match(
    run('agents', '--master', `file://${place}.not`)[1],
    /cannot read the file '.*place\.not': no such file/,
  );
  writeFileSync(place, '');
  assert.match(run('registry', 'export', `file://${place}`)[1], /the file '.*place' is empty/);
});

test('a registry moves from LMDB to ZooKeeper and back', { skip: withoutZooKeeper }, async () => {
  const ensemble = await TestEnsemble.start();
  try {
    const from = await filled('moving');
    const file = join(root, 'moving.json');
    const zk = `zk://${ensemble.addresses}/mesos`;
    await exportRegistry(from, { file });
    await importRegistry(zk, { file });
    const back = join(root, 'back.json');
    await exportRegistry(zk, { file: back });
    assert.equal(readFileSync(back, 'utf8'), readFileSync(file, 'utf8'));
  } finally {
    await ensemble.stop();
  }
});

test('what others keep in ZooKeeper is left alone, also by force', { skip: withoutZooKeeper }, async () => {
  const ensemble = await TestEnsemble.start();
  const { client } = testClient(ensemble.servers);
  try {
    const from = await filled('theirs');
    const file = join(root, 'theirs.json');
    await exportRegistry(from, { file });
    await client.mkdirp('/app/registry/users');
    const zk = `zk://${ensemble.addresses}/app`;
    const complaint = /ZooKeeper at \/app\/registry belongs to others: 'users' is there.*take another path/;
    await assert.rejects(importRegistry(zk, { file, force: true }), complaint);
    await assert.rejects(exportRegistry(zk, { file: join(root, 'not.json') }), complaint);
    assert.deepEqual(await client.getChildren('/app/registry'), ['users']);
    await assert.rejects(exportRegistry(`${zk}/empty`, { file: join(root, 'not.json') }), /holds no registry/);
    await ensemble.kill(0);
    const hurried = { file: join(root, 'not.json'), answerWithin: 300 };
    await assert.rejects(exportRegistry(zk, hurried), /does not answer within 0.3 s/);
  } finally {
    client.close();
    await ensemble.stop();
  }
});
