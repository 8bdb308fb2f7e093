import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer_Operation } from '../../wire/v1.ts';
import { scalar, task, World } from './harness.fixture.ts';

test('offers come within a millisecond of a subscription, and of an agent', () => {
  const world = new World();
  const scheduler = world.subscribe();
  world.sleep(500);
  world.register();
  assert.equal(world.offers(scheduler, 1).length, 1);
  world.say(scheduler, { type: 'TEARDOWN' });
  assert.equal(world.offers(world.subscribe(), 1).length, 1);
});

test('a declined offer is not made again to that framework within refuse_seconds, but to others', () => {
  const world = new World();
  world.register();
  const first = world.subscribe();
  const [offer] = world.offers(first, 1);
  const second = world.subscribe();
  world.say(first, { type: 'DECLINE', decline: { offer_ids: [offer!.id], filters: { refuse_seconds: 10 } } });
  const [other] = world.offers(second, 1);
  assert.ok(other, 'the other framework need not wait for the interval');
  world.say(second, { type: 'DECLINE', decline: { offer_ids: [other.id], filters: { refuse_seconds: 1e6 } } });
  assert.equal(world.offers(first, 9_000).length, 0);
  assert.equal(world.offers(first, 2_000).length, 1);
});

test('a declined offer without a filter comes again, with the next allocation interval', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id], filters: { refuse_seconds: 0 } } });
  assert.equal(world.offers(scheduler, 500).length, 0);
  assert.equal(world.offers(scheduler, 600).length, 1);
});

test('REVIVE brings back at once what was declined', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id], filters: { refuse_seconds: 1e6 } } });
  assert.equal(world.offers(scheduler, 5_000).length, 0);
  world.say(scheduler, { type: 'REVIVE' });
  assert.equal(world.offers(scheduler, 1).length, 1);
});

test('suppressed roles get no offers until they are revived', () => {
  const world = new World();
  world.register();
  const roles = { roles: ['a', 'b'], capabilities: [{ type: 'MULTI_ROLE' }] } as const;
  const scheduler = world.subscribe(roles, { suppressed_roles: ['a'] });
  const [offer] = world.offers(scheduler, 1);
  assert.equal(offer?.allocation_info?.role, 'b');
  world.say(scheduler, { type: 'SUPPRESS' });
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id], filters: { refuse_seconds: 0 } } });
  assert.equal(world.offers(scheduler, 5_000).length, 0);
  world.say(scheduler, { type: 'REVIVE', revive: { roles: ['c'] } });
  assert.equal(world.offers(scheduler, 5_000).length, 0, 'a role that is not its own changes nothing');
  world.say(scheduler, { type: 'REVIVE', revive: { roles: ['a'] } });
  assert.equal(world.offers(scheduler, 1)[0]?.allocation_info?.role, 'a');
});

test('what an ACCEPT leaves over is refused as its filters say', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)], 40);
  assert.equal(world.offers(scheduler, 39_000).length, 0);
  assert.equal(world.offers(scheduler, 2_000).length, 1);
});

test('an offer that is not answered within offer_timeout is rescinded and made anew', () => {
  const world = new World({ offerTimeout: 5_000 });
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.sleep(5_000);
  assert.deepEqual(world.events(scheduler.stream, 'RESCIND')[0]?.rescind?.offer_id, offer?.id);
  world.sleep(1000);
  assert.equal(world.state.offers.size, 1);
  assert.equal(world.state.offers.has(offer!.id.value), false);
});

test('offers may be taken together, if they are of one agent and one role', () => {
  const world = new World();
  const host = world.register(5051, [scalar('cpus', 2), scalar('mem', 512)]);
  world.register(5052);
  const scheduler = world.subscribe();
  const offers = world.offers(scheduler, 1);
  assert.equal(offers.length, 2);
  const launch = (ids: typeof offers, agentId: string): void => {
    const task_infos = [task('t', { value: agentId })];
    const operations: Offer_Operation[] = [{ type: 'LAUNCH', launch: { task_infos } }];
    world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: ids.map((o) => o.id), operations } });
  };
  launch(offers, host.id);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_INVALID_OFFERS']]);
  const again = world.offers(scheduler, 2000).filter((offer) => offer.agent_id.value === host.id);
  assert.ok(again.length > 0);
  launch(again, host.id);
  assert.deepEqual(world.states(scheduler), []);
});

test('two frameworks share what there is by dominant share', () => {
  const world = new World();
  for (let i = 0; i < 10; i++) world.register(6000 + i);
  const schedulers = [world.subscribe(), world.subscribe()];
  world.sleep(1);
  const counts = schedulers.map((scheduler) => world.state.frameworks.get(scheduler.id)?.offers.size);
  assert.deepEqual(counts, [5, 5]);
});

test('resources are reserved, made into a volume, and freed again in the ACCEPTs of one framework', () => {
  const world = new World();
  const host = world.register(5051, [scalar('cpus', 4), scalar('mem', 4096), scalar('disk', 1000)]);
  const capabilities = [{ type: 'RESERVATION_REFINEMENT' }] as const;
  const scheduler = world.subscribe({ role: 'db', capabilities });
  const reserved = { ...scalar('disk', 100), reservations: [{ type: 'DYNAMIC', role: 'db' }] } as const;
  const volume = {
    ...reserved,
    disk: { persistence: { id: 'v' }, volume: { container_path: 'data', mode: 'RW' } },
  } as const;
  const accept = (operations: readonly Offer_Operation[]): void => {
    const [offer] = world.offers(scheduler, 2000);
    world.say(scheduler, {
      type: 'ACCEPT',
      accept: { offer_ids: [offer!.id], operations, filters: { refuse_seconds: 0 } },
    });
  };
  accept([
    { type: 'RESERVE', reserve: { resources: [reserved] } },
    { type: 'CREATE', create: { volumes: [volume] } },
    { type: 'RESERVE', reserve: { resources: [{ ...reserved, reservations: [{ type: 'DYNAMIC', role: 'x' }] }] } },
    { type: 'RESERVE', reserve: { resources: [scalar('cpus', 100)] } },
    { type: 'RESERVE' },
    { type: 'CREATE_DISK' },
  ]);
  assert.equal(world.sent('mesos.internal.ApplyOperationMessage', host.pid).length, 2);
  const agent = world.state.agents.get(host.id);
  assert.equal(agent?.checkpointed.persistentVolumes().size, 1);
  assert.equal(agent?.operations.size, 2);
  for (const operation of [...(agent?.operations.values() ?? [])]) {
    world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
      slave_id: { value: host.id },
      operation_uuid: operation.uuid,
      status: { state: 'OPERATION_FINISHED', uuid: operation.uuid },
    });
    assert.equal(world.sent('mesos.internal.AcknowledgeOperationStatusMessage', host.pid).length, 1);
  }
  assert.equal(agent?.operations.size, 0);
  accept([
    { type: 'DESTROY', destroy: { volumes: [volume] } },
    { type: 'UNRESERVE', unreserve: { resources: [reserved] } },
  ]);
  assert.equal(world.state.agents.get(host.id)?.total.reserved().isEmpty, true);
});

test('an operation with an id is reported until it is acknowledged; a dropped one is an error', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe({ role: 'db', capabilities: [{ type: 'RESERVATION_REFINEMENT' }] });
  const [offer] = world.offers(scheduler, 1);
  const resources = [{ ...scalar('cpus', 1), reservations: [{ type: 'DYNAMIC', role: 'db' }] }] as const;
  const operations: Offer_Operation[] = [
    { type: 'RESERVE', id: { value: 'good' }, reserve: { resources } },
    { type: 'RESERVE', id: { value: 'bad' } },
  ];
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [offer!.id], operations } });
  const states = (): unknown[] =>
    world.events(scheduler.stream, 'UPDATE_OPERATION_STATUS').map((event) => {
      const { operation_id, state } = event.update_operation_status!.status;
      return [operation_id?.value, state];
    });
  assert.deepEqual(states(), [['bad', 'OPERATION_ERROR']]);
  const [operation] = [...(world.state.agents.get(host.id)?.operations.values() ?? [])];
  const uuid = { value: operation!.uuid.value };
  world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
    slave_id: { value: host.id },
    operation_uuid: operation!.uuid,
    status: { state: 'OPERATION_FINISHED', uuid },
  });
  assert.deepEqual(states(), [['good', 'OPERATION_FINISHED']]);
  const ask = (id: string, agent_id?: { value: string }): void => {
    const operation = { operation_id: { value: id }, ...(agent_id && { agent_id }) };
    world.say(scheduler, { type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations: [operation] } });
  };
  ask('good');
  assert.deepEqual(states(), [['good', 'OPERATION_FINISHED']]);
  ask('other', { value: host.id });
  assert.deepEqual(states(), [['other', 'OPERATION_UNKNOWN']]);
  const acknowledge_operation_status = {
    agent_id: { value: host.id },
    uuid: uuid.value,
    operation_id: { value: 'good' },
  };
  world.say(scheduler, { type: 'ACKNOWLEDGE_OPERATION_STATUS', acknowledge_operation_status });
  assert.equal(world.sent('mesos.internal.AcknowledgeOperationStatusMessage', host.pid).length, 1);
  assert.equal(world.state.agents.get(host.id)?.operations.size, 0);
});
