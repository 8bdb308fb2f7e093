/** Executors that are programs of their own outlive their agent, and are found again by the next one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/base/random.ts';
import {
  activeIds,
  Framework,
  isEnd,
  type NewTask,
  outputOf,
  restart,
  sandboxOf,
  shell,
} from './agent-recovery.fixture.ts';
import { type Daemon, type Daemons, startDaemons, until } from './daemons.fixture.ts';

const PROGRAM = fileURLToPath(new URL('executor.process.ts', import.meta.url));
const VERSIONS = ['v0', 'v1'] as const;
type Version = (typeof VERSIONS)[number];

let daemons: Daemons;
let framework: Framework | undefined;
beforeEach(async () => {
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
});
afterEach(async () => {
  await framework?.stop();
  await daemons.stop();
});

/** Tasks of one executor. */
function custom(id: string, version: Version): NewTask {
  const executor = {
    executor_id: { value: 'custom' },
    type: 'CUSTOM' as const,
    command: { value: `exec ${process.execPath} ${PROGRAM} ${version}` },
    resources: [{ name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.1 } }],
  };
  return (offer) => ({ ...shell(id, '')(offer), command: undefined, executor });
}

interface Line {
  readonly pid?: number;
  readonly launched?: string;
  readonly subscribed?: string;
  readonly [name: string]: unknown;
}

/** What the executor has said so far. */
function said(agent: Daemon): Line[] {
  const lines = outputOf(agent, 'custom').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Has the executor end this task. */
function finish(agent: Daemon, taskId: string): void {
  writeFileSync(join(sandboxOf(agent, 'custom')!, taskId), '');
}

async function launch(version: Version, flags: readonly string[], checkpoint = true) {
  const agent = await daemons.startAgent(...flags);
  framework = new Framework(daemons, 'with-executor', [custom('one', version), custom('two', version)], { checkpoint });
  await framework.runs('one', 'two');
  await until('the executor has told its process id', () => said(agent).some(({ pid }) => pid !== undefined));
  const pid = said(agent).find((line) => line.pid !== undefined)!.pid!;
  assert.ok(isAlive(pid));
  return { agent, pid, framework };
}

const SEED = Number(process.env.MESETA_SEED ?? 7);
const KILLS = 5;

/** Whatever its agent went through, a task was handed over once at most and has one end, which is the true one. */
function checkTold(framework: Framework, id: string, handed: readonly string[]): void {
  const states = framework.states(id);
  const times = handed.filter((one) => one === id).length;
  const context = `${id}: ${states.join(' ')}; ${framework.last(id)?.message}; handed over ${times} times`;
  assert.ok(times <= 1, context);
  const ends = [...new Set(states.filter(isEnd))];
  assert.equal(ends.length, 1, context);
  if (times === 1) assert.deepEqual(states, ['TASK_RUNNING', 'TASK_FINISHED'], context);
  else assert.deepEqual(ends, ['TASK_LOST'], context);
}

for (const version of VERSIONS) {
  it(`whenever the agent of an executor of version ${version} is killed, its tasks run once and have one end (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const flags = ['--executor_reregistration_timeout=10secs'];
    const { agent: first, pid, framework } = await launch(version, flags);
    let agent = first;
    const ids: string[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      const wave = [`w${kills}-0`, `w${kills}-1`];
      ids.push(...wave);
      framework.launch(wave.map((id) => custom(id, version)));
      // Some end while the agent is there, some while it is away.
      if (kills > 0) finish(agent, `w${kills - 1}-0`);
      await new Promise((resolve) => setTimeout(resolve, random() ** 2 * 400));
      // On a busy machine none may get that far by itself.
      const isThrough = () => said(agent).some(({ launched }) => launched === wave[0]);
      if (kills === KILLS - 1) await until('the last wave is handed over', isThrough);
      await agent.end('SIGKILL');
      if (kills > 0) finish(agent, `w${kills - 1}-1`);
      agent = await restart(daemons, agent);
    }
    for (const id of ['one', 'two', ...ids]) finish(agent, id);
    await framework.ends('one', 'two', ...ids);
    const lines = said(agent);
    const handed = lines.flatMap(({ launched }) => launched ?? []);
    for (const id of ['one', 'two', ...ids]) checkTold(framework, id, handed);
    assert.ok(handed.length > 2, 'none of the waves came through: this shows nothing');
    assert.equal(lines.filter((line) => line.pid !== undefined).length, 1, 'there is one of it');
    assert.ok(isAlive(pid));
  });

  it(`an executor of version ${version} and its tasks go on when the agent is killed, and nothing is lost or told twice`, async () => {
    const { agent, pid, framework } = await launch(version, ['--executor_reregistration_timeout=5secs']);
    const [id] = await activeIds(daemons);
    await agent.end('SIGKILL');
    finish(agent, 'one');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = await restart(daemons, agent);
    assert.deepEqual(await activeIds(daemons), [id]);
    await framework.ends('one');
    assert.deepEqual(framework.states('one'), ['TASK_RUNNING', 'TASK_FINISHED']);
    assert.deepEqual(framework.states('two'), ['TASK_RUNNING']);
    framework.launch([custom('three', version)]);
    await framework.runs('three');
    finish(next, 'two');
    await framework.ends('two');
    framework.kill('three');
    await framework.ends('three');
    assert.deepEqual(framework.states('two'), ['TASK_RUNNING', 'TASK_FINISHED']);
    assert.deepEqual(framework.states('three'), ['TASK_RUNNING', 'TASK_KILLED']);
    const lines = said(next);
    assert.deepEqual(lines.flatMap(({ launched }) => launched ?? []).sort(), ['one', 'three', 'two']);
    assert.equal(lines.filter(({ subscribed }) => subscribed === id).length, 2);
    assert.equal(lines.filter((line) => line.pid !== undefined).length, 1, 'there is one of it');
    assert.ok(isAlive(pid));
    const { checkpoint, recovery, backoff, grace } = lines[0]!;
    assert.deepEqual(
      { checkpoint, recovery, backoff, grace },
      { checkpoint: '1', recovery: '15mins', backoff: '5secs', grace: '5secs' },
    );
  });

  it(`an executor of version ${version} that does not come back in time is ended, and its tasks are told to be`, async () => {
    const { agent, pid, framework } = await launch(version, ['--executor_reregistration_timeout=1secs']);
    await agent.end('SIGKILL');
    process.kill(pid, 'SIGSTOP');
    const next = await restart(daemons, agent);
    await framework.ends('one', 'two');
    for (const task of ['one', 'two']) {
      assert.match(framework.last(task)?.state ?? '', /TASK_(LOST|GONE|FAILED)/);
      assert.match(framework.last(task)?.message ?? '', /did not reregister within 1secs/);
    }
    await until('it is gone', () => !isAlive(pid));
    assert.ok(next.stderr().length > 0);
  });

  it(`an executor of version ${version} without checkpoints ends with its agent`, async () => {
    const { agent, pid, framework } = await launch(version, [], false);
    await agent.end('SIGKILL');
    await framework.ends('one', 'two');
    assert.deepEqual([framework.last('one')?.state, framework.last('two')?.state], ['TASK_LOST', 'TASK_LOST']);
    await until('it is gone', () => !isAlive(pid));
    const [{ checkpoint, recovery }] = said(agent) as [Line];
    assert.deepEqual([checkpoint, recovery], ['0', undefined]);
    await restart(daemons, agent);
  });

  it(`an executor of version ${version} waits for its agent for the recovery timeout, and no longer`, async () => {
    const { agent, pid, framework } = await launch(version, ['--recovery_timeout=1secs']);
    await agent.end('SIGKILL');
    await until('it has given up', () => !isAlive(pid));
    await restart(daemons, agent);
    await framework.ends('one', 'two');
    for (const task of ['one', 'two']) assert.match(framework.last(task)?.state ?? '', /TASK_(LOST|GONE|FAILED)/);
  });
}
