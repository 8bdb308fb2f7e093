import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../resources/resources.ts';
import type { Offer_Operation, Resource } from '../../wire/v1.ts';
import type { VolumeChange } from './effects.ts';
import { FRAMEWORK, MASTER, task, World } from './fake-world.ts';
import { stateJson } from './views/state.ts';

const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const allocation_info = { role: 'a' };
const reserved = (name: string, value: number, role = 'a'): Resource => ({
  ...scalar(name, value),
  allocation_info,
  reservations: [{ type: 'DYNAMIC', role }],
});
const volume = (id: string, size = 10, more: Partial<Resource> = {}): Resource => ({
  ...reserved('disk', size),
  disk: { persistence: { id }, volume: { container_path: id, mode: 'RW' } },
  ...more,
});
const uuidOf = (number: number): Uint8Array => new Uint8Array(16).fill(number);

/** An agent with a disk, and a master that has it apply operations. */
class Stage extends World {
  private operations = 0;

  constructor(resources: readonly Resource[] = [scalar('cpus', 4), scalar('mem', 1024), scalar('disk', 100)]) {
    super({ resources });
    this.register();
  }

  /** @returns the uuid of the operation */
  apply(operation: Offer_Operation, version = this.agent.state.resourceVersion): Uint8Array {
    const uuid = uuidOf(++this.operations);
    this.receive('mesos.internal.ApplyOperationMessage', {
      framework_id: { value: 'f1' },
      operation_info: operation,
      operation_uuid: { value: uuid },
      resource_version_uuid: { uuid: { value: version } },
    });
    return uuid;
  }

  reserve(resource: Resource, id = 'r'): Uint8Array {
    return this.apply({ type: 'RESERVE', id: { value: id }, reserve: { resources: [resource] } });
  }

  create(...volumes: readonly Resource[]): Uint8Array {
    return this.apply({ type: 'CREATE', create: { volumes } });
  }

  /** What the shell was asked to do with volumes last. */
  changes(): readonly VolumeChange[] {
    const effect = this.effects.findLast((one) => one.kind === 'changeVolumes');
    return effect?.kind === 'changeVolumes' ? effect.changes : [];
  }

  /** The operations of which it was asked. */
  changeIds(): string[] {
    return this.effects.flatMap((one) => (one.kind === 'changeVolumes' ? [one.operation] : []));
  }

  /** The shell has done it, or not. */
  answer(problem?: string): void {
    const effect = this.effects.findLast((one) => one.kind === 'changeVolumes');
    if (effect?.kind !== 'changeVolumes') throw new Error('no volumes were to be changed');
    this.step({ kind: 'volumesChanged', operation: effect.operation, problem });
  }

  ends() {
    return this.sent('mesos.internal.UpdateOperationStatusMessage');
  }

  acknowledgeEnd(operation: Uint8Array, status = this.ends().at(-1)?.status.uuid?.value): void {
    this.receive('mesos.internal.AcknowledgeOperationStatusMessage', {
      status_uuid: { value: status ?? uuidOf(0) },
      operation_uuid: { value: operation },
    });
  }

  get total(): Resources {
    return this.agent.state.total;
  }
}

test('a reservation becomes part of what the agent has, and its end is told until it is acknowledged', () => {
  const stage = new Stage();
  const uuid = stage.reserve(reserved('cpus', 1));
  assert.equal(stage.total.reserved('a').scalar('cpus'), 1000);
  assert.equal(stage.total.scalar('cpus'), 4000);
  const [end] = stage.ends();
  assert.equal(end?.status.state, 'OPERATION_FINISHED');
  assert.deepEqual(end?.status.operation_id, { value: 'r' });
  assert.equal(end?.status.uuid?.value.length, 16);
  assert.deepEqual(end?.operation_uuid, { value: uuid });
  assert.deepEqual([end?.framework_id?.value, end?.slave_id?.value], ['f1', 'm-S0']);
  stage.advance(9_999);
  assert.equal(stage.ends().length, 1);
  stage.advance(1);
  assert.equal(stage.ends().length, 2);
  stage.advance(19_999);
  assert.equal(stage.ends().length, 2);
  stage.advance(1);
  assert.deepEqual(stage.ends()[2], end);
  stage.acknowledgeEnd(uuid, uuidOf(9));
  assert.equal(stage.agent.state.operations.size, 1, 'that was another status');
  stage.acknowledgeEnd(uuid);
  assert.equal(stage.agent.state.operations.size, 0);
  stage.advance(3_600_000);
  assert.equal(stage.ends().length, 3);
});

test('a volume is told of when its folder is there; it goes with its data when it is destroyed', () => {
  const stage = new Stage();
  stage.reserve(reserved('disk', 10));
  stage.create(volume('v'));
  assert.equal(stage.ends().length, 1, 'only the reservation has ended');
  assert.deepEqual(stage.changes(), [{ do: 'make', path: '/w/volumes/roles/a/v' }]);
  stage.answer();
  assert.equal(stage.ends().length, 2);
  stage.apply({ type: 'DESTROY', destroy: { volumes: [volume('v')] } });
  const [removal] = stage.changes();
  assert.equal(removal?.do, 'remove');
  assert.equal(removal?.path, '/w/volumes/roles/a/v');
  assert.match(removal?.do === 'remove' ? removal.via : '', /^\/w\/volumes\/removed\//);
  stage.answer();
  assert.equal(stage.ends().at(-1)?.status.state, 'OPERATION_FINISHED');
  assert.equal(stage.total.persistentVolumes().isEmpty, true);
  assert.equal(stage.total.reserved('a').scalar('disk'), 10_000);
});

test('volumes lie on the disk that they are of, and nested roles in one folder', () => {
  const path: Resource['disk'] = { source: { type: 'PATH', path: { root: '/disks/1' } } };
  const mount: Resource['disk'] = { source: { type: 'MOUNT', mount: { root: '/mnt/2' } } };
  const resources = [
    { ...scalar('disk', 20), disk: path },
    { ...scalar('disk', 30), disk: mount },
  ];
  const stage = new Stage(resources);
  const on = (disk: Resource['disk'], size: number, id: string): Resource[] => {
    const base = { ...reserved('disk', size, 'a/b'), ...(disk && { disk }) };
    return [base, { ...base, disk: { ...disk, persistence: { id }, volume: { container_path: 'd', mode: 'RW' } } }];
  };
  for (const [plain, made] of [on(path, 20, 'p'), on(mount, 30, 'm')]) {
    stage.reserve(plain!);
    stage.create(made!);
    stage.answer();
    const expected = made?.disk?.persistence?.id === 'p' ? '/disks/1/volumes/roles/a b/p' : '/mnt/2';
    assert.deepEqual(stage.changes(), [{ do: 'make', path: expected }]);
  }
  stage.apply({ type: 'DESTROY', destroy: { volumes: [on(mount, 30, 'm')[1]!] } });
  assert.deepEqual(stage.changes(), [{ do: 'empty', path: '/mnt/2' }]);
});

test('volumes grow and shrink in place', () => {
  const stage = new Stage();
  stage.reserve(reserved('disk', 20));
  stage.create(volume('v', 10));
  stage.answer();
  const before = stage.effects.length;
  stage.apply({ type: 'GROW_VOLUME', grow_volume: { volume: volume('v', 10), addition: reserved('disk', 10) } });
  assert.equal(stage.total.persistentVolumes().scalar('disk'), 20_000);
  stage.apply({ type: 'SHRINK_VOLUME', shrink_volume: { volume: volume('v', 20), subtract: { value: 5 } } });
  assert.equal(stage.total.persistentVolumes().scalar('disk'), 15_000);
  assert.ok(!stage.effects.slice(before).some((effect) => effect.kind === 'changeVolumes'));
  assert.deepEqual(
    stage.ends().map(({ status }) => status.state),
    ['OPERATION_FINISHED', 'OPERATION_FINISHED', 'OPERATION_FINISHED', 'OPERATION_FINISHED'],
  );
});

test('a volume whose folder cannot be made fails, is undone, and the master hears what is really there', () => {
  const stage = new Stage();
  stage.reserve(reserved('disk', 10));
  stage.create(volume('v'));
  const version = stage.agent.state.resourceVersion;
  stage.answer('no space left');
  assert.equal(stage.total.persistentVolumes().isEmpty, true);
  const [inventory] = stage.sent('mesos.internal.ReregisterSlaveMessage');
  assert.ok(inventory, 'it registers again');
  assert.equal(Resources.of(inventory.checkpointed_resources ?? []).persistentVolumes().isEmpty, true);
  assert.notDeepEqual(inventory.resource_version_uuid?.value, version);
  const end = stage.ends().at(-1);
  assert.deepEqual([end?.status.state, end?.status.message], ['OPERATION_FAILED', 'no space left']);
  assert.equal(end?.status.uuid?.value.length, 16);
});

test('a second failure while it registers again is in what the master hears last', () => {
  const stage = new Stage();
  stage.reserve(reserved('disk', 20));
  stage.create(volume('v'));
  const first = stage.changeIds();
  stage.create(volume('w'));
  const second = stage.changeIds().filter((id) => !first.includes(id));
  for (const operation of [...first, ...second]) {
    stage.step({ kind: 'volumesChanged', operation, problem: 'no space left' });
  }
  assert.equal(stage.total.persistentVolumes().isEmpty, true);
  assert.equal(stage.sent('mesos.internal.ReregisterSlaveMessage').length, 1, 'it waits for the answer');
  stage.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: { value: 'm-S0' } });
  const inventory = stage.sent('mesos.internal.ReregisterSlaveMessage').at(-1);
  assert.equal(stage.sent('mesos.internal.ReregisterSlaveMessage').length, 2, 'that answered what is not so any more');
  assert.equal(Resources.of(inventory?.checkpointed_resources ?? []).persistentVolumes().isEmpty, true);
});

test('what does not fit fails', () => {
  const stage = new Stage();
  stage.reserve(reserved('cpus', 99));
  assert.equal(stage.total.reserved('a').isEmpty, true);
  const end = stage.ends().at(-1);
  assert.equal(end?.status.state, 'OPERATION_FAILED');
  assert.match(end?.status.message ?? '', /does not contain/);
  assert.equal(stage.sent('mesos.internal.ReregisterSlaveMessage').length, 1);
});

test('what assumes resources as they were before is dropped, and so is what needs a provider', () => {
  const stage = new Stage();
  const operation: Offer_Operation = {
    type: 'RESERVE',
    id: { value: 'r' },
    reserve: { resources: [reserved('cpus', 1)] },
  };
  stage.apply(operation, uuidOf(77));
  const source: Resource = { ...scalar('disk', 1), provider_id: { value: 'rp' } };
  const provided: Offer_Operation = {
    type: 'CREATE',
    create: { volumes: [volume('v', 1, { provider_id: { value: 'rp' } })] },
  };
  stage.apply(provided);
  stage.apply({ type: 'CREATE_DISK', create_disk: { source, target_type: 'MOUNT' } });
  assert.deepEqual(
    stage.ends().map(({ status }) => [status.state, status.uuid, status.message]),
    [
      ['OPERATION_DROPPED', undefined, 'Operation assumes outdated resource state'],
      ['OPERATION_DROPPED', undefined, "the resource provider 'rp' is not known"],
      ['OPERATION_DROPPED', undefined, 'operations of type CREATE_DISK need a storage resource provider'],
    ],
  );
  assert.equal(stage.agent.state.operations.size, 0);
  assert.equal(stage.total.reserved('a').isEmpty, true);
});

test('messages of somebody who is not the master change nothing', () => {
  const stage = new Stage();
  const stranger = 'master@10.9.9.9:5050';
  const message = {
    operation_info: { type: 'RESERVE', reserve: { resources: [reserved('cpus', 1)] } },
    operation_uuid: { value: uuidOf(1) },
    resource_version_uuid: { uuid: { value: stage.agent.state.resourceVersion } },
  } as const;
  stage.receive('mesos.internal.ApplyOperationMessage', message, stranger);
  stage.receive('mesos.internal.CheckpointResourcesMessage', { resources: [reserved('cpus', 1)] }, stranger);
  stage.receive('mesos.internal.ReconcileOperationsMessage', { operations: [{}] }, stranger);
  assert.equal(stage.total.reserved('a').isEmpty, true);
  assert.deepEqual(stage.ends(), []);
});

test('a new master hears of reservations when the agent registers, then of operations, then how they ended', () => {
  const stage = new Stage();
  const uuid = stage.reserve(reserved('cpus', 1));
  const before = stage.effects.length;
  const other = 'master@127.0.0.1:5060';
  stage.step({ kind: 'masterDetected', pid: other });
  stage.advance(1000);
  const inventory = stage.sent('mesos.internal.ReregisterSlaveMessage', before).at(-1);
  assert.deepEqual(inventory?.checkpointed_resources, [
    { ...scalar('cpus', 1), reservations: [{ type: 'DYNAMIC', role: 'a' }] },
  ]);
  assert.equal(inventory?.slave.resources?.length, 3, 'its own resources stay as configured');
  stage.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: { value: 'm-S0' } }, other);
  const names = stage.effects.slice(before).flatMap((effect) => (effect.kind === 'send' ? [effect.name] : []));
  assert.deepEqual(names.slice(-2), [
    'mesos.internal.UpdateSlaveMessage',
    'mesos.internal.UpdateOperationStatusMessage',
  ]);
  const told = stage.sent('mesos.internal.UpdateSlaveMessage', before).at(-1)?.operations?.operations ?? [];
  assert.deepEqual(
    told.map((operation) => [operation.uuid.value, operation.latest_status.state]),
    [[uuid, 'OPERATION_FINISHED']],
  );
});

test('questions about operations are answered: never heard of, or as they ended', () => {
  const stage = new Stage();
  const uuid = stage.reserve(reserved('cpus', 1));
  const before = stage.effects.length;
  const operations = [{ operation_uuid: { value: uuid } }, { operation_uuid: { value: uuidOf(99) } }];
  stage.receive('mesos.internal.ReconcileOperationsMessage', { operations });
  const ends = stage.sent('mesos.internal.UpdateOperationStatusMessage', before);
  assert.deepEqual(
    ends.map(({ operation_uuid, status }) => [operation_uuid?.value, status.state, status.uuid]),
    [[uuidOf(99), 'OPERATION_DROPPED', undefined]],
  );
  stage.receive('mesos.internal.ReconcileOperationsMessage', {
    framework_id: { value: 'f1' },
    operations: [
      { operation_id: { value: 'r' } },
      { operation_id: { value: 'x' }, resource_provider_id: { value: 'rp' } },
    ],
  });
  assert.deepEqual(
    stage
      .sent('mesos.internal.UpdateOperationStatusMessage', before)
      .slice(1)
      .map(({ status, framework_id }) => [status.operation_id?.value, status.state, status.uuid, framework_id?.value]),
    [
      ['r', 'OPERATION_FINISHED', undefined, 'f1'],
      ['x', 'OPERATION_UNKNOWN', undefined, 'f1'],
    ],
  );
});

test('a master that follows no operations says what the reservations and volumes are', () => {
  const stage = new Stage();
  const { allocation_info: _, ...made } = volume('v');
  stage.receive('mesos.internal.CheckpointResourcesMessage', { resources: [made] });
  assert.equal(stage.total.persistentVolumes().scalar('disk'), 10_000);
  assert.deepEqual(stage.changes(), [{ do: 'make', path: '/w/volumes/roles/a/v' }]);
  stage.receive('mesos.internal.CheckpointResourcesMessage', {});
  assert.equal(stage.total.persistentVolumes().isEmpty, true);
  assert.equal(stage.changes()[0]?.do, 'remove');
  stage.receive('mesos.internal.CheckpointResourcesMessage', { resources: [{ ...made, scalar: { value: 1e6 } }] });
  assert.equal(stage.sent('mesos.internal.ReregisterSlaveMessage').length, 1, 'it cannot be; the master is told');
});

test('the state shows what is reserved for whom', () => {
  const stage = new Stage();
  stage.reserve(reserved('cpus', 1));
  const shown = stateJson(stage.agent.state, { build: {} }) as unknown as {
    reserved_resources: Record<string, { cpus: number }>;
    unreserved_resources: { cpus: number };
    reserved_resources_full: Record<string, object[]>;
  };
  assert.equal(shown.reserved_resources.a?.cpus, 1);
  assert.equal(shown.unreserved_resources.cpus, 3);
  assert.equal(shown.reserved_resources_full.a?.length, 1);
});

test('tasks see their volumes in their sandboxes', () => {
  const stage = new Stage();
  const nested = volume('w', 5);
  const resources = [
    volume('v'),
    { ...nested, disk: { ...nested.disk, volume: { container_path: 'a/b', mode: 'RW' } } },
  ];
  stage.run(task('t', { value: 'true' }, { resources: resources as Resource[] }));
  const { sandbox, volumes } = stage.launched();
  assert.deepEqual(volumes, [
    { link: `${sandbox}/v`, target: '/w/volumes/roles/a/v', within: undefined, give: true },
    { link: `${sandbox}/a/b`, target: '/w/volumes/roles/a/w', within: undefined, give: true },
  ]);
});

test('a shared volume belongs to who used it first, as long as it is used', () => {
  const stage = new Stage();
  const resources = [volume('v', 10, { shared: {} })];
  const gives = () => stage.launched().volumes.map(({ give }) => give);
  stage.run(task('t1', { value: 'true' }, { resources }));
  assert.deepEqual(gives(), [true]);
  const first = stage.launched().containerId;
  stage.start();
  stage.run(task('t2', { value: 'true' }, { resources }));
  assert.deepEqual(gives(), [false]);
  stage.exit(0);
  stage.exit(0, first);
  stage.run(task('t3', { value: 'true' }, { resources }));
  assert.deepEqual(gives(), [true]);
});

test('tasks of a group see folders of their executor, and all tasks some of their own', () => {
  const stage = new Stage();
  const path = (type: 'SELF' | 'PARENT') => ({
    container_path: type.toLowerCase(),
    mode: 'RW' as const,
    source: { type: 'SANDBOX_PATH' as const, sandbox_path: { type, path: 'p' } },
  });
  const container = { type: 'MESOS', volumes: [path('SELF'), path('PARENT')] } as const;
  stage.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: { executor_id: { value: 'e' }, framework_id: { value: 'f1' }, type: 'DEFAULT', resources: [volume('x')] },
    task_group: { tasks: [task('t', { value: 'true' }, { container })] },
    launch_executor: true,
  });
  const { sandbox, volumes } = stage.launched();
  const executor = stage.agent.state.frameworks.get('f1')?.executors.get('e')?.directory ?? '';
  assert.deepEqual(volumes, [
    { link: `${sandbox}/self`, target: `${sandbox}/p`, within: sandbox, give: true },
    { link: `${sandbox}/parent`, target: `${executor}/p`, within: executor, give: true },
  ]);
  const shown = stage.effects.find((effect) => effect.kind === 'linkVolumes');
  assert.deepEqual(shown?.kind === 'linkVolumes' && shown.volumes, [
    { link: `${executor}/x`, target: '/w/volumes/roles/a/x', within: undefined, give: true },
  ]);
  stage.run(task('single', { value: 'true' }, { container }));
  assert.equal(stage.launched().volumes[1]?.target, undefined, 'a task without executor has no parent');
});

test('an operation that comes twice is applied once, and none when the agent ends', () => {
  const stage = new Stage();
  stage.reserve(reserved('cpus', 1));
  stage.receive('mesos.internal.ApplyOperationMessage', {
    operation_info: { type: 'RESERVE', reserve: { resources: [reserved('cpus', 1)] } },
    operation_uuid: { value: uuidOf(1) },
    resource_version_uuid: { uuid: { value: stage.agent.state.resourceVersion } },
  });
  assert.equal(stage.total.reserved('a').scalar('cpus'), 1000);
  assert.equal(stage.ends().length, 1);
  stage.receive('mesos.internal.ShutdownMessage', { message: 'go' }, MASTER);
  stage.reserve(reserved('cpus', 1));
  assert.equal(stage.total.reserved('a').scalar('cpus'), 1000);
});
