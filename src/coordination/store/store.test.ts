import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { testClient } from '../zookeeper/client.fixture.ts';
import type { ZooKeeper } from '../zookeeper/client.ts';
import { OPEN_ACL } from '../zookeeper/core/protocol.ts';
import { TestEnsemble, withoutZooKeeper } from '../zookeeper/server.fixture.ts';
import { storeSuite } from './contract.fixture.ts';
import { LmdbStore } from './lmdb.ts';
import { MemoryStore } from './memory.ts';
import { ZooKeeperStore } from './zookeeper.ts';

describe('the store in memory', () => {
  const places = new Map<string, Map<string, Uint8Array>>();
  storeSuite(async (place) => {
    const values = places.get(place) ?? new Map<string, Uint8Array>();
    places.set(place, values);
    return new MemoryStore(values);
  }, false);
});

describe('the store in LMDB', () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  storeSuite(async (place) => {
    const store = LmdbStore.open(join(folder, place));
    assert.ok(store.ok, store.ok ? '' : store.error.message);
    return store.value;
  }, true);

  it('names a place that cannot be used', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const store = LmdbStore.open(join(file, 'registry'));
    assert.ok(!store.ok);
    assert.match(store.error.message, /file\/registry cannot be opened: .*look at the disk/);
  });
});

describe('the store in ZooKeeper', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  const clients: ZooKeeper[] = [];
  before(async () => {
    ensemble = await TestEnsemble.start();
  });
  after(async () => {
    for (const client of clients) client.close();
    await ensemble.stop();
  });
  const open = async (place: string): Promise<ZooKeeperStore> => {
    const { client } = testClient(ensemble.servers, 20_000);
    clients.push(client);
    return new ZooKeeperStore({ client, path: `/mesos/${place}`, acl: OPEN_ACL });
  };
  storeSuite(open, true);

  it('goes on after the server was restarted in the middle of writing, and has everything once', async () => {
    const store = await open('restarted');
    await store.load();
    const calls: Promise<{ readonly ok: boolean }>[] = [];
    for (let i = 0; i < 200; i++) {
      calls.push(store.apply([{ key: `a/${i}`, value: Buffer.from(String(i)) }]));
      if (i === 100) {
        await ensemble.kill(0);
        await ensemble.startMember(0);
      }
    }
    assert.ok((await Promise.all(calls)).every(({ ok }) => ok));
    const again = await open('restarted');
    const loaded = await again.load();
    assert.equal(loaded.ok && loaded.value.size, 200);
  });

  it('refuses a value that no node can hold', async () => {
    const store = await open('large');
    await store.load();
    const outcome = await store.apply([{ key: 'a/large', value: Buffer.alloc(950_000) }]);
    assert.ok(!outcome.ok && outcome.error.kind === 'refused');
    assert.match(outcome.error.message, /a\/large.*950000 bytes/);
  });

  it('says what to do where the path belongs to others', async () => {
    const owner = testClient(ensemble.servers, 4_000, 'alice:secret');
    clients.push(owner.client);
    await owner.client.create('/private', undefined, { acl: [{ permissions: 31, scheme: 'auth', id: '' }] });
    const { client } = testClient(ensemble.servers);
    clients.push(client);
    const loaded = await new ZooKeeperStore({ client, path: '/private', acl: OPEN_ACL }).load();
    assert.ok(!loaded.ok);
    assert.match(loaded.error.message, /\/private belongs to others/);
  });
});
