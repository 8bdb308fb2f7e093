/** A disk that fails at each of its operations: what was acknowledged is there for the agent that comes next. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OutputCommit } from '../../runtime/output-commit.ts';
import type { FrameworkInfo } from '../../wire/v1.ts';
import type { AgentEffect } from '../core/effects.ts';
import { FRAMEWORK, MASTER, task, World } from '../core/fake-world.ts';
import type { Persist } from '../core/persist.ts';
import { recoverCheckpoints } from '../recover.ts';
import { type FaultyFiles, faultyFiles } from './faulty-files.fixture.ts';
import type { Checkpoints } from './reader.ts';
import { CheckpointError, writeCheckpoints } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'faults-'));
after(() => rmSync(root, { recursive: true, force: true }));

const CAREFUL: FrameworkInfo = { ...FRAMEWORK, checkpoint: true };

const hex = (uuid: Uint8Array | undefined): string => Buffer.from(uuid ?? []).toString('hex');

/** What the world outside knows of the agent. */
interface Outside {
  /** Updates that the master was sent, by uuid. */
  readonly told: Map<string, { readonly taskId: string; readonly state: string }>;
  /** Those of them whose acknowledgement the agent has taken, which was durable then. */
  readonly acknowledged: Set<string>;
  /** Containers that were launched and not cleared: the exit status of those that have ended. */
  readonly containers: Map<string, number | undefined>;
  readonly taskOf: Map<string, string>;
}

function note(outside: Outside, effect: AgentEffect): void {
  if (effect.kind === 'send' && effect.name === 'mesos.internal.StatusUpdateMessage') {
    const { status, uuid } = (
      effect.message as { update: { status: { task_id: { value: string }; state: string }; uuid?: Uint8Array } }
    ).update;
    outside.told.set(hex(uuid), { taskId: status.task_id.value, state: status.state });
  }
  if (effect.kind === 'launchContainer') outside.containers.set(effect.containerId, undefined);
  if (effect.kind === 'destroyContainer') outside.containers.delete(effect.containerId);
}

/** What happens to the agent, one thing after the other; each is durable before the next. */
function* story(world: World, outside: Outside): Generator<void> {
  world.register();
  yield;
  for (const id of ['a', 'b', 'c']) {
    world.run(task(id), CAREFUL);
    outside.taskOf.set(world.launched().containerId, id);
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

function* exit(world: World, outside: Outside, taskId: string, status: number): Generator<void> {
  const [containerId] = [...outside.taskOf].find(([, id]) => id === taskId)!;
  outside.containers.set(containerId, status);
  world.exit(status, containerId);
  yield;
}

function* acknowledgeAll(world: World, outside: Outside): Generator<void> {
  for (;;) {
    const [next] = [...world.agent.state.streams.values()].flatMap((stream) => stream.pending.slice(0, 1));
    if (next === undefined) return;
    world.acknowledge(next);
    yield;
    outside.acknowledged.add(hex(next.uuid));
  }
}

/** Lives through the story, on this disk. @returns why it ended early, if it did */
async function live(world: World, outside: Outside, { files }: FaultyFiles): Promise<unknown> {
  let failure: unknown;
  const commit = new OutputCommit<AgentEffect, Persist>({
    persistOf: (effect) => (effect.kind === 'persist' ? effect.operation : undefined),
    perform: (effect) => note(outside, effect),
    write: (operations) => writeCheckpoints(operations, files),
    fail: (error) => {
      failure = error;
    },
  });
  let seen = 0;
  for (const _ of story(world, outside)) {
    for (const effect of world.effects.slice(seen)) commit.submit(effect);
    seen = world.effects.length;
    while (commit.isBusy && failure === undefined) await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function recover(workDir: string, world: World) {
  const logger = { info: () => {}, warning: () => {} };
  const { id: _, ...info } = world.agent.state.info;
  return recoverCheckpoints({
    workDir,
    strict: true,
    policy: 'equal',
    info,
    logger,
    bootId: join(workDir, 'no-boot-id'),
  });
}

/** The agent that comes next hears how the containers are, is admitted again, and everything ends. */
function goOn(workDir: string, checkpoints: Checkpoints, outside: Outside): Outside['told'] {
  const running = outside.containers;
  const world = new World({ workDir }, 2, { ...checkpoints, containers: new Set(running.keys()) });
  for (const [containerId, status] of running) {
    if (status === undefined) world.start(containerId, 100);
    else world.exit(status, containerId);
  }
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(5_000);
  if (checkpoints.info?.id === undefined) world.admit();
  else world.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: checkpoints.info.id });
  for (const [containerId, status] of running) if (status === undefined) world.exit(0, containerId);
  world.acknowledgeAll();
  world.advance(60_000);
  const after: Outside = { told: new Map(), acknowledged: new Set(), containers: new Map(), taskOf: new Map() };
  for (const effect of world.effects) note(after, effect);
  return after.told;
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  a: ['TASK_FINISHED'],
  // A kill that was not durable yet is one that did not arrive; the master says it again.
  b: ['TASK_KILLED', 'TASK_FAILED', 'TASK_FINISHED'],
  c: ['TASK_FINISHED'],
};

function check(at: number, outside: Outside, checkpoints: Checkpoints, workDir: string): void {
  const remembered = new Map(
    checkpoints.frameworks.flatMap(({ runs }) =>
      runs.flatMap(({ tasks }) => tasks.map((each) => [each.info.task_id.value, each.records] as const)),
    ),
  );
  for (const [uuid, { taskId, state }] of outside.told) {
    const records = remembered.get(taskId) ?? [];
    const isWritten = records.some(({ update }) => hex(update?.uuid) === uuid);
    assert.ok(
      isWritten || outside.acknowledged.has(uuid),
      `at ${at}: ${state} of ${taskId} was told, and is forgotten`,
    );
  }
  const launched = [...outside.containers.keys()].map((containerId) => outside.taskOf.get(containerId)!);
  for (const taskId of launched) assert.ok(remembered.has(taskId), `at ${at}: ${taskId} runs, and nobody knows of it`);
  const told = goOn(workDir, checkpoints, outside);
  for (const uuid of told.keys())
    assert.ok(!outside.acknowledged.has(uuid), `at ${at}: told again what was acknowledged`);
  for (const taskId of launched) {
    const states = [...new Map([...outside.told, ...told])].filter(([, each]) => each.taskId === taskId);
    const last = states.at(-1)?.[1].state ?? '';
    assert.ok(EXPECTED[taskId]?.includes(last), `at ${at}: ${taskId} ended as ${last}`);
  }
}

test('whichever operation of the disk fails first: the path is named, and nothing that was told or acknowledged is lost', async () => {
  const kinds = new Set<string>();
  let at = 0;
  for (; ; at++) {
    const workDir = join(root, String(at));
    mkdirSync(workDir);
    const world = new World({ workDir });
    const outside: Outside = { told: new Map(), acknowledged: new Set(), containers: new Map(), taskOf: new Map() };
    const disk = faultyFiles(at);
    const failure = await live(world, outside, disk);
    if (disk.failed() === undefined) {
      assert.equal(failure, undefined);
      assert.equal(outside.acknowledged.size, 9);
      break;
    }
    kinds.add(disk.failed()!);
    assert.ok(failure instanceof CheckpointError, String(failure));
    assert.ok(failure.path.startsWith(workDir));
    assert.match(failure.message, /cannot be written: E\w+: .*; look at the disk and its permissions$/);
    const checkpoints = await recover(workDir, world);
    assert.ok(checkpoints.ok, checkpoints.ok ? '' : `at ${at}: ${checkpoints.error}`);
    check(at, outside, checkpoints.value, workDir);
    rmSync(workDir, { recursive: true, force: true });
  }
  assert.ok(at > 100, `${at} operations`);
  assert.deepEqual([...kinds].sort(), [
    'appendFile',
    'datasync',
    'mkdir',
    'open',
    'rename',
    'rm',
    'symlink',
    'sync',
    'writeFile',
  ]);
});
