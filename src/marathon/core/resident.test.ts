import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyView } from '../views/why.ts';
import { only, operations, resident, rigWithAgents, types, update, volumes } from './resident.fixture.ts';
import { START } from './rig.fixture.ts';

test('a resident app reserves, makes its volume, and is launched on it by the next offer', () => {
  const rig = rigWithAgents(1, { principal: 'marathon' });
  assert.ok(rig.change(resident()).ok);
  rig.advance(1_000);
  assert.deepEqual(types(rig), ['RESERVE', 'CREATE', 'LAUNCH']);
  const [reserve, create, launch] = operations(rig);
  const instance = only(rig);
  assert.equal(instance.condition, 'Running');
  const labels = [
    { key: 'marathon_framework_id', value: 'f' },
    { key: 'marathon_task_id', value: instance.id },
  ];
  for (const { role, reservation } of reserve!.reserve!.resources!) {
    assert.deepEqual(
      { role, reservation },
      { role: 'prod', reservation: { principal: 'marathon', labels: { labels } } },
    );
  }
  const [volume] = create!.create!.volumes!;
  assert.match(
    volume!.disk!.persistence!.id,
    /^prod_db#data#[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  );
  assert.equal(volume!.disk!.persistence!.principal, 'marathon');
  assert.deepEqual(volume!.disk!.volume, { container_path: 'data', mode: 'RW' });
  const [task] = launch!.launch!.task_infos!;
  assert.equal(task!.task_id.value, `${instance.id}._app.1`);
  assert.ok(task!.resources!.some(({ disk }) => disk?.persistence?.id === volume!.disk!.persistence!.id));
  assert.ok(
    task!.resources!.every(({ reservation }) => reservation !== undefined),
    'all of it is its own',
  );
  assert.equal(instance.reservation?.state, 'launched');
  assert.equal(rig.core.state.deployments.size, 0);
});

test('after a failure the same instance is launched on the same volume, wherever else there is room', () => {
  const rig = rigWithAgents(3);
  rig.change(resident());
  rig.advance(1_000);
  const before = structuredClone({ ...only(rig), spec: undefined });
  for (let failure = 2; failure < 5; failure++) {
    rig.report(only(rig).tasks[0]!.id, 'TASK_FAILED');
    assert.equal(only(rig).reservation?.state, 'suspended');
    rig.advance(6_000);
    const after = only(rig);
    assert.equal(after.condition, 'Running');
    assert.equal(after.id, before.id);
    assert.equal(after.placement?.agentId, before.placement?.agentId);
    assert.equal(after.tasks[0]!.id, `${before.id}._app.${failure}`);
    assert.deepEqual(after.reservation?.volumes, before.reservation?.volumes);
  }
  assert.deepEqual(types(rig), ['RESERVE', 'CREATE', 'LAUNCH', 'LAUNCH', 'LAUNCH', 'LAUNCH']);
});

test('while its agent is away it waits there, and says for what', () => {
  const rig = rigWithAgents(2);
  rig.change(resident());
  rig.advance(1_000);
  const { placement, tasks } = only(rig);
  const home = rig.mesos.agents.get(placement!.agentId)!;
  home.isAway = true;
  rig.report(tasks[0]!.id, 'TASK_FAILED');
  rig.advance(600_000);
  assert.equal(only(rig).condition, 'Failed');
  const why = JSON.stringify(whyView(rig.core.state, rig.core.state.current.get('/prod/db')!, START + rig.now));
  assert.match(why, new RegExp(`1 instance waits for its volumes on ${home.host}`));
  assert.match(why, /NoCorrespondingReservationFound/);
  home.isAway = false;
  rig.advance(10_000);
  assert.equal(only(rig).condition, 'Running');
});

test('a task that the master did not know any more, and that is there after all, is taken back with its volumes', () => {
  const rig = rigWithAgents(2);
  rig.change(resident());
  rig.advance(1_000);
  const before = only(rig);
  const task = before.tasks[0]!.id;
  rig.report(task, 'TASK_UNREACHABLE');
  rig.report(task, 'TASK_UNKNOWN');
  rig.advance(10_000);
  assert.equal(only(rig).condition, 'Unknown');
  rig.report(task, 'TASK_RUNNING');
  assert.equal(only(rig).condition, 'Running');
  assert.equal(only(rig).reservation?.state, 'launched');
  assert.deepEqual(types(rig), ['RESERVE', 'CREATE', 'LAUNCH']);
});

test('what was asked to be reserved and never comes is given up, and tried again', () => {
  const rig = rigWithAgents(1, { reservationTimeout: 7_000 });
  rig.mesos.losesOperations = true;
  rig.change(resident());
  rig.advance(1_000);
  const first = only(rig);
  assert.equal(first.reservation?.state, 'new');
  rig.advance(5_000);
  assert.equal(only(rig).id, first.id);
  rig.mesos.losesOperations = false;
  rig.advance(10_000);
  assert.notEqual(only(rig).id, first.id);
  assert.equal(only(rig).condition, 'Running');
  assert.equal(volumes(rig).length, 1);
});

test('another leader gives up what an earlier one has asked for in vain', () => {
  const rig = rigWithAgents(1, { reservationTimeout: 7_000 });
  rig.mesos.losesOperations = true;
  rig.change(resident());
  rig.advance(1_000);
  const first = only(rig);
  rig.failover();
  rig.mesos.losesOperations = false;
  rig.advance(20_000);
  assert.notEqual(only(rig).id, first.id);
  assert.equal(only(rig).condition, 'Running');
});

test('a reservation that comes while the launch has to wait is not given up', () => {
  const rig = rigWithAgents(1, { launchTokens: 0, reservationTimeout: 7_000 });
  rig.change(resident());
  rig.core.state.launching.tokens = 1;
  rig.core.state.launching.tokensRefreshedAt = Number.POSITIVE_INFINITY;
  rig.step({ kind: 'offers', offers: [rig.offerOf('host0', 'prod')] });
  rig.core.state.launching.tokens = 0;
  const { id } = only(rig);
  rig.advance(60_000);
  assert.equal(only(rig).id, id);
  assert.equal(only(rig).reservation?.state, 'new');
  rig.core.state.launching.tokens = 1;
  rig.advance(1_000);
  assert.equal(only(rig).condition, 'Running');
  assert.equal(only(rig).id, id);
});

test('scaling down keeps the volumes, and scaling up comes back to them', () => {
  const rig = rigWithAgents(3);
  rig.change(resident({ instances: 3, constraints: [['hostname', 'UNIQUE']] }));
  rig.advance(2_000);
  const ids = rig.running('/prod/db').map(({ id }) => id);
  assert.equal(ids.length, 3);
  update(rig, { instances: 1 });
  rig.advance(10_000);
  assert.equal(rig.running('/prod/db').length, 1);
  assert.deepEqual(
    rig
      .instancesOf('/prod/db')
      .filter(({ goal }) => goal === 'Stopped')
      .map(({ reservation }) => reservation?.state),
    ['suspended', 'suspended'],
  );
  assert.equal(volumes(rig).length, 3);
  rig.failover();
  rig.advance(30_000);
  assert.equal(volumes(rig).length, 3, 'they are kept by the next leader as well');
  update(rig, { instances: 3 });
  rig.advance(10_000);
  assert.deepEqual(
    rig
      .running('/prod/db')
      .map(({ id }) => id)
      .sort(),
    ids.sort(),
  );
  assert.equal(volumes(rig).length, 3);
});

test('out of reach it is neither replaced nor forgotten, and killed on its return if it is not wanted any more', () => {
  const rig = rigWithAgents(2);
  rig.change(resident());
  rig.advance(1_000);
  const [task] = only(rig).tasks;
  rig.report(task!.id, 'TASK_UNREACHABLE');
  rig.advance(3_600_000);
  assert.equal(only(rig).condition, 'Unreachable');
  update(rig, { instances: 0 });
  rig.advance(10_000);
  assert.equal(rig.core.state.deployments.size, 0, 'nobody waits for it');
  rig.report(task!.id, 'TASK_RUNNING');
  rig.advance(10_000);
  assert.equal(only(rig).condition, 'Killed');
  assert.equal(only(rig).reservation?.state, 'suspended');
});

test('an upgrade comes back to the same volumes, one after another', () => {
  const rig = rigWithAgents(4);
  rig.change(resident({ instances: 4 }));
  rig.advance(2_000);
  const ids = rig.running('/prod/db').map(({ id }) => id);
  rig.check = () => {
    const running = rig.running('/prod/db').length;
    assert.ok(running >= 2, `${running} run: at least half must`);
    assert.ok(rig.instancesOf('/prod/db').length <= 4, 'none is made in addition');
  };
  update(rig, { cmd: 'sleep 2000' });
  rig.advance(60_000);
  assert.equal(rig.core.state.deployments.size, 0);
  assert.deepEqual(
    rig
      .running('/prod/db')
      .map(({ id }) => id)
      .sort(),
    ids.sort(),
  );
  assert.ok(rig.running('/prod/db').every(({ spec }) => spec.kind === 'app' && spec.cmd === 'sleep 2000'));
  assert.equal(volumes(rig).length, 4);
});

test('with nothing to spare above or below, an upgrade takes one at a time', () => {
  const rig = rigWithAgents(2);
  const upgradeStrategy = { minimumHealthCapacity: 1, maximumOverCapacity: 0 };
  rig.change(resident({ instances: 2, upgradeStrategy }));
  rig.advance(2_000);
  rig.check = () => assert.ok(rig.running('/prod/db').length >= 1);
  update(rig, { cmd: 'sleep 2000' });
  rig.advance(60_000);
  assert.equal(rig.core.state.deployments.size, 0);
  assert.equal(volumes(rig).length, 2);
});

test('volumes and resources of a resident app cannot change', () => {
  const rig = rigWithAgents(1);
  rig.change(resident());
  for (const document of [
    { cpus: 2 },
    resident({}, { size: 200 }).document,
    { upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 1 } },
  ]) {
    const outcome = rig.change({ kind: 'updateApp', id: '/prod/db', document, mode: 'merge' }, true);
    assert.ok(!outcome.ok && outcome.refusal.kind === 'invalid', JSON.stringify(outcome));
  }
});

test('volumes that were offered and that their agent had not made after all are not waited for', () => {
  const rig = rigWithAgents(1);
  rig.isQuick = false;
  rig.change(resident());
  rig.advance(2_000);
  const first = only(rig);
  const agent = rig.mesos.agents.get('agent-host0')!;
  assert.equal(first.reservation?.state, 'launched');
  agent.total = agent.total.minus(agent.total.persistentVolumes());
  rig.report(first.tasks[0]!.id, 'TASK_STARTING');
  rig.report(first.tasks[0]!.id, 'TASK_FAILED');
  assert.equal(only(rig).reservation?.state, 'new');
  rig.isQuick = true;
  rig.advance(60_000);
  const second = only(rig);
  assert.notEqual(second.id, first.id);
  assert.equal(second.condition, 'Running');
  // What has been used is waited for, whatever becomes of its tasks.
  agent.total = agent.total.minus(agent.total.persistentVolumes());
  rig.report(second.tasks[0]!.id, 'TASK_DROPPED');
  rig.advance(600_000);
  assert.equal(only(rig).id, second.id);
});

test('a resident pod shares its volume among its containers and comes back to it', () => {
  const rig = rigWithAgents(2);
  const container = (name: string) => ({
    name,
    exec: { command: { shell: 'sleep 1000' } },
    resources: { cpus: 0.1, mem: 32 },
    volumeMounts: [{ name: 'data', mountPath: 'mnt' }],
  });
  const document = {
    id: '/prod/db',
    role: 'prod',
    containers: [container('one'), container('two')],
    volumes: [{ name: 'data', persistent: { size: 64 } }],
    scheduling: { backoff: { backoff: 0 } },
  };
  const created = rig.change({ kind: 'createPod', document });
  assert.ok(created.ok, JSON.stringify(created));
  rig.advance(2_000);
  const first = only(rig);
  assert.equal(first.condition, 'Running');
  const group = operations(rig).at(-1)!.launch_group!;
  assert.ok(
    group.executor.resources!.some(({ disk }) => disk?.persistence !== undefined),
    'the executor holds it',
  );
  for (const { id } of [...first.tasks]) rig.report(id, 'TASK_FAILED');
  rig.advance(10_000);
  const second = only(rig);
  assert.equal(second.condition, 'Running');
  assert.deepEqual(
    second.tasks.map(({ id }) => id),
    [`${first.id}.one.2`, `${first.id}.two.2`],
  );
  assert.notEqual(operations(rig).at(-1)!.launch_group!.executor.executor_id.value, group.executor.executor_id.value);
  assert.equal(volumes(rig).length, 1);
});

test('an app without volumes may be waited for as well: with a disabled unreachable strategy it is never replaced', () => {
  const rig = rigWithAgents(2);
  const document = { id: '/web', cmd: 'sleep 1000', cpus: 1, mem: 32, unreachableStrategy: 'disabled' };
  rig.change({ kind: 'createApp', document });
  rig.advance(1_000);
  const [first] = rig.running('/web');
  rig.report(first!.tasks[0]!.id, 'TASK_UNREACHABLE');
  rig.advance(7_200_000);
  assert.deepEqual(
    rig.instancesOf('/web').map(({ condition }) => condition),
    ['Unreachable'],
  );
  rig.report(first!.tasks[0]!.id, 'TASK_RUNNING');
  assert.deepEqual(
    rig.running('/web').map(({ id }) => id),
    [first!.id],
  );
});
