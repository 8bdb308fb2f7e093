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

  const put = async (store: ZooKeeperStore, key: string, text: string | undefined): Promise<void> => {
    const outcome = await store.apply([{ key, value: text === undefined ? undefined : Buffer.from(text) }]);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.error.message);
  };
  const readAhead = async (store: ZooKeeperStore) => {
    const read = await store.readAhead();
    assert.ok(read.ok, read.ok ? '' : read.error.message);
    return read.value;
  };
  const load = async (store: ZooKeeperStore) => {
    const loaded = await store.load();
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.message);
    return loaded.value;
  };
  const textsOf = (values: ReadonlyMap<string, Uint8Array> | undefined): Record<string, string> =>
    Object.fromEntries([...(values ?? [])].sort().map(([key, value]) => [key, Buffer.from(value).toString()]));

  it('need not read again what was read ahead, and can write it', async () => {
    const leader = await open('ahead');
    const standby = await open('ahead');
    assert.equal(await readAhead(standby), undefined, 'there is nothing yet');
    await load(leader);
    await put(leader, 'agents/a', '1');
    await put(leader, 'agents/b', '2');
    const read = await readAhead(standby);
    assert.deepEqual(textsOf(read), { 'agents/a': '1', 'agents/b': '2' });
    assert.equal(await readAhead(standby), read);
    assert.equal(await load(standby), read);
    await put(standby, 'agents/a', undefined);
    await put(standby, 'agents/b', '3');
    await put(standby, 'machines/c', '4');
    const late = await leader.apply([{ key: 'agents/late', value: Buffer.from('5') }]);
    assert.ok(!late.ok && late.error.kind === 'fenced');
    assert.deepEqual(textsOf(await load(await open('ahead'))), { 'agents/b': '3', 'machines/c': '4' });
  });

  it('reads again whatever was written since it was read ahead', async () => {
    const leader = await open('changed');
    const standby = await open('changed');
    await load(leader);
    await put(leader, 'agents/a', '1');
    await put(leader, 'agents/b', '1');
    const read = await readAhead(standby);
    await put(leader, 'agents/a', '2');
    await put(leader, 'agents/b', undefined);
    const again = await readAhead(standby);
    assert.notEqual(again, read);
    assert.deepEqual(textsOf(again), { 'agents/a': '2' });
    await put(leader, 'agents/c', '3');
    const loaded = await load(standby);
    assert.deepEqual(textsOf(loaded), { 'agents/a': '2', 'agents/c': '3' });
    // What it believes to be there is not of the time when it read ahead either.
    await put(standby, 'agents/b', '4');
    await put(standby, 'agents/c', '5');
    assert.deepEqual(textsOf(await load(await open('changed'))), { 'agents/a': '2', 'agents/b': '4', 'agents/c': '5' });
  });

  it('trusts nothing that was read before another took over, or before everything was made anew', async () => {
    const leader = await open('anew');
    await load(leader);
    await put(leader, 'agents/a', '1');
    const [first, second] = [await open('anew'), await open('anew')];
    const read = await readAhead(first);
    await readAhead(second);
    await load(second);
    assert.notEqual(await load(first), read, 'another has been there meanwhile');

    const third = await open('anew');
    await readAhead(third);
    const { client } = testClient(ensemble.servers);
    clients.push(client);
    await client.delete('/mesos/anew/agents/a');
    for (const node of ['agents', 'writer']) await client.delete(`/mesos/anew/${node}`);
    const fourth = await open('anew');
    // As often as the node of before was written.
    for (let life = 0; life < 4; life++) await load(life < 3 ? await open('anew') : fourth);
    assert.deepEqual(textsOf(await load(third)), {});
  });

  it('takes what was read ahead only if all of it is of one moment', async () => {
    const leader = await open('moment');
    await load(leader);
    for (let batch = 0; batch < 10; batch++) {
      const keys = Array.from({ length: 100 }, (_, at) => `agents/${batch * 100 + at}`);
      await leader.apply(keys.map((key) => ({ key, value: Buffer.from('0') })));
    }
    const standby = await open('moment');
    let isOver = false;
    const writing = (async () => {
      // Both or neither: whoever has seen one of them in a state without the other has mixed two moments.
      for (let turn = 1; !isOver; turn++) {
        const value = Buffer.from(String(turn));
        const outcome = await leader.apply(['agents/0', 'agents/999'].map((key) => ({ key, value })));
        assert.ok(outcome.ok);
      }
    })();
    for (let look = 0; look < 10; look++) {
      const texts = textsOf(await readAhead(standby));
      assert.equal(texts['agents/0'], texts['agents/999']);
    }
    isOver = true;
    await writing;
    const texts = textsOf(await load(standby));
    assert.equal(texts['agents/0'], texts['agents/999']);
    assert.equal(Object.keys(texts).length, 1_000);
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
