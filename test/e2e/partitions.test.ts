/** Real programs on hosts that are cut off from each other and come back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import type { FrameworkInfo } from '../../src/wire/v1.ts';
import { processesOf, ROOT, type Running, start } from './cluster.fixture.ts';
import { type MasterStateJson, until } from './daemons.fixture.ts';
import { Framework } from './framework.fixture.ts';
import { type Host, Network, withoutNamespaces } from './netns.fixture.ts';

const PORT = 5050;

/** A network and the programs that run on its hosts. */
class Site {
  readonly root = mkdtempSync(join(tmpdir(), 'meseta-cut-'));
  readonly network = Network.create();
  readonly #running: Running[] = [];
  readonly #frameworks: Framework[] = [];
  #ensemble: TestEnsemble | undefined;

  async zooKeeper(host: Host): Promise<TestEnsemble> {
    this.#ensemble = await TestEnsemble.start(1, 128, host);
    return this.#ensemble;
  }

  master(host: Host, ...flags: string[]): Running {
    const pings = ['--agent_ping_timeout=1secs', '--max_agent_ping_timeouts=2'];
    const workDir = `--work_dir=${join(this.root, host.address)}`;
    return this.#start(host, 'mesos-master', workDir, '--allocation_interval=100ms', ...pings, ...flags);
  }

  agent(host: Host, master: string): Running {
    const folders = [`--work_dir=${this.workDir(host)}`, `--runtime_dir=${join(this.root, `run-${host.address}`)}`];
    const patience = ['--registration_backoff_factor=10ms', '--zk_session_timeout=2secs'];
    return this.#start(host, 'mesos-agent', `--master=${master}`, ...folders, ...patience);
  }

  workDir(host: Host): string {
    return join(this.root, host.address);
  }

  /** A program of ours with arguments, on this host. */
  run(host: Host, ...command: string[]): Running {
    const [program = '', ...args] = [...host.enter, ...command];
    const running = start(program, args);
    this.#running.push(running);
    return running;
  }

  framework(master: string, command: string, more: Partial<FrameworkInfo> = {}): Framework {
    const framework = new Framework(master, { task: command }, more);
    this.#frameworks.push(framework);
    return framework;
  }

  async close(): Promise<void> {
    await Promise.all(this.#frameworks.map((framework) => framework.stop()));
    for (const { process: child } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    }
    await Promise.all(this.#running.map(({ ended }) => ended));
    await this.#ensemble?.stop();
    this.network.remove();
    rmSync(this.root, { recursive: true, force: true });
  }

  #start(host: Host, program: string, ...flags: string[]): Running {
    const place = [
      `--ip=${host.address}`,
      `--hostname=${host.address}`,
      `--port=${program === 'mesos-agent' ? 5051 : PORT}`,
    ];
    return this.run(host, join(ROOT, 'bin', program), ...place, ...flags);
  }
}

/** @returns undefined where there is no answer, or none of a leader's */
async function stateOf({ address }: Host): Promise<MasterStateJson | undefined> {
  const options = { redirect: 'manual', signal: AbortSignal.timeout(1_000) } as const;
  const answer = await fetch(`http://${address}:${PORT}/state`, options).catch(() => undefined);
  return answer?.status === 200 ? ((await answer.json().catch(() => undefined)) as MasterStateJson) : undefined;
}

/** The process that runs `sleep <marker>` for an agent in this folder. */
function sleeping(folder: string, marker: string): string | undefined {
  return processesOf(folder).find((line) => /^\d+ sleep /.test(line) && line.includes(marker));
}

/** What the framework on another host writes. */
interface Heard {
  readonly subscribed?: string;
  readonly disconnected?: string;
  readonly state?: string;
  readonly isAnswer?: boolean;
}

function linesOf(text: string): Heard[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Heard);
}

/** When something was logged. @returns `HH:MM:SS.micros`, which orders like time does within a day */
function loggedAt(program: Running, text: string): string {
  const line = program
    .stderr()
    .split('\n')
    .find((one) => one.includes(text));
  assert.ok(line !== undefined, `'${text}' was not logged: ${program.stderr()}`);
  return /^\S+ (\S+)/.exec(line)?.[1] ?? '';
}

describe('a host that is cut off', { skip: withoutNamespaces || withoutZooKeeper, concurrency: 1 }, () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });
  afterEach(() => site.close());

  it('an agent without its master keeps its tasks, and brings them back', async () => {
    const { network } = site;
    const [master, agent] = [network.host(), network.host()];
    site.master(master, '--registry=in_memory');
    await until('the master leads', async () => (await stateOf(master)) !== undefined);
    site.agent(agent, `${master.address}:${PORT}`);
    const framework = site.framework(`${master.address}:${PORT}`, 'exec sleep 9001', {
      capabilities: [{ type: 'PARTITION_AWARE' }],
    });
    await framework.isTold('task', 'TASK_RUNNING');
    const before = sleeping(site.workDir(agent), '9001');
    assert.ok(before !== undefined);
    const [{ id } = { id: '' }] = (await stateOf(master))?.slaves ?? [];

    network.cut(master, agent);
    await framework.isTold('task', 'TASK_UNREACHABLE');
    const state = await stateOf(master);
    assert.deepEqual(state?.slaves, []);
    assert.deepEqual(state.frameworks[0]?.tasks, []);
    assert.equal(state.frameworks[0].unreachable_tasks[0]?.state, 'TASK_UNREACHABLE');
    assert.equal(sleeping(site.workDir(agent), '9001'), before, 'the task goes on');

    network.heal(master, agent);
    await framework.isTold('task', 'TASK_RUNNING');
    await until('the agent is back with its task', async () => {
      const now = await stateOf(master);
      const [slave] = now?.slaves ?? [];
      return slave?.id === id && slave.active && now?.frameworks[0]?.tasks[0]?.state === 'TASK_RUNNING';
    });
    assert.deepEqual((await stateOf(master))?.frameworks[0]?.unreachable_tasks, []);
    assert.equal(sleeping(site.workDir(agent), '9001'), before, 'it is the same task');
    const told = framework.states('task').filter((one) => one !== 'TASK_STARTING');
    assert.deepEqual(told, ['TASK_RUNNING', 'TASK_UNREACHABLE', 'TASK_RUNNING']);
  });

  for (const [what, sever] of [
    ['cannot reach ZooKeeper', (network: Network, leader: Host, zoo: Host) => network.cut(leader, zoo)],
    [
      'speaks to ZooKeeper and hears nothing',
      (network: Network, leader: Host, zoo: Host) => network.cutOneWay(zoo, leader),
    ],
    ['is cut off from everybody', (network: Network, leader: Host) => network.unplug(leader)],
  ] as const) {
    it(`a leader that ${what} stops before another leads, and no task notices`, async () => {
      const { network } = site;
      const [zoo, leader, next, agent] = [network.host(), network.host(), network.host(), network.host()];
      const zk = `zk://${(await site.zooKeeper(zoo)).addresses}/mesos`;
      const flags = [`--zk=${zk}`, '--quorum=1', '--zk_session_timeout=2secs'];
      const first = site.master(leader, ...flags);
      await until('the first master leads', async () => (await stateOf(leader)) !== undefined);
      const second = site.master(next, ...flags);
      site.agent(agent, zk);
      const framework = site.framework(zk, 'exec sleep 9002');
      await framework.isTold('task', 'TASK_RUNNING');
      const before = sleeping(site.workDir(agent), '9002');
      await until('the second stands by', () => second.stderr().includes('Standing for election'));

      sever(network, leader, zoo);
      assert.equal((await first.ended).status, 1);
      await until('the second leads, with agent, framework and task', async () => {
        const { slaves, frameworks } = (await stateOf(next)) ?? {};
        return slaves?.[0]?.active === true && frameworks?.[0]?.connected === true && frameworks[0].tasks.length === 1;
      });
      const [lost, elected] = [loggedAt(first, 'Lost leadership'), loggedAt(second, 'Elected as the leading master')];
      assert.ok(lost < elected, `the first led until ${lost}, the second from ${elected}`);
      assert.equal(sleeping(site.workDir(agent), '9002'), before);
      assert.equal(framework.subscriptions, 2);
      const told = framework.states('task').filter((one) => one !== 'TASK_STARTING');
      assert.deepEqual(told, ['TASK_RUNNING']);
    });
  }

  it('a scheduler without its master is disconnected, comes back, and is told what it has missed', async () => {
    const { network } = site;
    const [master, agent, far] = [network.host(), network.host(), network.host()];
    site.master(master, '--registry=in_memory');
    await until('the master leads', async () => (await stateOf(master)) !== undefined);
    site.agent(agent, `${master.address}:${PORT}`);
    const mark = join(site.root, 'mark');
    const scheduler = site.run(
      far,
      ...[process.execPath, join(ROOT, 'test/e2e/framework.process.ts'), `${master.address}:${PORT}`],
      `while [ ! -e ${mark} ]; do sleep 0.1; done`,
    );
    const heard = (): Heard[] => linesOf(scheduler.stdout());
    await until('the task runs', () => heard().some(({ state }) => state === 'TASK_RUNNING'));
    const [{ subscribed: id } = { subscribed: undefined }] = heard();

    network.cut(master, far);
    writeFileSync(mark, '');
    await until('the master has noticed', async () => {
      const [framework] = (await stateOf(master))?.frameworks ?? [];
      return framework?.connected === false && framework.tasks.some(({ state }) => state === 'TASK_FINISHED');
    });
    await until('the scheduler has noticed', () => heard().some(({ disconnected }) => disconnected !== undefined));
    assert.ok(heard().every(({ state }) => state !== 'TASK_FINISHED'));
    assert.equal((await stateOf(master))?.completed_frameworks.length, 0, 'it has --failover_timeout to come back');

    network.heal(master, far);
    await until('the scheduler is told the end', () =>
      heard().some((one) => one.state === 'TASK_FINISHED' && !one.isAnswer),
    );
    const subscriptions = heard().flatMap(({ subscribed }) => subscribed ?? []);
    assert.deepEqual(subscriptions, [id, id]);
    await until('the end is acknowledged', async () => {
      const [framework] = (await stateOf(master))?.frameworks ?? [];
      return framework?.connected === true && framework.tasks.length === 0 && framework.completed_tasks.length === 1;
    });
  });
});
