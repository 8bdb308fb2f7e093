import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer_Operation, Operation, OperationStatus, Resource } from '../../wire/v1.ts';
import type { Call_ReconcileOperations_Operation } from '../../wire/v1_scheduler.ts';
import { type Host, type Scheduler, scalar, task, uuidOf, World } from './harness.fixture.ts';
import type { MasterOptions } from './options.ts';

const RESOURCES = [scalar('cpus', 4), scalar('mem', 1024), scalar('disk', 1000)];
const reserved = (name: string, value: number): Resource => ({
  ...scalar(name, value),
  reservations: [{ type: 'DYNAMIC', role: 'a' }],
});
const reserve = (id?: string, resource = reserved('cpus', 1)): Offer_Operation => ({
  type: 'RESERVE',
  ...(id !== undefined && { id: { value: id } }),
  reserve: { resources: [resource] },
});

/** A master with one agent and one framework of the role `a`. */
class Stage {
  readonly world: World;
  readonly host: Host;
  readonly scheduler: Scheduler;

  constructor(options: Partial<MasterOptions> = {}) {
    this.world = new World(options);
    this.host = this.world.register(5051, RESOURCES);
    this.scheduler = this.world.subscribe({
      roles: ['a'],
      capabilities: [{ type: 'MULTI_ROLE' }],
      failover_timeout: 1e6,
    });
  }

  /** Accepts an offer with these operations. @returns what the agent is told to apply */
  accept(...operations: readonly Offer_Operation[]) {
    const [offer] = this.world.offers(this.scheduler);
    assert.ok(offer);
    this.world.say(this.scheduler, {
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations, filters: { refuse_seconds: 0 } },
    });
    return this.world.sent('mesos.internal.ApplyOperationMessage', this.host.pid);
  }

  /** The agent says how an operation went. */
  report(uuid: Uint8Array, state: OperationStatus['state'], more: Partial<OperationStatus> = {}): void {
    const { host, world, scheduler } = this;
    const status = { state, agent_id: { value: host.id }, ...more };
    world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
      framework_id: { value: scheduler.id },
      slave_id: { value: host.id },
      status,
      latest_status: status,
      operation_uuid: { value: uuid },
    });
  }

  finish(uuid: Uint8Array): void {
    this.report(uuid, 'OPERATION_FINISHED', { uuid: { value: uuidOf('end') } });
  }

  acknowledge(id: string, uuid = uuidOf('end'), more: object = {}): void {
    const acknowledge_operation_status = {
      agent_id: { value: this.host.id },
      operation_id: { value: id },
      uuid,
      ...more,
    };
    this.world.say(this.scheduler, { type: 'ACKNOWLEDGE_OPERATION_STATUS', acknowledge_operation_status });
  }

  reconcile(...operations: readonly Call_ReconcileOperations_Operation[]): OperationStatus[] {
    const call = { type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations } } as const;
    this.world.say(this.scheduler, call);
    return this.statuses();
  }

  /** Statuses that the scheduler was told in the last step. */
  statuses(scheduler = this.scheduler): OperationStatus[] {
    const events = this.world.events(scheduler.stream, 'UPDATE_OPERATION_STATUS');
    return events.map((event) => event.update_operation_status!.status);
  }

  acknowledged(): number {
    return this.world.sent('mesos.internal.AcknowledgeOperationStatusMessage', this.host.pid).length;
  }

  get known(): number {
    return this.world.state.agents.get(this.host.id)?.operations.size ?? 0;
  }

  count(key: string): number | undefined {
    return this.world.state.operationCounts.get(key);
  }

  tellResources(operations: readonly Operation[] = []): void {
    this.world.message(this.host.pid, 'mesos.internal.UpdateSlaveMessage', {
      slave_id: { value: this.host.id },
      update_oversubscribed_resources: false,
      operations: { operations },
      resource_providers: {},
      resource_version_uuid: { value: uuidOf('version') },
    });
  }
}

function only<T>(list: readonly T[]): T {
  assert.equal(list.length, 1);
  return list[0]!;
}

test('an operation with an id is followed until its scheduler acknowledges the end', () => {
  const stage = new Stage();
  const { operation_uuid: uuid, operation_info } = only(stage.accept(reserve('r')));
  assert.deepEqual(operation_info.id, { value: 'r' });
  assert.equal(stage.count('RESERVE/OPERATION_PENDING'), 1);
  assert.deepEqual(stage.reconcile(), [
    { operation_id: { value: 'r' }, state: 'OPERATION_PENDING', agent_id: { value: stage.host.id } },
  ]);
  stage.finish(uuid.value);
  const end = {
    operation_id: { value: 'r' },
    state: 'OPERATION_FINISHED',
    agent_id: { value: stage.host.id },
  } as const;
  assert.deepEqual(stage.statuses(), [{ ...end, uuid: { value: uuidOf('end') } }]);
  assert.equal(stage.acknowledged(), 0, 'that is up to the scheduler');
  assert.deepEqual(stage.reconcile({ operation_id: { value: 'r' } }), [end]);
  stage.acknowledge('r');
  assert.deepEqual(only(stage.world.sent('mesos.internal.AcknowledgeOperationStatusMessage', stage.host.pid)), {
    status_uuid: { value: uuidOf('end') },
    operation_uuid: uuid,
  });
  assert.equal(stage.known, 0);
  assert.equal(stage.count('RESERVE/OPERATION_PENDING'), 0);
  assert.equal(stage.count('RESERVE/OPERATION_FINISHED'), 1);
  assert.equal(stage.reconcile({ operation_id: { value: 'r' } })[0]?.state, 'OPERATION_UNKNOWN');
});

test('the end of an operation without an id is acknowledged by the master, and nobody is told', () => {
  const stage = new Stage();
  const { operation_uuid: uuid } = only(stage.accept(reserve()));
  stage.finish(uuid.value);
  assert.deepEqual(stage.statuses(), []);
  assert.equal(stage.acknowledged(), 1);
  assert.equal(stage.known, 0);
});

test('acknowledgements that do not fit are counted and change nothing', () => {
  const stage = new Stage();
  const { operation_uuid: uuid } = only(stage.accept(reserve('r')));
  stage.finish(uuid.value);
  stage.acknowledge('r', uuidOf('other'));
  stage.acknowledge('unknown');
  stage.acknowledge('r', uuidOf('end'), { agent_id: { value: 'nobody' } });
  assert.equal(stage.acknowledged(), 0);
  assert.equal(stage.known, 1);
  assert.equal(stage.world.state.counters.invalid_operation_status_update_acknowledgements, 3);
  assert.equal(stage.world.state.counters.messages_operation_status_update_acknowledgement, 3);
});

test('an operation that the master drops is an error, without uuid or agent, if it has an id', () => {
  const stage = new Stage();
  assert.deepEqual(stage.accept(reserve('big', reserved('cpus', 99)), reserve(undefined, reserved('cpus', 99))), []);
  const status = only(stage.statuses());
  assert.deepEqual(
    [status.state, status.operation_id, status.uuid, status.agent_id],
    ['OPERATION_ERROR', { value: 'big' }, undefined, undefined],
  );
  assert.match(status.message ?? '', /does not contain/);
  assert.equal(stage.count('RESERVE/OPERATION_ERROR'), 2);
});

test('operations on disks of storage resource providers find nobody who would do them', () => {
  const stage = new Stage();
  const source: Resource = {
    ...scalar('disk', 10),
    provider_id: { value: 'rp' },
    disk: { source: { type: 'RAW', profile: 'p' } },
  };
  const create_disk = { source, target_type: 'MOUNT' } as const;
  stage.accept({ type: 'CREATE_DISK', id: { value: 'c' }, create_disk });
  assert.match(
    only(stage.statuses()).message ?? '',
    /no storage resource provider takes operations of type CREATE_DISK/,
  );
});

test('of a framework, operations that were done are counted, and each task that was launched', () => {
  const stage = new Stage();
  const id = { value: stage.host.id };
  const task_infos = [task('t1', id), task('t2', id), task('t1', id)];
  stage.accept(reserve(), reserve('big', reserved('cpus', 99)), { type: 'LAUNCH', launch: { task_infos } });
  const counted = stage.world.state.frameworks.get(stage.scheduler.id)?.counters.operations;
  assert.deepEqual(Object.fromEntries(counted ?? []), { RESERVE: 1, LAUNCH: 2 });
});

test('tasks cannot have operation ids, and drivers no feedback', () => {
  const stage = new Stage();
  const id = { value: 'x' };
  stage.accept({ type: 'LAUNCH', id, launch: { task_infos: [task('t', { value: stage.host.id })] } });
  assert.deepEqual(stage.world.states(stage.scheduler), [['t', 'TASK_ERROR', 'REASON_TASK_INVALID']]);
  const { world, host } = stage;
  const driver = 'scheduler-1@127.0.0.1:9000';
  world.message(driver, 'mesos.scheduler.Call', {
    type: 'SUBSCRIBE',
    subscribe: { framework_info: { user: 'u', name: 'v0', role: 'a' } },
  });
  const framework_id = only(world.sent('mesos.internal.FrameworkRegisteredMessage', driver)).framework_id;
  const offers = (): readonly { readonly id: { readonly value: string } }[] =>
    world.sent('mesos.internal.ResourceOffersMessage', driver).flatMap((message) => message.offers ?? []);
  world.say(stage.scheduler, { type: 'SUPPRESS' });
  world.sleep(10_000);
  const offer = offers()[0];
  assert.ok(offer);
  world.message(driver, 'mesos.scheduler.Call', {
    type: 'ACCEPT',
    framework_id,
    accept: { offer_ids: [offer.id], operations: [reserve('r')] },
  });
  assert.match(only(world.sent('mesos.internal.FrameworkErrorMessage', driver)).message, /'id' \('r'\)/);
  assert.deepEqual(world.sent('mesos.internal.ApplyOperationMessage', host.pid), []);
});

test('operations that the agent does not report are asked for, and dropped when it says that it has never had them', () => {
  const stage = new Stage();
  const { operation_uuid: uuid } = only(stage.accept(reserve('r')));
  stage.tellResources();
  assert.deepEqual(only(stage.world.sent('mesos.internal.ReconcileOperationsMessage', stage.host.pid)), {
    operations: [{ operation_uuid: uuid }],
  });
  assert.deepEqual(stage.statuses(), [], 'it may be on its way');
  stage.world.message(stage.host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
    slave_id: { value: stage.host.id },
    status: { state: 'OPERATION_DROPPED', agent_id: { value: stage.host.id } },
    operation_uuid: uuid,
  });
  assert.deepEqual(stage.statuses(), [
    { operation_id: { value: 'r' }, state: 'OPERATION_DROPPED', agent_id: { value: stage.host.id } },
  ]);
  assert.equal(stage.known, 0);
});

test('an agent that registers again without a reservation takes it out of the books', () => {
  const stage = new Stage();
  stage.accept(reserve('r'));
  const total = () => stage.world.state.agents.get(stage.host.id)?.total;
  assert.equal(total()?.reserved('a').scalar('cpus'), 1000);
  stage.world.reregister(stage.host);
  assert.equal(total()?.reserved('a').scalar('cpus'), 0);
  assert.equal(total()?.scalar('cpus'), 4000);
});

/** An operation as an agent reports it to a new master. */
function reported(stage: Stage, frameworkId: string | undefined, name: string): Operation {
  const status: OperationStatus = {
    operation_id: { value: name },
    state: 'OPERATION_FINISHED',
    agent_id: { value: stage.host.id },
    uuid: { value: uuidOf('end') },
  };
  return {
    ...(frameworkId !== undefined && { framework_id: { value: frameworkId } }),
    agent_id: { value: stage.host.id },
    info: frameworkId === undefined ? reserve() : reserve(name),
    latest_status: status,
    statuses: [status],
    uuid: { value: uuidOf(name) },
  };
}

test('a new master learns of operations from agents, and their frameworks find them when they come back', () => {
  const stage = new Stage();
  stage.tellResources([reported(stage, 'm-9999', 'old'), reported(stage, undefined, 'operator')]);
  assert.equal(stage.known, 2);
  stage.finish(uuidOf('operator'));
  assert.equal(stage.acknowledged(), 1);
  stage.finish(uuidOf('old'));
  assert.equal(stage.acknowledged(), 0, 'its framework may come back');
  const back = stage.world.subscribe({ id: { value: 'm-9999' }, roles: ['a'], capabilities: [{ type: 'MULTI_ROLE' }] });
  stage.world.say(back, { type: 'RECONCILE_OPERATIONS', reconcile_operations: {} });
  assert.deepEqual(
    stage.statuses(back).map(({ operation_id, state }) => [operation_id?.value, state]),
    [['old', 'OPERATION_FINISHED']],
  );
  stage.finish(uuidOf('old'));
  assert.equal(stage.statuses(back).length, 1);
});

test('operations of a framework that does not come back are acknowledged by the master after ten minutes', () => {
  const stage = new Stage({ agentPingTimeout: 3_600_000 });
  stage.tellResources([reported(stage, 'm-9999', 'old')]);
  stage.world.sleep(598_000);
  stage.finish(uuidOf('old'));
  assert.equal(stage.acknowledged(), 0);
  stage.world.sleep(2_000);
  stage.finish(uuidOf('old'));
  assert.equal(stage.acknowledged(), 1);
  assert.equal(stage.known, 0);
  assert.equal(stage.world.state.orphanOperations.size, 0);
});

test('operations of a removed framework are acknowledged by the master', () => {
  const stage = new Stage();
  const [first, second] = stage.accept(reserve('one'), reserve('two'));
  assert.ok(first && second);
  stage.finish(first.operation_uuid.value);
  stage.world.say(stage.scheduler, { type: 'TEARDOWN' });
  assert.equal(stage.acknowledged(), 1, 'what had ended, at once');
  stage.finish(second.operation_uuid.value);
  assert.equal(stage.acknowledged(), 1, 'the other when it ends');
  assert.equal(stage.known, 0);
});

test('an inventory that was on its way does not bring back what was acknowledged meanwhile', () => {
  const stage = new Stage();
  const { operation_uuid: uuid } = only(stage.accept(reserve('r')));
  stage.finish(uuid.value);
  stage.acknowledge('r');
  stage.tellResources([{ ...reported(stage, stage.scheduler.id, 'r'), uuid }]);
  assert.equal(stage.known, 0);
});

test('questions about unknown operations are answered by what became of the agent', () => {
  const stage = new Stage();
  const { host, world } = stage;
  const about = (agent?: string): Call_ReconcileOperations_Operation => ({
    operation_id: { value: 'x' },
    ...(agent !== undefined && { agent_id: { value: agent } }),
  });
  const states = () => stage.reconcile(about(), about('nobody'), about(host.id)).map(({ state }) => state);
  assert.deepEqual(states(), ['OPERATION_UNKNOWN', 'OPERATION_UNKNOWN', 'OPERATION_UNKNOWN']);
  stage.reconcile({ ...about(host.id), resource_provider_id: { value: 'rp' } });
  assert.deepEqual(stage.statuses(), [], 'only the agent can tell');
  assert.deepEqual(only(world.sent('mesos.internal.ReconcileOperationsMessage', host.pid)), {
    framework_id: { value: stage.scheduler.id },
    operations: [{ operation_id: { value: 'x' }, resource_provider_id: { value: 'rp' } }],
  });
  const answer = { operation_id: { value: 'x' }, state: 'OPERATION_UNKNOWN' } as const;
  world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
    framework_id: { value: stage.scheduler.id },
    slave_id: { value: host.id },
    status: answer,
  });
  assert.deepEqual(stage.statuses(), [answer]);
});

test('operations are lost with their agent, in the way that it is lost', () => {
  const stage = new Stage();
  stage.accept(reserve('r'));
  stage.world.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: stage.host.id } } });
  assert.deepEqual(
    stage.statuses().map(({ operation_id, state, agent_id }) => [operation_id?.value, state, agent_id?.value]),
    [['r', 'OPERATION_GONE_BY_OPERATOR', stage.host.id]],
  );
  assert.equal(stage.count('RESERVE/OPERATION_PENDING'), 0);
  const [later] = stage.reconcile({ operation_id: { value: 'r' }, agent_id: { value: stage.host.id } });
  assert.equal(later?.state, 'OPERATION_GONE_BY_OPERATOR');
});

test('operations of an unreachable agent are unreachable', () => {
  const stage = new Stage();
  stage.accept(reserve('r'));
  stage.world.sleep(100_000);
  assert.deepEqual(
    stage.statuses().map(({ operation_id, state }) => [operation_id?.value, state]),
    [['r', 'OPERATION_UNREACHABLE']],
  );
  const [later] = stage.reconcile({ operation_id: { value: 'r' }, agent_id: { value: stage.host.id } });
  assert.equal(later?.state, 'OPERATION_UNREACHABLE');
});

const SHARED: Resource = {
  ...reserved('disk', 10),
  disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } },
  shared: {},
};

test('many tasks use one shared volume, which cannot be destroyed before the last has ended', () => {
  const stage = new Stage();
  const { world, scheduler, host } = stage;
  world.say(scheduler, {
    type: 'UPDATE_FRAMEWORK',
    update_framework: {
      framework_info: {
        user: 'root',
        name: 'test',
        id: { value: scheduler.id },
        roles: ['a'],
        failover_timeout: 1e6,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }, { type: 'SHARED_RESOURCES' }],
      },
    },
  });
  const volumeTask = (id: string) => task(id, { value: host.id }, { resources: [scalar('cpus', 1), SHARED] });
  const destroy: Offer_Operation = { type: 'DESTROY', id: { value: 'd' }, destroy: { volumes: [SHARED] } };
  const applied = stage.accept(
    reserve(undefined, reserved('disk', 10)),
    { type: 'CREATE', create: { volumes: [SHARED] } },
    { type: 'LAUNCH', launch: { task_infos: [volumeTask('t1'), volumeTask('t2')] } },
  );
  assert.equal(applied.length, 2);
  assert.equal(world.sent('mesos.internal.RunTaskMessage', host.pid).length, 2);
  assert.equal(stage.accept(destroy).length, 0);
  assert.match(only(stage.statuses()).message ?? '', /in use/);
  for (const id of ['t1', 't2']) {
    const uuid = world.update(scheduler, host, id, 'TASK_FINISHED');
    world.acknowledge(scheduler, host, id, uuid);
  }
  const other = world.subscribe({ roles: ['a'], capabilities: [{ type: 'MULTI_ROLE' }, { type: 'SHARED_RESOURCES' }] });
  world.sleep(1000);
  assert.equal(stage.accept(destroy).length, 1);
  assert.equal(world.state.agents.get(host.id)?.total.persistentVolumes().isEmpty, true);
  assert.ok(!world.offers(other).some((offer) => offer.resources?.some((resource) => resource.shared)));
});

test('what an operation has made is offered at once, whatever the filter says about the rest', () => {
  const { world, scheduler, host } = new Stage();
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  world.say(scheduler, {
    type: 'ACCEPT',
    accept: { offer_ids: [offer.id], operations: [reserve()], filters: { refuse_seconds: 3600 } },
  });
  const [next] = world.offers(scheduler);
  assert.equal(next?.agent_id.value, host.id);
  assert.ok(next.resources?.some((resource) => resource.reservation !== undefined));
});

/** A stage whose agent has only these capabilities beside the older ones. */
function oldStage(...names: readonly ('RESOURCE_PROVIDER' | 'AGENT_OPERATION_FEEDBACK')[]): Stage {
  const stage = new Stage();
  const types = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT', ...names] as const;
  stage.world.reregister(stage.host, { agent_capabilities: types.map((type) => ({ type })) });
  return stage;
}

test('agents that take no operations are told what to keep, and cannot report', () => {
  const stage = oldStage();
  assert.deepEqual(stage.accept(reserve(), reserve('r')), []);
  const [told] = stage.world.sent('mesos.internal.CheckpointResourcesMessage', stage.host.pid);
  assert.deepEqual(told?.resources, [reserved('cpus', 1)]);
  assert.equal(stage.known, 0);
  const status = only(stage.statuses());
  assert.equal(status.state, 'OPERATION_ERROR');
  assert.match(status.message ?? '', /'id' asks for feedback, and the agent lacks the capability RESOURCE_PROVIDER/);
});

test('agents that take operations may still be unable to report on those of their own resources', () => {
  const stage = oldStage('RESOURCE_PROVIDER');
  assert.equal(stage.accept(reserve(), reserve('r')).length, 1);
  assert.match(only(stage.statuses()).message ?? '', /lacks the capability AGENT_OPERATION_FEEDBACK/);
});

test('an agent that goes back to an older version leaves nothing behind that waits for an acknowledgement', () => {
  const stage = new Stage();
  const { operation_uuid: uuid } = only(stage.accept(reserve('r')));
  stage.finish(uuid.value);
  assert.equal(stage.known, 1);
  stage.world.reregister(stage.host, { agent_capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESOURCE_PROVIDER' }] });
  assert.equal(stage.known, 0);
});

test('grown and shrunk volumes are what the books say at once, and the agent is told', () => {
  const stage = new Stage();
  const volume = (size: number): Resource => ({
    ...reserved('disk', size),
    disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } },
  });
  const applied = stage.accept(
    reserve(undefined, reserved('disk', 30)),
    { type: 'CREATE', create: { volumes: [volume(10)] } },
    { type: 'GROW_VOLUME', grow_volume: { volume: volume(10), addition: reserved('disk', 20) } },
    { type: 'SHRINK_VOLUME', shrink_volume: { volume: volume(30), subtract: { value: 5 } } },
  );
  assert.deepEqual(
    applied.map(({ operation_info }) => operation_info.type),
    ['RESERVE', 'CREATE', 'GROW_VOLUME', 'SHRINK_VOLUME'],
  );
  const total = stage.world.state.agents.get(stage.host.id)?.total;
  assert.equal(total?.persistentVolumes().scalar('disk'), 25_000);
  assert.equal(total?.reserved('a').scalar('disk'), 30_000);
  assert.equal(total?.scalar('disk'), 1_000_000);
});
