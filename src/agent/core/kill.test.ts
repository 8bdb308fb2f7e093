import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo } from '../../wire/v1.ts';
import { FRAMEWORK, task, World } from './fake-world.ts';

const SECOND = 1e9;

function running(more: Parameters<typeof task>[2] = {}, framework: FrameworkInfo = FRAMEWORK): World {
  const world = new World().register();
  world.run(task('t', { value: 'sleep 100' }, more), framework);
  world.start();
  world.acknowledgeAll();
  return world;
}

const signals = (world: World): number[] =>
  world.effects.flatMap((effect) => (effect.kind === 'killContainer' ? [effect.signal] : []));

test('a killed task gets SIGTERM, and is reported killed whatever its exit status is', () => {
  const world = running();
  world.kill('t');
  assert.deepEqual(signals(world), [15]);
  world.exit(0);
  world.acknowledgeAll();
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
  assert.equal(world.updates().at(-1)?.status.message, 'Command exited with status 0');
  world.advance(60_000);
  assert.deepEqual(signals(world), [15]);
});

test('a task that ignores SIGTERM gets SIGKILL after 3 seconds, or its own grace period', () => {
  for (const [policy, grace] of [
    [undefined, 3000],
    [{ grace_period: { nanoseconds: SECOND } }, 1000],
    [{ grace_period: { nanoseconds: 0 } }, 0],
  ] as const) {
    const world = running(policy && { kill_policy: policy });
    world.kill('t');
    if (grace > 0) world.advance(grace - 1);
    if (grace > 0) assert.deepEqual(signals(world), [15]);
    world.advance(1);
    assert.deepEqual(signals(world), [15, 9]);
    world.exit(9);
    world.acknowledgeAll();
    assert.equal(world.updates().at(-1)?.status.message, 'Command terminated with signal Killed');
  }
});

test('a later kill can shorten the grace, never extend it', () => {
  const world = running();
  world.kill('t', { grace_period: { nanoseconds: 10 * SECOND } });
  world.advance(2000);
  world.kill('t', { grace_period: { nanoseconds: 4 * SECOND } });
  world.kill('t', { grace_period: { nanoseconds: 60 * SECOND } });
  world.advance(1999);
  assert.deepEqual(signals(world), [15]);
  world.advance(1);
  assert.deepEqual(signals(world), [15, 9]);
});

test('TASK_KILLING is sent to frameworks that know it', () => {
  const world = running({}, { ...FRAMEWORK, capabilities: [{ type: 'TASK_KILLING_STATE' }] });
  world.kill('t');
  world.exit(15);
  world.acknowledgeAll();
  assert.deepEqual(world.states('t').slice(2), ['TASK_KILLING', 'TASK_KILLED']);
});

test('a task that is killed before it runs is killed at once, and its container destroyed', () => {
  const world = new World().register();
  world.run(task('t'));
  world.kill('t');
  const { status } = world.updates()[0] ?? assert.fail();
  assert.equal(status.state, 'TASK_KILLED');
  assert.equal(status.reason, 'REASON_TASK_KILLED_DURING_LAUNCH');
  assert.equal(status.source, 'SOURCE_AGENT');
  const { containerId } = world.launched();
  const destroyed = world.effects.findIndex(
    (effect) => effect.kind === 'destroyContainer' && effect.containerId === containerId,
  );
  const told = world.effects.findIndex(
    (effect) => effect.kind === 'send' && effect.name === 'mesos.internal.StatusUpdateMessage',
  );
  // Its launch may still wait for the disk: who is told that it ended must not find it running.
  assert.ok(destroyed >= 0 && destroyed < told, 'the container goes before its end is told');
  world.start();
  world.exit(9);
  world.acknowledgeAll();
  assert.deepEqual(world.states('t'), ['TASK_KILLED']);
  assert.equal(world.agent.state.frameworks.size, 0);
  assert.equal(world.agent.state.containers.size, 0);
});

test('a kill for a task that never arrived is answered, so that nobody waits for it', () => {
  const world = running();
  world.kill('unknown');
  const { status } = world.updates().at(-1) ?? assert.fail();
  assert.deepEqual([status.state, status.reason], ['TASK_LOST', 'REASON_EXECUTOR_TERMINATED']);
});

test('a drain kills every task within its own grace period and says why', () => {
  const world = running(
    { kill_policy: { grace_period: { nanoseconds: 60 * SECOND } } },
    {
      ...FRAMEWORK,
      capabilities: [{ type: 'PARTITION_AWARE' }],
    },
  );
  world.receive('mesos.internal.DrainSlaveMessage', {
    config: { max_grace_period: { nanoseconds: SECOND }, mark_gone: true },
  });
  world.advance(1000);
  assert.deepEqual(signals(world), [15, 9]);
  world.exit(9);
  world.acknowledgeAll();
  const { status } = world.updates().at(-1) ?? assert.fail();
  assert.deepEqual([status.state, status.reason], ['TASK_GONE_BY_OPERATOR', 'REASON_AGENT_DRAINING']);
});

test('the limit of a drain counts for tasks that would take longer or say nothing, and never lengthens a short grace', () => {
  for (const [own, limit, grace] of [
    [undefined, undefined, 3000],
    [undefined, 5, 5000],
    [undefined, 1, 1000],
    [2, 5, 2000],
    [60, undefined, 60_000],
    [60, 5, 5000],
  ] as const) {
    const policy = own === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: own * SECOND } } };
    const world = running(policy);
    world.receive('mesos.internal.DrainSlaveMessage', {
      config: limit === undefined ? {} : { max_grace_period: { nanoseconds: limit * SECOND } },
    });
    world.advance(grace - 1);
    assert.deepEqual(signals(world), [15], `${own} ${limit}`);
    world.advance(1);
    assert.deepEqual(signals(world), [15, 9], `${own} ${limit}`);
  }
});

test('updates while draining say so: TASK_KILLING, and TASK_KILLED unless the agent is to be gone', () => {
  const capabilities = [{ type: 'TASK_KILLING_STATE' as const }];
  for (const [framework, markGone, last] of [
    [{ ...FRAMEWORK, capabilities }, true, 'TASK_KILLED'],
    [{ ...FRAMEWORK, capabilities: [...capabilities, { type: 'PARTITION_AWARE' as const }] }, false, 'TASK_KILLED'],
    [
      { ...FRAMEWORK, capabilities: [...capabilities, { type: 'PARTITION_AWARE' as const }] },
      true,
      'TASK_GONE_BY_OPERATOR',
    ],
  ] as const) {
    const world = running({}, framework);
    world.receive('mesos.internal.DrainSlaveMessage', { config: { mark_gone: markGone } });
    world.exit(15);
    world.acknowledgeAll();
    assert.deepEqual(world.states('t').slice(2), ['TASK_KILLING', last]);
    const reasons = world.updates().flatMap(({ status }) => (status.state === 'TASK_RUNNING' ? [] : [status.reason]));
    assert.deepEqual(new Set(reasons), new Set([undefined, 'REASON_AGENT_DRAINING']));
  }
});

test('a task that is queued ends with the drain, one that arrives during it is dropped, and after it all is as before', () => {
  const world = new World().register();
  world.run(task('t'));
  world.receive('mesos.internal.DrainSlaveMessage', { config: { max_grace_period: { nanoseconds: SECOND } } });
  assert.deepEqual(world.agent.state.drain?.config, { max_grace_period: { nanoseconds: SECOND } });
  const queued = world.updates()[0]?.status;
  assert.deepEqual([queued?.state, queued?.reason], ['TASK_KILLED', 'REASON_AGENT_DRAINING']);
  world.run(task('late'));
  const late = world.updates().at(-1)?.status;
  assert.deepEqual([late?.task_id.value, late?.state, late?.reason], ['late', 'TASK_LOST', 'REASON_AGENT_DRAINING']);
  world.start();
  world.exit(9);
  world.acknowledgeAll();
  assert.equal(world.agent.state.frameworks.size, 0);
  assert.equal(world.agent.state.drain, undefined, 'the drain is over');
  world.run(task('later'));
  assert.equal(world.agent.state.frameworks.size, 1);
});

test('an agent on which nothing runs has nothing to drain', () => {
  const world = new World().register();
  world.receive('mesos.internal.DrainSlaveMessage', { config: {} });
  assert.equal(world.agent.state.drain, undefined);
});

test('shutting down the executor of a command task kills the task', () => {
  const world = running();
  world.receive('mesos.internal.ShutdownExecutorMessage', {
    executor_id: { value: 't' },
    framework_id: { value: 'f1' },
  });
  assert.deepEqual(signals(world), [15]);
  world.exit(15);
  world.acknowledgeAll();
  assert.equal(world.updates().at(-1)?.status.state, 'TASK_KILLED');
});
