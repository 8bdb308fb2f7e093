import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../resources/resources.ts';
import type { Resource } from '../../wire/v1.ts';
import { only, reserved, resident, rigWithAgents, types, update, volumes } from './resident.fixture.ts';
import { Rig, START } from './rig.fixture.ts';

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

test('DELETE gives back what is reserved in offers that are kept at the moment', () => {
  const rig = rigWithAgents(1, { spareOffers: 32 });
  rig.change(resident());
  rig.advance(2_000);
  update(rig, { instances: 0 });
  rig.advance(10_000);
  const kept = rig.offerOf('host0', 'prod');
  rig.step({ kind: 'offers', offers: [kept] });
  assert.deepEqual([...rig.core.state.launching.held.offers.keys()], [kept.id.value]);
  rig.change({ kind: 'deleteApp', id: '/prod/db' });
  rig.advance(1);
  assert.deepEqual(
    rig.calls.flatMap(({ accept }) => accept?.offer_ids ?? []).filter(({ value }) => value === kept.id.value),
    [kept.id],
  );
  assert.equal(reserved(rig), '');
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

test('what a deleted app has left on an agent that is away for long is freed by a leader that never knew the app', () => {
  const rig = rigWithAgents(1);
  rig.change(resident());
  rig.advance(1_000);
  const home = rig.mesos.agents.get('agent-host0')!;
  home.isAway = true;
  rig.report(only(rig).tasks[0]!.id, 'TASK_UNREACHABLE');
  rig.change({ kind: 'deleteApp', id: '/prod/db' });
  rig.advance(600_000);
  for (const key of [...rig.stored.keys()]) if (key.startsWith('version/')) rig.stored.delete(key);
  rig.failover();
  rig.advance(600_000);
  assert.notEqual(reserved(rig), '');
  home.isAway = false;
  home.used = Resources.EMPTY;
  rig.advance(1_200_000);
  assert.equal(reserved(rig), '');
});

test('an unwanted instance is forgotten when the master does not know its agent any more', () => {
  const rig = rigWithAgents(1);
  rig.change(resident());
  rig.advance(1_000);
  const { tasks } = only(rig);
  rig.mesos.agents.get('agent-host0')!.isAway = true;
  rig.change({ kind: 'deleteApp', id: '/prod/db' });
  rig.report(tasks[0]!.id, 'TASK_KILLED');
  rig.advance(600_000);
  assert.deepEqual(
    [...rig.core.state.instances.values()].map(({ goal }) => goal),
    ['Decommissioned'],
  );
  rig.report(tasks[0]!.id, 'TASK_UNKNOWN');
  assert.equal(rig.core.state.instances.size, 0);
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

test('with another role instances keep what is reserved for the old one, and only new ones get the new one', () => {
  const definitions = {
    defaultRole: 'dev',
    features: new Set<string>(),
    mesosBridgeName: 'mesos-bridge',
    acceptedResourceRolesDefault: 'any',
  } as const;
  const rig = rigWithAgents(2, { definitions });
  rig.change(resident());
  rig.advance(1_000);
  const { id, reservation } = only(rig);
  const change = { kind: 'updateApp', id: '/prod/db', document: { role: 'dev' }, mode: 'merge' } as const;
  assert.equal(rig.change(change).ok, false, 'it has to be forced');
  assert.ok(rig.change(change, true).ok);
  rig.advance(60_000);
  assert.equal(rig.core.state.deployments.size, 0);
  assert.equal(only(rig).id, id);
  assert.equal(only(rig).condition, 'Running');
  assert.deepEqual(only(rig).reservation, reservation);
  update(rig, { instances: 2 });
  rig.advance(10_000);
  assert.deepEqual(
    rig
      .running('/prod/db')
      .map((each) => each.reservation?.role)
      .sort(),
    ['dev', 'prod'],
  );
  rig.change({ kind: 'deleteApp', id: '/prod/db' });
  rig.advance(20_000);
  assert.equal(reserved(rig), '');
});

test('who was told that volumes are given up can rely on that: the answer waits for what is stored', () => {
  const rig = rigWithAgents(1);
  rig.change(resident());
  rig.advance(2_000);
  const instances = [only(rig).id];
  const kinds: string[] = [];
  const env = { now: rig.now, wall: START + rig.now, random: () => 0.5, chance: () => false };
  rig.core.step({ kind: 'kill', request: 99, instances, wipe: true }, env, ({ kind }) => kinds.push(kind));
  assert.ok(kinds.includes('store'));
  assert.ok(kinds.indexOf('answer') > kinds.lastIndexOf('store'), kinds.join(' '));
});
