/** Instances of several tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyView } from '../views/why.ts';
import { conditionOfAll } from './condition.ts';
import type { Condition, Instance, TaskRecord } from './model.ts';
import { Rig, START } from './rig.fixture.ts';

/** A pod of two containers that runs. */
function runningPod(more: object = {}): { readonly rig: Rig; readonly pod: Instance } {
  const rig = new Rig();
  for (const host of ['host0', 'host1']) rig.addAgent(host);
  const container = { resources: { cpus: 0.1, mem: 32 }, exec: { command: { shell: 'sleep 1000' } } };
  const containers = ['one', 'two'].map((name) => ({ name, ...container }));
  const document = { id: '/pod', containers, networks: [{ mode: 'host' }], scaling: { kind: 'fixed', instances: 1 } };
  rig.change({ kind: 'createPod', document: { ...document, ...more } });
  rig.advance(1_000);
  const [pod] = rig.running('/pod');
  assert.equal(pod?.tasks.length, 2);
  return { rig, pod };
}

test('a pod of which a container failed is launched again only when all of it has ended', () => {
  const { rig, pod } = runningPod();
  const [one, two] = pod.tasks.map(({ id }) => id);
  rig.isQuick = false;
  rig.report(two!, 'TASK_FAILED');
  assert.equal(pod.condition, 'Killing', 'its executor ends the other one');
  rig.report(one!, 'TASK_KILLING');
  rig.advance(60_000);
  assert.deepEqual(
    pod.tasks.map(({ id }) => id),
    [one, two],
    'its executor still runs there',
  );
  rig.report(one!, 'TASK_KILLED');
  assert.equal(pod.condition, 'Failed');
  rig.advance(60_000);
  assert.match(pod.tasks[0]!.id, /\.2$/);
});

test('a pod that does not end with a container that failed is killed', () => {
  const { rig, pod } = runningPod();
  const [one, two] = pod.tasks.map(({ id }) => id);
  rig.isQuick = false;
  rig.report(two!, 'TASK_FAILED');
  rig.advance(290_000);
  const kills = (): readonly (string | undefined)[] => rig.calls.flatMap(({ kill }) => kill?.task_id.value ?? []);
  assert.deepEqual(kills(), []);
  rig.advance(20_000);
  assert.ok(kills().includes(one), `killed: ${kills().join()}`);
});

test('a pod is not launched where its executor of before has not ended yet', () => {
  const { rig, pod } = runningPod();
  const before = pod.placement?.agentId ?? '';
  for (const { agentId } of rig.tasks.values()) assert.equal(agentId, before);
  for (const id of [...rig.mesos.agents.keys()]) if (id !== before) rig.mesos.agents.get(id)!.isAway = true;
  rig.mesos.lingering.set(before, [`instance-${pod.id}`]);
  const tasks = pod.tasks.map(({ id }) => id);
  for (const id of tasks) rig.report(id, 'TASK_FAILED');
  rig.advance(60_000);
  assert.deepEqual(
    pod.tasks.map(({ id }) => id),
    tasks,
  );
  const why = JSON.stringify(whyView(rig.core.state, rig.core.state.current.get('/pod')!, START + rig.now));
  assert.match(why, /the executor of its life before has not ended on this agent yet/);
  rig.mesos.lingering.clear();
  rig.advance(60_000);
  assert.match(pod.tasks[0]!.id, /\.2$/);
  assert.equal(pod.condition, 'Running');
});

test('while a part of it lives, no instance counts as one that has ended', () => {
  const strategy = { inactiveAfterSeconds: 60, expungeAfterSeconds: 600 };
  const of = (...conditions: Condition[]): Condition =>
    conditionOfAll(
      conditions.map((condition, at) => {
        const task: TaskRecord = { id: `t${at}`, condition, stagedAt: 0, hostPorts: [] };
        return condition === 'Unreachable' ? { ...task, unreachableSince: 0 } : task;
      }),
      strategy,
      70_000,
    );
  assert.equal(of('Failed', 'Running'), 'Killing');
  assert.equal(of('Error', 'Staging'), 'Killing');
  assert.equal(of('Unknown', 'Running'), 'Killing');
  assert.equal(of('Failed', 'Unreachable'), 'UnreachableInactive');
  assert.equal(of('Unreachable', 'Running'), 'UnreachableInactive');
  assert.equal(of('Finished', 'Running'), 'Running');
  assert.equal(of('Killed', 'Running'), 'Running');
  assert.equal(of('Killed', 'Failed', 'Finished'), 'Failed');
});
