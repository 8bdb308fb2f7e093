import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LmdbStore } from '../../coordination/store/lmdb.ts';
import { TestEnsemble, withoutZooKeeper } from '../../coordination/zookeeper/server.fixture.ts';
import { Rig } from '../../marathon/core/rig.fixture.ts';
import { encodeValue } from '../../marathon/store.ts';
import { backupState, restoreBackup } from './backup.ts';

const root = mkdtempSync(join(tmpdir(), 'marathon-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What a Marathon leaves behind that runs one app. */
function records(): Map<string, Uint8Array> {
  const rig = new Rig();
  rig.addAgent('h');
  rig.change({ kind: 'createApp', document: { id: '/prod/web', cmd: 'sleep 1', instances: 2 } });
  rig.advance(1_000);
  const values = new Map([...rig.stored].map(([key, text]) => [key, encodeValue(JSON.parse(text))]));
  return values.set('meta/format', encodeValue({ version: 1 }));
}

async function filled(name: string, values = records()): Promise<string> {
  const folder = join(root, name);
  const store = LmdbStore.open(folder);
  assert.ok(store.ok);
  await store.value.load();
  await store.value.apply([...values].map(([key, value]) => ({ key, value })));
  await store.value.close();
  return `lmdb:${folder}`;
}

async function contents(place: string): Promise<readonly string[]> {
  const store = LmdbStore.open(place.slice('lmdb:'.length));
  assert.ok(store.ok);
  const read = await store.value.read();
  await store.value.close();
  return read.ok ? [...read.value].map(([key, value]) => `${key}=${Buffer.from(value)}`).sort() : [];
}

test('a state moves as a file, and not over another one unless it is forced', async () => {
  const from = await filled('from');
  const into = `lmdb:${join(root, 'into')}`;
  const file = join(root, 'backup.json');
  assert.equal(await backupState(from, { file }), 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(await restoreBackup(into, { file }), 0);
  assert.deepEqual(await contents(into), await contents(from));
  await assert.rejects(restoreBackup(into, { file }), /holds \d+ records already: stop its Marathons, and add --force/);
  const other = await filled('other', new Map([['meta/format', encodeValue({ version: 1 })]]));
  assert.equal(await restoreBackup(other, { file, force: true }), 0);
  assert.deepEqual(await contents(other), await contents(from));
});

test('whoever still writes to a store that is restored writes nothing more, and is told why', async () => {
  const file = join(root, 'restored.json');
  await backupState(await filled('good before'), { file });
  const place = await filled('in use');
  const running = LmdbStore.open(place.slice('lmdb:'.length));
  assert.ok(running.ok);
  await running.value.load();
  assert.equal(await restoreBackup(place, { file, force: true }), 0);
  const late = await running.value.apply([{ key: 'spec//late', value: encodeValue({ version: 1 }) }]);
  assert.ok(!late.ok);
  assert.equal(late.error.kind, 'fenced');
  assert.match(late.error.message, /was taken over by another program.*only one can use it/);
  await running.value.close();
  assert.ok(!(await contents(place)).some((record) => record.includes('late')));
});

test('a file that is damaged, of a later version, no whole state or something else is refused, and nothing is made', async () => {
  const from = await filled('good');
  const file = join(root, 'good.json');
  await backupState(from, { file });
  const good = readFileSync(file, 'utf8');
  const sealed = (change: (values: Map<string, unknown>) => void): string => {
    const values = new Map<string, unknown>(
      [...records()].map(([key, bytes]) => [key, JSON.parse(`${Buffer.from(bytes)}`)]),
    );
    change(values);
    const entities = Object.fromEntries(
      [...values].map(([key, value]) => [key, Buffer.from(JSON.stringify(value)).toString('base64')]),
    );
    const hash = createHash('sha256');
    for (const key of Object.keys(entities).sort()) hash.update(`${key}\n${entities[key]}\n`);
    return JSON.stringify({ format: 'meseta-marathon', version: 1, entities, sha256: hash.digest('hex') });
  };
  for (const [text, complaint] of [
    [good.replace('"meta/format"', '"meta/farmat"'), /good.json: the checksum does not fit/],
    [good.slice(0, -20), /this is no JSON/],
    [good.replace('"version": 1', '"version": 2'), /version 2 was written by a later Meseta/],
    [good.replace('meseta-marathon', 'meseta-registry'), /not written by 'meseta marathon backup'/],
    ['{}', /not written by 'meseta marathon backup'/],
    [sealed((values) => values.delete('meta/format')), /has no 'meta\/format', so that it is no state of a Marathon/],
    [
      sealed((values) => values.set('meta/format', { version: 2 })),
      /has format 2, and this Marathon reads formats up to 1/,
    ],
    [sealed((values) => values.set('pets/x', {})), /there is 'pets\/x', which is nothing that this Marathon knows/],
    [
      sealed((values) => values.set('spec//gone', { id: '/gone', version: 5 })),
      /spec\/\/gone has version 5, of which there is no definition/,
    ],
  ] as const) {
    writeFileSync(file, text);
    await assert.rejects(restoreBackup(`lmdb:${join(root, 'untouched')}`, { file }), complaint);
  }
  assert.ok(!existsSync(join(root, 'untouched')));
});

test('a place without a state is named, and not made; a backup that cannot be written leaves the one of before', async () => {
  const nowhere = join(root, 'nowhere');
  const file = join(root, 'kept.json');
  await assert.rejects(
    backupState(`lmdb:${nowhere}`, { file }),
    /no state of a Marathon in .*nowhere: write lmdb:FOLDER/,
  );
  await assert.rejects(backupState('somewhere', { file }), /'somewhere' is no place of a state of a Marathon/);
  assert.ok(!existsSync(nowhere));
  writeFileSync(file, 'the backup of before');
  mkdirSync(`${file}.new`);
  await assert.rejects(backupState(await filled('kept'), { file }), /kept.json cannot be written/);
  assert.equal(readFileSync(file, 'utf8'), 'the backup of before');
});

test('of a damaged database it is said what to do, and the backup takes its place', async () => {
  const from = await filled('sound');
  const file = join(root, 'sound.json');
  await backupState(from, { file });
  await filled('damaged');
  const folder = join(root, 'damaged');
  writeFileSync(join(folder, 'data.mdb'), Buffer.alloc(20_000, 'damaged '));
  const complaint = /data\.mdb is damaged, move .*'meseta marathon restore lmdb:.*without one, begin anew/;
  await assert.rejects(backupState(`lmdb:${folder}`, { file: join(root, 'not.json') }), complaint);
  await assert.rejects(restoreBackup(`lmdb:${folder}`, { file, force: true }), complaint);
  rmSync(folder, { recursive: true });
  await restoreBackup(`lmdb:${folder}`, { file });
  assert.deepEqual(await contents(`lmdb:${folder}`), await contents(from));
});

test('a state moves from LMDB to ZooKeeper and back', { skip: withoutZooKeeper }, async () => {
  const ensemble = await TestEnsemble.start();
  try {
    const file = join(root, 'moving.json');
    const back = join(root, 'back.json');
    const zk = `zk://${ensemble.addresses}/marathon`;
    await backupState(await filled('moving'), { file });
    await restoreBackup(zk, { file });
    await assert.rejects(restoreBackup(zk, { file }), /records already/);
    await backupState(zk, { file: back });
    assert.equal(readFileSync(back, 'utf8'), readFileSync(file, 'utf8'));
  } finally {
    await ensemble.stop();
  }
});
