/** How v0 drivers subscribe, take over, break off and go. One test for each row of the rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkID, FrameworkInfo } from '../../wire/v1.ts';
import { type Host, task, World } from './harness.fixture.ts';

const ONE = 'scheduler-1@127.0.0.1:7000';
const TWO = 'scheduler-2@127.0.0.1:7001';
const INFO: FrameworkInfo = { user: 'root', name: 'v0', failover_timeout: 60 };

interface Setting {
  readonly world: World;
  readonly host: Host;
  readonly id: FrameworkID;
}

/** A driver at `ONE` that speaks for a framework and has an offer. */
function setUp(): Setting {
  const world = new World();
  const host = world.register();
  subscribe(world, ONE, INFO);
  const id = world.sent('mesos.internal.FrameworkRegisteredMessage', ONE)[0]?.framework_id;
  assert.ok(id);
  world.sleep(1);
  assert.equal(world.state.offers.size, 1);
  return { world, host, id };
}

function subscribe(world: World, pid: string, info: FrameworkInfo, force?: boolean): void {
  world.message(pid, 'mesos.scheduler.Call', {
    type: 'SUBSCRIBE',
    ...(info.id !== undefined && { framework_id: info.id }),
    subscribe: { framework_info: info, ...(force !== undefined && { force }) },
  });
}

function errors(world: World, pid: string): (string | undefined)[] {
  return world.sent('mesos.internal.FrameworkErrorMessage', pid).map(({ message }) => message);
}

test('a driver that subscribes twice without an id is told again, and is still one framework', () => {
  const { world, id } = setUp();
  subscribe(world, ONE, INFO);
  assert.deepEqual(world.sent('mesos.internal.FrameworkRegisteredMessage', ONE)[0]?.framework_id, id);
  assert.equal(world.state.frameworks.size, 1);
  assert.equal(world.state.offers.size, 1, 'its offers stand');
});

test('a driver that names its id again gets its offers rescinded and is told that it is registered again', () => {
  const { world, id } = setUp();
  subscribe(world, ONE, { ...INFO, id });
  assert.equal(world.sent('mesos.internal.RescindResourceOfferMessage', ONE).length, 1);
  assert.equal(world.sent('mesos.internal.FrameworkReregisteredMessage', ONE).length, 1);
  assert.deepEqual(errors(world, ONE), []);
});

test('another driver without force is refused, whether the framework is connected or not', () => {
  const { world, id } = setUp();
  subscribe(world, TWO, { ...INFO, id });
  assert.deepEqual(errors(world, TWO), ['Framework failed over']);
  assert.equal(world.state.offers.size, 1, 'nothing changed for the first');
  world.step({ kind: 'exited', pid: ONE });
  subscribe(world, TWO, { ...INFO, id });
  assert.deepEqual(errors(world, TWO), ['Framework failed over']);
  assert.equal(world.state.frameworks.get(id.value)?.state, 'DISCONNECTED');
});

test('with force another driver takes over: the first is told, its offers are void, agents learn the new pid', () => {
  const { world, host, id } = setUp();
  const offer = [...world.state.offers.keys()][0]!;
  world.message(ONE, 'mesos.scheduler.Call', {
    type: 'ACCEPT',
    framework_id: id,
    accept: {
      offer_ids: [{ value: offer }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [task('t', { value: host.id })] } }],
      filters: { refuse_seconds: 0 },
    },
  });
  world.sleep(1);
  assert.equal(world.state.offers.size, 1, 'what the task left over');
  subscribe(world, TWO, { ...INFO, id }, true);
  assert.deepEqual(errors(world, ONE), ['Framework failed over']);
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', TWO).length, 1);
  assert.equal(world.sent('mesos.internal.RescindResourceOfferMessage').length, 0, 'nobody is left to be told');
  assert.equal(world.state.offers.size, 0);
  assert.equal(world.sent('mesos.internal.UpdateFrameworkMessage', host.pid)[0]?.pid, TWO);
  subscribe(world, ONE, INFO);
  assert.equal(world.state.frameworks.size, 2, 'the first is free to begin anew');
});

test('a driver that forces its own place gets no error', () => {
  const { world, id } = setUp();
  subscribe(world, ONE, { ...INFO, id }, true);
  assert.deepEqual(errors(world, ONE), []);
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', ONE).length, 1);
  assert.equal(world.state.offers.size, 0);
});

test('a driver whose link breaks is told, has its failover_timeout, and its place is kept for its pid', () => {
  const { world, id } = setUp();
  world.step({ kind: 'exited', pid: ONE });
  assert.deepEqual(errors(world, ONE), ['Framework disconnected']);
  assert.equal(world.state.offers.size, 0);
  world.message(ONE, 'mesos.scheduler.Call', { type: 'REVIVE', framework_id: id });
  assert.deepEqual(errors(world, ONE), ['Framework disconnected']);
  subscribe(world, ONE, { ...INFO, id });
  assert.equal(world.sent('mesos.internal.FrameworkReregisteredMessage', ONE).length, 1);
  world.sleep(120_000);
  assert.equal(world.state.frameworks.get(id.value)?.active, true, 'the timeout means nothing now');
});

test('when the disconnected driver is replaced with force, it is not told', () => {
  const { world, id } = setUp();
  world.step({ kind: 'exited', pid: ONE });
  subscribe(world, TWO, { ...INFO, id }, true);
  assert.deepEqual(errors(world, ONE), []);
  assert.equal(world.state.frameworks.get(id.value)?.state, 'CONNECTED');
});

test('a driver that speaks for one framework cannot subscribe another', () => {
  const { world, id } = setUp();
  subscribe(world, TWO, { ...INFO, name: 'second' });
  const other = world.sent('mesos.internal.FrameworkRegisteredMessage', TWO)[0]!.framework_id;
  subscribe(world, ONE, { ...INFO, id: other }, true);
  assert.equal(world.effects.filter((effect) => effect.kind === 'send').length, 0);
  assert.deepEqual(
    [id, other].map(({ value }) => world.state.frameworks.get(value)?.state),
    ['CONNECTED', 'CONNECTED'],
  );
});

test('a framework that is known from agents only is registered by the first driver, without force', () => {
  const world = new World();
  const id = { value: 'old-0001' };
  world.reregister({ id: 'old-S1', pid: 'slave(1)@127.0.0.1:5051' }, { frameworks: [{ ...INFO, id }] });
  assert.equal(world.state.frameworks.get(id.value)?.state, 'RECOVERED');
  subscribe(world, ONE, { ...INFO, id });
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', ONE).length, 1);
  assert.equal(world.state.frameworks.get(id.value)?.state, 'CONNECTED');
});

test('an HTTP scheduler that takes over tells the driver, and the driver cannot come back without force', () => {
  const { world, id } = setUp();
  const { stream } = world.subscribe({ ...INFO, id });
  assert.deepEqual(errors(world, ONE), ['Framework failed over']);
  subscribe(world, ONE, { ...INFO, id });
  assert.deepEqual(errors(world, ONE), ['Framework failed over']);
  subscribe(world, ONE, { ...INFO, id }, true);
  assert.equal(world.events(stream, 'ERROR')[0]?.error?.message, 'Framework failed over');
});

test('a driver may be the first and only to name an id: it is from before this master', () => {
  const world = new World();
  subscribe(world, ONE, { ...INFO, id: { value: 'before' } });
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', ONE)[0]?.framework_id.value, 'before');
});

test('calls that a v0 driver gets wrong are dropped; a refused UPDATE_FRAMEWORK is an error', () => {
  const { world, id } = setUp();
  const sends = (): number => world.effects.filter((effect) => effect.kind === 'send').length;
  world.message(ONE, 'mesos.scheduler.Call', { type: 'KILL', framework_id: id });
  assert.equal(sends(), 0);
  const uuid = new Uint8Array(3);
  const acknowledge = { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid };
  world.message(ONE, 'mesos.scheduler.Call', { type: 'ACKNOWLEDGE', framework_id: id, acknowledge });
  assert.equal(world.state.counters.invalid_status_update_acknowledgements, 1);
  world.message(ONE, 'mesos.scheduler.Call', {
    type: 'RECONCILE_OPERATIONS',
    framework_id: id,
    reconcile_operations: { operations: [{ operation_id: { value: 'o' } }] },
  });
  assert.equal(sends(), 0, 'v0 has no operation ids');
  world.message(ONE, 'mesos.scheduler.Call', {
    type: 'UPDATE_FRAMEWORK',
    framework_id: id,
    update_framework: { framework_info: { ...INFO, id, user: 'other' } },
  });
  assert.match(errors(world, ONE)[0] ?? '', /'FrameworkInfo.user' cannot be changed from 'root' to 'other'/);
});

test('deactivation rescinds the offers of a connected driver; unregistration ends the framework', () => {
  const { world, id } = setUp();
  world.message(TWO, 'mesos.internal.DeactivateFrameworkMessage', { framework_id: id });
  assert.equal(world.state.frameworks.get(id.value)?.active, true, 'only the framework itself may');
  world.message(ONE, 'mesos.internal.DeactivateFrameworkMessage', { framework_id: id });
  assert.equal(world.sent('mesos.internal.RescindResourceOfferMessage', ONE).length, 1);
  assert.equal(world.state.frameworks.get(id.value)?.state, 'CONNECTED');
  world.message(TWO, 'mesos.internal.UnregisterFrameworkMessage', { framework_id: id });
  assert.equal(world.state.counters.messages_unregister_framework, 0);
  world.message(ONE, 'mesos.internal.UnregisterFrameworkMessage', { framework_id: id });
  assert.equal(world.state.completedFrameworks.has(id.value), true);
});

test('the messages of before mesos.scheduler.Call are understood', () => {
  const world = new World();
  const host = world.register();
  world.message(ONE, 'mesos.internal.SubmitSchedulerRequest', { name: 'x' });
  assert.equal(world.sent('mesos.internal.SubmitSchedulerResponse', ONE)[0]?.okay, false);
  world.message(ONE, 'mesos.internal.RegisterFrameworkMessage', { framework: { ...INFO, id: { value: 'x' } } });
  assert.deepEqual(errors(world, ONE), ["Registering with 'id' already set"]);
  world.message(ONE, 'mesos.internal.ReregisterFrameworkMessage', { framework: INFO, failover: true });
  assert.deepEqual(errors(world, ONE), ["Re-registering without an 'id'"]);
  world.message(ONE, 'mesos.internal.RegisterFrameworkMessage', { framework: INFO });
  const framework_id = world.sent('mesos.internal.FrameworkRegisteredMessage', ONE)[0]!.framework_id;
  const offer = (): { offer_ids: readonly { value: string }[] } => {
    const [offers] = world.sleep(1000).flatMap((effect) => {
      return effect.kind === 'send' && effect.name === 'mesos.internal.ResourceOffersMessage' ? [effect.message] : [];
    });
    return { offer_ids: offers?.offers?.map(({ id }) => id) ?? [] };
  };
  const filters = { refuse_seconds: 0 };
  world.message(ONE, 'mesos.internal.LaunchTasksMessage', { framework_id, filters, ...offer() });
  assert.equal(world.state.offers.size, 0, 'to launch nothing is to decline');
  const tasks = [task('t', { value: host.id })];
  world.message(ONE, 'mesos.internal.LaunchTasksMessage', { framework_id, filters, tasks, ...offer() });
  assert.equal(world.sent('mesos.internal.RunTaskMessage', host.pid)[0]?.pid, ONE);
  world.message(ONE, 'mesos.internal.ReconcileTasksMessage', { framework_id });
  assert.equal(world.sent('mesos.internal.StatusUpdateMessage', ONE)[0]?.update.status.state, 'TASK_STAGING');
  const uuid = world.update({ stream: '', id: framework_id.value }, host, 't', 'TASK_RUNNING');
  const ack = { framework_id, slave_id: { value: host.id }, task_id: { value: 't' }, uuid };
  world.message(ONE, 'mesos.internal.StatusUpdateAcknowledgementMessage', ack);
  assert.equal(world.sent('mesos.internal.StatusUpdateAcknowledgementMessage', host.pid).length, 1);
  const data = new Uint8Array([1]);
  const executor = { framework_id, slave_id: { value: host.id }, executor_id: { value: 'e' }, data };
  world.message(ONE, 'mesos.internal.FrameworkToExecutorMessage', executor);
  assert.equal(world.sent('mesos.internal.FrameworkToExecutorMessage', host.pid).length, 1);
  world.message(TWO, 'mesos.internal.KillTaskMessage', { framework_id, task_id: { value: 't' } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage').length, 0, 'another driver has no say');
  world.message(ONE, 'mesos.internal.KillTaskMessage', { framework_id, task_id: { value: 't' } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage', host.pid).length, 1);
  world.message(ONE, 'mesos.internal.ResourceRequestMessage', { framework_id });
  world.message(ONE, 'mesos.internal.ReviveOffersMessage', { framework_id });
  const { messages_resource_request, messages_revive_offers } = world.state.counters;
  assert.deepEqual([messages_resource_request, messages_revive_offers], [1, 1]);
  world.message(ONE, 'mesos.internal.ReregisterFrameworkMessage', {
    framework: { ...INFO, id: framework_id },
    failover: false,
  });
  assert.equal(world.sent('mesos.internal.FrameworkReregisteredMessage', ONE).length, 1);
});
