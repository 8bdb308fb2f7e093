import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASTER, task, World } from './fake-world.ts';

const OTHER = 'master@127.0.0.1:5060';

test('an agent that finds a master introduces itself within the backoff factor', () => {
  const world = new World();
  world.step({ kind: 'masterDetected', pid: MASTER });
  assert.deepEqual(world.sent('mesos.internal.RegisterSlaveMessage'), []);
  world.advance(1000);
  const [message] = world.sent('mesos.internal.RegisterSlaveMessage');
  assert.equal(message?.slave.hostname, 'host');
  assert.equal(message?.slave.id, undefined);
  assert.equal(message?.slave.checkpoint, true);
  assert.equal(message?.version, '1.12.0');
  assert.equal(message?.resource_version_uuid?.value.length, 16);
});

test('an unanswered registration is repeated, more and more slowly, at least once a minute', () => {
  const world = new World();
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(3_600_000);
  const count = world.sent('mesos.internal.RegisterSlaveMessage').length;
  assert.ok(count >= 60 && count < 1000, `${count}`);
  world.admit();
  world.advance(10_000);
  assert.equal(world.sent('mesos.internal.RegisterSlaveMessage').length, count);
});

test('an agent whose admission may have passed it by registers as another one: it has none of the tasks of that one', () => {
  for (const lose of [
    (world: World) => {
      world.step({ kind: 'masterDetected', pid: undefined });
      world.admit();
      world.step({ kind: 'masterDetected', pid: MASTER });
    },
    (world: World) => world.step({ kind: 'exited', pid: MASTER }),
  ]) {
    const world = new World();
    world.step({ kind: 'masterDetected', pid: MASTER });
    world.advance(1000);
    lose(world);
    world.advance(60_000);
    const versions = world
      .sent('mesos.internal.RegisterSlaveMessage')
      .map(({ resource_version_uuid: version }) => version?.value.join());
    assert.notEqual(versions.at(-1), versions[0]);
    assert.equal(world.agent.state.info.id, undefined);
  }
});

test('an admitted agent makes its directory and tells its resources', () => {
  const world = new World().register();
  assert.equal(world.agent.state.phase, 'running');
  assert.equal(world.agent.state.info.id?.value, 'm-S0');
  const directory = world.effects.find((effect) => effect.kind === 'agentDirectory');
  assert.deepEqual(directory, {
    kind: 'agentDirectory',
    path: '/w/slaves/m-S0',
    link: { link: '/w/slaves/latest', target: 'm-S0' },
  });
  const [update] = world.sent('mesos.internal.UpdateSlaveMessage');
  assert.equal(update?.slave_id.value, 'm-S0');
  assert.deepEqual(update?.operations, {});
});

test('a registration from somebody else is ignored', () => {
  const world = new World();
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.receive('mesos.internal.SlaveRegisteredMessage', { slave_id: { value: 'x-S1' } }, OTHER);
  assert.equal(world.agent.state.phase, 'disconnected');
});

test('a ping is answered to the process that sent it', () => {
  const world = new World().register();
  const observer = 'slave-observer(1)@127.0.0.1:5050';
  world.receive('mesos.internal.PingSlaveMessage', { connected: true }, observer);
  const pong = world.effects.findLast((effect) => effect.kind === 'send');
  assert.equal(pong?.to, observer);
  assert.equal(pong?.name, 'mesos.internal.PongSlaveMessage');
});

test('pings keep the agent calm; silence makes it ask who leads', () => {
  const world = new World().register();
  for (let i = 0; i < 10; i++) {
    world.advance(15_000);
    world.receive('mesos.internal.PingSlaveMessage', { connected: true });
  }
  assert.ok(!world.effects.some((effect) => effect.kind === 'detectMaster'));
  world.advance(75_000);
  assert.ok(world.effects.some((effect) => effect.kind === 'detectMaster'));
});

test('a master that believes the agent to be disconnected makes it register again', () => {
  const world = new World().register();
  world.receive('mesos.internal.PingSlaveMessage', { connected: false });
  assert.ok(world.fresh().some((effect) => effect.kind === 'detectMaster'));
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(1000);
  assert.ok(world.sent('mesos.internal.ReregisterSlaveMessage').length > 0);
});

test('a broken connection to the master ends in a re-registration with everything that runs', () => {
  const world = new World().register();
  world.run(task('a'));
  world.start();
  world.acknowledgeAll();
  world.run(task('b'));
  world.step({ kind: 'exited', pid: MASTER });
  world.advance(1000);
  const [message] = world.sent('mesos.internal.ReregisterSlaveMessage');
  assert.deepEqual(
    message?.tasks?.map((known) => [known.task_id.value, known.state]),
    [
      ['a', 'TASK_RUNNING'],
      ['b', 'TASK_STAGING'],
    ],
  );
  assert.deepEqual(
    message?.frameworks?.map((framework) => framework.id?.value),
    ['f1'],
  );
  assert.equal(message?.executor_infos, undefined);
  assert.equal(message?.slave.id?.value, 'm-S0');
});

test('a task that the master knows and the agent does not is reported dropped or lost', () => {
  const world = new World().register();
  world.step({ kind: 'masterDetected', pid: OTHER });
  const framework = { user: 'u', name: 'g', capabilities: [{ type: 'PARTITION_AWARE' as const }] };
  const missing = { task_id: { value: 'gone' }, state: 'TASK_RUNNING' as const };
  world.advance(1000);
  world.receive(
    'mesos.internal.SlaveReregisteredMessage',
    {
      slave_id: { value: 'm-S0' },
      reconciliations: [
        { framework_id: { value: 'f2' }, statuses: [missing], framework },
        { framework_id: { value: 'f3' }, statuses: [missing] },
      ],
    },
    OTHER,
  );
  assert.deepEqual(
    world.updates().map(({ framework_id, status }) => [framework_id.value, status.state, status.reason]),
    [
      ['f2', 'TASK_DROPPED', 'REASON_RECONCILIATION'],
      ['f3', 'TASK_LOST', 'REASON_RECONCILIATION'],
    ],
  );
});

test('an agent that is given another id than its own ends', () => {
  const world = new World().register();
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.receive('mesos.internal.SlaveRegisteredMessage', { slave_id: { value: 'other-S9' } });
  const end = world.fresh().find((effect) => effect.kind === 'terminate');
  assert.equal(end?.status, 1);
});

test('an idle agent that is told to shut down ends at once', () => {
  const world = new World().register();
  world.receive('mesos.internal.ShutdownMessage', { message: 'gone' });
  assert.deepEqual(world.fresh().at(-1)?.kind, 'terminate');
});

test('a launch that overtakes the admission is not here, and the master hears so', () => {
  const world = new World();
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(1000);
  world.run(task('early'));
  world.receive('mesos.internal.SlaveRegisteredMessage', { slave_id: { value: 'm-S0' } });
  const [inventory] = world.sent('mesos.internal.ReregisterSlaveMessage');
  assert.equal(inventory?.slave.id?.value, 'm-S0');
  assert.equal(inventory.tasks, undefined);
});

test('a stopped agent ends its tasks first, and unregisters only if asked to', () => {
  for (const unregister of [true, false]) {
    const world = new World().register();
    world.run(task('a'));
    world.start();
    world.step({ kind: 'stop', unregister });
    assert.equal(world.sent('mesos.internal.UnregisterSlaveMessage').length, unregister ? 1 : 0);
    assert.ok(!world.effects.some((effect) => effect.kind === 'terminate'));
    assert.ok(world.effects.some((effect) => effect.kind === 'killContainer' && effect.signal === 15));
    world.exit(15);
    assert.ok(world.effects.some((effect) => effect.kind === 'terminate'));
  }
});
