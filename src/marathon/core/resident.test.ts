import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../resources/resources.ts';
import type { Offer_Operation, Resource } from '../../wire/v1.ts';
import { whyView } from '../views/why.ts';
import type { Instance } from './model.ts';
import { Rig, START } from './rig.fixture.ts';

type Options = ConstructorParameters<typeof Rig>[0];

function rigWithAgents(count = 3, options: Options = {}): Rig {
  const rig = new Rig(options);
  for (let at = 0; at < count; at++) rig.addAgent(`host${at}`);
  return rig;
}

/** An app of the role `prod`, with a volume. */
function resident(more: object = {}, persistent: object = { size: 100 }) {
  const volumes = [{ containerPath: 'data', mode: 'RW', persistent }];
  const document = { id: '/prod/db', cmd: 'sleep 1000', cpus: 1, mem: 32, role: 'prod', disk: 10, backoffSeconds: 0 };
  return { kind: 'createApp', document: { ...document, container: { type: 'MESOS', volumes }, ...more } } as const;
}

function operations(rig: Rig): readonly Offer_Operation[] {
  return rig.calls.flatMap(({ accept }) => accept?.operations ?? []);
}

function types(rig: Rig): readonly (string | undefined)[] {
  return operations(rig).map(({ type }) => type);
}

/** What is dynamically reserved on all agents. */
function reserved(rig: Rig): string {
  return [...rig.mesos.agents.values()]
    .map(({ total }) => total.reserved())
    .filter((each) => !each.isEmpty)
    .join(' + ');
}

function volumes(rig: Rig): readonly Resource[] {
  return [...rig.mesos.agents.values()].flatMap(({ total }) => total.persistentVolumes().toProto());
}

function only(rig: Rig): Instance {
  const all = rig.instancesOf('/prod/db');
  assert.equal(all.length, 1);
  return all[0]!;
}

function update(rig: Rig, document: object): void {
  const outcome = rig.change({ kind: 'updateApp', id: '/prod/db', document, mode: 'merge' });
  assert.ok(outcome.ok, JSON.stringify(outcome));
}

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

test('DELETE destroys the volumes, unreserves everything, and then offers are not wanted any more', () => {
  const rig = rigWithAgents(2);
  rig.change(resident({ instances: 2 }));
  rig.advance(2_000);
  assert.equal(volumes(rig).length, 2);
  rig.change({ kind: 'deleteApp', id: '/prod/db' });
  rig.advance(10_000);
  assert.equal(reserved(rig), '');
  assert.equal(rig.core.state.instances.size, 0);
  assert.equal(rig.core.state.specs.has('/prod/db'), false);
  assert.deepEqual(
    [...rig.stored.keys()].filter((key) => key.startsWith('instance/')),
    [],
  );
  rig.advance(120_000);
  assert.equal(rig.mesos.wanted.size, 0);
});

test('DELETE does not wait for an agent that is away; its volumes are freed when it is back, by another leader too', () => {
  for (const fails of [false, true]) {
    const rig = rigWithAgents(1);
    rig.change(resident());
    rig.advance(1_000);
    const [task] = only(rig).tasks;
    const home = rig.mesos.agents.get('agent-host0')!;
    home.isAway = true;
    rig.report(task!.id, 'TASK_UNREACHABLE');
    rig.change({ kind: 'deleteApp', id: '/prod/db' });
    rig.advance(600_000);
    assert.equal(rig.core.state.deployments.size, 0);
    assert.equal(rig.core.state.instances.size, 0);
    home.isAway = false;
    if (fails) rig.failover();
    rig.report(task!.id, 'TASK_RUNNING');
    rig.report(task!.id, 'TASK_KILLED');
    if (!fails) rig.step({ kind: 'subscribed', frameworkId: 'f' });
    rig.advance(30_000);
    assert.equal(reserved(rig), '');
  }
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

test('wipe gives up the volumes of an instance, running or waiting, and another takes its place', () => {
  const rig = rigWithAgents(1);
  rig.change(resident());
  rig.advance(1_000);
  const first = only(rig);
  rig.ask({ kind: 'kill', instances: [first.id], wipe: true });
  rig.advance(10_000);
  const second = only(rig);
  assert.notEqual(second.id, first.id);
  assert.equal(second.condition, 'Running');
  assert.equal(volumes(rig).length, 1);
  assert.notDeepEqual(second.reservation?.volumes, first.reservation?.volumes);
  const home = rig.mesos.agents.get('agent-host0')!;
  home.isAway = true;
  rig.report(second.tasks[0]!.id, 'TASK_FAILED');
  rig.addAgent('host1');
  rig.ask({ kind: 'kill', instances: [second.id], wipe: true });
  rig.advance(10_000);
  assert.equal(only(rig).placement?.host, 'host1');
  home.isAway = false;
  rig.advance(10_000);
  assert.equal(volumes(rig).length, 1, 'what was wiped is freed when its agent is back');
});

test('without wipe a killed instance comes back to its volume', () => {
  const rig = rigWithAgents(2);
  rig.change(resident());
  rig.advance(1_000);
  const first = only(rig);
  rig.ask({ kind: 'kill', instances: [first.id], wipe: false });
  rig.advance(10_000);
  assert.equal(only(rig).id, first.id);
  assert.equal(only(rig).condition, 'Running');
  assert.equal(volumes(rig).length, 1);
});

test('an agent that is gone for good takes its volumes along: its instances begin again elsewhere', () => {
  for (const wasRunning of [true, false]) {
    const rig = rigWithAgents(1);
    rig.change(resident());
    rig.advance(1_000);
    const first = only(rig);
    const home = rig.mesos.agents.get('agent-host0')!;
    home.isAway = true;
    rig.addAgent('host1');
    if (!wasRunning) rig.report(first.tasks[0]!.id, 'TASK_FAILED');
    rig.advance(10_000);
    assert.notEqual(only(rig).placement?.host, 'host1');
    if (!wasRunning) {
      rig.advance(600_000);
      const asked = rig.calls.flatMap(({ reconcile }) => reconcile?.tasks ?? []);
      assert.ok(
        asked.some(({ task_id }) => task_id.value === first.tasks[0]!.id),
        'somebody asks for it',
      );
    }
    rig.report(first.tasks[0]!.id, 'TASK_GONE_BY_OPERATOR');
    rig.advance(10_000);
    assert.equal(only(rig).placement?.host, 'host1');
    assert.equal(only(rig).id, first.id);
    assert.equal(only(rig).condition, 'Running');
    home.isAway = false;
    rig.step({ kind: 'subscribed', frameworkId: 'f' });
    rig.advance(10_000);
    assert.equal(volumes(rig).length, 1, 'should it come back after all, its volumes are freed');
  }
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

test('reservations that nobody knows are given back, those of other frameworks are left alone', () => {
  const rig = new Rig();
  const of = (framework: string, task: string): object => ({
    reservations: [
      {
        type: 'DYNAMIC',
        role: 'prod',
        labels: {
          labels: [
            { key: 'marathon_framework_id', value: framework },
            { key: 'marathon_task_id', value: task },
          ],
        },
      },
    ],
  });
  const disk = { persistence: { id: 'old#data' }, volume: { container_path: 'data', mode: 'RW' } };
  const ours = of('f', 'prod_old.instance-11111111-1111-1111-1111-111111111111');
  const list = [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 1_000 } },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, ...ours },
    { name: 'disk', type: 'SCALAR', scalar: { value: 10 }, ...ours, disk },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 }, ...of('f', 'what is this') },
    {
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value: 0.25 },
      ...of('g', 'prod_old.instance-11111111-1111-1111-1111-111111111111'),
    },
  ];
  rig.addAgent('host0');
  rig.mesos.agents.get('agent-host0')!.total = Resources.of(list as readonly Resource[]);
  rig.step({ kind: 'offers', offers: [rig.offerOf('host0', 'prod')] });
  assert.deepEqual(types(rig), ['DESTROY', 'UNRESERVE', 'UNRESERVE']);
  assert.match(reserved(rig), /^cpus\(.*\):0\.25$/);
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
