import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskInfo } from '../../wire/v1.ts';
import type { LaunchContainer } from './effects.ts';
import { FRAMEWORK, task, World } from './fake-world.ts';

function group(world: World, tasks: readonly TaskInfo[], launchExecutor = true): LaunchContainer[] {
  const before = world.effects.length;
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: { type: 'DEFAULT', executor_id: { value: 'de' }, framework_id: { value: 'f1' } },
    task_group: { tasks },
    launch_executor: launchExecutor,
  });
  return world.effects.slice(before).filter((effect) => effect.kind === 'launchContainer');
}

test('the tasks of a group run in containers nested in their executor', () => {
  const world = new World().register();
  const [a, b] = group(world, [task('a'), task('b')]);
  assert.ok(a && b);
  const executor = world.agent.state.frameworks.get('f1')?.executors.get('de');
  assert.equal(a.sandbox, `${executor?.directory}/containers/${a.containerId}`);
  assert.deepEqual(a.links[1], {
    link: `${executor?.directory}/tasks/a`,
    target: `../containers/${a.containerId}`,
  });
  assert.equal(a.environment.MESOS_CONTAINER_IP, '127.0.0.1');
  const starting = world.updates().find((update) => update.status.task_id.value === 'a');
  assert.deepEqual(starting?.status.container_status, {
    container_id: { value: a.containerId, parent: executor?.containerId },
  });
  world.start(a.containerId, 7);
  world.start(b.containerId, 8);
  world.acknowledgeAll();
  assert.deepEqual(world.states('a'), ['TASK_STARTING', 'TASK_RUNNING']);
  assert.equal(
    world.updates().find((update) => update.status.state === 'TASK_RUNNING')?.status.container_status?.executor_pid,
    7,
  );
});

test('the sandbox of a task group has its own output files, and its statuses are in order of time', () => {
  const world = new World().register();
  group(world, [task('a'), task('b')]);
  const executor = world.agent.state.frameworks.get('f1')?.executors.get('de');
  assert.ok(world.effects.some((effect) => effect.kind === 'makeSandbox' && effect.path === executor?.directory));
  const [a, b] = world.updates().map((update) => update.timestamp);
  assert.ok(a !== undefined && b !== undefined && a < b);
});

test('a group whose tasks all finish ends its executor, and the master is told', () => {
  const world = new World().register();
  const [a, b] = group(world, [task('a'), task('b')]);
  for (const launch of [a, b]) world.start(launch?.containerId);
  world.exit(0, a?.containerId);
  assert.ok(!world.effects.some((effect) => effect.kind === 'killContainer'));
  world.exit(0, b?.containerId);
  world.acknowledgeAll();
  assert.deepEqual(world.states('a').at(-1), 'TASK_FINISHED');
  assert.deepEqual(world.states('b').at(-1), 'TASK_FINISHED');
  assert.deepEqual(
    world.sent('mesos.internal.ExitedExecutorMessage').map((exit) => exit.status),
    [0],
  );
  assert.equal(world.agent.state.frameworks.size, 0);
});

test('an executor whose tasks have ended takes another group until their ends are acknowledged, for a minute', () => {
  const world = new World().register();
  const [a] = group(world, [task('a')]);
  world.start(a?.containerId);
  world.exit(0, a?.containerId);
  const [b] = group(world, [task('b')], false);
  assert.ok(b);
  world.start(b.containerId);
  world.exit(0, b.containerId);
  assert.deepEqual(world.sent('mesos.internal.ExitedExecutorMessage'), []);
  world.advance(60_000);
  assert.equal(world.sent('mesos.internal.ExitedExecutorMessage').length, 1);
  world.acknowledgeAll();
  assert.equal(world.states('b').at(-1), 'TASK_FINISHED');
  assert.equal(world.agent.state.frameworks.size, 0);
});

test('a task that fails, or is killed, takes its group along', () => {
  for (const how of ['fail', 'kill']) {
    const world = new World().register();
    const [a, b] = group(world, [task('a'), task('b')]);
    for (const launch of [a, b]) world.start(launch?.containerId);
    world.acknowledgeAll();
    if (how === 'kill') world.kill('a');
    world.exit(how === 'kill' ? 15 : 256, a?.containerId);
    assert.deepEqual(
      world.effects.flatMap((effect) => (effect.kind === 'killContainer' ? [effect.containerId] : [])),
      how === 'kill' ? [a?.containerId, b?.containerId] : [b?.containerId],
    );
    world.exit(15, b?.containerId);
    world.acknowledgeAll();
    assert.equal(world.states('a').at(-1), how === 'kill' ? 'TASK_KILLED' : 'TASK_FAILED');
    assert.equal(world.states('b').at(-1), 'TASK_KILLED');
  }
});

test('a group with a task that has nothing to run fails as a whole', () => {
  const world = new World().register();
  const [b] = group(world, [task('a', {}), task('b')]);
  assert.ok(
    world.effects.some((effect) => effect.kind === 'destroyContainer' && effect.containerId === b?.containerId),
  );
  world.exit(9, b?.containerId);
  world.acknowledgeAll();
  assert.equal(world.states('a').at(-1), 'TASK_FAILED');
  assert.equal(world.states('b').at(-1), 'TASK_KILLED');
});

test('a second group joins the executor that runs, and does not share the fate of the first', () => {
  const world = new World().register();
  const [a] = group(world, [task('a')]);
  world.start(a?.containerId);
  const [b] = group(world, [task('b')], false);
  world.start(b?.containerId);
  world.exit(256, a?.containerId);
  assert.ok(!world.effects.some((effect) => effect.kind === 'killContainer'));
  world.acknowledgeAll();
  assert.equal(world.states('b').at(-1), 'TASK_RUNNING');
});

test('a group for an executor that has ended meanwhile is dropped', () => {
  const world = new World().register();
  const launches = group(world, [task('a')], false);
  assert.deepEqual(launches, []);
  assert.deepEqual(world.states('a'), ['TASK_LOST']);
  assert.equal(world.agent.state.frameworks.size, 0);
});

test('sandboxes of tasks in a group stay as long as their executor, or go in time if that is wanted', () => {
  for (const gcNestedSandboxes of [false, true]) {
    const world = new World({ gcDelay: 1000, gcNestedSandboxes }).register();
    const [a, b] = group(world, [task('a'), task('b')]);
    for (const launch of [a, b]) world.start(launch?.containerId);
    world.exit(0, a?.containerId);
    world.advance(1000);
    const removed = world.effects.flatMap((effect) => (effect.kind === 'removeDirectory' ? [effect.path] : []));
    assert.deepEqual(removed, gcNestedSandboxes ? [a?.sandbox] : []);
  }
});
