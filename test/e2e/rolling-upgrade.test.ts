/**
 * The procedure of docs/high-availability.md, with real processes: while 200 tasks run, every program of the cluster is
 * replaced by that of another version, and no task notices.
 *
 * "Another version" is a copy of this tree with another version in its package.json, which proves the procedure and not
 * yet the formats: for those there is test/golden. `UPGRADE_FROM=FOLDER` begins with the programs of that checkout instead.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import { freePorts, ROOT, type Running, start } from './cluster.fixture.ts';
import { until } from './daemons.fixture.ts';
import { get } from './plain-http.fixture.ts';

const MASTERS = 3;
const AGENTS = 5;
const TASKS_PER_AGENT = 40;
const PATIENCE = 60_000;
const USER = process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody');

/** A tree of programs, and the version that they tell. */
interface Installation {
  readonly folder: string;
  readonly version: string;
}

const versionOf = (folder: string): string => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
const NEW: Installation = { folder: ROOT, version: versionOf(ROOT) };

/** What is there before the upgrade. */
function installOld(root: string): Installation {
  const from = process.env.UPGRADE_FROM;
  const folder = join(root, 'installed-before');
  for (const part of ['bin', 'src', 'package.json'])
    cpSync(join(from ?? ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const version = '0.0.1-before';
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
  return { folder, version };
}

/** One program in its place: what runs there may change, the place does not. */
class Daemon {
  readonly port: number;
  readonly #program: string;
  readonly #flags: readonly string[];
  #running: Running | undefined;

  constructor(program: string, port: number, flags: readonly string[]) {
    this.port = port;
    this.#program = program;
    this.#flags = ['--ip=127.0.0.1', '--hostname=127.0.0.1', `--port=${port}`, ...flags];
  }

  start(installation: Installation): void {
    this.#running = start(join(installation.folder, 'bin', this.#program), this.#flags);
  }

  /** SIGTERM is what supervisors send. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { process, ended } = this.#running ?? {};
    if (process?.exitCode === null && process.signalCode === null) process.kill(signal);
    await ended;
  }

  /** @throws AssertionError with its last words if it has ended by itself */
  mustLive(): void {
    const { process } = this.#running ?? {};
    assert.equal(
      process?.exitCode ?? null,
      null,
      `${this.#program} on port ${this.port} ended: ${this.log.slice(-2000)}`,
    );
  }

  get log(): string {
    return this.#running?.stderr() ?? '';
  }

  /** The version that it tells, undefined while it does not answer. */
  async version(): Promise<string | undefined> {
    return this.read<{ meseta_version: string }>('/version').then(
      ({ meseta_version }) => meseta_version,
      () => undefined,
    );
  }

  async read<T>(path: string): Promise<T> {
    const { status, body } = await get(this.port, path);
    assert.equal(status, 200, `${path}: ${body}`);
    return JSON.parse(body) as T;
  }
}

type Metrics = Readonly<Record<string, number>>;

interface State {
  readonly slaves: readonly { readonly id: string; readonly active: boolean; readonly port: number }[];
  readonly frameworks: readonly {
    readonly connected: boolean;
    readonly tasks: readonly { readonly state: string }[];
  }[];
}

class Cluster {
  readonly root = mkdtempSync(join(tmpdir(), 'meseta-upgrade-'));
  readonly old = installOld(this.root);
  readonly zk: string;
  readonly masters: readonly Daemon[];
  readonly agents: readonly Daemon[];

  constructor(zk: string, port: number) {
    this.zk = zk;
    const own = [`--zk=${zk}`, '--quorum=2', '--zk_session_timeout=4secs'];
    this.masters = Array.from(
      { length: MASTERS },
      (_, i) => new Daemon('mesos-master', port + i, [...own, `--work_dir=${join(this.root, `master-${i}`)}`]),
    );
    const common = [
      `--master=${zk}`,
      '--resources=cpus:8;mem:4096;disk:1024;ports:[31000-32000]',
      '--registration_backoff_factor=10ms',
      '--zk_session_timeout=4secs',
      ...(USER === 'root' ? [] : ['--no-switch_user']),
    ];
    this.agents = Array.from({ length: AGENTS }, (_, i) => {
      const folders = [`--work_dir=${join(this.root, `agent-${i}`)}`, `--runtime_dir=${join(this.root, `run-${i}`)}`];
      return new Daemon('mesos-agent', port + MASTERS + i, [...common, ...folders]);
    });
  }

  /** The master that leads, as it says itself. */
  async leader(): Promise<Daemon | undefined> {
    for (const master of this.masters) {
      const { status, body } = await get(master.port, '/metrics/snapshot').catch(() => ({ status: 0, body: '{}' }));
      if (status === 200 && JSON.parse(body)['master/elected'] === 1) return master;
    }
    return undefined;
  }

  async leading(): Promise<Daemon> {
    await until('a master leads', async () => (await this.leader()) !== undefined, PATIENCE);
    const leader = await this.leader();
    assert.ok(leader);
    return leader;
  }

  /** All agents are there and active, and the framework speaks with the leader. */
  async whole(): Promise<void> {
    const isWhole = async (): Promise<boolean> => {
      const { slaves, frameworks } = await (await this.leading()).read<State>('/state');
      const tasks = frameworks[0]?.tasks ?? [];
      return (
        slaves.filter(({ active }) => active).length === AGENTS &&
        frameworks[0]?.connected === true &&
        tasks.filter(({ state }) => state === 'TASK_RUNNING').length === AGENTS * TASKS_PER_AGENT
      );
    };
    const known = (): Promise<boolean> => {
      for (const daemon of [...this.masters, ...this.agents]) daemon.mustLive();
      return isWhole().catch(() => false);
    };
    await until('all agents, the framework and all tasks are known', known, PATIENCE);
  }

  async stop(): Promise<void> {
    // SIGINT: agents take their tasks and launchers with them.
    await Promise.all(this.agents.map((agent) => agent.end('SIGINT')));
    await Promise.all(this.masters.map((master) => master.end()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Launches what is wanted of it, and remembers all that it is told. */
class Framework {
  readonly updates: TaskStatus[] = [];
  /** Other things that no upgrade may cause. */
  readonly alarms: string[] = [];
  subscriptions = 0;
  #wanted = TASKS_PER_AGENT;
  #command = 'exec sleep 1000';
  readonly #served = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #ran: Promise<void>;

  constructor(master: string) {
    this.#scheduler = new Scheduler({
      master,
      framework: { user: USER, name: 'upgrade', checkpoint: true, failover_timeout: 3600 },
      reconnect: { minimum: 20, maximum: 200 },
      handlers: {
        subscribed: () => {
          this.subscriptions++;
        },
        offers: (offers, self) => {
          for (const offer of offers) this.#answer(offer, self);
        },
        update: (status) => {
          this.updates.push(status);
        },
        failure: (failure) => {
          this.alarms.push(JSON.stringify(failure));
        },
      },
    });
    this.#ran = this.#scheduler.run();
  }

  /** Asks for other tasks, as many on every agent. */
  want(count: number, command: string): Promise<void> {
    this.#wanted = count;
    this.#command = command;
    this.#served.clear();
    return this.#scheduler.revive();
  }

  reconcile(): Promise<void> {
    return this.#scheduler.reconcile();
  }

  /** Its tasks end with their agents. */
  async stop(): Promise<void> {
    this.#scheduler.stop();
    await this.#ran.catch(() => {});
  }

  inState(state: string): TaskStatus[] {
    return this.updates.filter((status) => status.state === state);
  }

  #answer(offer: Offer, self: Scheduler): void {
    const isServed = this.#served.has(offer.agent_id.value);
    this.#served.add(offer.agent_id.value);
    const task_infos = Array.from({ length: this.#wanted }, (_, i): TaskInfo => {
      const id = `${this.#wanted}-${i}-${offer.agent_id.value}`;
      return {
        name: id,
        task_id: { value: id },
        agent_id: offer.agent_id,
        command: { value: this.#command },
        resources: [
          { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
          { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
        ],
      };
    });
    const done = isServed
      ? self.decline([offer.id], { refuse_seconds: 3600 })
      : self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos } }], { refuse_seconds: 3600 });
    // An offer of a leader that has just ended.
    done.catch(() => {});
  }
}

/** The sandbox of every process of the tasks -> its process id and when it began: a task that was started anew has others. */
function processesIn(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const sandbox = environment.find((line) => line.startsWith('MESOS_SANDBOX='))?.slice('MESOS_SANDBOX='.length);
      if (sandbox === undefined || !sandbox.startsWith(root)) continue;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      found.set(sandbox, [found.get(sandbox), `${pid}@${began}`].filter(Boolean).join(' '));
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return new Map([...found].sort());
}

async function post(port: number, path: string, body: unknown, method = 'POST'): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

/** What operators decided, which must outlive every master. */
async function decide(port: number): Promise<void> {
  await post(port, '/api/v1', {
    type: 'UPDATE_QUOTA',
    update_quota: {
      quota_configs: [{ role: 'ads', guarantees: { cpus: { value: 1 } }, limits: { cpus: { value: 2 } } }],
    },
  });
  await post(port, '/weights', [{ role: 'ads', weight: 2.5 }], 'PUT');
  const unavailability = { start: { nanoseconds: 4_000_000_000_000_000_000 } };
  await post(port, '/maintenance/schedule', {
    windows: [{ machine_ids: [{ hostname: 'elsewhere' }], unavailability }],
  });
}

/** The same as the leader tells it. */
async function decided(leader: Daemon): Promise<unknown> {
  const [quota, weights, schedule] = await Promise.all(
    ['/quota', '/weights', '/maintenance/schedule'].map((path) => leader.read(path)),
  );
  return { quota, weights, schedule };
}

async function upgrade(daemon: Daemon): Promise<void> {
  await daemon.end();
  daemon.start(NEW);
  const answers = async (): Promise<boolean> => {
    daemon.mustLive();
    return (await daemon.version()) === NEW.version;
  };
  await until(`the new program answers on port ${daemon.port}`, answers, PATIENCE);
}

async function begin(t: TestContext): Promise<{ cluster: Cluster; framework: Framework }> {
  const ensemble = await TestEnsemble.start(3);
  const cluster = new Cluster(`zk://${ensemble.addresses}/mesos`, await freePorts(MASTERS + AGENTS));
  const framework = new Framework(cluster.zk);
  t.after(async () => {
    await framework.stop();
    await cluster.stop();
    await ensemble.stop();
  });
  for (const daemon of [...cluster.masters, ...cluster.agents]) daemon.start(cluster.old);
  await cluster.whole();
  return { cluster, framework };
}

test('every master and agent is upgraded, and no task is lost or restarted', { skip: withoutZooKeeper }, async (t) => {
  const { cluster, framework } = await begin(t);
  const total = AGENTS * TASKS_PER_AGENT;
  await until('all tasks run', () => framework.inState('TASK_RUNNING').length === total, PATIENCE);
  const first = await cluster.leading();
  await decide(first.port);
  const decisions = await decided(first);
  const processes = processesIn(cluster.root);
  assert.equal(processes.size, total);
  const containers = new Map(
    framework
      .inState('TASK_RUNNING')
      .map(({ task_id, container_status }) => [task_id.value, container_status?.container_id?.value]),
  );
  const ids = (await first.read<State>('/state')).slaves.map(({ id }) => id).sort();
  framework.updates.length = 0;

  // The standbys.
  for (const master of cluster.masters) if (master !== first) await upgrade(master);
  assert.equal(await cluster.leader(), first);
  assert.equal(await first.version(), cluster.old.version);

  // The failover, and the old leader.
  await first.end();
  const second = await cluster.leading();
  assert.equal(await second.version(), NEW.version);
  await upgrade(first);
  await cluster.whole();
  const metrics = await second.read<Metrics>('/metrics/snapshot');
  const recovery = ['expected', 'reregistered', 'awaited'].map((name) => metrics[`master/recovery_agents_${name}`]);
  assert.deepEqual(recovery, [AGENTS, AGENTS, 0]);
  assert.match(second.log, /Recovery of 5 agents of before is over after .*: all of them came back/);

  // The agents, one by one.
  for (const agent of cluster.agents) {
    await upgrade(agent);
    const isRegistered = async () => (await agent.read<Metrics>('/metrics/snapshot'))['slave/registered'] === 1;
    await until('the agent has registered again', isRegistered, PATIENCE);
    await cluster.whole();
  }
  rmSync(cluster.old.folder, { recursive: true });

  // Nobody has noticed.
  assert.equal(await cluster.leader(), second);
  for (const daemon of [...cluster.masters, ...cluster.agents]) assert.equal(await daemon.version(), NEW.version);
  assert.deepEqual(processesIn(cluster.root), processes);
  assert.deepEqual([...framework.updates], []);
  assert.deepEqual(framework.alarms, []);
  assert.equal(framework.subscriptions, 2);
  assert.deepEqual((await second.read<State>('/state')).slaves.map(({ id }) => id).sort(), ids);
  assert.deepEqual(await decided(second), decisions);
  const after = await second.read<Metrics>('/metrics/snapshot');
  for (const name of ['tasks_lost', 'tasks_failed', 'tasks_unreachable', 'slave_removals', 'recovery_slave_removals']) {
    assert.equal(after[`master/${name}`], 0, name);
  }

  // What the master and the agents know of the tasks is what the scheduler was told before.
  await framework.reconcile();
  await until('all tasks are told of', () => framework.updates.length === total, PATIENCE);
  assert.equal(framework.inState('TASK_RUNNING').length, total);
  const known = framework.updates.map(({ task_id, container_status }) => [
    task_id.value,
    container_status?.container_id?.value,
  ]);
  assert.deepEqual(new Map(known as [string, string][]), containers);
  assert.equal(new Set(containers.values()).size, total);

  // Launchers of before start and end tasks for agents of now.
  framework.updates.length = 0;
  await framework.want(1, 'exit 0');
  await until('a task has run on each agent', () => framework.inState('TASK_FINISHED').length === AGENTS, PATIENCE);
  assert.deepEqual(processesIn(cluster.root), processes);
});
