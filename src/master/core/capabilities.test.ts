/** What each capability of a framework changes, with it and without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo, FrameworkInfo_Capability, Offer, Offer_Operation, Resource } from '../../wire/v1.ts';
import { type Host, type Scheduler, scalar, task, World } from './harness.fixture.ts';

type Capability = NonNullable<FrameworkInfo_Capability['type']>;

const AMPLE = [scalar('cpus', 4), scalar('mem', 4096), scalar('disk', 1000)];

function subscribe(world: World, capabilities: readonly Capability[], info: Partial<FrameworkInfo> = {}): Scheduler {
  return world.subscribe({ ...info, capabilities: capabilities.map((type) => ({ type })) });
}

function resourcesOf(offers: readonly Offer[]): readonly Resource[] {
  return offers.flatMap(({ resources }) => resources ?? []);
}

/** The first offer that a framework with these capabilities gets of an agent with these resources. */
function firstOffers(
  resources: readonly Resource[],
  capabilities: readonly Capability[],
  info: Partial<FrameworkInfo> = {},
): readonly Offer[] {
  const world = new World();
  world.register(5051, resources);
  return world.offers(subscribe(world, capabilities, info), 1);
}

test('MULTI_ROLE: several roles, one offer for each, which says whose it is; without it nobody is told', () => {
  const resources = [...AMPLE, reserved('a', 'STATIC'), reserved('b', 'STATIC')];
  const offers = firstOffers(resources, ['MULTI_ROLE', 'RESERVATION_REFINEMENT'], { roles: ['a', 'b'] });
  assert.deepEqual(offers.map((offer) => offer.allocation_info?.role).sort(), ['a', 'b']);
  for (const { allocation_info, resources: list } of offers) {
    for (const resource of list ?? []) assert.deepEqual(resource.allocation_info, allocation_info);
  }
  const [plain] = firstOffers(resources, [], { role: 'a' });
  assert.equal(plain?.allocation_info, undefined);
  assert.ok(plain?.resources?.every((resource) => resource.allocation_info === undefined));
});

test('MULTI_ROLE: a framework without roles gets no offers', () => {
  assert.deepEqual(firstOffers(AMPLE, ['MULTI_ROLE']), []);
});

function reserved(role: string, type: 'STATIC' | 'DYNAMIC', name = 'cpus'): Resource {
  return { ...scalar(name, 1), reservations: [{ type, role }] };
}

test('RESERVATION_REFINEMENT: reservations as a stack; without it as `role` and `reservation`', () => {
  const resources = [...AMPLE, reserved('a', 'STATIC'), reserved('a', 'DYNAMIC', 'mem')];
  const stack = resourcesOf(firstOffers(resources, ['RESERVATION_REFINEMENT'], { role: 'a' }));
  assert.ok(stack.every((resource) => resource.role === undefined && resource.reservation === undefined));
  assert.deepEqual(
    stack.flatMap(({ reservations = [] }) => reservations.map(({ type, role }) => `${type} ${role}`)).sort(),
    ['DYNAMIC a', 'STATIC a'],
  );
  const old = resourcesOf(firstOffers(resources, [], { role: 'a' }));
  assert.ok(old.every((resource) => resource.reservations === undefined));
  const shown = old.map(
    ({ name, role, reservation }) => `${name} ${role} ${reservation === undefined ? '-' : 'dynamic'}`,
  );
  assert.deepEqual(shown.sort(), ['cpus * -', 'cpus a -', 'disk * -', 'mem * -', 'mem a dynamic']);
});

test('RESERVATION_REFINEMENT: refined reservations are not offered without it', () => {
  const refined: Resource = {
    ...scalar('cpus', 2),
    reservations: [
      { type: 'STATIC', role: 'a' },
      { type: 'DYNAMIC', role: 'a/b' },
    ],
  };
  const cpus = (capabilities: readonly Capability[]): number =>
    resourcesOf(firstOffers([...AMPLE, refined], capabilities, { role: 'a/b' }))
      .filter(({ name }) => name === 'cpus')
      .reduce((sum, { scalar: amount }) => sum + (amount?.value ?? 0), 0);
  assert.deepEqual([cpus(['RESERVATION_REFINEMENT']), cpus([])], [6, 4]);
});

test('RESERVATION_REFINEMENT: operations and tasks may be said in the old spelling, and agents get what they know', () => {
  const world = new World();
  const host = world.register(5051, AMPLE);
  const scheduler = subscribe(world, [], { role: 'a' });
  const [offer] = world.offers(scheduler, 1);
  const old: Resource = { ...scalar('cpus', 1), role: 'a', reservation: {} };
  const operations: Offer_Operation[] = [
    { type: 'RESERVE', reserve: { resources: [old] } },
    { type: 'LAUNCH', launch: { task_infos: [task('t', offer!.agent_id, { resources: [old, scalar('mem', 32)] })] } },
  ];
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [offer!.id], operations } });
  assert.deepEqual(world.states(scheduler), []);
  const [run] = world.sent('mesos.internal.RunTaskMessage', host.pid);
  assert.equal(run?.task.resources?.[0]?.reservations?.[0]?.role, 'a');
  const next = resourcesOf(world.offers(scheduler, 10_000));
  assert.ok(next.every((resource) => resource.reservations === undefined));
});

/** A volume that several frameworks of the role may use at once. */
const SHARED: Resource = {
  ...scalar('disk', 10),
  reservations: [{ type: 'STATIC', role: 'a' }],
  disk: { persistence: { id: 'v' }, volume: { container_path: 'p', mode: 'RW' } },
  shared: {},
};

test('SHARED_RESOURCES: shared volumes are offered with it only, also while in use', () => {
  const info = { role: 'a' };
  const volumes = (world: World, offers: readonly Offer[]): number => {
    assert.ok(world.state.agents.size > 0);
    return resourcesOf(offers).filter(({ shared }) => shared !== undefined).length;
  };
  const world = new World();
  world.register(5051, [...AMPLE, SHARED]);
  const without = subscribe(world, ['RESERVATION_REFINEMENT'], info);
  assert.equal(volumes(world, world.offers(without, 1)), 0);
  world.say(without, { type: 'TEARDOWN' });
  const able = subscribe(world, ['RESERVATION_REFINEMENT', 'SHARED_RESOURCES'], info);
  const offers = world.offers(able, 1);
  assert.equal(volumes(world, offers), 1);
  const resources = [scalar('cpus', 1), scalar('mem', 32), SHARED];
  world.launch(able, offers[0]!, [task('t', offers[0]!.agent_id, { resources })]);
  assert.deepEqual(world.states(able), []);
  assert.equal(volumes(world, world.offers(able, 2000).slice(0, 1)), 1, 'another task may use it too');
});

test('REVOCABLE_RESOURCES: what is oversubscribed is offered with it only', () => {
  const cpus = (capabilities: readonly Capability[]): number[] => {
    const world = new World();
    const host = world.register(5051, AMPLE);
    subscribe(world, capabilities);
    world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', {
      slave_id: { value: host.id },
      update_oversubscribed_resources: true,
      oversubscribed_resources: [{ ...scalar('cpus', 3), revocable: {} }],
    });
    world.sleep(3000);
    return [...world.state.offers.values()].flatMap(({ resources }) =>
      resources.toProto().flatMap(({ name, revocable, scalar: amount }) => {
        return name === 'cpus' && revocable !== undefined ? [amount?.value ?? 0] : [];
      }),
    );
  };
  assert.deepEqual(cpus(['REVOCABLE_RESOURCES']), [3]);
  assert.deepEqual(cpus([]), []);
});

test('REGION_AWARE: agents of other regions are offered with it only', () => {
  const domain = (region: string) => ({ fault_domain: { region: { name: region }, zone: { name: 'z' } } });
  const agents = (capabilities: readonly Capability[]): number => {
    const info = { id: 'm', ip: 1, port: 5050, domain: domain('here') };
    const world = new World({ info });
    for (const [port, region] of [
      [5051, 'here'],
      [5052, 'there'],
    ] as const) {
      world.message(`slave(1)@127.0.0.1:${port}`, 'mesos.internal.RegisterSlaveMessage', {
        slave: { hostname: `h${port}`, port, resources: AMPLE, domain: domain(region) },
        version: '1.12.0',
        agent_capabilities: [{ type: 'MULTI_ROLE' }, { type: 'HIERARCHICAL_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
      });
    }
    return world.offers(subscribe(world, capabilities), 1).length;
  };
  assert.deepEqual([agents(['REGION_AWARE']), agents([])], [2, 1]);
});

test('GPU_RESOURCES: agents with gpus are offered with it only, unless --filter_gpu_resources is off', () => {
  const gpus = [...AMPLE, scalar('gpus', 1)];
  assert.equal(firstOffers(gpus, ['GPU_RESOURCES']).length, 1);
  assert.equal(firstOffers(gpus, []).length, 0);
  const world = new World({ filterGpuResources: false });
  world.register(5051, gpus);
  assert.equal(world.offers(subscribe(world, []), 1).length, 1);
});

test('TASK_KILLING_STATE: the agent learns of it with the task, and with every change of the framework', () => {
  const world = new World();
  const host = world.register(5051, AMPLE);
  const scheduler = subscribe(world, ['TASK_KILLING_STATE']);
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  const [run] = world.sent('mesos.internal.RunTaskMessage', host.pid);
  assert.deepEqual(run?.framework.capabilities, [{ type: 'TASK_KILLING_STATE' }]);
  const framework_info = { user: 'root', name: 'test', id: { value: scheduler.id } };
  world.say(scheduler, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } });
  const [told] = world.sent('mesos.internal.UpdateFrameworkMessage', host.pid);
  assert.equal(told?.framework_info?.capabilities, undefined);
});

/** A task on an agent that does not answer pings any more. */
function partition(capabilities: readonly Capability[]): { world: World; host: Host; scheduler: Scheduler } {
  const world = new World();
  const host = world.register(5051, AMPLE);
  const scheduler = subscribe(world, capabilities, { checkpoint: true });
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.sleep(120_000);
  return { world, host, scheduler };
}

test('PARTITION_AWARE: tasks of an agent that is gone astray are unreachable; without it they are lost', () => {
  const aware = partition(['PARTITION_AWARE']);
  assert.deepEqual(aware.world.states(aware.scheduler), [['t', 'TASK_UNREACHABLE', 'REASON_AGENT_REMOVED']]);
  assert.ok(aware.world.events(aware.scheduler.stream, 'UPDATE')[0]?.update?.status.unreachable_time);
  const plain = partition([]);
  assert.deepEqual(plain.world.states(plain.scheduler), [['t', 'TASK_LOST', 'REASON_AGENT_REMOVED']]);
  for (const { world, scheduler, host } of [aware, plain]) {
    assert.equal(world.events(scheduler.stream, 'FAILURE')[0]?.failure?.agent_id?.value, host.id);
    assert.equal(world.state.frameworks.get(scheduler.id)?.unreachableTasks.size, 1, 'both may come back');
  }
});

test('a framework that ends takes its unreachable tasks with it, as killed', () => {
  const { world, scheduler } = partition(['PARTITION_AWARE']);
  world.say(scheduler, { type: 'TEARDOWN' });
  const ended = world.state.completedFrameworks.get(scheduler.id);
  assert.equal(ended?.unreachableTasks.size, 0);
  assert.deepEqual(
    ended?.completedTasks.toArray().map(({ state, statuses }) => [state, statuses?.at(-1)?.reason]),
    [['TASK_KILLED', 'REASON_FRAMEWORK_REMOVED']],
  );
});
