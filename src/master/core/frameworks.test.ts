import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import { scalar, task, World } from './harness.fixture.ts';

const MULTI_ROLE = [{ type: 'MULTI_ROLE' }] as const;

/** The text of the ERROR event with which a subscription is refused. */
function refusal(world: World, info: Partial<FrameworkInfo>, more: object = {}): string | undefined {
  const framework_info = { user: 'u', name: 'n', ...info };
  const call: Call = { type: 'SUBSCRIBE', subscribe: { framework_info, ...more } };
  const { status, text: stream } = world.call(info.id === undefined ? call : { ...call, framework_id: info.id });
  assert.equal(status, 200);
  const closed = world.effects.some((effect) => effect.kind === 'closeStream' && effect.stream === stream);
  const [error] = world.events(stream ?? '', 'ERROR');
  assert.equal(closed, error !== undefined);
  return error?.error?.message;
}

test('a subscription is answered with SUBSCRIBED and HEARTBEAT, and a heartbeat follows every 15 seconds', () => {
  const world = new World();
  const scheduler = world.subscribe();
  assert.equal(scheduler.id, 'm-0000');
  assert.deepEqual(
    world.events(scheduler.stream).map((event) => event.type),
    ['SUBSCRIBED', 'HEARTBEAT'],
  );
  assert.equal(world.events(scheduler.stream)[0]?.subscribed?.heartbeat_interval_seconds, 15);
  world.sleep(60_000);
  assert.equal(world.events(scheduler.stream, 'HEARTBEAT').length, 4);
  assert.equal(world.subscribe().id, 'm-0001');
});

test('a hundred streams share wake-ups for their heartbeats', () => {
  const world = new World({ allocationInterval: 1e9 });
  for (let i = 0; i < 100; i++) {
    world.subscribe();
    world.now += 1;
  }
  world.sleep(14_000);
  const arms = world.sleep(2000).filter((effect) => effect.kind === 'arm').length;
  assert.ok(arms <= 4, `${arms} timers for 100 heartbeats`);
});

test('subscriptions that make no sense are refused on the stream, with the reason', () => {
  const world = new World({ rootSubmissions: false, roleWhitelist: new Set(['*', 'a']) });
  const cases: [Partial<FrameworkInfo>, object, RegExp][] = [
    [{ role: '/bad' }, {}, /role/],
    [{ roles: ['a'] }, {}, /MULTI_ROLE/],
    [{ role: 'a', capabilities: MULTI_ROLE }, {}, /MULTI_ROLE/],
    [{ roles: ['a', 'a'], capabilities: MULTI_ROLE }, {}, /twice/],
    [{ role: 'b' }, {}, /--roles/],
    [{ user: 'root' }, {}, /root_submissions/],
    [{ failover_timeout: 1e20 }, {}, /failover_timeout/],
    [{ failover_timeout: Number.NaN }, {}, /failover_timeout/],
    [{ id: { value: 'a/b' } }, {}, /framework id/],
    [{ role: 'a' }, { suppressed_roles: ['b'] }, /Suppressed roles \{ b \}/],
    [{ role: 'a' }, { offer_constraints: { role_constraints: { b: {} } } }, /Offer constraints/],
    [{ role: 'a' }, { offer_constraints: { role_constraints: { a: { groups: [] } } } }, /Offer constraints/],
    [{ offer_filters: { '*': { min_allocatable_resources: { quantities: [{}] } } } }, {}, /at least one quantity/],
  ];
  for (const [info, more, reason] of cases) assert.match(refusal(world, info, more) ?? 'accepted', reason);
  assert.equal(world.state.frameworks.size, 0);
  assert.equal(refusal(world, { failover_timeout: -1 }), undefined, 'upstream accepts a negative timeout');
});

test('an authorizer may forbid roles', () => {
  const world = new World({ authorize: (q) => q.action !== 'REGISTER_FRAMEWORK' || !q.roles.includes('secret') });
  assert.match(refusal(world, { role: 'secret' }) ?? '', /Not authorized/);
  assert.equal(refusal(world, { role: 'open' }), undefined);
});

test('calls are checked in order: form, framework, principal, subscription, stream', () => {
  const world = new World();
  const { stream, id } = world.subscribe({ principal: 'p', failover_timeout: 10 });
  const status = (call: Call, streamId?: string, principal?: string): number =>
    world.call(call, streamId, principal).status;
  const revive = { type: 'REVIVE', framework_id: { value: id } } as const;
  assert.equal(status({}), 400);
  assert.equal(status({ type: 'REVIVE' }), 400);
  assert.equal(status({ type: 'KILL', framework_id: { value: id } }), 400);
  assert.equal(status({ ...revive, framework_id: { value: 'none' } }), 400);
  assert.equal(status(revive, stream, 'other'), 400);
  assert.equal(status(revive), 400);
  assert.equal(status(revive, 'rubbish'), 400);
  assert.equal(status({ ...revive, type: 'UNKNOWN' }, stream), 501);
  assert.equal(status(revive, stream, 'p'), 202);
  const acknowledge = { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: new Uint8Array(16) };
  assert.equal(status({ type: 'ACKNOWLEDGE', framework_id: { value: id }, acknowledge }, stream), 400);
  assert.equal(status({ type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'u', name: 'n' } } }, stream), 400);
  world.step({ kind: 'streamClosed', stream });
  assert.equal(status(revive, stream), 403);
});

test('UPDATE_FRAMEWORK with an id that differs from the call is malformed', () => {
  const world = new World();
  const scheduler = world.subscribe();
  const framework_info = { user: 'root', name: 'x', id: { value: 'other' } };
  assert.equal(world.say(scheduler, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } }), 400);
});

test('UPDATE_FRAMEWORK changes what may change, and tells agents', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe({ role: 'a' });
  const [offer] = world.offers(scheduler, 1);
  assert.ok(offer);
  const idle = world.register(5052);
  world.launch(scheduler, offer, [task('t', offer.agent_id)]);
  world.offers(scheduler, 2);
  const id = { value: scheduler.id };
  const update = (info: Partial<FrameworkInfo>): number => {
    const framework_info = { user: 'root', name: 'test', id, ...info };
    return world.say(scheduler, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } });
  };
  assert.equal(update({ role: '/x' }), 400);
  assert.equal(update({ checkpoint: true }), 400);
  assert.equal(update({ user: 'joe' }), 400);
  assert.equal(update({ principal: 'p' }), 400);
  assert.equal(update({ name: 'new', role: 'b' }), 200);
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 2, 'offers of the old role are taken back');
  assert.deepEqual(world.sent('mesos.internal.UpdateFrameworkMessage', idle.pid), [], 'nothing of it runs there');
  const [told] = world.sent('mesos.internal.UpdateFrameworkMessage', host.pid);
  assert.equal(told?.framework_info?.name, 'new');
  assert.deepEqual([...world.state.roles.keys()], ['b']);
  assert.equal(world.offers(scheduler, 2).length, 2);
});

test('those agents hear of a change that run something of the framework, each once, whether it has little or much', () => {
  for (const count of [1, 2, 5]) {
    const world = new World();
    const host = world.register();
    const scheduler = world.subscribe();
    const [offer] = world.offers(scheduler, 1);
    assert.ok(offer);
    const idle = [5052, 5053].map((port) => world.register(port));
    const few = { resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } }] } as const;
    const tasks = Array.from({ length: count }, (_, at) => task(`t${at}`, offer.agent_id, few));
    world.launch(scheduler, offer, tasks);
    const framework_info = { user: 'root', name: 'new', id: { value: scheduler.id } };
    assert.equal(world.say(scheduler, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } }), 200);
    const told = (pid: string): number => world.sent('mesos.internal.UpdateFrameworkMessage', pid).length;
    assert.equal(told(host.pid), 1, `with ${count} tasks`);
    assert.deepEqual(
      idle.map(({ pid }) => told(pid)),
      [0, 0],
    );
  }
});

test('a scheduler that comes back in time keeps its tasks; the old stream is told and closed', () => {
  const world = new World();
  world.register();
  const first = world.subscribe({ failover_timeout: 60 });
  const [offer] = world.offers(first, 1);
  world.launch(first, offer!, [task('t', offer!.agent_id)]);
  world.sleep(1000);
  assert.equal(world.state.offers.size, 1);
  const second = world.subscribe({ id: { value: first.id }, user: 'other', checkpoint: true, failover_timeout: 60 });
  assert.equal(second.id, first.id);
  assert.deepEqual(
    world.events(first.stream).map((event) => event.error?.message),
    ['Framework failed over'],
  );
  assert.equal(world.state.offers.size, 0, 'the old offers are void, and nobody is told');
  const framework = world.state.frameworks.get(first.id);
  assert.equal(framework?.tasks.size, 1);
  assert.equal(framework?.info.user, 'root', 'the user stays as it was');
  assert.equal(framework?.info.checkpoint ?? false, false);
  assert.equal(
    world.step({ kind: 'streamClosed', stream: first.stream }).length,
    0,
    'the old stream means nothing now',
  );
  assert.equal(framework?.state, 'CONNECTED');
});

test('a framework without failover_timeout ends with its stream; its id cannot be used again', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  assert.equal(world.state.frameworks.size, 0);
  const ended = world.state.completedFrameworks.get(scheduler.id);
  assert.deepEqual(
    [...(ended?.completedTasks ?? [])].map((t) => t.state),
    ['TASK_KILLED'],
  );
  assert.equal(world.sent('mesos.internal.ShutdownFrameworkMessage', host.pid).length, 1);
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true);
  assert.equal(refusal(world, { id: { value: scheduler.id } }), 'Framework has been removed');
});

test('a disconnected framework gets no offers and is removed when its failover_timeout has passed', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe({ failover_timeout: 30 });
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  assert.equal(world.state.frameworks.get(scheduler.id)?.state, 'DISCONNECTED');
  world.sleep(29_000);
  assert.equal(world.state.offers.size, 0);
  assert.equal(world.state.frameworks.size, 1);
  world.sleep(2000);
  assert.equal(world.state.completedFrameworks.size, 1);
});

test('TEARDOWN ends a framework, by its scheduler or by an operator', () => {
  const world = new World({ authorize: (q) => q.action !== 'TEARDOWN_FRAMEWORK' || q.principal !== 'guest' });
  const scheduler = world.subscribe();
  assert.equal(world.say(scheduler, { type: 'TEARDOWN' }), 202);
  assert.ok(world.effects.some((effect) => effect.kind === 'closeStream' && effect.stream === scheduler.stream));
  const other = world.subscribe();
  const operate = (frameworkId: string, principal?: string): number | undefined => {
    const call = { type: 'TEARDOWN', teardown: { framework_id: { value: frameworkId } } } as const;
    world.step({ kind: 'operatorCall', request: 1000, call, ...(principal !== undefined && { principal }) });
    return world.effects.flatMap((effect) => (effect.kind === 'reply' ? effect.status : []))[0];
  };
  assert.equal(operate('none', 'guest'), 400, 'whether it exists comes before whether one may');
  assert.equal(operate(other.id, 'guest'), 403);
  assert.equal(operate(other.id), 200);
  assert.equal(operate(other.id), 400);
  assert.equal(world.state.frameworks.size, 0);
});

test('only so many completed frameworks are remembered', () => {
  const world = new World({ maxCompletedFrameworks: 2 });
  for (let i = 0; i < 4; i++) world.say(world.subscribe(), { type: 'TEARDOWN' });
  assert.deepEqual([...world.state.completedFrameworks.keys()], ['m-0002', 'm-0003']);
});

test('after a master failover a scheduler subscribes with the id it had, tasks come with the agents', () => {
  const world = new World();
  const scheduler = world.subscribe({ id: { value: 'old-0007' } });
  assert.equal(scheduler.id, 'old-0007');
  const host = { id: 'old-S1', pid: 'slave(1)@127.0.0.1:5051' };
  world.reregister(host, {
    frameworks: [{ user: 'root', name: 'test', id: { value: 'old-0007' } }],
    tasks: [
      {
        name: 't',
        task_id: { value: 't' },
        framework_id: { value: 'old-0007' },
        agent_id: { value: 'old-S1' },
        state: 'TASK_RUNNING',
        resources: [scalar('cpus', 1)],
      },
    ],
  });
  assert.equal(world.state.frameworks.get('old-0007')?.tasks.size, 1);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_RUNNING', 'REASON_AGENT_REREGISTERED']]);
  assert.equal(world.state.agents.get('old-S1')?.used.scalar('cpus'), 1000);
});

test('v0 drivers subscribe, get offers, launch and are told over libprocess', () => {
  const world = new World();
  const host = world.register();
  const pid = 'scheduler-1@127.0.0.1:7000';
  const framework_info = { user: 'root', name: 'v0' };
  world.message(pid, 'mesos.scheduler.Call', { type: 'SUBSCRIBE', subscribe: { framework_info } });
  const [registered] = world.sent('mesos.internal.FrameworkRegisteredMessage', pid);
  assert.ok(registered);
  const id = registered.framework_id;
  world.message(pid, 'mesos.scheduler.Call', { type: 'SUBSCRIBE', subscribe: { framework_info } });
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', pid).length, 1, 'told again, not made again');
  assert.equal(world.state.frameworks.size, 1);
  world.sleep(1);
  const [offers] = world.sent('mesos.internal.ResourceOffersMessage', pid);
  assert.deepEqual(offers?.pids, [host.pid]);
  const [offer] = offers?.offers ?? [];
  const accept = {
    offer_ids: [offer!.id],
    operations: [{ type: 'LAUNCH', launch: { task_infos: [task('t', offer!.agent_id)] } }] as const,
  };
  world.message('scheduler-2@127.0.0.1:7001', 'mesos.scheduler.Call', { type: 'ACCEPT', framework_id: id, accept });
  assert.equal(world.sent('mesos.internal.RunTaskMessage').length, 0, 'only the framework itself may speak for it');
  world.message(pid, 'mesos.scheduler.Call', { type: 'ACCEPT', framework_id: id, accept });
  assert.equal(world.sent('mesos.internal.RunTaskMessage')[0]?.pid, pid);
  world.update({ id: id.value, stream: '' }, host, 't', 'TASK_RUNNING');
  assert.equal(world.sent('mesos.internal.StatusUpdateMessage', pid)[0]?.pid, host.pid);
  world.step({ kind: 'exited', pid });
  assert.equal(world.state.completedFrameworks.size, 1);
});

test('a v0 driver takes over with force, and not without', () => {
  const world = new World();
  const [one, two] = ['scheduler-1@127.0.0.1:7000', 'scheduler-2@127.0.0.1:7001'];
  const info = { user: 'root', name: 'v0', failover_timeout: 60 };
  world.message(one, 'mesos.scheduler.Call', { type: 'SUBSCRIBE', subscribe: { framework_info: info } });
  const id = world.sent('mesos.internal.FrameworkRegisteredMessage', one)[0]!.framework_id;
  const again = (pid: string, force: boolean) =>
    world.message(pid, 'mesos.scheduler.Call', {
      type: 'SUBSCRIBE',
      framework_id: id,
      subscribe: { framework_info: { ...info, id }, force },
    });
  again(two, false);
  assert.equal(world.sent('mesos.internal.FrameworkErrorMessage', two)[0]?.message, 'Framework failed over');
  again(one, false);
  assert.equal(world.sent('mesos.internal.FrameworkReregisteredMessage', one).length, 1);
  again(two, true);
  assert.equal(world.sent('mesos.internal.FrameworkErrorMessage', one)[0]?.message, 'Framework failed over');
  assert.equal(world.sent('mesos.internal.FrameworkRegisteredMessage', two).length, 1);
  world.message(two, 'mesos.internal.DeactivateFrameworkMessage', { framework_id: id });
  assert.equal(world.state.frameworks.get(id.value)?.active, false);
  world.message(two, 'mesos.internal.UnregisterFrameworkMessage', { framework_id: id });
  assert.equal(world.state.completedFrameworks.size, 1);
});
