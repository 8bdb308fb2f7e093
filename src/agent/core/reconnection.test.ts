import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutorInfo } from '../../wire/v1.ts';
import { FRAMEWORK, MASTER, task, World } from './fake-world.ts';

/** Found by the simulator: what goes wrong when messages and re-registrations cross. */

const EXECUTOR: ExecutorInfo = { type: 'DEFAULT', executor_id: { value: 'de' } };

function reregistered(world: World, ...missing: string[]): void {
  const statuses = missing.map((value) => ({ task_id: { value }, state: 'TASK_STAGING' as const }));
  world.receive('mesos.internal.SlaveReregisteredMessage', {
    slave_id: { value: 'm-S0' },
    reconciliations: [{ framework_id: { value: 'f1' }, framework: FRAMEWORK, statuses }],
  });
}

/** As `world.run`, and counting on these resources. */
function launch(world: World, id: string, version: Uint8Array): void {
  world.receive('mesos.internal.RunTaskMessage', {
    framework: FRAMEWORK,
    task: task(id),
    launch_executor: true,
    resource_version_uuids: [{ uuid: { value: version } }],
  });
}

const launches = (world: World): number => world.effects.filter(({ kind }) => kind === 'launchContainer').length;

test('a launch that arrives while the agent is not admitted is dropped, which is told when it is', () => {
  const world = new World().register();
  world.step({ kind: 'exited', pid: MASTER });
  world.run(task('late'));
  assert.equal(launches(world), 0);
  assert.deepEqual(world.updates(), []);
  world.advance(1000);
  reregistered(world, 'late');
  assert.deepEqual(world.states('late'), ['TASK_LOST']);
});

test('a launch from before the newest inventory is dropped when it arrives after the re-registration', () => {
  const world = new World().register();
  const before = world.agent.state.resourceVersion;
  world.step({ kind: 'exited', pid: MASTER });
  world.advance(1000);
  const [inventory] = world.sent('mesos.internal.ReregisterSlaveMessage');
  assert.notDeepEqual(inventory?.resource_version_uuid?.value, before);
  reregistered(world);
  launch(world, 'late', before);
  assert.equal(launches(world), 0);
  assert.deepEqual(world.states('late'), ['TASK_LOST']);
  const told = world.sent('mesos.internal.UpdateSlaveMessage').at(-1);
  assert.deepEqual(told?.resource_version_uuid?.value, world.agent.state.resourceVersion);
  launch(world, 'new', world.agent.state.resourceVersion);
  assert.equal(launches(world), 1);
});

test('a task that was reported dropped does not run when its launch arrives after all', () => {
  const world = new World().register();
  world.step({ kind: 'exited', pid: MASTER });
  world.advance(1000);
  const before = world.agent.state.resourceVersion;
  reregistered(world, 'slow');
  assert.deepEqual(world.states('slow'), ['TASK_LOST']);
  const told = world.sent('mesos.internal.UpdateSlaveMessage').at(-1);
  assert.deepEqual(told?.resource_version_uuid?.value, world.agent.state.resourceVersion);
  launch(world, 'slow', before);
  assert.equal(launches(world), 0);
});

test('asked about a task that has ended and was acknowledged, the agent tells the same end again', () => {
  const world = new World().register();
  world.run(task('a'));
  world.start();
  world.exit(0);
  world.acknowledgeAll();
  world.run(task('b'));
  world.fresh();
  world.kill('a');
  assert.equal(world.updates().at(-1)?.status.state, 'TASK_FINISHED');
  world.acknowledgeAll();
  reregistered(world, 'a');
  assert.equal(world.updates().at(-1)?.status.state, 'TASK_FINISHED');
});

test('an acknowledgement that crosses a re-registration does not count, and the update goes out again', () => {
  const world = new World().register();
  world.run(task('a'));
  world.start();
  const starting = world.updates().at(-1);
  world.step({ kind: 'exited', pid: MASTER });
  world.acknowledge(starting);
  reregistered(world);
  assert.deepEqual(world.updates().at(-1)?.uuid, starting?.uuid);
});

test('an executor that ended while the agent was away is reported when it is admitted', () => {
  const world = new World().register();
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: EXECUTOR,
    task_group: { tasks: [task('g')] },
    launch_executor: true,
  });
  world.start();
  world.step({ kind: 'exited', pid: MASTER });
  world.exit(0);
  world.advance(600_000);
  assert.deepEqual(world.sent('mesos.internal.ExitedExecutorMessage'), []);
  reregistered(world);
  const [exited] = world.sent('mesos.internal.ExitedExecutorMessage');
  assert.equal(exited?.executor_id.value, 'de');
});

test('the executor of a group that is dropped is reported as gone: the master counts what it was to use', () => {
  const world = new World().register();
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: EXECUTOR,
    task_group: { tasks: [task('g')] },
    launch_executor: true,
    resource_version_uuids: [{ uuid: { value: new Uint8Array(16) } }],
  });
  assert.deepEqual(world.states('g'), ['TASK_LOST']);
  assert.equal(world.sent('mesos.internal.ExitedExecutorMessage')[0]?.executor_id.value, 'de');
});

test('a re-registration under an id that a new agent does not have is not for it', () => {
  const world = new World();
  world.step({ kind: 'masterDetected', pid: MASTER });
  reregistered(world, 'a');
  assert.equal(world.agent.state.phase, 'disconnected');
  assert.equal(world.agent.state.info.id, undefined);
});

test('an answer to what was said in another life, or on an older connection, admits nobody', () => {
  const world = new World().register();
  world.step({ kind: 'exited', pid: MASTER });
  world.fresh();
  reregistered(world);
  assert.equal(world.agent.state.phase, 'disconnected');
  world.advance(1000);
  assert.equal(world.sent('mesos.internal.ReregisterSlaveMessage').length, 1, 'it goes on introducing itself');
  reregistered(world);
  assert.equal(world.agent.state.phase, 'running');
});

test('more answers than inventories: the master believes one of before, and is told again what is so', () => {
  const world = new World().register();
  const told = () => world.sent('mesos.internal.ReregisterSlaveMessage').length;
  world.step({ kind: 'exited', pid: MASTER });
  world.advance(1000);
  const inventories = told();
  assert.ok(inventories > 0);
  for (let answers = 0; answers < inventories; answers++) reregistered(world);
  assert.equal(told(), inventories);
  reregistered(world);
  assert.equal(told(), inventories + 1);
  reregistered(world);
  assert.equal(world.agent.state.phase, 'running');
  assert.equal(told(), inventories + 1, 'that one answered it');
});
