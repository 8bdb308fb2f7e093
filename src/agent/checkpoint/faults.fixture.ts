/** Lives of an agent on a disk that fails, and all that the world outside saw of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutputCommit } from '../../runtime/output-commit.ts';
import type { StatusUpdate } from '../../wire/internal.ts';
import type { FrameworkInfo, OperationStatus, TaskInfo, TaskState } from '../../wire/v1.ts';
import type { AgentEffect } from '../core/effects.ts';
import { FRAMEWORK, MASTER, World } from '../core/fake-world.ts';
import type { Persist } from '../core/persist.ts';
import { recoverCheckpoints } from '../recover.ts';
import type { FaultyFiles } from './faulty-files.fixture.ts';
import type { Checkpoints } from './reader.ts';
import { writeCheckpoints } from './writer.ts';

export const CAREFUL: FrameworkInfo = { ...FRAMEWORK, checkpoint: true };
const AGENT = { value: 'm-S0' };
const FRAMEWORK_ID = { value: 'f1' };
const PID = 'executor(1)@127.0.0.1:9';

export const hex = (uuid: Uint8Array | undefined): string => Buffer.from(uuid ?? []).toString('hex');

/** A custom executor: keeps what was not acknowledged, and tells it again when it comes back. */
class Executor {
  readonly version: 0 | 1;
  readonly tasks = new Map<string, TaskInfo>();
  readonly updates = new Map<string, StatusUpdate>();
  /** Acknowledged by the agent: it will never tell these again. */
  readonly given = new Set<string>();
  /** Every task that it was ever given. */
  readonly had = new Set<string>();
  private streams = 0;
  private told = 0;
  /** Asked by an agent to come back, and not gone back yet. */
  isAsked = false;

  constructor(version: 0 | 1) {
    this.version = version;
  }

  register(world: World): void {
    if (this.version === 1) this.subscribe(world);
    else {
      const ids = { framework_id: FRAMEWORK_ID, executor_id: { value: 'own' } };
      world.receive('mesos.internal.RegisterExecutorMessage', ids, PID);
    }
  }

  comeBack(world: World): void {
    const own = world.agent.state.frameworks.get('f1')?.executors.get('own');
    if (own === undefined) return;
    if (this.version === 1) this.subscribe(world);
    else if (this.isAsked) {
      this.isAsked = false;
      const updates = [...this.updates.values()];
      const ids = { framework_id: FRAMEWORK_ID, executor_id: { value: 'own' } };
      const message = { ...ids, tasks: [...this.tasks.values()], updates };
      world.receive('mesos.internal.ReregisterExecutorMessage', message, PID);
    }
  }

  private subscribe(world: World): void {
    const unacknowledged_updates = [...this.updates.values()].map(({ status }) => ({ status }));
    const subscribe = { unacknowledged_tasks: [...this.tasks.values()], unacknowledged_updates };
    this.call(world, { type: 'SUBSCRIBE', subscribe }, ++this.streams);
  }

  private call(world: World, call: object, stream?: number): void {
    const whole = { executor_id: { value: 'own' }, framework_id: FRAMEWORK_ID, ...call };
    world.step({ kind: 'executorCall', call: whole as never, ...(stream !== undefined && { stream }) });
  }

  update(world: World, taskId: string, state: TaskState): void {
    const uuid = new Uint8Array(16).fill(++this.told);
    const status = { task_id: { value: taskId }, state, uuid, source: 'SOURCE_EXECUTOR' } as const;
    const update = { framework_id: FRAMEWORK_ID, slave_id: AGENT, status, timestamp: this.told, uuid };
    this.updates.set(hex(uuid), update);
    if (this.version === 1) this.call(world, { type: 'UPDATE', update: { status } });
    else world.receive('mesos.internal.StatusUpdateMessage', { update, pid: PID }, PID);
  }

  launched(task: TaskInfo): void {
    this.tasks.set(task.task_id.value, task);
    this.had.add(task.task_id.value);
  }

  acknowledged(taskId: string, uuid: Uint8Array): void {
    this.updates.delete(hex(uuid));
    this.tasks.delete(taskId);
    this.given.add(hex(uuid));
  }
}

/** What the world outside knows of the agent, over all of its lives. */
export class Outside {
  /** Updates that the master was sent, by uuid. */
  readonly told = new Map<string, { readonly taskId: string; readonly state: string }>();
  /** Those of them whose acknowledgement the agent has taken, which was durable then. */
  readonly acknowledged = new Set<string>();
  /** Ends of operations that the master was sent, by the uuid of the status. */
  readonly ends = new Map<string, OperationStatus>();
  readonly acknowledgedEnds = new Set<string>();
  /** Those whose acknowledgement was sent: whether it is durable nobody knows before the agent goes on. */
  readonly acknowledgingEnds = new Set<string>();
  /** Containers that were launched and not cleared: the exit status of those that have ended. */
  readonly containers = new Map<string, number | undefined>();
  /** The task of each container; none: the executor's. */
  readonly taskOf = new Map<string, string | undefined>();
  /** Containers that are being killed. */
  readonly dying = new Set<string>();
  /** Operations whose volumes are to be changed. */
  readonly changing: string[] = [];
  /** Told although it had been acknowledged. */
  readonly again: string[] = [];
  readonly executor: Executor;
  /** Each chooses other uuids than those before it. */
  lives = 1;

  constructor(version: 0 | 1 = 0) {
    this.executor = new Executor(version);
  }

  /** Something got out of the agent. */
  note(world: World, effect: AgentEffect): void {
    switch (effect.kind) {
      case 'launchContainer':
        this.containers.set(effect.containerId, undefined);
        this.taskOf.set(effect.containerId, taskIn(world, effect.containerId));
        return;
      case 'destroyContainer':
        if (this.containers.get(effect.containerId) !== undefined) this.containers.delete(effect.containerId);
        else if (this.containers.has(effect.containerId)) this.dying.add(effect.containerId);
        return;
      case 'changeVolumes':
        this.changing.push(effect.operation);
        return;
      case 'executorEvent':
        if (effect.event.launch) this.executor.launched(effect.event.launch.task);
        if (effect.event.acknowledged) {
          this.executor.acknowledged(effect.event.acknowledged.task_id.value, effect.event.acknowledged.uuid);
        }
        return;
      case 'send':
        this.#sent(effect.name, effect.message as never);
    }
  }

  #sent(
    name: string,
    message: {
      update: StatusUpdate;
      status: OperationStatus;
      task: TaskInfo;
      task_id: { value: string };
      uuid: Uint8Array;
    },
  ): void {
    if (name === 'mesos.internal.StatusUpdateMessage') {
      const { status, uuid } = message.update;
      if (this.acknowledged.has(hex(uuid))) this.again.push(`${status.state} of ${status.task_id.value}`);
      this.told.set(hex(uuid), { taskId: status.task_id.value, state: status.state });
    }
    if (name === 'mesos.internal.UpdateOperationStatusMessage') {
      const uuid = hex(message.status.uuid?.value);
      if (this.acknowledgedEnds.has(uuid)) this.again.push(`${message.status.state} of an operation`);
      this.ends.set(uuid, message.status);
    }
    if (name === 'mesos.internal.RunTaskMessage') this.executor.launched(message.task);
    if (name === 'mesos.internal.StatusUpdateAcknowledgementMessage') {
      this.executor.acknowledged(message.task_id.value, message.uuid);
    }
    if (name === 'mesos.internal.ReconnectExecutorMessage') this.executor.isAsked = true;
  }
}

function taskIn({ agent }: World, containerId: string): string | undefined {
  for (const framework of agent.state.frameworks.values()) {
    for (const { queued, launched } of framework.executors.values()) {
      for (const [id, record] of [...queued, ...launched]) if (record.containerId?.value === containerId) return id;
    }
  }
  return undefined;
}

/** One thing after the other happens to the agent; each is durable before the next. */
export type Story = (world: World, outside: Outside) => Generator<void>;

/** Lives through a story, on this disk. @param steps how many things happen at most @returns why it ended early, if it did */
export async function live(
  world: World,
  outside: Outside,
  story: Story,
  { files }: FaultyFiles,
  steps = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  let failure: unknown;
  const commit = new OutputCommit<AgentEffect, Persist>({
    persistOf: (effect) => (effect.kind === 'persist' ? effect.operation : undefined),
    perform: (effect) => outside.note(world, effect),
    write: (operations) => writeCheckpoints(operations, files),
    fail: (error) => {
      failure = error;
    },
  });
  let seen = 0;
  let left = steps;
  for (const _ of story(world, outside)) {
    for (const effect of world.effects.slice(seen)) commit.submit(effect);
    seen = world.effects.length;
    while (commit.isBusy && failure === undefined) await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined || --left <= 0) return failure;
  }
  return undefined;
}

/** What the next agent in this place finds. */
export function recover(workDir: string, info: World['agent']['state']['info'], disk?: FaultyFiles) {
  const bootId = join(workDir, 'boot');
  writeFileSync(bootId, 'this one\n');
  const { id: _, ...plain } = info;
  return recoverCheckpoints({
    workDir,
    strict: true,
    policy: 'equal',
    info: plain,
    logger: { info: () => {}, warning: () => {} },
    bootId,
    ...(disk && { files: disk.files }),
  });
}

export function reborn(
  workDir: string,
  checkpoints: Checkpoints,
  outside: Outside,
  resources: World | undefined,
): World {
  outside.executor.isAsked = false;
  outside.changing.length = 0;
  const options = { workDir, ...(resources && { resources: resources.agent.state.options.resources }) };
  return new World(options, ++outside.lives, {
    ...checkpoints,
    containers: new Set(outside.containers.keys()),
  });
}

export function* exit(world: World, outside: Outside, taskId: string | undefined, status: number): Generator<void> {
  for (const [containerId, id] of outside.taskOf) {
    if (id !== taskId || !outside.containers.has(containerId)) continue;
    outside.containers.set(containerId, status);
    world.exit(status, containerId);
    yield;
  }
}

export function* acknowledgeAll(world: World, outside: Outside): Generator<void> {
  // Who is not admitted takes no acknowledgement.
  while (world.agent.state.phase === 'running') {
    const [next] = [...world.agent.state.streams.values()].flatMap((stream) => stream.pending.slice(0, 1));
    if (next === undefined) return;
    world.acknowledge(next);
    yield;
    outside.acknowledged.add(hex(next.uuid));
  }
}

/** Volumes are made, and what operations came to is acknowledged. */
export function* settleOperations(world: World, outside: Outside): Generator<void> {
  for (const operation of outside.changing.splice(0)) {
    world.step({ kind: 'volumesChanged', operation });
    yield;
  }
  for (const { operation, update } of [...world.agent.state.operations.values()]) {
    const uuid = update?.status.uuid;
    if (uuid === undefined) continue;
    outside.acknowledgingEnds.add(hex(uuid.value));
    world.receive('mesos.internal.AcknowledgeOperationStatusMessage', {
      status_uuid: uuid,
      operation_uuid: operation.uuid,
    });
    yield;
    outside.acknowledgedEnds.add(hex(uuid.value));
  }
}

/** The agent that comes next hears how the containers are, is admitted again, and everything ends. */
export function* goOn(world: World, outside: Outside): Generator<void> {
  const { executor, containers } = outside;
  yield;
  for (const [containerId, status] of [...containers]) {
    world.start(containerId, 100);
    if (status !== undefined) world.exit(status, containerId);
    yield;
  }
  executor.comeBack(world);
  yield;
  world.step({ kind: 'masterDetected', pid: MASTER });
  yield* pass(world, outside, 6);
  for (const taskId of [...executor.tasks.keys()]) {
    if (hasEnded(executor, taskId)) continue;
    executor.update(world, taskId, 'TASK_FINISHED');
    yield;
  }
  for (const [containerId, status] of [...containers]) {
    if (status === undefined && !outside.dying.has(containerId)) yield* end(world, outside, containerId, 0);
  }
  yield* pass(world, outside, 6);
}

function hasEnded({ updates }: Executor, taskId: string): boolean {
  return [...updates.values()].some(({ status }) => status.task_id.value === taskId && status.state !== 'TASK_RUNNING');
}

/** So many quarters of a minute go by. */
function* pass(world: World, outside: Outside, quarters: number): Generator<void> {
  for (let quarter = 0; quarter < quarters; quarter++) {
    const { state } = world.agent;
    if (state.phase === 'running') world.receive('mesos.internal.PingSlaveMessage', { connected: true });
    else if (state.info.id === undefined) world.admit();
    else world.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: state.info.id });
    yield;
    world.advance(15_000);
    yield;
    for (const containerId of [...outside.dying]) yield* end(world, outside, containerId, 9);
    yield* settleOperations(world, outside);
    yield* acknowledgeAll(world, outside);
  }
}

function* end(world: World, outside: Outside, containerId: string, status: number): Generator<void> {
  outside.containers.set(containerId, status);
  outside.dying.delete(containerId);
  world.exit(status, containerId);
  yield;
}
