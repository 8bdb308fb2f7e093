import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASTER, task, World } from './fake-world.ts';

test('an unacknowledged update is sent again after 10 seconds, then 20, up to every 10 minutes', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  const count = (): number => world.updates().length;
  assert.equal(count(), 1);
  world.advance(9_999);
  assert.equal(count(), 1);
  world.advance(1);
  assert.equal(count(), 2);
  world.advance(19_999);
  assert.equal(count(), 2);
  world.advance(1);
  assert.equal(count(), 3);
  for (let i = 0; i < 100; i++) {
    world.receive('mesos.internal.PingSlaveMessage', { connected: true });
    world.advance(60_000);
  }
  const before = count();
  world.receive('mesos.internal.PingSlaveMessage', { connected: true });
  for (let i = 0; i < 10; i++) {
    world.advance(60_000);
    world.receive('mesos.internal.PingSlaveMessage', { connected: true });
  }
  assert.equal(count(), before + 1);
  assert.deepEqual(new Set(world.updates().map((update) => String(update.uuid))).size, 1);
});

test('an acknowledgement with a strange uuid, or a second one, changes nothing', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  const [first] = world.updates();
  assert.ok(first);
  world.acknowledge({ ...first, uuid: new Uint8Array(16) });
  assert.equal(world.updates().length, 1);
  world.acknowledge(first);
  world.acknowledge(first);
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING']);
});

test('updates wait while no master is there, and go out as soon as one is', () => {
  const world = new World().register();
  world.run(task('t'));
  world.step({ kind: 'masterDetected', pid: undefined });
  world.start();
  world.exit(0);
  world.advance(3_600_000);
  assert.equal(world.updates().length, 0);
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(1000);
  world.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: { value: 'm-S0' } });
  world.acknowledgeAll();
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
});

test('a scheduler that moved is sent again what it did not acknowledge', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  world.receive('mesos.internal.UpdateFrameworkMessage', {
    framework_id: { value: 'f1' },
    pid: 'scheduler-2@1.2.3.4:5',
  });
  assert.equal(world.updates().length, 2);
  assert.equal(world.agent.state.frameworks.get('f1')?.pid, 'scheduler-2@1.2.3.4:5');
});

test('the task knows which state its scheduler was told last', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  const record = world.agent.state.frameworks.get('f1')?.tasks.get('t')?.launched.get('t');
  assert.deepEqual([record?.task.state, record?.task.status_update_state], ['TASK_RUNNING', 'TASK_STARTING']);
  world.acknowledge();
  assert.equal(record?.task.status_update_state, 'TASK_RUNNING');
  assert.deepEqual(
    record?.task.statuses?.map((status) => status.state),
    ['TASK_STARTING', 'TASK_RUNNING'],
  );
});
