import assert from 'node:assert/strict';
import { test } from 'node:test';
import { task, World } from './harness.fixture.ts';

/** Found by the simulator: a link that breaks does not end what runs behind it. */

function lostButAlive() {
  const world = new World();
  const scheduler = world.subscribe();
  const host = world.register();
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  const info = task('t', offer.agent_id);
  world.launch(scheduler, offer, [info], 1e6);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  world.step({ kind: 'exited', pid: host.pid });
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_AGENT_DISCONNECTED']]);
  const reported = {
    ...info,
    framework_id: { value: scheduler.id },
    state: 'TASK_RUNNING' as const,
    resources: (info.resources ?? []).map((resource) => ({ ...resource, allocation_info: { role: '*' } })),
  };
  const { name, task_id, agent_id, framework_id, state, resources } = reported;
  const tasks = [{ name, task_id, agent_id, framework_id, state, resources }];
  const frameworks = [{ user: 'root', name: 'test', id: { value: scheduler.id } }];
  return { world, scheduler, host, luggage: { tasks, frameworks } };
}

test('a task that was given up when the link broke is taken back into the books when its agent still has it', () => {
  const { world, scheduler, host, luggage } = lostButAlive();
  world.reregister(host, luggage);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_RUNNING', 'REASON_AGENT_REREGISTERED']]);
  assert.equal(world.state.agents.get(host.id)?.used.scalar('cpus'), 1000);
  const uuid = world.update(scheduler, host, 't', 'TASK_FINISHED');
  world.acknowledge(scheduler, host, 't', uuid);
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true);
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.size, 0);
});

test('what a task that was given up still uses is not offered', () => {
  const { world, scheduler, host, luggage } = lostButAlive();
  const other = world.subscribe({ name: 'other' });
  world.reregister(host, luggage);
  const offers = [...world.offers(scheduler), ...world.events(other.stream, 'OFFERS')].length;
  const offered = world.state.agents.get(host.id)?.offered.scalar('cpus');
  assert.ok(offers > 0);
  assert.equal(offered, 3000);
});

test('nobody is told that a task is gone while the link to its agent is broken', () => {
  const { world, scheduler, host } = lostButAlive();
  const asked = { task_id: { value: 't' }, agent_id: { value: host.id } };
  world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [asked] } });
  assert.deepEqual(world.states(scheduler), []);
  world.reregister(host);
  world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [asked] } });
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_RECONCILIATION']]);
});

/** An agent that answers no ping any more after the end of its task was told, acknowledged by the scheduler or not. */
function ended(options: { readonly isAcknowledged: boolean; readonly answersOnce: boolean }) {
  const world = new World();
  const scheduler = world.subscribe({ checkpoint: true, capabilities: [{ type: 'PARTITION_AWARE' }] });
  const host = world.register();
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  const info = task('t', offer.agent_id);
  world.launch(scheduler, offer, [info], 1e6);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  const uuid = world.update(scheduler, host, 't', 'TASK_FINISHED');
  if (options.isAcknowledged) world.acknowledge(scheduler, host, 't', uuid);
  if (options.answersOnce) {
    const observer = world.state.agents.get(host.id)!.observer.process;
    const pong = () => world.message(host.pid, 'mesos.internal.PongSlaveMessage', {}, observer);
    // It was pinged when it registered, too.
    pong();
    world.sleep(16_000);
    pong();
  }
  world.sleep(200_000);
  assert.ok(world.state.unreachable.has(host.id));
  const { name, task_id, agent_id } = info;
  const state = 'TASK_FINISHED' as const;
  const status = { status_update_state: state, status_update_uuid: uuid };
  const tasks = [{ name, task_id, agent_id, framework_id: { value: scheduler.id }, state, ...status }];
  world.reregister(host, { tasks, frameworks: [{ user: 'root', name: 'test', id: { value: scheduler.id } }] });
  const acknowledged = world.sent('mesos.internal.StatusUpdateAcknowledgementMessage').map((message) => message.uuid);
  return { uuid, acknowledged, tasks: world.state.frameworks.get(scheduler.id)?.tasks.size };
}

test('an end whose acknowledgement the agent may not have heard is acknowledged again, and not taken into the books', () => {
  const { uuid, acknowledged, tasks } = ended({ isAcknowledged: true, answersOnce: false });
  assert.deepEqual([acknowledged, tasks], [[uuid], 0]);
});

test('an end that nobody acknowledged, or one of after an acknowledgement that was heard, is taken into the books', () => {
  for (const isAcknowledged of [false, true]) {
    const { acknowledged, tasks } = ended({ isAcknowledged, answersOnce: isAcknowledged });
    assert.deepEqual([acknowledged, tasks], [[], 1]);
  }
});
