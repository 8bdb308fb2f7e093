import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scalar, task, uuidOf, World } from './harness.fixture.ts';

test('a task goes from subscription over offer, launch, updates and acknowledgements to its end', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  assert.ok(offer);
  assert.equal(offer.hostname, 'host-5051');
  assert.deepEqual(offer.url, {
    scheme: 'http',
    address: { hostname: 'host-5051', ip: '127.0.0.1', port: 5051 },
    path: '/slave(1)',
  });
  assert.equal(offer.allocation_info, undefined, 'a framework without MULTI_ROLE does not see allocations');
  assert.ok(offer.resources?.every((resource) => resource.allocation_info === undefined && resource.role === '*'));

  assert.equal(world.launch(scheduler, offer, [task('t1', offer.agent_id)]), 202);
  const [run] = world.sent('mesos.internal.RunTaskMessage', host.pid);
  assert.equal(run?.task.task_id.value, 't1');
  assert.equal(run?.launch_executor, true);
  assert.deepEqual(
    run?.task.resources?.map((resource) => resource.allocation_info),
    [{ role: '*' }, { role: '*' }],
  );
  assert.equal(world.state.agents.get(host.id)?.used.scalar('cpus'), 1000);

  let uuid = world.update(scheduler, host, 't1', 'TASK_RUNNING');
  assert.deepEqual(world.states(scheduler), [['t1', 'TASK_RUNNING', undefined]]);
  assert.equal(world.acknowledge(scheduler, host, 't1', uuid), 202);
  assert.equal(world.sent('mesos.internal.StatusUpdateAcknowledgementMessage', host.pid).length, 1);

  uuid = world.update(scheduler, host, 't1', 'TASK_FINISHED');
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true, 'resources are free before the acknowledgement');
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 1);
  world.acknowledge(scheduler, host, 't1', uuid);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 0);
  assert.equal(world.state.frameworks.get(scheduler.id)?.completedTasks.size, 1);
  assert.equal(world.state.counters.tasks_finished, 1);
});

test('resources of an ended task are offered again at once, not at the next interval', () => {
  const world = new World();
  const host = world.register(5051, [scalar('cpus', 1), scalar('mem', 128)]);
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.update(scheduler, host, 't', 'TASK_FAILED');
  assert.equal(world.offers(scheduler, 1).length, 1);
});

test('the newest state that the agent knows frees resources though the scheduler lags behind', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  const running = world.update(scheduler, host, 't', 'TASK_RUNNING', 'TASK_FINISHED');
  const known = world.state.frameworks.get(scheduler.id)?.tasks.get('t');
  assert.equal(known?.state, 'TASK_FINISHED');
  assert.equal(known?.status_update_state, 'TASK_RUNNING');
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true);
  world.acknowledge(scheduler, host, 't', running);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 1, 'the end itself is not acknowledged yet');
});

test('a status that comes twice is passed on twice and counted once', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  for (let i = 0; i < 2; i++) {
    world.update(scheduler, host, 't', 'TASK_FINISHED');
    assert.equal(world.states(scheduler).length, 1);
  }
  assert.equal(world.state.counters.tasks_finished, 1);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.get('t')?.statuses?.length, 1);
});

test('an update that comes after the end, late, does not keep the end from being acknowledged', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  const running = world.update(scheduler, host, 't', 'TASK_RUNNING');
  world.acknowledge(scheduler, host, 't', running);
  const end = world.update(scheduler, host, 't', 'TASK_FINISHED');
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  world.acknowledge(scheduler, host, 't', end);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 0);
});

test('an update without a uuid that ends a task removes the task', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.message(host.pid, 'mesos.internal.StatusUpdateMessage', {
    update: {
      framework_id: { value: scheduler.id },
      slave_id: { value: host.id },
      status: { task_id: { value: 't' }, state: 'TASK_LOST' },
      timestamp: 1,
    },
  });
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 0);
});

test('updates of unknown agents and frameworks are ignored and counted', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  world.update(scheduler, { id: 'other', pid: host.pid }, 't', 'TASK_RUNNING');
  world.update({ ...scheduler, id: 'other' }, host, 't', 'TASK_RUNNING');
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  assert.equal(world.state.counters.invalid_status_updates, 3);
  assert.equal(world.state.counters.messages_status_update, 3);
});

test('an acknowledgement for an agent that is not there is dropped', () => {
  const world = new World();
  const scheduler = world.subscribe();
  assert.equal(world.acknowledge(scheduler, { id: 'none', pid: '' }, 't', uuidOf('x')), 202);
  assert.equal(world.state.counters.invalid_status_update_acknowledgements, 1);
});

test('a kill goes to the agent, and an unknown task is answered as reconciliation', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 't' }, agent_id: { value: 'wrong' } } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage').length, 0);
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 't' } } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage', host.pid).length, 1);
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 'z' } } });
  assert.deepEqual(world.states(scheduler), [['z', 'TASK_LOST', 'REASON_RECONCILIATION']]);
});

test('reconciliation answers by what is known of the task and of its agent', () => {
  const world = new World();
  const host = world.register();
  const aware = world.subscribe({ capabilities: [{ type: 'PARTITION_AWARE' }] });
  const [offer] = world.offers(aware, 1);
  world.launch(aware, offer!, [task('t', offer!.agent_id)]);
  const ask = (tasks: { task_id: { value: string }; agent_id?: { value: string } }[]) => {
    world.say(aware, { type: 'RECONCILE', reconcile: { tasks } });
    return world.states(aware).map(([, state]) => state);
  };
  assert.deepEqual(ask([]), ['TASK_STAGING']);
  assert.deepEqual(ask([{ task_id: { value: 't' } }]), ['TASK_STAGING']);
  assert.deepEqual(ask([{ task_id: { value: 'x' }, agent_id: { value: host.id } }]), ['TASK_GONE']);
  assert.deepEqual(ask([{ task_id: { value: 'x' }, agent_id: { value: 'other' } }]), ['TASK_UNKNOWN']);
  assert.deepEqual(ask([{ task_id: { value: 'x' } }]), ['TASK_UNKNOWN']);
});

test('a task that is refused is an error, and the others of the call are launched', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  const { agent_id } = offer!;
  world.launch(scheduler, offer!, [
    task('a/b', agent_id),
    task('ok', agent_id),
    task('ok', agent_id),
    task('big', agent_id, { resources: [scalar('cpus', 100), scalar('mem', 1)] }),
    task('bare', agent_id, { command: undefined }),
  ]);
  assert.deepEqual(
    world.states(scheduler),
    ['a/b', 'ok', 'big', 'bare'].map((id) => [id, 'TASK_ERROR', 'REASON_TASK_INVALID']),
  );
  assert.equal(world.sent('mesos.internal.RunTaskMessage').length, 1);
  assert.equal(world.state.counters.tasks_error, 4);
});

test('a launch from an offer that is gone loses the tasks', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id] } });
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_INVALID_OFFERS']]);
  const aware = world.subscribe({ capabilities: [{ type: 'PARTITION_AWARE' }] });
  world.launch(aware, offer!, [task('t', offer!.agent_id)]);
  assert.deepEqual(world.states(aware), [['t', 'TASK_DROPPED', 'REASON_INVALID_OFFERS']]);
});

test('an ACCEPT that names an offer twice, or none, voids the offers that stand', () => {
  const world = new World();
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  const operations = [{ type: 'LAUNCH', launch: { task_infos: [task('t', offer!.agent_id)] } }] as const;
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [], operations } });
  assert.equal(world.states(scheduler).length, 1);
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [offer!.id, offer!.id], operations } });
  assert.equal(world.states(scheduler).length, 1);
  assert.equal(world.state.offers.size, 0);
});

test('a principal that may not run tasks as the user gets TASK_UNAUTHORIZED', () => {
  const world = new World({ authorize: (question) => question.action !== 'RUN_TASK' || question.user !== 'root' });
  world.register();
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [
    task('t', offer!.agent_id),
    task('u', offer!.agent_id, { command: { user: 'joe' } }),
  ]);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_ERROR', 'REASON_TASK_UNAUTHORIZED']]);
  assert.equal(world.sent('mesos.internal.RunTaskMessage').length, 1);
});

test('an end that is told under two uuids is acknowledged by either', () => {
  for (const which of [0, 1]) {
    const world = new World();
    const host = world.register();
    const scheduler = world.subscribe();
    const [offer] = world.offers(scheduler, 1);
    world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
    const uuids = [
      world.update(scheduler, host, 't', 'TASK_FINISHED'),
      world.update(scheduler, host, 't', 'TASK_FINISHED'),
    ];
    world.acknowledge(scheduler, host, 't', uuids[which]!);
    assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.has('t'), false, `the one at ${which}`);
  }
});
