import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { testClient, until } from './client.fixture.ts';
import { ZooKeeperError } from './client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from './core/protocol.ts';
import { TestEnsemble, withoutZooKeeper } from './server.fixture.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const code = (expected: string) => (error: unknown) => error instanceof ZooKeeperError && error.code === expected;

describe('a client of one real ZooKeeper', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  before(async () => {
    ensemble = await TestEnsemble.start();
  });
  after(() => ensemble.stop());

  it('creates, reads, changes and deletes nodes, with versions', async () => {
    const { client } = testClient(ensemble.servers);
    assert.equal(await client.create('/basic', bytes('one')), '/basic');
    const { data, stat } = await client.getData('/basic');
    assert.equal(Buffer.from(data).toString(), 'one');
    assert.deepEqual([stat.version, stat.ephemeralOwner, stat.dataLength], [0, 0n, 3]);
    assert.equal((await client.setData('/basic', bytes('two'), 0)).version, 1);
    await assert.rejects(client.setData('/basic', bytes('three'), 0), code('BAD_VERSION'));
    await assert.rejects(client.create('/basic'), code('NODE_EXISTS'));
    await assert.rejects(client.create('/no/parent'), code('NO_NODE'));
    await client.delete('/basic', 1);
    assert.equal(await client.exists('/basic'), undefined);
    client.close();
  });

  it('reads many nodes together, and says of each that is missing that it is', async () => {
    const { client } = testClient(ensemble.servers);
    await client.create('/many', bytes(''));
    for (const name of ['a', 'b', 'c']) await client.create(`/many/${name}`, bytes(name));
    await client.delete('/many/b');
    const contents = await client.getMany(['/many/a', '/many/b', '/many/c', '/many']);
    const told = contents.map((content) => (content.ok ? Buffer.from(content.data).toString() : content.code));
    assert.deepEqual(told, ['a', 'NO_NODE', 'c', '']);
    const [first] = contents;
    assert.ok(first?.ok);
    assert.deepEqual((await client.getData('/many/a')).stat, first.stat);
    assert.deepEqual(await client.getMany([]), []);
    client.close();
  });

  it('makes paths, sequential nodes and lists children', async () => {
    const { client } = testClient(ensemble.servers);
    await client.mkdirp('/deep/er/still');
    await client.mkdirp('/deep/er/still');
    const made = await client.create('/deep/er/n_', bytes(''), { mode: 'persistentSequential' });
    assert.match(made, /^\/deep\/er\/n_\d{10}$/);
    assert.deepEqual([...(await client.getChildren('/deep/er'))].sort(), [made.split('/')[3], 'still'].sort());
    client.close();
  });

  it('tells of watched changes once each', async () => {
    const { client, watches } = testClient(ensemble.servers);
    assert.equal(await client.exists('/watched', true), undefined);
    await client.create('/watched', bytes('a'));
    await until('the creation is told', () => watches.length === 1);
    await client.getData('/watched', true);
    await client.getChildren('/watched', true);
    await client.setData('/watched', bytes('b'));
    await client.setData('/watched', bytes('c'));
    await client.create('/watched/child');
    await until('both changes are told', () => watches.length === 3);
    await client.getChildren('/watched', true);
    await client.delete('/watched/child');
    await until('the deletion is told', () => watches.length === 4);
    const told = watches.map(({ type, path }) => `${type} ${path}`);
    assert.deepEqual(told, ['created /watched', 'changed /watched', 'children /watched', 'children /watched']);
    client.close();
  });

  it('does transactions as a whole or not at all', async () => {
    const { client } = testClient(ensemble.servers);
    await client.create('/multi', bytes('0'));
    const done = await client.multi([
      { op: 'check', path: '/multi', version: 0 },
      { op: 'create', path: '/multi/a', data: bytes('1'), acl: OPEN_ACL, mode: 'persistent' },
      { op: 'setData', path: '/multi', data: bytes('2'), version: 0 },
      { op: 'delete', path: '/multi/a', version: -1 },
    ]);
    assert.deepEqual(
      done.map(({ ok }) => ok),
      [true, true, true, true],
    );
    const refused = await client.multi([
      { op: 'create', path: '/multi/b', data: bytes(''), acl: OPEN_ACL, mode: 'persistent' },
      { op: 'check', path: '/multi', version: 7 },
    ]);
    assert.deepEqual(refused.map((result) => (result.ok ? 'ok' : result.code)).at(-1), 'BAD_VERSION');
    assert.equal(await client.exists('/multi/b'), undefined);
    client.close();
  });

  it('protects nodes with digest credentials', async () => {
    const owner = testClient(ensemble.servers, 4_000, 'marathon:secret');
    const stranger = testClient(ensemble.servers);
    await owner.client.create('/owned', bytes('x'), { acl: CREATOR_ALL_WORLD_READ });
    assert.equal(Buffer.from((await stranger.client.getData('/owned')).data).toString(), 'x');
    await assert.rejects(stranger.client.setData('/owned', bytes('y')), code('NO_AUTH'));
    await owner.client.setData('/owned', bytes('z'));
    const acl = await owner.client.getAcl('/owned');
    assert.deepEqual(
      acl.map(({ scheme, permissions }) => [scheme, permissions]),
      [
        ['digest', 31],
        ['world', 1],
      ],
    );
    owner.client.close();
    stranger.client.close();
  });

  it('takes its ephemeral nodes along when it is closed', async () => {
    const short = testClient(ensemble.servers);
    const other = testClient(ensemble.servers);
    const path = await short.client.create('/ephemeral_', bytes(''), { mode: 'ephemeralSequential' });
    assert.equal((await other.client.exists(path))?.ephemeralOwner, short.client.sessionId);
    short.client.close();
    await until('the node is gone', async () => (await other.client.exists(path)) === undefined);
    assert.deepEqual(short.states, ['connected', 'closed']);
    await assert.rejects(short.client.exists('/'), code('SESSION_EXPIRED'));
    other.client.close();
  });

  it('carries nodes of nearly a megabyte', async () => {
    const { client } = testClient(ensemble.servers);
    const large = Buffer.alloc(900_000, 'x');
    await client.create('/large', large);
    assert.equal(Buffer.compare(Buffer.from((await client.getData('/large')).data), large), 0);
    client.close();
  });

  it('keeps the session, its nodes and its watches over a restart of the server', async () => {
    const { client, states, watches } = testClient(ensemble.servers, 8_000);
    const path = await client.create('/stays_', bytes(''), { mode: 'ephemeralSequential' });
    await client.exists('/later', true);
    const id = client.sessionId;
    await ensemble.kill(0);
    await until('the loss is noticed', () => client.state === 'suspended');
    const waiting = client.exists(path);
    await ensemble.startMember(0);
    assert.equal((await waiting)?.ephemeralOwner, id);
    await client.create('/later');
    await until('the watch fires', () => watches.length === 1);
    assert.deepEqual(states, ['connected', 'suspended', 'connected']);
    client.close();
  });

  it('notices a silent server, and gives the session up by itself before the server does', async () => {
    const { client, states } = testClient(ensemble.servers, 900);
    await client.exists('/');
    ensemble.pause(0);
    try {
      await until('the session is given up', () => client.state === 'expired');
      assert.deepEqual(states, ['connected', 'suspended', 'expired']);
      await assert.rejects(client.exists('/'), code('SESSION_EXPIRED'));
    } finally {
      ensemble.resume(0);
    }
  });
});

describe('a client of an ensemble of three', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  before(async () => {
    ensemble = await TestEnsemble.start(3);
  });
  after(() => ensemble.stop());

  it('moves to another member when its own dies, with the same session', async () => {
    const clients = Array.from({ length: 6 }, () => testClient(ensemble.servers, 10_000));
    const ids: bigint[] = [];
    for (const { client } of clients) {
      await client.create('/m_', bytes(''), { mode: 'ephemeralSequential' });
      ids.push(client.sessionId);
    }
    await ensemble.kill(0);
    for (const [i, { client }] of clients.entries()) {
      let children: readonly string[] = [];
      await until('it answers again', async () => {
        try {
          children = await client.getChildren('/');
          return true;
        } catch (error) {
          if (code('CONNECTION_LOSS')(error)) return false;
          throw error;
        }
      });
      assert.equal(children.filter((name) => name.startsWith('m_')).length, 6);
      assert.equal(client.sessionId, ids[i]);
    }
    for (const { client } of clients) client.close();
    await ensemble.startMember(0);
  });
});

it('waits for an ensemble that is down, and tries on', async () => {
  const { client, states } = testClient([{ host: '127.0.0.1', port: 1 }], 1_000);
  const request = client.exists('/');
  const seen = await Promise.race([request.catch(() => 'failed'), new Promise((resolve) => setTimeout(resolve, 300))]);
  assert.equal(seen, undefined);
  assert.deepEqual(states, ['connecting'], 'it says once that nobody answers');
  client.close();
  await assert.rejects(request, code('SESSION_EXPIRED'));
});
