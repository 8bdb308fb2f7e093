/** Why a deployment does not go on, beside what offers lack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../core/rig.fixture.ts';
import { whyView } from './why.ts';

function rigWith(...documents: readonly object[]): Rig {
  const rig = new Rig();
  rig.addAgent('host1');
  for (const each of documents) {
    const outcome = rig.change({ kind: 'createApp', document: { cmd: 'sleep 1', ...each } });
    assert.ok(outcome.ok, JSON.stringify(outcome));
  }
  rig.advance(1_000);
  return rig;
}

function reasons(rig: Rig, id: string): readonly string[] {
  const spec = rig.core.state.current.get(id)!;
  return (whyView(rig.core.state, spec, 0) as { readonly reasons: readonly string[] }).reasons;
}

test('an instance that runs and is not healthy yet is named, with what its check said', () => {
  const check = { protocol: 'TCP', gracePeriodSeconds: 0, intervalSeconds: 10 };
  const rig = rigWith({ id: '/web', healthChecks: [check] });
  assert.equal(reasons(rig, '/web')[1], '1 of 1 that run is not healthy (yet); no check has failed so far');
  rig.advance(10_000);
  const { probe } = rig.probes.at(-1)!;
  rig.step({ kind: 'probed', probe, result: { verdict: 'bad', cause: 'refused' } });
  assert.match(reasons(rig, '/web')[1] ?? '', /not healthy \(yet\); the last check that failed: refused$/);
  rig.advance(10_000);
  rig.step({ kind: 'probed', probe: rig.probes.at(-1)!.probe, result: { verdict: 'good' } });
  assert.deepEqual(reasons(rig, '/web'), []);
});

test('an instance that is not ready is named, with what it answered', () => {
  const rig = rigWith({
    id: '/web',
    readinessChecks: [{ name: 'up', portName: 'default', preserveLastResponse: true }],
  });
  const { probe } = rig.probes.at(-1)!;
  rig.step({
    kind: 'probed',
    probe,
    result: { verdict: 'bad', cause: 'no', response: { status: 503, contentType: 'text/plain', body: '' } },
  });
  assert.equal(reasons(rig, '/web')[1], "1 of 1 that run is not ready by 'up', which was last answered with 503");
});

test('an app whose turn has not come says what its deployment is doing', () => {
  const rig = new Rig();
  const apps = [
    { id: 'db', cmd: 'sleep 1' },
    { id: 'web', cmd: 'sleep 1', dependencies: ['/shop/db'] },
  ];
  assert.ok(rig.change({ kind: 'updateGroup', id: '/shop', document: { id: '/shop', apps }, dryRun: false }).ok);
  rig.advance(1_000);
  assert.match(reasons(rig, '/shop/web')[0] ?? '', /is under way; it is at step 2 of 3: ScaleApplication \/shop\/db$/);
  assert.match(reasons(rig, '/shop/db')[0] ?? '', /is under way$/);
});

test('instances on an agent that is away are named with it, and so are those that are being launched', () => {
  const rig = rigWith({ id: '/web', instances: 2, unreachableStrategy: 'disabled' });
  assert.deepEqual(reasons(rig, '/web'), []);
  for (const { tasks } of rig.running('/web')) rig.report(tasks[0]!.id, 'TASK_UNREACHABLE');
  assert.deepEqual(reasons(rig, '/web'), ['2 instances are out of reach, since the agent is away: host1']);
});
