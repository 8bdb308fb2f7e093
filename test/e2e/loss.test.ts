/** Networks that are slow, stuck, one-way or broken, between programs of this machine. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { type Daemon, type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';
import { Framework } from './framework.fixture.ts';
import { Wire } from './proxy.fixture.ts';

let daemons: Daemons;
let agent: Daemon;
/** Everybody knows master and agent only by these. */
let toMaster: Wire;
let toAgent: Wire;
/** The scheduler's own way to the master. */
let fromScheduler: Wire;
let framework: Framework | undefined;

const wires = (): Wire[] => [toMaster, toAgent, fromScheduler];

beforeEach(async () => {
  framework = undefined;
  // First of all, so that nobody else takes their ports.
  [toMaster, toAgent, fromScheduler] = await Promise.all([Wire.start(), Wire.start(), Wire.start()]);
  const pings = ['--agent_ping_timeout=1secs', '--max_agent_ping_timeouts=2'];
  const advertise = (port: number): string[] => ['--advertise_ip=127.0.0.1', `--advertise_port=${port}`];
  daemons = await startDaemons('--allocation_interval=100ms', ...pings, ...advertise(toMaster.port));
  const { port } = daemons.master;
  toMaster.leadTo(port);
  fromScheduler.leadTo(port);
  // The first agent has the port after the master's.
  toAgent.leadTo(port + 1);
  agent = await daemons.startAgent(`--master=127.0.0.1:${toMaster.port}`, ...advertise(toAgent.port));
  assert.equal(agent.port, port + 1);
});

afterEach(async () => {
  for (const wire of wires()) wire.heal();
  await framework?.stop();
  await daemons.stop();
  await Promise.all(wires().map((wire) => wire.close()));
});

/** A framework whose master is behind a wire. */
function subscribe(commands: Readonly<Record<string, string>>): Framework {
  const capabilities = [{ type: 'PARTITION_AWARE' }] as const;
  framework = new Framework(`127.0.0.1:${fromScheduler.port}`, commands, { capabilities });
  return framework;
}

const IN_ORDER = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'];

it('over a slow network tasks run, and what is said of them arrives in order', async () => {
  for (const wire of wires()) wire.delay(100);
  const tasks = ['a', 'b', 'c'];
  const slow = subscribe(Object.fromEntries(tasks.map((id) => [id, 'sleep 0.2'])));
  for (const id of tasks) await slow.isTold(id, 'TASK_FINISHED');
  for (const id of tasks) assert.deepEqual(slow.states(id), IN_ORDER);
  assert.equal(slow.subscriptions, 1);
  assert.ok(toAgent.accepted > 0);
});

for (const [what, sever] of [
  ['that does not hear its master', () => toAgent.cut('forth')],
  ['that its master does not hear', () => toMaster.cut('forth')],
  ['whose connections hang', () => [toMaster, toAgent].map((wire) => wire.stall('forth'))],
] as const) {
  it(`an agent ${what} is unreachable, and comes back with its task`, async () => {
    const told = subscribe({ task: 'sleep 1000' });
    await told.isTold('task', 'TASK_RUNNING');
    sever();
    await told.isTold('task', 'TASK_UNREACHABLE');
    toMaster.heal();
    toAgent.heal();
    await told.isTold('task', 'TASK_RUNNING');
    await until('the agent is active', async () => {
      const { slaves, frameworks } = await masterState(daemons.master.port);
      return slaves[0]?.active === true && frameworks[0]?.tasks[0]?.state === 'TASK_RUNNING';
    });
    assert.deepEqual(told.states('task').slice(1), ['TASK_RUNNING', 'TASK_UNREACHABLE', 'TASK_RUNNING']);
  });
}

it('what a scheduler was told while its stream hung arrives when it flows again', async () => {
  const told = subscribe({ task: 'sleep 0.5' });
  await told.isTold('task', 'TASK_RUNNING');
  fromScheduler.stall('back');
  await until('the task has ended', async () => {
    const [known] = (await masterState(daemons.master.port)).frameworks;
    return known?.tasks[0]?.state === 'TASK_FINISHED';
  });
  assert.equal(told.states('task').at(-1), 'TASK_RUNNING');
  fromScheduler.heal();
  await told.isTold('task', 'TASK_FINISHED');
  assert.deepEqual(told.states('task'), IN_ORDER);
});

it('connections that break again and again lose nothing that was said', async () => {
  const tasks = Array.from({ length: 8 }, (_, i) => `task-${i}`);
  const told = subscribe(Object.fromEntries(tasks.map((id, i) => [id, `sleep ${1 + i * 0.2}`])));
  for (const id of tasks) await told.isTold(id, 'TASK_RUNNING');
  for (let round = 0; round < 12; round++) {
    for (const wire of wires()) wire.reset();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  for (const id of tasks) await told.isTold(id, 'TASK_FINISHED', 40_000);
  for (const id of tasks) assert.deepEqual(told.states(id), IN_ORDER);
  assert.ok(told.subscriptions > 1);
});
