/** A disk that fails at each of its operations: what was acknowledged is there for the agent that comes next. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ExecutorInfo, Offer_Operation, Resource } from '../../wire/v1.ts';
import { task, World } from '../core/fake-world.ts';
import { isTerminal } from '../core/task-state.ts';
import {
  acknowledgeAll,
  CAREFUL,
  exit,
  goOn,
  hex,
  live,
  Outside,
  reborn,
  recover,
  type Story,
  settleOperations,
} from './faults.fixture.ts';
import { type FaultyFiles, faultyFiles } from './faulty-files.fixture.ts';
import type { Checkpoints } from './reader.ts';
import { CheckpointError } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'faults-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Between the instants at which an agent is killed whose successor's disk fails. */
const STRIDE = 8;

/** So many things happen to an agent that goes on before it is killed: it is admitted then, and has told something. */
const CUT_SHORT = 12;

interface Plot {
  readonly story: Story;
  readonly version?: 0 | 1;
  readonly resources?: readonly Resource[];
  /** How each task may end. */
  readonly ends: Readonly<Record<string, readonly string[]>>;
  /** How many operations of the disk there are at least. */
  readonly operations: number;
}

// A kill that was not durable yet is one that did not arrive; the master says it again.
const KILLED = ['TASK_KILLED', 'TASK_FAILED', 'TASK_FINISHED'];

function* commands(world: World, outside: Outside): Generator<void> {
  world.register();
  yield;
  for (const id of ['a', 'b', 'c']) {
    world.run(task(id), CAREFUL);
    yield;
    world.start();
    yield;
  }
  yield* acknowledgeAll(world, outside);
  yield* exit(world, outside, 'a', 0);
  yield* acknowledgeAll(world, outside);
  world.kill('b');
  yield;
  yield* exit(world, outside, 'b', 15);
  yield* acknowledgeAll(world, outside);
  yield* exit(world, outside, 'c', 0);
  yield* acknowledgeAll(world, outside);
}

function* group(world: World, outside: Outside): Generator<void> {
  world.register();
  yield;
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: CAREFUL,
    executor: { type: 'DEFAULT', executor_id: { value: 'de' }, framework_id: { value: 'f1' } },
    task_group: { tasks: [task('a'), task('b')] },
    launch_executor: true,
  });
  yield;
  for (const containerId of [...outside.containers.keys()]) {
    world.start(containerId);
    yield;
  }
  yield* acknowledgeAll(world, outside);
  world.kill('a');
  yield;
  yield* exit(world, outside, 'a', 15);
  yield* exit(world, outside, 'b', 15);
  yield* acknowledgeAll(world, outside);
}

const OWN: ExecutorInfo = { executor_id: { value: 'own' }, command: { value: 'exec' }, framework_id: { value: 'f1' } };

function* custom(world: World, outside: Outside): Generator<void> {
  const { executor } = outside;
  const launch = (id: string): void => {
    const { command: _, ...info } = task(id);
    const message = { framework: CAREFUL, task: { ...info, executor: OWN }, launch_executor: id === 'a' };
    world.receive('mesos.internal.RunTaskMessage', message);
  };
  world.register();
  yield;
  launch('a');
  yield;
  world.start();
  yield;
  executor.register(world);
  yield;
  executor.update(world, 'a', 'TASK_RUNNING');
  yield;
  launch('b');
  yield;
  executor.update(world, 'b', 'TASK_RUNNING');
  yield* acknowledgeAll(world, outside);
  executor.update(world, 'a', 'TASK_FINISHED');
  yield;
  world.kill('b');
  yield;
  executor.update(world, 'b', 'TASK_KILLED');
  yield;
  yield* acknowledgeAll(world, outside);
  yield* exit(world, outside, undefined, 0);
}

const disk = (more: Partial<Resource> = {}): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 10 },
  allocation_info: { role: 'a' },
  reservations: [{ type: 'DYNAMIC', role: 'a' }],
  ...more,
});
const VOLUME = disk({ disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } } });
const OPERATIONS: readonly Offer_Operation[] = [
  { type: 'RESERVE', id: { value: 'reserve' }, reserve: { resources: [disk()] } },
  { type: 'CREATE', id: { value: 'create' }, create: { volumes: [VOLUME] } },
  { type: 'DESTROY', id: { value: 'destroy' }, destroy: { volumes: [VOLUME] } },
];

function* operations(world: World, outside: Outside): Generator<void> {
  world.register();
  yield;
  for (const [number, operation_info] of OPERATIONS.entries()) {
    world.receive('mesos.internal.ApplyOperationMessage', {
      framework_id: { value: 'f1' },
      operation_info,
      operation_uuid: { value: new Uint8Array(16).fill(number + 1) },
      resource_version_uuid: { uuid: { value: world.agent.state.resourceVersion } },
    });
    yield;
    yield* settleOperations(world, outside);
    yield* settleOperations(world, outside);
  }
  world.receive('mesos.internal.DrainSlaveMessage', { config: {} });
  yield;
}

const OWN_ENDS = { a: ['TASK_FINISHED', 'TASK_FAILED', 'TASK_LOST'], b: [...KILLED, 'TASK_LOST'] };
const PLOTS: Readonly<Record<string, Plot>> = {
  'three commands': {
    story: commands,
    ends: { a: ['TASK_FINISHED'], b: KILLED, c: ['TASK_FINISHED'] },
    operations: 100,
  },
  'a task group': { story: group, ends: { a: KILLED, b: KILLED }, operations: 60 },
  'an executor of version 0': { story: custom, version: 0, ends: OWN_ENDS, operations: 60 },
  'an executor of version 1': { story: custom, version: 1, ends: OWN_ENDS, operations: 60 },
  'operations and a drain': {
    story: operations,
    resources: [{ name: 'disk', type: 'SCALAR', scalar: { value: 100 } }],
    ends: {},
    operations: 40,
  },
};

let places = 0;
interface Place {
  readonly workDir: string;
  readonly world: World;
  readonly outside: Outside;
}
function begin(plot: Plot): Place {
  const workDir = join(root, String(places++));
  mkdirSync(workDir);
  const world = new World({ workDir, ...(plot.resources && { resources: plot.resources }) });
  return { workDir, world, outside: new Outside(plot.version) };
}

function checkFailure(at: string, failure: unknown, workDir: string): void {
  assert.ok(failure instanceof CheckpointError, `${at}: ${failure}`);
  assert.ok(failure.path.startsWith(workDir));
  assert.match(failure.message, /cannot be written: E\w+: .*; look at the disk and its permissions$/);
}

/** Whatever somebody outside relies on is on disk. */
function checkDisk(at: string, outside: Outside, { frameworks, resources }: Checkpoints): void {
  const tasks = frameworks.flatMap(({ runs }) => runs.flatMap((run) => run.tasks));
  const written = new Set(tasks.flatMap(({ records }) => records.map(({ update }) => hex(update?.uuid))));
  for (const [uuid, { taskId, state }] of outside.told) {
    const isKept = written.has(uuid) || outside.acknowledged.has(uuid);
    assert.ok(isKept, `${at}: ${state} of ${taskId} was told, and is forgotten`);
  }
  for (const uuid of outside.executor.given) {
    const isKept = written.has(uuid) || outside.acknowledged.has(uuid);
    assert.ok(isKept, `${at}: an update was acknowledged to its executor, and is forgotten`);
  }
  const ends = new Set((resources.operations ?? []).map(({ latest_status }) => hex(latest_status.uuid?.value)));
  for (const [uuid, { state }] of outside.ends) {
    if (uuid === '') continue;
    assert.ok(ends.has(uuid) || outside.acknowledgingEnds.has(uuid), `${at}: ${state} of an operation is forgotten`);
  }
  const known = new Set(tasks.map(({ info }) => info.task_id.value));
  for (const taskId of launchedIn(outside)) assert.ok(known.has(taskId), `${at}: ${taskId} runs, and nobody knows`);
}

function launchedIn({ containers, taskOf, executor }: Outside): string[] {
  return [...[...containers.keys()].flatMap((id) => taskOf.get(id) ?? []), ...executor.tasks.keys()];
}

/** After the last life, on a sound disk, nothing is left open and nothing was told twice. */
function checkEnd(at: string, { ends, version }: Plot, outside: Outside, { agent }: World): void {
  assert.deepEqual(outside.again, [], `${at}: told again what was acknowledged`);
  const { frameworks, streams, operations } = agent.state;
  assert.deepEqual([frameworks.size, streams.size, operations.size], [0, 0, 0], `${at}: something is left open`);
  for (const taskId of new Set([...outside.told.values()].map((told) => told.taskId))) {
    const states = [...outside.told.values()].filter((told) => told.taskId === taskId).map(({ state }) => state);
    const [last, ...more] = states.filter((state) => isTerminal(state as never));
    assert.deepEqual(more, [], `${at}: ${taskId} has ended more than once: ${states}`);
    // What the disk knew of, and the disk failed before it was launched.
    const ran = [...outside.taskOf.values()].includes(taskId) || outside.executor.had.has(taskId);
    // Or the executor's introduction was not durable: it is not awaited as one that comes back, and has a minute.
    const unlaunched = version === undefined ? ['TASK_LOST'] : ['TASK_LOST', 'TASK_FAILED'];
    const wanted = ran ? (ends[taskId] ?? []) : unlaunched;
    assert.ok(last !== undefined && wanted.includes(last), `${at}: ${taskId}: ${states}`);
  }
}

/** Two lives on a disk that is sound; the first is cut short, so that what it wrote after what was there is read again. */
async function lastLives(at: string, plot: Plot, { workDir, outside, world }: Place): Promise<void> {
  for (const steps of [CUT_SHORT, Number.POSITIVE_INFINITY]) {
    const found = await recover(workDir, world.agent.state.info);
    assert.ok(found.ok, found.ok ? '' : `${at}: ${found.error}`);
    checkDisk(at, outside, found.value);
    const next = reborn(workDir, found.value, outside, world);
    assert.equal(await live(next, outside, goOn, faultyFiles(Number.POSITIVE_INFINITY), steps), undefined);
    if (steps > CUT_SHORT) checkEnd(at, plot, outside, next);
  }
  rmSync(workDir, { recursive: true, force: true });
}

for (const [name, plot] of Object.entries(PLOTS)) {
  for (const loses of [false, true]) {
    const what = loses ? ', and what was not synced then is gone' : '';
    test(`${name}: whichever operation of the disk fails first${what}, the path is named, and nothing is lost or told twice`, async () => {
      // Every other operation, so that both ways of failing together try each: all of both take twice as long.
      let at = loses ? 1 : 0;
      for (; ; at += 2) {
        const place = begin(plot);
        const disk = faultyFiles(at, loses);
        const failure = await live(place.world, place.outside, plot.story, disk);
        if (disk.failed() === undefined) {
          assert.equal(failure, undefined);
          break;
        }
        checkFailure(`at ${at}`, failure, place.workDir);
        await lastLives(`at ${at} (${disk.failed()})`, plot, place);
      }
      assert.ok(at >= plot.operations, `${at} operations`);
    });
  }

  test(`${name}: whichever operation of the disk fails while an agent recovers, the next one does`, async () => {
    let failures = 0;
    for (let steps = 1; ; steps += STRIDE) {
      const isOver = await restarts(plot, steps, (disk) => {
        if (disk.failed() !== undefined) failures++;
      });
      if (isOver) break;
    }
    assert.ok(failures > plot.operations / 2, `${failures} failures`);
  });
}

/** An agent is killed after so many things have happened, and the next one has a disk that fails. @returns whether that was all */
async function restarts(plot: Plot, steps: number, lived: (disk: FaultyFiles) => void): Promise<boolean> {
  for (let at = 0; ; at++) {
    const place = begin(plot);
    const { workDir, outside, world } = place;
    let happened = 0;
    const counting: Story = function* (...args) {
      for (const _ of plot.story(...args)) {
        happened++;
        yield;
      }
    };
    await live(world, outside, counting, faultyFiles(Number.POSITIVE_INFINITY), steps);
    const disk = faultyFiles(at);
    const where = `after ${steps} steps, at ${at}`;
    const found = await recover(workDir, world.agent.state.info, disk);
    if (found.ok) {
      const second = reborn(workDir, found.value, outside, world);
      const failure = await live(second, outside, goOn, disk);
      if (disk.failed() !== undefined) checkFailure(where, failure, workDir);
    } else assert.match(found.error, /cannot be written: E\w+: .*; look at the disk/);
    lived(disk);
    await lastLives(where, plot, place);
    if (disk.failed() === undefined) return happened < steps;
  }
}
