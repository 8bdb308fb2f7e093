/** What must hold of Marathon's state after every step, whatever has happened. */
import assert from 'node:assert/strict';
import { isActive, isTerminal } from './condition.ts';
import { isGood, isScheduled } from './instances.ts';
import type { Instance } from './model.ts';
import type { Rig } from './rig.fixture.ts';

/** Counts everything anew, and compares it with what is kept count of. */
export function checkBooks({ core: { state } }: Rig): void {
  const releasing: string[] = [];
  for (const record of state.specs.values()) {
    const all = [...record.instances.values()];
    const wanted = all.filter(({ goal, condition }) => goal === 'Running' && condition !== 'UnreachableInactive');
    const count = (list: readonly Instance[], version: number): number =>
      list.filter(({ spec }) => spec.version === version).length;
    for (const [version, tally] of record.tallies) {
      assert.equal(tally.wanted, count(wanted, version), `${record.id}: wanted of ${version}`);
      assert.equal(tally.good, count(wanted.filter(isGood), version), `${record.id}: good of ${version}`);
    }
    assert.equal(
      [...record.tallies.values()].reduce((sum, tally) => sum + tally.wanted, 0),
      wanted.length,
      `${record.id}: wanted`,
    );
    const scheduled = all.filter(isScheduled).map(({ id }) => id);
    assert.deepEqual([...record.scheduled.keys()].sort(), scheduled.sort(), `${record.id}: scheduled`);
    assert.equal(state.launching.waiting.has(record.id), scheduled.length > 0, `${record.id}: waiting`);
    const leaving = all.filter(
      ({ goal, condition }) =>
        goal !== 'Running' && isActive(condition) && !(goal === 'Stopped' && condition === 'Unreachable'),
    );
    assert.equal(record.leaving, leaving.length, `${record.id}: leaving`);
    for (const { id, goal, reservation, tasks } of all) {
      assert.ok(state.instances.get(id) !== undefined, `${id} is in both books`);
      if (goal === 'Decommissioned' && reservation && tasks.every((task) => isTerminal(task.condition)))
        releasing.push(id);
    }
  }
  assert.deepEqual([...state.launching.releasing.keys()].sort(), releasing.sort());
  for (const { id, specId } of state.instances.values()) {
    assert.ok(state.specs.get(specId)?.instances.has(id), `${id} is in both books`);
  }
}

/** No two plans hold the same app, and none holds one for longer than it is there. */
export function checkLocks({ core: { state } }: Rig): void {
  for (const [id, holder] of state.locks) {
    const { plan } = state.deployments.get(holder) ?? {};
    assert.ok(
      plan?.changes.some((change) => change.id === id),
      `${id} is held by ${holder}, which is about other apps`,
    );
  }
  for (const { plan } of state.deployments.values()) {
    for (const { id } of plan.changes) assert.equal(state.locks.get(id), plan.id, `${id} is not held by its plan`);
  }
}

/** What is stored says the same as what is known. */
export function checkStored({ core: { state }, stored }: Rig): void {
  const instances = [...stored.keys()].filter((key) => key.startsWith('instance/')).map((key) => key.slice(9));
  assert.deepEqual(instances.sort(), [...state.instances.keys()].sort());
  for (const { spec, ...rest } of state.instances.values()) {
    const known = JSON.parse(JSON.stringify({ ...rest, specVersion: spec.version })) as object;
    assert.deepEqual(JSON.parse(stored.get(`instance/${rest.id}`)!), known, rest.id);
  }
  const plans = [...stored.keys()].filter((key) => key.startsWith('deployment/')).map((key) => key.slice(11));
  assert.deepEqual(plans.sort(), [...state.deployments.keys()].sort());
}
