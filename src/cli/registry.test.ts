import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LmdbStore } from '../coordination/store/lmdb.ts';
import { TestEnsemble, withoutZooKeeper } from '../coordination/zookeeper/server.fixture.ts';
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
    { key: 'agents/a/b', value: Buffer.from([0, 255, 1]) },
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
  for (const [text, complaint] of [
    [good.replace('AP8B', 'AP8C'), /checksum does not fit/],
    [good.replace('"version": 1', '"version": 2'), /version 2 was written by a later Meseta/],
    ['{}', /not written by 'meseta registry export'/],
    ['nonsense', /this is no JSON/],
  ] as const) {
    writeFileSync(file, text);
    await assert.rejects(importRegistry(`lmdb:${join(root, 'untouched')}`, { file }), complaint);
  }
  await assert.rejects(exportRegistry('somewhere', { file }), /'somewhere' is no place of a registry: write lmdb:/);
});

test('there is no backup of a place without a registry, and none is made there', {
  skip: withoutZooKeeper,
}, async () => {
  const folder = join(root, 'nothing');
  const file = join(root, 'nothing.json');
  await assert.rejects(exportRegistry(`lmdb:${folder}`, { file }), /there is no registry in .*nothing: write lmdb:/);
  assert.equal(existsSync(folder), false);
  const ensemble = await TestEnsemble.start();
  try {
    const place = `zk://${ensemble.addresses}/nothing`;
    await assert.rejects(exportRegistry(place, { file }), /nothing\/registry holds no registry: write/);
  } finally {
    await ensemble.stop();
  }
  assert.equal(existsSync(file), false);
});

test('an ensemble that is down is named', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const exported = assert.rejects(
    exportRegistry('zk://127.0.0.1:1,127.0.0.1:2/mesos', {}),
    /no ZooKeeper answers at 127.0.0.1:1, 127.0.0.1:2 within 10 s/,
  );
  const impatience = setInterval(() => t.mock.timers.tick(100), 1);
  await exported;
  clearInterval(impatience);
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
