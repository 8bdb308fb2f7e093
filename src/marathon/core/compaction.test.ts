import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from './model.ts';
import { Rig } from './rig.fixture.ts';

const keysOf = (rig: Rig, kind: string): readonly string[] =>
  [...rig.stored.keys()].filter((key) => key.startsWith(`${kind}/`));

/** Keys and values. */
const sizeOf = (rig: Rig): number => [...rig.stored].reduce((sum, [key, text]) => sum + key.length + text.length, 0);

test('an app that is scaled 1,000 times takes no more room than one that was scaled 100 times', () => {
  const rig = new Rig({ maxVersions: 10, minReviveOffersInterval: 0 });
  rig.addAgent('h');
  rig.change({ kind: 'createApp', document: { id: '/web', cmd: 'sleep 1', cpus: 0.1, instances: 1 } });
  rig.advance(1_000);
  const sizes: number[] = [];
  for (let i = 1; i <= 1_000; i++) {
    const outcome = rig.change({
      kind: 'updateApp',
      id: '/web',
      document: { instances: 1 + (i % 3) },
      mode: 'merge',
    });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    rig.advance(1_000);
    if (i % 100 === 0) {
      rig.advance(120_000);
      sizes.push(sizeOf(rig));
      // Instances may have three more that are older.
      assert.ok(keysOf(rig, 'version').length <= 13, `${keysOf(rig, 'version').length} versions are kept`);
      assert.equal(keysOf(rig, 'root').length, 10);
    }
  }
  assert.ok(Math.max(...sizes) <= sizes[0]! * 1.1, sizes.join(', '));
  assert.deepEqual(keysOf(rig, 'deployment'), []);
  assert.equal(rig.core.state.history.get('/web')?.size, keysOf(rig, 'version').length);
  rig.failover();
  assert.equal(rig.core.state.rootVersions.length, 10, 'the way back is still there');
  assert.equal(rig.running('/web').length, 2);
});

test('of apps and pods that are gone nothing is left, once no earlier tree has them', () => {
  const rig = new Rig({ maxVersions: 5, minReviveOffersInterval: 0 });
  rig.addAgent('h');
  for (let i = 0; i < 200; i++) {
    const id = `/job-${i}`;
    rig.change({ kind: 'createApp', document: { id, cmd: 'sleep 1', cpus: 0.1, backoffSeconds: 0 } });
    rig.advance(100);
    for (const task of rig.tasks.keys()) rig.report(task, 'TASK_FAILED');
    rig.advance(100);
    assert.equal(rig.core.state.specs.get(id)?.lastFailure?.state, 'TASK_FAILED');
    rig.change({ kind: 'deleteApp', id }, true);
    rig.advance(100);
  }
  rig.change({ kind: 'createApp', document: { id: '/stays', cmd: 'sleep 1', instances: 0 } });
  rig.advance(120_000);
  for (const kind of ['failure', 'instance', 'deployment']) assert.deepEqual(keysOf(rig, kind), [], kind);
  assert.deepEqual(keysOf(rig, 'spec'), ['spec//stays']);
  assert.ok(keysOf(rig, 'version').length <= 5, keysOf(rig, 'version').join());
  const { specs, history, locks, delayed } = rig.core.state;
  assert.deepEqual([specs.size <= 1, history.size <= 5, locks.size, delayed.size], [true, true, 0, 0]);
});

test('what instances, deployments and earlier trees have is kept, however old it is', () => {
  const rig = new Rig({ maxVersions: 3 });
  rig.addAgent('h', { resources: 'cpus:0.15;mem:1000;ports:[31000-32000]' });
  const { core } = rig;
  rig.change({ kind: 'createApp', document: { id: '/old', cmd: 'sleep 1', cpus: 0.1 } });
  rig.advance(1_000);
  const first = rig.instancesOf('/old')[0]!.spec.version;
  // A new version whose instances find no place: the old one goes on running.
  rig.change({ kind: 'updateApp', id: '/old', document: { cmd: 'sleep 2' }, mode: 'merge' });
  for (let i = 0; i < 20; i++) {
    rig.change({ kind: 'createApp', document: { id: `/other-${i}`, cmd: 'sleep 1', instances: 0 } });
    rig.advance(60_000);
  }
  assert.ok(core.state.history.get('/old')?.has(first), 'an instance still has it');
  rig.failover();
  assert.ok(rig.instancesOf('/old').some(({ spec }) => spec.version === first));
  assert.equal(rig.core.state.deployments.size, 1);
});

test('many apps are looked through in portions, with other things in between', () => {
  const rig = new Rig({ maxVersions: 1, compactionBatch: 10, compactionInterval: 30_000 });
  const apps = (cmd: string) => Array.from({ length: 100 }, (_, i) => ({ id: `/a-${i}`, cmd, instances: 0 }));
  for (const cmd of ['sleep 1', 'sleep 2', 'sleep 3']) {
    const outcome = rig.change({ kind: 'updateApps', document: apps(cmd), mode: 'replace' });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    rig.advance(10);
  }
  assert.equal(keysOf(rig, 'version').length, 300);
  rig.step({ kind: 'timer', key: 'compact' });
  assert.equal(keysOf(rig, 'version').length, 280);
  rig.advance(90);
  assert.equal(keysOf(rig, 'version').length, 100);
});

test('a definition that is too large to be stored is refused with its limit, and changes nothing', () => {
  const rig = new Rig({ maxDefinitionBytes: 10_000 });
  const before = rig.stored.size;
  for (const text of ['x'.repeat(10_000), 'ä'.repeat(5_000), '💾'.repeat(2_500)]) {
    const outcome = rig.change({ kind: 'createApp', document: { id: '/big', cmd: 'sleep 1', env: { TEXT: text } } });
    assert.match(JSON.stringify(outcome), /definition of \/big is too large to be stored: at most 10000 bytes/);
  }
  assert.equal(rig.stored.size, before);
  assert.ok(
    rig.change({ kind: 'createApp', document: { id: '/fits', cmd: 'sleep 1', env: { TEXT: 'x'.repeat(8_000) } } }).ok,
  );
});

test('a group that is too large to be stored is refused too', () => {
  const rig = new Rig({ maxDefinitionBytes: 10_000 });
  const apps = Array.from({ length: 500 }, (_, at) => ({ id: `app-number-${at}`, cmd: 'sleep 1', instances: 0 }));
  assert.ok(rig.change({ kind: 'createGroup', id: '/', document: { id: '/all', apps } }).ok);
  rig.advance(1_000);
  const before = rig.stored.size;
  const dependencies = apps.map(({ id }) => `/all/${id}`);
  const outcome = rig.change({ kind: 'createGroup', id: '/', document: { id: '/after', dependencies } });
  assert.match(JSON.stringify(outcome), /definition of the group \/after is too large.*Name groups as dependencies/);
  assert.equal(rig.stored.size, before);
  assert.ok(rig.change({ kind: 'createGroup', id: '/', document: { id: '/after', dependencies: ['/all'] } }).ok);
});

test('of what executors say no more is kept than can be stored', () => {
  const rig = new Rig();
  rig.addAgent('a');
  rig.change({ kind: 'createApp', document: { id: '/web', cmd: 'sleep 1' } });
  rig.advance(1_000);
  const [{ tasks, id }] = rig.instancesOf('/web') as [Instance];
  const labels = { labels: Array.from({ length: 1_000 }, (_, at) => ({ key: `key-${at}`, value: 'x'.repeat(1_000) })) };
  rig.step({
    kind: 'update',
    status: {
      task_id: { value: tasks[0]!.id },
      state: 'TASK_RUNNING',
      healthy: true,
      message: 'm'.repeat(2_000_000),
      labels,
    },
  });
  const stored = rig.stored.get(`instance/${id}`) ?? '';
  assert.match(stored, /mmm…/);
  assert.ok(stored.length < 30_000, `${stored.length}`);
});
