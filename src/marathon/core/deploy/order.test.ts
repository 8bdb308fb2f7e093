import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rig } from '../rig.fixture.ts';

/** For each app those before it that it depends on, by a bit each: never a circle. */
const graph = fc.array(fc.tuple(fc.nat({ max: 31 }), fc.integer({ min: 1, max: 3 })), { minLength: 2, maxLength: 5 });

const idOf = (at: number): string => `/prod/app${at}`;

function dependenciesOf(at: number, bits: number): readonly number[] {
  return [0, 1, 2, 3, 4].filter((other) => other < at && (bits & (1 << other)) !== 0);
}

/** One task after another comes to run, in the order of `picks`, until nothing is left to be waited for. */
function settle(rig: Rig, picks: readonly number[]): void {
  for (let round = 0; rig.core.state.deployments.size > 0 && round < 300; round++) {
    const staging = [...rig.tasks].filter(([, { state }]) => state === 'TASK_STAGING').map(([id]) => id);
    const next = staging[picks[round % picks.length]! % Math.max(1, staging.length)];
    if (next !== undefined) rig.report(next, 'TASK_RUNNING');
    for (const { instanceId, taskIds } of [...rig.core.state.kills.inFlight.values()]) {
      if (rig.core.state.instances.has(instanceId)) for (const id of taskIds) rig.report(id, 'TASK_KILLED');
    }
    rig.advance(6_000);
  }
}

test('no app is touched before all that it depends on is as it shall be, when it comes and when it is upgraded', () => {
  fc.assert(
    fc.property(graph, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), fc.boolean(), (apps, picks, fails) => {
      const rig = new Rig();
      for (let host = 0; host < 2; host++) rig.addAgent(`host${host}`);
      rig.isQuick = false;
      const document = (cmd: string): object => ({
        id: '/prod',
        apps: apps.map(([bits, instances], at) => ({
          id: idOf(at),
          cmd,
          cpus: 0.1,
          mem: 32,
          instances,
          dependencies: dependenciesOf(at, bits).map(idOf),
        })),
      });
      let touched = 0;
      rig.check = () => {
        apps.forEach(([bits], at) => {
          const spec = rig.core.state.current.get(idOf(at));
          if (spec === undefined || !rig.instancesOf(spec.id).some((each) => each.spec.version === spec.version))
            return;
          touched++;
          for (const other of dependenciesOf(at, bits)) {
            const wanted = rig.core.state.current.get(idOf(other))!;
            const all = rig.instancesOf(wanted.id);
            const fresh = all.filter((each) => each.condition === 'Running' && each.spec.version === wanted.version);
            assert.equal(fresh.length, wanted.instances, `${spec.id} began before ${wanted.id} was done`);
            assert.equal(all.length, fresh.length);
          }
        });
      };
      for (const [at, cmd] of ['sleep 1000', 'sleep 2000'].entries()) {
        const kind = at === 0 ? 'createGroup' : 'updateGroup';
        const change = { kind, id: '/prod', document: document(cmd), ...(at > 0 && { dryRun: false }) };
        const outcome = rig.change(change as Parameters<Rig['change']>[0]);
        assert.ok(outcome.ok, JSON.stringify(outcome));
        rig.advance(1_000);
        if (fails) rig.failover();
        settle(rig, picks);
        assert.equal(rig.core.state.deployments.size, 0);
        for (const [index, [, instances]] of apps.entries()) assert.equal(rig.running(idOf(index)).length, instances);
      }
      assert.ok(touched > 0);
    }),
    { numRuns: 40 },
  );
});

test('apps that depend on nothing of each other come side by side', () => {
  const rig = new Rig();
  rig.addAgent('host');
  rig.isQuick = false;
  const app = (id: string, dependencies: readonly string[]): object => ({
    id,
    cmd: 'sleep 1000',
    cpus: 0.1,
    mem: 32,
    dependencies,
  });
  const apps = [app('/prod/a', []), app('/prod/b', []), app('/prod/c', ['/prod/a'])];
  assert.ok(rig.change({ kind: 'createGroup', id: '/prod', document: { id: '/prod', apps } }).ok);
  rig.advance(1_000);
  assert.deepEqual([...rig.core.state.instances.values()].map(({ specId }) => specId).sort(), ['/prod/a', '/prod/b']);
});
