/**
 * The agent is killed (SIGKILL) again and again, at instants that a seed chooses, while tasks are launched, start, run,
 * are killed and end. MESETA_SEED replays a run as far as the machine lets it.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Framework, isEnd, type NewTask, outputOf, restart, shell } from './agent-recovery.fixture.ts';
import { type Daemon, type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';

const SEED = Number(process.env.MESETA_SEED ?? 20);
const KILLS = 12;
const WAVE = 6;
/** Lines that each task writes. */
const LINES = 5;

let daemons: Daemons;
let framework: Framework | undefined;
before(async () => {
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
});
after(async () => {
  await framework?.stop();
  await daemons.stop();
});

interface Plan {
  readonly id: string;
  readonly status: number;
  /** It is asked to end while it runs. */
  readonly isKilled: boolean;
  readonly task: NewTask;
}

/** A task that says when it is begun, again and again that it goes on, and how it ends. */
function plan(id: string, random: () => number): Plan {
  const status = random() < 0.5 ? 0 : 1 + Math.floor(random() * 100);
  const isKilled = random() < 0.2;
  const pause = isKilled ? 1000 : (random() * 0.4).toFixed(2);
  const lines = `for i in $(seq ${LINES}); do echo line $i; sleep ${pause}; done`;
  return { id, status, isKilled, task: shell(id, `echo begun >> runs; ${lines}; exit ${status}`) };
}

/** A task of which nobody knows is said to be lost whenever that is found, until it is acknowledged. */
function endsOf(states: readonly string[]): string[] {
  const ends = states.filter(isEnd);
  return ends.every((state) => state === 'TASK_LOST') ? ends.slice(0, 1) : ends;
}

const NEVER_RAN =
  /being launched when the agent restarted|unknown to the agent|registering again|outdated|no longer valid|a new agent registered at the same address|not connected|disconnected/i;

/** Whatever happened: what its scheduler was told can be true, and is told in order, once. */
function check({ id, status, isKilled }: Plan, agent: Daemon, told: Framework): void {
  const states = told.states(id);
  const output = outputOf(agent, id);
  const begun = outputOf(agent, id, 'runs').split('\n').length - 1;
  const all = told.statuses.filter(({ task_id }) => task_id.value === id);
  const messages = all.map(({ source, reason, message }) => [source, reason, message].join(' '));
  const context = `${id} (status ${status}): ${states.join(' ')}; begun ${begun}; ${messages.join(', ')}`;
  assert.ok(begun <= 1, `twice: ${context}`);
  const [end, ...more] = endsOf(states);
  assert.deepEqual([end === undefined, more], [false, []], `one end: ${context}`);
  assert.equal(states.at(-1), end, `nothing after the end: ${context}`);
  if (end === 'TASK_LOST') {
    // It never came to the agent, or not so far that anything of it was started.
    assert.deepEqual([states.every((state) => state === 'TASK_LOST'), begun], [true, 0], context);
    assert.match(messages.join(), NEVER_RAN);
    return;
  }
  if (end === 'TASK_KILLED' && !states.includes('TASK_RUNNING')) {
    assert.ok(isKilled, context);
    return;
  }
  const expected = isKilled ? 'TASK_KILLED' : status === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
  assert.deepEqual(states, ['TASK_STARTING', 'TASK_RUNNING', expected], context);
  assert.equal(begun, 1, context);
  if (isKilled) return;
  assert.match(told.last(id)?.message ?? '', new RegExp(`exited with status ${status}$`), context);
  assert.equal(output, Array.from({ length: LINES }, (_, i) => `line ${i + 1}\n`).join(''), context);
}

it(`whenever the agent is killed, each task runs once and has one end, the true one (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const told = new Framework(daemons, 'anytime', []);
  framework = told;
  let agent = await daemons.startAgent('--resources=cpus:64;mem:65536');
  const plans: Plan[] = [];
  for (let kills = 0; kills < KILLS; kills++) {
    const wave = Array.from({ length: WAVE }, (_, i) => plan(`t${kills}-${i}`, random));
    plans.push(...wave);
    told.launch(wave.map(({ task }) => task));
    // Most things happen soon after a launch: instants near to it are chosen more often.
    const instant = random() ** 1.5 * 1200;
    const killed = setInterval(() => {
      for (const { id, isKilled } of plans) {
        if (isKilled && told.states(id).includes('TASK_RUNNING') && !isEnd(told.last(id)?.state)) told.kill(id);
      }
    }, 40);
    await new Promise((resolve) => setTimeout(resolve, instant));
    await agent.end('SIGKILL');
    clearInterval(killed);
    agent = await restart(daemons, agent);
  }
  const unended = (): Plan[] => plans.filter(({ id }) => !isEnd(told.last(id)?.state));
  await until('every task ends', () => {
    for (const { id, isKilled } of unended()) if (isKilled) told.kill(id);
    return unended().length === 0;
  }).catch(async () => {
    const left = unended().map(({ id }) => `${id} ${told.states(id).join(' ')}`);
    const state = JSON.stringify(await masterState(daemons.master.port));
    assert.fail(`not ended: ${left.join(', ')}; ${state}; ${agent.stderr()}`);
  });
  for (const one of plans) check(one, agent, told);
  const ran = plans.filter(({ id }) => told.states(id).includes('TASK_RUNNING'));
  assert.ok(ran.length > plans.length / 3, `only ${ran.length} of ${plans.length} tasks ran: this shows nothing`);
  const known = async () => (await masterState(daemons.master.port)).frameworks[0];
  await until('all ends are acknowledged', async () => (await known())?.tasks.length === 0);
  const completed = (await known())?.completed_tasks ?? [];
  for (const { id } of plans) {
    const ends = completed.filter((task) => task.id === id).map(({ state }) => state);
    // What was refused before it came to an agent is no task to the master.
    const expected = ends.length === 0 && told.last(id)?.state === 'TASK_LOST' ? [] : [told.last(id)?.state];
    assert.deepEqual(ends, expected, `what the master says of ${id}`);
  }
  await until('nothing of them is left', () => agent.tasksLeft() <= 2);
});
