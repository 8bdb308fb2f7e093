import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutorInfo } from '../../wire/v1.ts';
import { FRAMEWORK, task, World } from './fake-world.ts';

const EXECUTOR: ExecutorInfo = {
  executor_id: { value: 'e' },
  command: { value: 'exec' },
  framework_id: { value: 'f1' },
};
const PID = 'executor(1)@127.0.0.1:9';

function launched(): World {
  const world = new World().register();
  const { command: _, ...info } = task('t');
  world.receive('mesos.internal.RunTaskMessage', {
    framework: FRAMEWORK,
    task: { ...info, executor: EXECUTOR },
    launch_executor: true,
  });
  world.start();
  return world;
}

function register(world: World): void {
  world.receive(
    'mesos.internal.RegisterExecutorMessage',
    { framework_id: { value: 'f1' }, executor_id: { value: 'e' } },
    PID,
  );
}

test('an executor that exits without registering fails its task', () => {
  const world = launched();
  world.exit(5 << 8);
  const { status } = world.updates()[0] ?? assert.fail();
  assert.deepEqual(
    [status.state, status.reason, status.source, status.message],
    ['TASK_FAILED', 'REASON_EXECUTOR_TERMINATED', 'SOURCE_AGENT', 'Executor terminated'],
  );
  assert.deepEqual(world.sent('mesos.internal.ExitedExecutorMessage')[0]?.status, 5 << 8);
});

test('an executor that does not register in time is destroyed', () => {
  const world = launched();
  for (let i = 0; i < 4; i++) {
    world.receive('mesos.internal.PingSlaveMessage', { connected: true });
    world.advance(15_000);
  }
  assert.ok(world.effects.some((effect) => effect.kind === 'destroyContainer'));
  world.exit(9);
  const { status } = world.updates()[0] ?? assert.fail();
  assert.equal(status.reason, 'REASON_EXECUTOR_REGISTRATION_TIMEOUT');
  assert.equal(status.message, 'Executor did not register within 60secs');
});

test('an executor that registers is given its tasks, and its updates are acknowledged and passed on', () => {
  const world = launched();
  register(world);
  assert.equal(world.sent('mesos.internal.ExecutorRegisteredMessage')[0]?.executor_info.executor_id.value, 'e');
  assert.equal(world.sent('mesos.internal.RunTaskMessage')[0]?.task.task_id.value, 't');
  const uuid = new Uint8Array(16).fill(7);
  const body = {
    update: {
      framework_id: { value: 'f1' },
      status: { task_id: { value: 't' }, state: 'TASK_RUNNING' as const, data: new Uint8Array(3) },
      timestamp: 1,
      uuid,
    },
    pid: PID,
  };
  world.receive('mesos.internal.StatusUpdateMessage', body, PID);
  world.receive('mesos.internal.StatusUpdateMessage', body, PID);
  assert.equal(world.sent('mesos.internal.StatusUpdateAcknowledgementMessage').length, 2);
  assert.equal(world.updates().length, 1);
  assert.equal(world.updates()[0]?.status.source, 'SOURCE_EXECUTOR');
  assert.equal(world.updates()[0]?.status.data?.length, 3);
  const record = world.agent.state.frameworks.get('f1')?.tasks.get('t')?.launched.get('t');
  assert.equal(record?.task.statuses?.[0]?.data, undefined);
});

test('kills, messages and shutdowns reach an executor by its address', () => {
  const world = launched();
  register(world);
  world.kill('t');
  assert.equal(world.sent('mesos.internal.KillTaskMessage')[0]?.task_id.value, 't');
  world.receive('mesos.internal.FrameworkToExecutorMessage', {
    slave_id: { value: 'm-S0' },
    framework_id: { value: 'f1' },
    executor_id: { value: 'e' },
    data: new Uint8Array(1),
  });
  assert.equal(world.sent('mesos.internal.FrameworkToExecutorMessage').length, 1);
  world.receive('mesos.internal.ShutdownFrameworkMessage', { framework_id: { value: 'f1' } });
  assert.equal(world.sent('mesos.internal.ShutdownExecutorMessage').length, 1);
  world.advance(5000);
  assert.ok(world.effects.some((effect) => effect.kind === 'destroyContainer'));
});

test('a stranger who claims to be an executor is shut down', () => {
  const world = new World().register();
  register(world);
  assert.equal(world.sent('mesos.internal.ShutdownExecutorMessage').length, 1);
});
