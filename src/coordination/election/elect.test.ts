import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MasterInfo } from '../../wire/v1.ts';
import { testClient, until } from '../zookeeper/client.fixture.ts';
import { TestEnsemble, withoutZooKeeper } from '../zookeeper/server.fixture.ts';
import { Elector } from './elect.ts';

const infoOf = (port: number): MasterInfo => ({
  id: `master-${port}`,
  ip: 16777343,
  port,
  pid: `master@127.0.0.1:${port}`,
  hostname: '127.0.0.1',
  version: '1.12.0',
  address: { hostname: '127.0.0.1', ip: '127.0.0.1', port },
});

interface Seen {
  readonly elector: Elector;
  readonly leaders: string[];
  readonly lost: string[];
  readonly failed: string[];
}

function elector(ensemble: TestEnsemble, path: string, candidate?: MasterInfo, more: object = {}): Seen {
  const leaders: string[] = [];
  const lost: string[] = [];
  const failed: string[] = [];
  const made = new Elector({
    url: { servers: ensemble.servers, credentials: undefined, path, ...more },
    sessionTimeout: 1_000,
    ...(candidate !== undefined && { candidate }),
    onLeader: (info, isSelf) => leaders.push(`${info?.port ?? 'nobody'}${isSelf ? ' (self)' : ''}`),
    onLost: (reason) => lost.push(reason),
    onFailed: (reason) => failed.push(reason),
    log: () => {},
  });
  made.start();
  return { elector: made, leaders, lost, failed };
}

describe('an election in a real ZooKeeper', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  before(async () => {
    ensemble = await TestEnsemble.start();
  });
  after(() => ensemble.stop());

  it('is won by the first candidate, whose end makes the next one lead', async () => {
    const first = elector(ensemble, '/a/mesos', infoOf(5050));
    await until('the first leads', () => first.leaders.includes('5050 (self)'));
    const second = elector(ensemble, '/a/mesos', infoOf(5060));
    const watcher = elector(ensemble, '/a/mesos');
    await until('everybody knows', () => second.leaders.includes('5050') && watcher.leaders.includes('5050'));
    first.elector.stop();
    await until('the second leads', () => second.leaders.at(-1) === '5060 (self)');
    await until('the watcher knows', () => watcher.leaders.at(-1) === '5060');
    second.elector.stop();
    await until('nobody leads', () => watcher.leaders.at(-1) === 'nobody');
    watcher.elector.stop();
  });

  it('writes the nodes that other tools look for', async () => {
    const leader = elector(ensemble, '/b', infoOf(5050));
    await until('it leads', () => leader.leaders.length > 0);
    const { client } = testClient(ensemble.servers);
    const [name] = await client.getChildren('/b');
    assert.match(name ?? '', /^json\.info_\d{10}$/);
    const { data, stat } = await client.getData(`/b/${name}`);
    const shown = JSON.parse(Buffer.from(data).toString());
    assert.deepEqual(shown.address, { hostname: '127.0.0.1', ip: '127.0.0.1', port: 5050 });
    assert.equal(shown.pid, 'master@127.0.0.1:5050');
    assert.notEqual(stat.ephemeralOwner, 0n);
    const acl = await client.getAcl(`/b/${name}`);
    assert.deepEqual(acl, [{ permissions: 31, scheme: 'world', id: 'anyone' }]);
    leader.elector.stop();
    client.close();
  });

  it('passes over children that are no candidates, and knows no leader where one writes in another way', async () => {
    const { client } = testClient(ensemble.servers);
    await client.mkdirp('/c/log_replicas');
    const watcher = elector(ensemble, '/c');
    await until('it has looked', () => watcher.leaders.at(-1) === 'nobody');
    await client.create('/c/info_0000000000', Buffer.from([255]), { mode: 'ephemeral' });
    const candidate = elector(ensemble, '/c', infoOf(5050));
    await until('the candidate has looked', () => candidate.leaders.length > 0);
    assert.equal(candidate.leaders.at(-1), 'nobody');
    await client.delete('/c/info_0000000000');
    await until('it leads', () => candidate.leaders.at(-1) === '5050 (self)');
    candidate.elector.stop();
    watcher.elector.stop();
    client.close();
  });

  it('tells a leader whose node was taken away that it leads no more', async () => {
    const leader = elector(ensemble, '/d', infoOf(5050));
    await until('it leads', () => leader.leaders.includes('5050 (self)'));
    const { client } = testClient(ensemble.servers);
    const [name] = await client.getChildren('/d');
    await client.delete(`/d/${name}`);
    await until('it knows', () => leader.lost.length === 1);
    assert.equal(leader.leaders.at(-1), 'nobody');
    assert.match(leader.lost[0] ?? '', /is gone from ZooKeeper/);
    leader.elector.stop();
    client.close();
  });

  it('ends the leadership by itself when ZooKeeper falls silent, before the session is over there', async () => {
    const leader = elector(ensemble, '/e', infoOf(5050));
    const watcher = elector(ensemble, '/e');
    await until('it leads', () => leader.leaders.includes('5050 (self)') && watcher.leaders.includes('5050'));
    ensemble.pause(0);
    await until('it is lost', () => leader.lost.length === 1);
    assert.match(leader.lost[0] ?? '', /no server has answered/);
    await until('the watcher knows nobody', () => watcher.leaders.at(-1) === 'nobody');
    ensemble.resume(0);
    const next = elector(ensemble, '/e', infoOf(5060));
    await until('there is a new leader', () => watcher.leaders.at(-1) === '5060');
    for (const { elector: one } of [leader, watcher, next]) one.stop();
  });

  it('says what to do where the path belongs to others', async () => {
    const owner = testClient(ensemble.servers, 4_000, 'alice:secret');
    await owner.client.create('/private', undefined, {
      acl: [{ permissions: 31, scheme: 'auth', id: '' }],
    });
    const stranger = elector(ensemble, '/private', infoOf(5050));
    await until('it gives up', () => stranger.failed.length === 1);
    assert.match(stranger.failed[0] ?? '', /belongs to others: give the credentials/);
    stranger.elector.stop();
    owner.client.close();
  });
});
