import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { FrameworkInfo, Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import { type Daemon, type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';

const USER = process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody');

let daemons: Daemons;
let frameworks: Framework[] = [];
beforeEach(async () => {
  frameworks = [];
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
});
afterEach(async () => {
  await Promise.all(frameworks.map((framework) => framework.stop()));
  await daemons.stop();
});

function shell(id: string, line: string): (offer: Offer) => TaskInfo {
  return (offer) => ({
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value: line },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 16 } },
    ],
  });
}

/** A framework that launches some tasks on the first offer that it gets, and remembers what it hears. */
class Framework {
  readonly statuses: TaskStatus[] = [];
  readonly #scheduler: Scheduler;
  readonly #ran: Promise<unknown>;
  #launched = false;

  constructor(name: string, tasks: readonly ((offer: Offer) => TaskInfo)[], more: Partial<FrameworkInfo> = {}) {
    this.#scheduler = new Scheduler({
      master: `127.0.0.1:${daemons.master.port}`,
      framework: { user: USER, name, checkpoint: true, failover_timeout: 60, ...more },
      handlers: {
        offers: (offers, self) => {
          for (const offer of offers) {
            if (this.#launched) self.decline([offer.id], { refuse_seconds: 3600 }).catch(() => {});
            else {
              this.#launched = true;
              self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: tasks.map((task) => task(offer)) } }]);
            }
          }
        },
        update: (status) => {
          // An update may come again before its acknowledgement has arrived.
          const isNew = this.statuses.every(({ uuid }) => String(uuid) !== String(status.uuid));
          if (isNew || status.uuid === undefined) this.statuses.push(status);
        },
      },
    });
    this.#ran = this.#scheduler.run();
    frameworks.push(this);
  }

  states(taskId: string): string[] {
    return this.statuses.filter(({ task_id }) => task_id.value === taskId).map(({ state }) => state ?? '');
  }

  last(taskId: string): TaskStatus | undefined {
    return this.statuses.findLast(({ task_id }) => task_id.value === taskId);
  }

  async runs(...taskIds: string[]): Promise<void> {
    await until(`${taskIds} run`, () => taskIds.every((id) => this.states(id).includes('TASK_RUNNING')));
  }

  async ends(...taskIds: string[]): Promise<void> {
    const ends = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_LOST', 'TASK_GONE', 'TASK_DROPPED'];
    await until(`${taskIds} end`, () => taskIds.every((id) => ends.includes(this.last(id)?.state ?? '')), 30_000);
  }

  async stop(): Promise<void> {
    await this.#scheduler.teardown();
    await this.#ran.catch(() => {});
  }
}

async function agentIds(): Promise<string[]> {
  return (await masterState(daemons.master.port)).slaves.map(({ id }) => id);
}

async function activeIds(): Promise<string[]> {
  return (await masterState(daemons.master.port)).slaves.filter(({ active }) => active).map(({ id }) => id);
}

/** The same agent once more: same port, same folders. */
async function restart(agent: Daemon, ...flags: string[]): Promise<Daemon> {
  const next = agent.restart(...flags);
  await until('the agent is back', async () => (await activeIds()).length === 1, 30_000);
  return next;
}

function stdoutOf(agent: Daemon, taskId: string): string {
  const folder = join(agent.workDir, 'slaves/latest/frameworks');
  for (const framework of readdirSync(folder)) {
    try {
      return readFileSync(join(folder, framework, 'executors', taskId, 'runs/latest/stdout'), 'utf8');
    } catch {}
  }
  return '';
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  it(`tasks go on when the agent ends by ${signal}, and what they say and how they end is not lost`, async () => {
    const agent = await daemons.startAgent();
    const [id] = await agentIds();
    const framework = new Framework('survivor', [
      shell('long', 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done'),
      shell('short', 'sleep 1; echo bye; exit 3'),
    ]);
    await framework.runs('long', 'short');
    await agent.end(signal);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const next = await restart(agent);
    assert.deepEqual(await activeIds(), [id]);
    await framework.ends('long', 'short');
    assert.deepEqual(framework.states('long'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    assert.deepEqual(framework.states('short'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    assert.match(framework.last('short')?.message ?? '', /exited with status 3/);
    assert.equal(stdoutOf(next, 'long'), '1\n2\n3\n4\n5\n6\n7\n8\n');
    assert.equal(stdoutOf(next, 'short'), 'bye\n');
  });
}

it('an agent that is killed again and again keeps its tasks', async () => {
  let agent = await daemons.startAgent();
  const framework = new Framework('again', [shell('patient', 'sleep 6; exit 0')]);
  await framework.runs('patient');
  for (let i = 0; i < 3; i++) {
    await agent.end('SIGKILL');
    agent = await restart(agent);
  }
  await framework.ends('patient');
  assert.deepEqual(framework.states('patient'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
});

it('tasks of a framework without checkpoints end with the agent', async () => {
  const agent = await daemons.startAgent();
  const framework = new Framework('forgetful', [shell('fleeting', 'sleep 1000')], { checkpoint: false });
  await framework.runs('fleeting');
  await agent.end('SIGKILL');
  await framework.ends('fleeting');
  assert.equal(framework.last('fleeting')?.state, 'TASK_LOST');
  await restart(agent);
});

it('tasks whose launcher died with the agent are gone, and said to be', async () => {
  const agent = await daemons.startAgent();
  const framework = new Framework('orphaned', [shell('orphan', 'sleep 1000')], {
    capabilities: [{ type: 'PARTITION_AWARE' }],
  });
  await framework.runs('orphan');
  await agent.end('SIGKILL');
  agent.killLauncher();
  await restart(agent);
  await framework.ends('orphan');
  assert.equal(framework.last('orphan')?.state, 'TASK_GONE');
  assert.match(framework.last('orphan')?.message ?? '', /while the agent was away/);
});

it('an agent may not come back as another, and says what to do', async () => {
  const agent = await daemons.startAgent('--resources=cpus:2;mem:512', '--attributes=rack:a');
  const [id] = await agentIds();
  // Until then it has promised nothing, and would come back as a new agent.
  await until('the agent has saved who it is', () => existsSync(join(agent.workDir, 'meta/slaves/latest/slave.info')));
  await agent.end('SIGKILL');
  const changed = agent.restart('--resources=cpus:1;mem:512', '--attributes=rack:a');
  const refused = await changed.ended;
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    /resources changed from 'cpus.*:2.*--reconfiguration_policy=equal.*remove .*meta\/slaves\/latest/s,
  );
  const additive = ['--resources=cpus:4;mem:512', '--attributes=rack:a;zone:b', '--reconfiguration_policy=additive'];
  await restart(agent, ...additive);
  assert.deepEqual(await activeIds(), [id]);
});

it('a checkpoint that is garbled is named, and there is a way past it', async () => {
  const agent = await daemons.startAgent();
  const framework = new Framework('garbled', [shell('task', 'sleep 1000')]);
  await framework.runs('task');
  await agent.end('SIGKILL');
  const meta = join(agent.workDir, 'meta/slaves/latest/frameworks');
  const path = join(meta, readdirSync(meta)[0] ?? '', 'framework.info');
  writeFileSync(path, 'nonsense');
  const refused = await agent.restart().ended;
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /framework\.info is garbled.*--no-strict.*meta\/slaves\/latest/s);
  await restart(agent, '--no-strict');
  await framework.ends('task');
});

it('--recover=cleanup ends what was left, and then the agent', async () => {
  const agent = await daemons.startAgent();
  const framework = new Framework('cleaned', [shell('rest', 'sleep 1000')]);
  await framework.runs('rest');
  await agent.end('SIGKILL');
  const { status } = await agent.restart('--recover=cleanup').ended;
  assert.equal(status, 0);
  assert.equal(agent.tasksLeft(), 0);
});
