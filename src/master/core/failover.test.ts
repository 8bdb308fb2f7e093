/** Frameworks over time: schedulers that break off, come back or do not, and what waits for them meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo } from '../../wire/v1.ts';
import { executor, type Host, type Scheduler, task, World } from './harness.fixture.ts';

const TIMEOUT: Partial<FrameworkInfo> = { failover_timeout: 60 };

interface Setting {
  readonly world: World;
  readonly host: Host;
  readonly scheduler: Scheduler;
}

/** A framework with the task `t`. */
function running(info: Partial<FrameworkInfo> = TIMEOUT): Setting {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe(info);
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  return { world, host, scheduler };
}

function breakOff({ world, scheduler }: Setting): void {
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
}

/** How long a framework that broke off is kept, in milliseconds, to within 100. */
function patience(failover_timeout: number | undefined): number {
  const world = new World();
  const scheduler = world.subscribe(failover_timeout === undefined ? {} : { failover_timeout });
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  const began = world.now;
  while (world.state.frameworks.size > 0 && world.now < began + 5_000) world.sleep(100);
  return world.now - began;
}

test('failover_timeout counts fractions of a second; none, zero and less end the framework at once', () => {
  assert.deepEqual([undefined, 0, -1, 0.5, 1.75].map(patience), [0, 0, 0, 500, 1800]);
});

test('the longest failover_timeout that can be said is kept', () => {
  const world = new World({ allocationInterval: 1e9 });
  const scheduler = world.subscribe({ failover_timeout: 9.2e9 });
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  world.sleep(30 * 24 * 3600_000);
  assert.equal(world.state.frameworks.get(scheduler.id)?.state, 'DISCONNECTED');
});

test('a second break does not inherit the time of the first', () => {
  const setting = running();
  const { world } = setting;
  breakOff(setting);
  world.sleep(50_000);
  const scheduler = world.subscribe({ ...TIMEOUT, id: { value: setting.scheduler.id } });
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  world.sleep(50_000);
  assert.equal(world.state.frameworks.size, 1);
  world.sleep(11_000);
  assert.equal(world.state.frameworks.size, 0);
});

test('agents are told of the scheduler that came back, and send again what was not acknowledged', () => {
  const setting = running();
  const { world, host, scheduler } = setting;
  breakOff(setting);
  const uuid = world.update(scheduler, host, 't', 'TASK_FINISHED');
  assert.equal(world.state.counters.invalid_status_updates, 1, 'nobody was there to be told');
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true, 'but the end is known, and frees resources');
  const next = world.subscribe({ ...TIMEOUT, id: { value: scheduler.id } });
  assert.equal(world.sent('mesos.internal.UpdateFrameworkMessage', host.pid).length, 1);
  world.update(next, host, 't', 'TASK_FINISHED');
  assert.deepEqual(world.states(next), [['t', 'TASK_FINISHED', undefined]]);
  world.acknowledge(next, host, 't', uuid);
  assert.equal(world.sent('mesos.internal.StatusUpdateAcknowledgementMessage', host.pid).length, 1);
  assert.equal(world.state.frameworks.get(scheduler.id)?.completedTasks.size, 1);
});

test('an acknowledgement of something that this master never passed on is not passed on', () => {
  const setting = running();
  const { world, host, scheduler } = setting;
  breakOff(setting);
  const uuid = world.update(scheduler, host, 't', 'TASK_RUNNING');
  const next = world.subscribe({ ...TIMEOUT, id: { value: scheduler.id } });
  world.acknowledge(next, host, 't', uuid);
  assert.equal(world.sent('mesos.internal.StatusUpdateAcknowledgementMessage').length, 0);
  assert.equal(world.state.counters.invalid_status_update_acknowledgements, 1);
});

test('a status whose uuid is none is ignored', () => {
  const { world, host, scheduler } = running();
  const uuid = new Uint8Array(3);
  world.message(host.pid, 'mesos.internal.StatusUpdateMessage', {
    update: {
      framework_id: { value: scheduler.id },
      slave_id: { value: host.id },
      status: { task_id: { value: 't' }, state: 'TASK_RUNNING', uuid },
      timestamp: 1,
      uuid,
    },
    pid: host.pid,
  });
  assert.deepEqual(world.states(scheduler), []);
  assert.equal(world.state.counters.invalid_status_updates, 1);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.get('t')?.state, 'TASK_STAGING');
});

test('a framework that agents alone know becomes whole when its scheduler subscribes', () => {
  const world = new World();
  const info = { user: 'root', name: 'test', id: { value: 'old-0001' }, failover_timeout: 60 };
  world.reregister({ id: 'old-S1', pid: 'slave(1)@127.0.0.1:5051' }, { frameworks: [info] });
  const before = world.state.frameworks.get('old-0001');
  assert.deepEqual([before?.state, before?.active, before?.connection], ['RECOVERED', false, undefined]);
  world.sleep(3_600_000);
  assert.equal(world.state.frameworks.size, 1, 'there is no timeout while its scheduler was never here');
  const scheduler = world.subscribe(info);
  assert.equal(scheduler.id, 'old-0001');
  const after = world.state.frameworks.get('old-0001');
  assert.deepEqual([after?.state, after?.active], ['CONNECTED', true]);
  assert.equal(after?.registeredTime, after?.reregisteredTime);
});

test('completed and unreachable tasks are kept as far as the flags say, the newest of them', () => {
  const world = new World({ maxCompletedTasksPerFramework: 2, maxUnreachableTasksPerFramework: 1 });
  const host = world.register();
  const scheduler = world.subscribe({ checkpoint: true, capabilities: [{ type: 'PARTITION_AWARE' }] });
  const [offer] = world.offers(scheduler, 1);
  const tasks = ['a', 'b', 'c'].map((id) => task(id, offer!.agent_id));
  world.launch(scheduler, offer!, tasks);
  for (const id of ['a', 'b', 'c']) {
    world.acknowledge(scheduler, host, id, world.update(scheduler, host, id, 'TASK_FINISHED'));
  }
  const framework = world.state.frameworks.get(scheduler.id)!;
  assert.deepEqual(
    framework.completedTasks.toArray().map((ended) => ended.task_id.value),
    ['b', 'c'],
  );
  const [more] = world.offers(scheduler, 10_000);
  world.launch(scheduler, more!, [task('d', more!.agent_id), task('e', more!.agent_id)]);
  world.sleep(120_000);
  assert.deepEqual([...framework.unreachableTasks.keys()], ['e']);
});

test('SUBSCRIBE is counted among the calls of a framework, and among the messages by whether it named one', () => {
  const world = new World();
  const scheduler = world.subscribe(TIMEOUT);
  world.subscribe({ ...TIMEOUT, id: { value: scheduler.id } });
  world.call({ type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'u', name: 'n', role: '/' } } });
  assert.equal(world.state.frameworks.get(scheduler.id)?.counters.calls.get('SUBSCRIBE'), 2);
  const { messages_register_framework, messages_reregister_framework } = world.state.counters;
  assert.deepEqual([messages_register_framework, messages_reregister_framework], [2, 1]);
});

test('UPDATE_FRAMEWORK is done whole or not at all, and announced only if something changed', () => {
  const { world, host, scheduler } = running({ roles: ['a', 'b'], capabilities: [{ type: 'MULTI_ROLE' }] });
  const { info } = world.state.frameworks.get(scheduler.id)!;
  const update = (more: object, change: Partial<FrameworkInfo> = {}): number =>
    world.say(scheduler, {
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info: { ...info, ...change }, ...more },
    });
  assert.equal(update({}), 200);
  assert.equal(world.sent('mesos.internal.UpdateFrameworkMessage', host.pid).length, 0);
  assert.equal(update({ suppressed_roles: ['c'] }, { name: 'new' }), 400);
  assert.equal(update({ offer_constraints: { role_constraints: { c: {} } } }, { name: 'new' }), 400);
  assert.equal(update({}, { name: 'new', failover_timeout: Number.NaN }), 400);
  assert.equal(world.state.frameworks.get(scheduler.id)?.info.name, 'test');
  assert.equal(update({ suppressed_roles: ['b'] }, { name: 'new' }), 200);
  assert.equal(world.sent('mesos.internal.UpdateFrameworkMessage', host.pid)[0]?.framework_info?.name, 'new');
  assert.deepEqual([...world.state.frameworks.get(scheduler.id)!.suppressedRoles], ['b']);
  assert.equal(update({}, { name: 'new' }), 200);
  assert.deepEqual([...world.state.frameworks.get(scheduler.id)!.suppressedRoles], [], 'what is not said is lifted');
});

test('an authorizer may forbid an update: 403, and nothing changes', () => {
  const world = new World({ authorize: (q) => q.action !== 'REGISTER_FRAMEWORK' || !q.roles.includes('secret') });
  const scheduler = world.subscribe();
  const framework_info = { user: 'root', name: 'test', role: 'secret', id: { value: scheduler.id } };
  assert.equal(world.say(scheduler, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } }), 403);
  assert.deepEqual([...world.state.frameworks.get(scheduler.id)!.roles], ['*']);
});

test('the exit of an executor that nobody knew is no failure', () => {
  const { world, host, scheduler } = running();
  const exit = { slave_id: { value: host.id }, framework_id: { value: scheduler.id }, status: 9 };
  world.message(host.pid, 'mesos.internal.ExitedExecutorMessage', { ...exit, executor_id: { value: 'none' } });
  assert.deepEqual(world.events(scheduler.stream, 'FAILURE'), []);
});

test('a kill carries its policy, and reaches an agent that was away when it comes back', () => {
  const { world, host, scheduler } = running({ checkpoint: true });
  const kill_policy = { grace_period: { nanoseconds: 5 } };
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 't' }, kill_policy } });
  assert.deepEqual(world.sent('mesos.internal.KillTaskMessage', host.pid)[0]?.kill_policy, kill_policy);
  world.step({ kind: 'exited', pid: host.pid });
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 't' } } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage').length, 0);
  const { info, tasks } = world.state.frameworks.get(scheduler.id)!;
  world.reregister(host, { frameworks: [info], tasks: [...tasks.values()] });
  assert.equal(world.sent('mesos.internal.KillTaskMessage', host.pid).length, 1);
});

test('how long an offer is refused: a year at most, five seconds for what is no time, until the interval for nothing', () => {
  const refusedFor = (refuse_seconds: number | undefined): number => {
    const world = new World();
    world.register();
    const scheduler = world.subscribe();
    const [offer] = world.offers(scheduler, 1);
    const filters = refuse_seconds === undefined ? {} : { filters: { refuse_seconds } };
    world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id], ...filters } });
    let waited = 0;
    while (waited < 20 && world.offers(scheduler, 1000).length === 0) waited++;
    return waited;
  };
  const times = [undefined, -1, Number.NaN, 0, 0.001, 3].map(refusedFor);
  assert.deepEqual(times.slice(0, 3), [times[0], times[0], times[0]], 'five seconds all');
  assert.ok(times[0]! >= 4 && times[0]! <= 6, `${times[0]}`);
  assert.ok(times[3]! <= 1 && times[4]! <= 2, `${times[3]} ${times[4]}`);
  assert.equal(refusedFor(1e300), 20);
});

test('a MESSAGE of an executor to a scheduler that broke off is dropped', () => {
  const setting = running();
  const { world, host, scheduler } = setting;
  breakOff(setting);
  const data = new Uint8Array([1]);
  const { executor_id } = executor('e');
  const message = { slave_id: { value: host.id }, framework_id: { value: scheduler.id }, executor_id, data };
  world.message(host.pid, 'mesos.internal.ExecutorToFrameworkMessage', message);
  assert.equal(world.state.counters.invalid_executor_to_framework_messages, 1);
});
