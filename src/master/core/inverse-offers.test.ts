import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo, InverseOffer } from '../../wire/v1.ts';
import { type Host, type Scheduler, task, World } from './harness.fixture.ts';
import type { MasterOptions } from './options.ts';

const UNAVAILABILITY = { start: { nanoseconds: 1_700_000_100e9 }, duration: { nanoseconds: 3600e9 } };

interface Stage {
  readonly world: World;
  readonly host: Host;
  readonly scheduler: Scheduler;
}

/** A task runs on an agent whose machine is then scheduled for maintenance. */
function stage(options: Partial<MasterOptions> = {}, info: Partial<FrameworkInfo> = {}): Stage {
  const world = new World(options);
  const host = world.register();
  const scheduler = world.subscribe({ failover_timeout: 1000, checkpoint: true, ...info });
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)], 1_000_000);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  return { world, host, scheduler };
}

function schedule(world: World, unavailability = UNAVAILABILITY): void {
  const machine_ids = [{ hostname: 'host-5051', ip: '127.0.0.1' }];
  const update_maintenance_schedule = { schedule: { windows: [{ machine_ids, unavailability }] } };
  world.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule });
}

const unschedule = (world: World): unknown =>
  world.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: {} } });

function asked(world: World, { stream }: Scheduler, wait = 1000): InverseOffer[] {
  world.sleep(wait);
  return world.events(stream, 'INVERSE_OFFERS').flatMap((event) => event.inverse_offers?.inverse_offers ?? []);
}

const rescinded = (world: World, { stream }: Scheduler): (string | undefined)[] =>
  world.events(stream, 'RESCIND_INVERSE_OFFER').map((event) => event.rescind_inverse_offer?.inverse_offer_id.value);

function answer(
  world: World,
  scheduler: Scheduler,
  ids: readonly string[],
  kind: 'ACCEPT' | 'DECLINE',
  refuse?: number,
) {
  const call = {
    inverse_offer_ids: ids.map((value) => ({ value })),
    ...(refuse !== undefined && { filters: { refuse_seconds: refuse } }),
  };
  return world.say(
    scheduler,
    kind === 'ACCEPT'
      ? { type: 'ACCEPT_INVERSE_OFFERS', accept_inverse_offers: call }
      : { type: 'DECLINE_INVERSE_OFFERS', decline_inverse_offers: call },
  );
}

const statuses = (world: World, { host, scheduler }: Stage) =>
  world.master.allocator.inverseOfferStatuses().get(host.id)?.get(scheduler.id);

test('a framework with tasks on a machine that is to go down is asked to leave, once', () => {
  const there = stage();
  const { world, host, scheduler } = there;
  const idle = world.subscribe({ name: 'idle' }, { suppressed_roles: ['*'] });
  schedule(world);
  const [offer, ...more] = asked(world, scheduler);
  assert.deepEqual(more, []);
  assert.match(offer?.id.value ?? '', /^m-O\d+$/);
  assert.deepEqual(
    [offer?.framework_id.value, offer?.agent_id?.value, offer?.unavailability],
    [scheduler.id, host.id, UNAVAILABILITY],
  );
  assert.deepEqual(offer?.url, {
    scheme: 'http',
    address: { hostname: 'host-5051', ip: '127.0.0.1', port: 5051 },
    path: '/slave(1)',
  });
  assert.equal(world.events(idle.stream, 'INVERSE_OFFERS').length, 0, 'it has nothing there');
  assert.deepEqual(asked(world, scheduler, 60_000), [], 'the question stands');
  assert.deepEqual([...world.state.inverseOffers.keys()], [offer?.id.value]);
});

test('offers and inverse offers have one sequence of ids', () => {
  const { world, scheduler } = stage();
  const before = [...world.state.offers.keys()];
  schedule(world);
  const [offer] = asked(world, scheduler);
  assert.equal(before.includes(offer?.id.value ?? ''), false);
  assert.equal(world.state.offers.has(offer?.id.value ?? ''), false);
});

test('an answer is shown to operators, and the framework is asked again when its filter has run out', () => {
  for (const kind of ['ACCEPT', 'DECLINE'] as const) {
    const there = stage();
    const { world, scheduler } = there;
    schedule(world);
    const [offer] = asked(world, scheduler);
    assert.equal(answer(world, scheduler, [offer!.id.value], kind, 30), 202);
    assert.equal(statuses(world, there)?.status, kind);
    assert.equal(statuses(world, there)?.timestamp.nanoseconds, (1_700_000_000_000 + world.now) * 1e6);
    assert.equal(world.state.inverseOffers.size, 0);
    assert.deepEqual(asked(world, scheduler, 29_000), []);
    assert.equal(asked(world, scheduler, 2000).length, 1);
    assert.equal(statuses(world, there)?.status, kind, 'the last answer stays until the next');
  }
});

test('without filters the default of five seconds counts, and with zero the question comes back at once', () => {
  const { world, scheduler } = stage();
  schedule(world);
  const [first] = asked(world, scheduler);
  answer(world, scheduler, [first!.id.value], 'DECLINE');
  assert.deepEqual(asked(world, scheduler, 4000), []);
  const [second] = asked(world, scheduler, 2000);
  assert.ok(second);
  answer(world, scheduler, [second.id.value], 'DECLINE', 0);
  assert.equal(asked(world, scheduler, 2000).length, 1);
});

test('answers to unknown or foreign inverse offers change nothing', () => {
  const there = stage();
  const { world, scheduler } = there;
  const stranger = world.subscribe({ name: 'stranger' });
  schedule(world);
  const [offer] = asked(world, scheduler);
  const id = offer!.id.value;
  assert.equal(answer(world, stranger, [id], 'ACCEPT'), 202);
  assert.equal(answer(world, scheduler, ['m-O999', '', 'x'], 'DECLINE'), 202);
  assert.equal(answer(world, scheduler, [], 'ACCEPT'), 202);
  assert.equal(statuses(world, there), undefined);
  assert.equal(world.state.inverseOffers.has(id), true);
  assert.equal(answer(world, scheduler, [id, id], 'ACCEPT'), 202);
  assert.equal(world.effects.filter((effect) => effect.kind === 'log' && effect.level === 'warning').length, 1);
});

test('an inverse offer is rescinded when the schedule changes, and made anew for the new time', () => {
  const there = stage();
  const { world, scheduler } = there;
  schedule(world);
  const [first] = asked(world, scheduler);
  answer(world, scheduler, [first!.id.value], 'ACCEPT', 1000);
  const later = { ...UNAVAILABILITY, start: { nanoseconds: 1_700_000_200e9 } };
  schedule(world, later);
  assert.equal(statuses(world, there), undefined, 'the answer was for another time');
  const [second] = asked(world, scheduler);
  assert.deepEqual(second?.unavailability, later);
  unschedule(world);
  assert.deepEqual(rescinded(world, scheduler), [second?.id.value]);
  assert.equal(world.state.inverseOffers.size, 0);
  assert.deepEqual(asked(world, scheduler, 10_000), []);
});

test('an inverse offer that is not answered within offer_timeout is rescinded and made anew', () => {
  const { world, scheduler } = stage({ offerTimeout: 5000 });
  schedule(world);
  const [first] = asked(world, scheduler);
  world.sleep(5000);
  assert.ok(rescinded(world, scheduler).includes(first!.id.value));
  const again = asked(world, scheduler, 2000);
  assert.equal(world.state.inverseOffers.size, 1);
  assert.equal(
    again.every(({ id }) => id.value !== first!.id.value),
    true,
  );
});

for (const [what, end] of [
  ['its agent is lost', ({ world, host }: Stage) => world.step({ kind: 'exited', pid: host.pid })],
  [
    'its agent is deactivated',
    ({ world, host }: Stage) =>
      world.operate({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: { value: host.id } } }),
  ],
  [
    'its agent is gone',
    ({ world, host }: Stage) =>
      world.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } }),
  ],
  [
    'its machine goes down',
    ({ world }: Stage) =>
      world.operate({
        type: 'START_MAINTENANCE',
        start_maintenance: { machines: [{ hostname: 'host-5051', ip: '127.0.0.1' }] },
      }),
  ],
] as const) {
  test(`an inverse offer is rescinded when ${what}`, () => {
    const there = stage();
    schedule(there.world);
    const [offer] = asked(there.world, there.scheduler);
    end(there);
    assert.deepEqual(rescinded(there.world, there.scheduler), [offer?.id.value]);
    assert.equal(there.world.state.inverseOffers.size, 0);
  });
}

test('inverse offers end with the connection of their framework, and are made anew for the next one', () => {
  const { world, scheduler } = stage();
  schedule(world);
  assert.equal(asked(world, scheduler).length, 1);
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  assert.equal(world.state.inverseOffers.size, 0);
  assert.deepEqual(asked(world, scheduler), []);
  const info = { failover_timeout: 1000, checkpoint: true, id: { value: scheduler.id } };
  const next = world.subscribe(info);
  assert.equal(asked(world, next).length, 1);
  const third = world.subscribe(info);
  assert.deepEqual(rescinded(world, next), [], 'the old scheduler is told only that another one took over');
  assert.equal(asked(world, third).length, 1);
  world.say(third, { type: 'TEARDOWN' });
  assert.equal(world.state.inverseOffers.size, 0);
});

test('REVIVE makes inverse offers anew although they were refused for long', () => {
  const { world, scheduler } = stage();
  schedule(world);
  const [offer] = asked(world, scheduler);
  answer(world, scheduler, [offer!.id.value], 'DECLINE', 100_000);
  assert.deepEqual(asked(world, scheduler, 5000), []);
  world.say(scheduler, { type: 'REVIVE' });
  assert.equal(asked(world, scheduler).length, 1);
});
