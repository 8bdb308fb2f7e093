import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { Offer, TaskInfo } from '../../src/wire/v1.ts';
import { freePorts, type Running, start } from './cluster.fixture.ts';
import { masterState, until } from './daemons.fixture.ts';
import { get } from './plain-http.fixture.ts';

/** Programs by the port that each listens on, all of one ensemble. */
class HighlyAvailable {
  readonly root = mkdtempSync(join(tmpdir(), 'meseta-ha-'));
  readonly #running: Running[] = [];
  readonly zk: string;

  constructor(ensemble: TestEnsemble, path: string) {
    this.zk = `zk://${ensemble.addresses}${path}`;
  }

  master(port: number, ...flags: string[]): Running {
    const workDir = `--work_dir=${join(this.root, `master-${port}`)}`;
    return this.#start(
      'mesos-master',
      port,
      workDir,
      `--zk=${this.zk}`,
      '--quorum=1',
      '--zk_session_timeout=2secs',
      ...flags,
    );
  }

  agent(port: number): Running {
    const folders = [
      `--work_dir=${join(this.root, `agent-${port}`)}`,
      `--runtime_dir=${join(this.root, `run-${port}`)}`,
    ];
    const switchUser = process.getuid?.() === 0 ? [] : ['--no-switch_user'];
    const more = ['--registration_backoff_factor=10ms', '--zk_session_timeout=2secs', ...switchUser];
    return this.#start('mesos-agent', port, `--master=${this.zk}`, ...folders, ...more);
  }

  async stop(): Promise<void> {
    for (const { process } of this.#running)
      if (process.exitCode === null && process.signalCode === null) process.kill('SIGINT');
    await Promise.all(this.#running.map(({ ended }) => ended));
    rmSync(this.root, { recursive: true, force: true });
  }

  #start(program: string, port: number, ...flags: string[]): Running {
    const running = start(`bin/${program}`, ['--ip=127.0.0.1', '--hostname=127.0.0.1', `--port=${port}`, ...flags]);
    this.#running.push(running);
    return running;
  }
}

async function leads(port: number): Promise<boolean> {
  return get(port, '/state').then(
    ({ status }) => status === 200,
    () => false,
  );
}

function sleeper(offer: Offer, id: string, seconds: number): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value: `sleep ${seconds}` },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
    ],
  };
}

describe('masters that elect a leader in ZooKeeper', { skip: withoutZooKeeper }, () => {
  let ensemble: TestEnsemble;
  before(async () => {
    ensemble = await TestEnsemble.start();
  });
  after(() => ensemble.stop());

  it('a running task never notices that the leader was killed', async () => {
    const cluster = new HighlyAvailable(ensemble, '/kill');
    const first = await freePorts(3);
    const ports = [first, first + 1, first + 2] as const;
    const leader = cluster.master(ports[0]);
    await until('the first master leads', () => leads(ports[0]));
    cluster.master(ports[1]);
    await until('the second points to the first', async () => {
      const url = `http://127.0.0.1:${ports[1]}/master/state`;
      const answer = await fetch(url, { redirect: 'manual' }).catch(() => undefined);
      return answer?.status === 307 && answer.headers.get('location') === `//127.0.0.1:${ports[0]}/master/state`;
    });
    cluster.agent(ports[2]);
    await until('the agent is there', async () => (await masterState(ports[0])).slaves.length === 1);

    const states: string[] = [];
    const uuids = new Set<string>();
    let subscriptions = 0;
    const scheduler = new Scheduler({
      master: ports
        .slice(0, 2)
        .map((port) => `127.0.0.1:${port}`)
        .join(','),
      framework: {
        user: 'nobody',
        name: 'ha',
        failover_timeout: 60,
        checkpoint: true,
        ...(process.getuid?.() === 0 && { user: 'root' }),
      },
      reconnect: { minimum: 20, maximum: 200 },
      handlers: {
        subscribed: () => {
          subscriptions++;
        },
        offers: (offers, self) => {
          const [offer] = offers;
          if (offer === undefined) return;
          // It may come from a leader that is just going.
          if (states.length > 0) self.decline([offer.id], { refuse_seconds: 3600 }).catch(() => {});
          else {
            states.push('launched');
            self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: [sleeper(offer, 'long', 12)] } }]);
          }
        },
        update: ({ state = 'TASK_LOST', uuid }) => {
          // One whose acknowledgement the leader took along comes again.
          if (!uuids.has(String(uuid))) states.push(state);
          uuids.add(String(uuid));
        },
      },
    });
    const ran = scheduler.run();
    await until('the task runs', () => states.includes('TASK_RUNNING'));
    leader.process.kill('SIGKILL');
    await until('the second master leads', () => leads(ports[1]));
    await until('agent, framework and task are known to it', async () => {
      const { slaves, frameworks } = await masterState(ports[1]);
      return (
        slaves.length === 1 && frameworks[0]?.connected === true && frameworks[0].tasks[0]?.state === 'TASK_RUNNING'
      );
    });
    assert.equal(subscriptions, 2);
    await until('the task ends', () => states.includes('TASK_FINISHED'));
    assert.deepEqual(
      states.filter((state) => state !== 'TASK_STARTING'),
      ['launched', 'TASK_RUNNING', 'TASK_FINISHED'],
    );
    await scheduler.stop();
    await ran;
    await cluster.stop();
  });

  it('the new leader remembers admitted agents, quotas and weights, and says for how many agents offers wait', async () => {
    const cluster = new HighlyAvailable(ensemble, '/remember');
    const first = await freePorts(3);
    const leader = cluster.master(first, '--weights=ads=2');
    await until('it leads', () => leads(first));
    const agent = cluster.agent(first + 2);
    await until('the agent is there', async () => (await masterState(first)).slaves.length === 1);
    const [{ id } = { id: '' }] = (await masterState(first)).slaves;
    const limits = { cpus: { value: 3 } };
    const quota = { type: 'UPDATE_QUOTA', update_quota: { quota_configs: [{ role: 'ads', limits }] } };
    const set = await fetch(`http://127.0.0.1:${first}/api/v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(quota),
    });
    assert.equal(set.status, 200, await set.text());
    agent.process.kill('SIGKILL');
    leader.process.kill('SIGKILL');
    await Promise.all([agent.ended, leader.ended]);
    cluster.master(first + 1, '--allocator_agent_recovery_factor=1');
    await until('the next one leads', () => leads(first + 1));
    const state = JSON.parse((await get(first + 1, '/state')).body) as { recovered_slaves: { id: string }[] };
    assert.deepEqual(
      state.recovered_slaves.map((slave) => slave.id),
      [id],
    );
    assert.deepEqual(JSON.parse((await get(first + 1, '/weights')).body), [{ role: 'ads', weight: 2 }]);
    const { configs } = JSON.parse((await get(first + 1, '/quota')).body) as { configs: object[] };
    assert.deepEqual(configs, [{ role: 'ads', limits }]);
    const metrics = JSON.parse((await get(first + 1, '/metrics/snapshot')).body) as Record<string, number>;
    const names = ['agents_expected', 'agents_awaited', 'agents_reregistered', 'agents_until_offers'];
    assert.deepEqual(
      names.map((name) => metrics[`master/recovery_${name}`]),
      [1, 1, 0, 1],
    );
    cluster.agent(first + 2);
    await until('the agent is back, and nothing is waited for', async () => {
      const now = JSON.parse((await get(first + 1, '/metrics/snapshot')).body) as Record<string, number>;
      return names.every((name) => now[`master/recovery_${name}`] === (/expected|reregistered/.test(name) ? 1 : 0));
    });
    await cluster.stop();
  });

  it('a leader that cannot reach ZooKeeper ends before its session is over there', async () => {
    const lonely = await TestEnsemble.start();
    const cluster = new HighlyAvailable(lonely, '/lonely');
    try {
      const port = await freePorts(1);
      const master = cluster.master(port);
      await until('it leads', () => leads(port));
      lonely.pause(0);
      const { status, stderr } = await master.ended;
      assert.equal(status, 1);
      assert.match(stderr, /Lost leadership to nobody/);
    } finally {
      lonely.resume(0);
      await cluster.stop();
      await lonely.stop();
    }
  });
});
