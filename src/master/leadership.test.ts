import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Elector } from '../coordination/election/elect.ts';
import { until } from '../coordination/zookeeper/client.fixture.ts';
import { TestEnsemble, withoutZooKeeper } from '../coordination/zookeeper/server.fixture.ts';
import { Log } from '../runtime/logger.ts';
import type { MasterInfo } from '../wire/v1.ts';
import type { MasterFlags } from './flags.ts';
import { seekLeadership } from './leadership.ts';

const masterAt = (port: number, id: string): MasterInfo => ({
  id,
  ip: 16777343,
  port,
  pid: `master@127.0.0.1:${port}`,
});

describe('a master that stands for election', { skip: withoutZooKeeper }, () => {
  it('follows another one, and nobody while the node of its own earlier life is there: it would send all comers to itself', async (t) => {
    const ensemble = await TestEnsemble.start();
    t.after(() => ensemble.stop());
    const zk = `zk://${ensemble.addresses}/mesos`;
    const url = { servers: ensemble.servers, credentials: undefined, path: '/mesos' };
    const stand = async (info: MasterInfo): Promise<Elector> => {
      const leaders: unknown[] = [];
      const onLeader = (leader: unknown): void => void leaders.push(leader);
      const base = { url, sessionTimeout: 4_000, onFailed: assert.fail, log: () => {} };
      const elector = new Elector({ ...base, candidate: info, onLeader });
      elector.start();
      await until(`${info.id} stands`, () => leaders.length > 0);
      return elector;
    };
    const others = [await stand(masterAt(5051, 'another')), await stand(masterAt(5050, 'earlier life'))];
    const told: string[] = [];
    const fail = (reason: string): void => assert.fail(reason);
    const candidacy = await seekLeadership({
      flags: { zk, zk_session_timeout: 4_000 } as MasterFlags,
      info: masterAt(5050, 'this life'),
      logger: new Log({ program: 'mesos-master', file: 'master', quiet: true }).logger,
      shell: { recover: () => told.push('recovers'), follow: (leader) => told.push(`follows ${leader?.id}`) },
      prepare: () => {},
      lead: async () => void told.push('leads'),
      end: fail,
      refuse: fail,
    });
    t.after(() => candidacy.stop());
    const expected = ['follows another', 'follows undefined', 'recovers', 'leads'];
    await until('it follows', () => told.length === 1);
    others[0]!.stop();
    await until('it follows nobody', () => told.length === 2);
    others[1]!.stop();
    await until('it leads', () => told.length === 4);
    assert.deepEqual(told, expected);
  });
});
