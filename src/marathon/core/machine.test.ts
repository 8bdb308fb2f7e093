import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from './outcome.ts';
import { Rig, START } from './rig.fixture.ts';

function rigWithAgents(count = 3, options = {}): Rig {
  const rig = new Rig(options);
  for (let at = 0; at < count; at++) rig.addAgent(`host${at}`);
  return rig;
}

function deploymentOf(outcome: Outcome): string {
  assert.ok(outcome.ok && 'started' in outcome && outcome.started, JSON.stringify(outcome));
  return outcome.started.deploymentId;
}

function app(id: string, more: object = {}): { readonly kind: 'createApp'; readonly document: object } {
  return { kind: 'createApp', document: { id, cmd: 'sleep 1000', cpus: 0.1, mem: 32, ...more } };
}

test('an app comes to run with as many instances as it wants, and its deployment ends', () => {
  const rig = rigWithAgents();
  const id = deploymentOf(rig.change(app('/web', { instances: 3 })));
  rig.advance(1_000);
  assert.equal(rig.running('/web').length, 3);
  assert.equal(rig.core.state.deployments.size, 0);
  assert.deepEqual(
    rig.events('deployment_success').map(({ fields }) => (fields as { readonly id: string }).id),
    [id],
  );
  const types = rig.published.map(({ eventType }) => eventType);
  assert.ok(types.indexOf('api_post_event') < types.indexOf('group_change_success'));
  assert.ok(types.indexOf('group_change_success') < types.indexOf('deployment_info'));
});

test('a task that ends is launched again under the same instance, after its backoff', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { backoffSeconds: 10 }));
  rig.advance(1_000);
  const [before] = rig.running('/web');
  rig.report(before!.tasks[0]!.id, 'TASK_FAILED', { message: 'out of luck' });
  rig.advance(5_000);
  assert.equal(rig.running('/web').length, 0, 'it has to wait for ten seconds');
  assert.equal(rig.core.state.specs.get('/web')?.lastFailure?.message, 'out of luck');
  rig.advance(6_000);
  const [after] = rig.running('/web');
  assert.equal(after?.id, before!.id);
  assert.match(after!.tasks[0]!.id, /\._app\.2$/);
});

test('when a delay is over, offers that others of the role have declined are asked for again', () => {
  const rig = rigWithAgents(1);
  rig.change(app('/big', { cpus: 1_000 }));
  rig.change(app('/web', { backoffSeconds: 60 }));
  rig.advance(10_000);
  rig.report(rig.running('/web')[0]!.tasks[0]!.id, 'TASK_FAILED');
  rig.advance(30_000);
  const before = rig.calls.filter(({ type }) => type === 'REVIVE').length;
  rig.advance(31_000);
  assert.equal(rig.calls.filter(({ type }) => type === 'REVIVE').length, before + 1);
  assert.equal(rig.running('/web').length, 1);
});

test('backoff grows with each failure up to its limit, and DELETE of the delay ends the wait', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { backoffSeconds: 1, backoffFactor: 10, maxLaunchDelaySeconds: 50 }));
  rig.advance(1_000);
  const waits: number[] = [];
  for (let failure = 0; failure < 3; failure++) {
    rig.report(rig.running('/web')[0]!.tasks[0]!.id, 'TASK_FAILED');
    const { duration } = rig.core.state.specs.get('/web')!.delay!;
    waits.push(duration);
    rig.advance(duration + 6_000);
  }
  assert.deepEqual(waits, [1_000, 10_000, 50_000]);
  rig.report(rig.running('/web')[0]!.tasks[0]!.id, 'TASK_FAILED');
  assert.ok(rig.ask({ kind: 'resetDelay', specId: '/web' }).ok);
  rig.advance(6_000);
  assert.equal(rig.running('/web').length, 1);
});

test('an upgrade never goes below the minimum that must stay healthy, nor above the maximum', () => {
  for (const [minimum, over] of [
    [1, 1],
    [1, 0],
    [0.5, 0],
    [0, 0],
    [0.75, 0.25],
    [1, 0.5],
  ] as const) {
    const rig = rigWithAgents();
    const strategy = { upgradeStrategy: { minimumHealthCapacity: minimum, maximumOverCapacity: over } };
    rig.change(app('/web', { instances: 4, ...strategy }));
    rig.advance(1_000);
    const old = new Set(rig.running('/web').map(({ id }) => id));
    const least = Math.ceil(4 * minimum);
    // Without room above and below, one more may come: else nothing could ever happen.
    const most = minimum === 1 && over === 0 ? 5 : Math.floor(4 * (1 + over));
    rig.check = () => {
      const wanted = rig.instancesOf('/web').filter(({ goal }) => goal === 'Running');
      const well = wanted.filter(({ condition }) => condition === 'Running').length;
      assert.ok(well >= least, `${minimum}/${over}: ${well} run, ${least} must`);
      const alive = rig
        .instancesOf('/web')
        .filter(({ tasks }) => tasks.some(({ condition }) => condition !== 'Killed'));
      assert.ok(alive.length <= most, `${minimum}/${over}: ${alive.length} are there, ${most} may be`);
    };
    rig.change({ kind: 'updateApp', id: '/web', document: { cmd: 'sleep 2000' }, mode: 'merge' });
    rig.advance(60_000);
    assert.equal(rig.core.state.deployments.size, 0, `${minimum}/${over} does not end`);
    const fresh = rig.running('/web');
    assert.equal(fresh.length, 4);
    assert.ok(fresh.every(({ id }) => !old.has(id)));
  }
});

test('two changes of one app do not run side by side, unless the later one is forced', () => {
  const rig = rigWithAgents();
  rig.isQuick = false;
  const first = deploymentOf(rig.change(app('/web')));
  const refused = rig.change({ kind: 'updateApp', id: '/web', document: { instances: 2 }, mode: 'merge' });
  assert.deepEqual(refused, { ok: false, refusal: { kind: 'locked', deployments: [first] } });
  assert.equal(rig.core.state.current.get('/web')?.instances, 1, 'nothing has changed');
  const forced = rig.change({ kind: 'updateApp', id: '/web', document: { instances: 2 }, mode: 'merge' }, true);
  assert.notEqual(deploymentOf(forced), first);
  assert.equal(rig.events('deployment_failed').length, 1);
});

test('dependencies come first, and a circle of them is refused', () => {
  const rig = rigWithAgents();
  rig.isQuick = false;
  rig.change(app('/db'));
  rig.advance(100);
  rig.change(app('/api', { dependencies: ['/db'] }), true);
  const circle = rig.change(
    { kind: 'updateApp', id: '/db', document: { dependencies: ['/api'] }, mode: 'merge' },
    true,
  );
  assert.ok(!circle.ok && circle.refusal.kind === 'invalid');
  assert.match(circle.refusal.problems[0]!.error, /cyclic/);
});

test('an instance out of reach is replaced at once by default, and killed if it comes back', () => {
  const rig = rigWithAgents();
  rig.change(app('/web'));
  rig.advance(1_000);
  const [lost] = rig.running('/web');
  rig.report(lost!.tasks[0]!.id, 'TASK_UNREACHABLE');
  rig.advance(6_000);
  const [fresh] = rig.running('/web');
  assert.notEqual(fresh?.id, lost!.id);
  assert.equal(rig.instancesOf('/web').length, 1);
  const kills = rig.calls.filter(({ type }) => type === 'KILL').length;
  rig.report(lost!.tasks[0]!.id, 'TASK_RUNNING');
  assert.equal(rig.calls.filter(({ type }) => type === 'KILL').length, kills + 1);
});

test('an instance that was replaced while it was out of reach is not launched again when it turns out to have ended', () => {
  const rig = new Rig();
  rig.addAgent('a');
  rig.change({ kind: 'createApp', document: { id: '/web', cmd: 'sleep 1', instances: 2, backoffSeconds: 0 } });
  rig.advance(1_000);
  const [first] = rig.instancesOf('/web');
  const strategy = { inactiveAfterSeconds: 0, expungeAfterSeconds: 100_000 };
  rig.change({ kind: 'updateApp', id: '/web', document: { unreachableStrategy: strategy }, mode: 'merge' });
  rig.advance(10_000);
  const [gone] = rig.instancesOf('/web');
  assert.ok(gone && first);
  rig.report(gone.tasks[0]!.id, 'TASK_UNREACHABLE');
  rig.advance(10_000);
  assert.equal(rig.running('/web').length, 2);
  rig.report(gone.tasks[0]!.id, 'TASK_UNKNOWN');
  assert.equal(
    rig.instancesOf('/web').some(({ id }) => id === gone.id),
    false,
  );
  rig.advance(60_000);
  assert.equal(rig.running('/web').length, 2);
});

test('with an unreachable strategy an instance has time to come back', () => {
  const rig = rigWithAgents();
  const unreachableStrategy = { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 };
  rig.change(app('/web', { unreachableStrategy }));
  rig.advance(1_000);
  const [one] = rig.running('/web');
  rig.report(one!.tasks[0]!.id, 'TASK_UNREACHABLE');
  rig.advance(59_000);
  assert.equal(rig.instancesOf('/web').length, 1);
  rig.advance(10_000);
  assert.deepEqual(
    rig
      .instancesOf('/web')
      .map(({ condition }) => condition)
      .sort(),
    ['Running', 'UnreachableInactive'],
  );
  rig.advance(60_000);
  assert.equal(rig.instancesOf('/web').length, 1, 'it is forgotten in the end');
});

test('another leader goes on with what was stored, in the middle of a deployment', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { instances: 4 }));
  rig.advance(1_000);
  rig.isQuick = false;
  rig.change({ kind: 'updateApp', id: '/web', document: { cmd: 'sleep 2000' }, mode: 'merge' });
  rig.advance(200);
  assert.equal(rig.core.state.deployments.size, 1);
  rig.isQuick = true;
  rig.failover();
  assert.equal(rig.core.state.deployments.size, 1);
  for (const [id, { state }] of [...rig.tasks]) if (state === 'TASK_STAGING') rig.report(id, 'TASK_RUNNING');
  rig.advance(120_000);
  assert.equal(rig.core.state.deployments.size, 0);
  const commands = rig.running('/web').map(({ spec }) => (spec.kind === 'app' ? spec.cmd : ''));
  assert.deepEqual(commands, Array(4).fill('sleep 2000'));
});

test('each subscription begins with something to store, which a leader that was succeeded cannot', () => {
  const rig = new Rig();
  for (const id of ['f', 'f']) {
    rig.stored.delete('framework/id');
    rig.step({ kind: 'disconnected', reason: 'test' });
    rig.step({ kind: 'subscribed', frameworkId: id });
    assert.deepEqual(JSON.parse(rig.stored.get('framework/id') ?? ''), { id });
  }
});

test('undoing a deployment brings back what was before', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { instances: 2 }));
  rig.advance(1_000);
  rig.isQuick = false;
  const id = deploymentOf(rig.change({ kind: 'updateApp', id: '/web', document: { cmd: 'false' }, mode: 'merge' }));
  rig.advance(200);
  rig.isQuick = true;
  assert.ok(rig.ask({ kind: 'cancelDeployment', id, force: false }).ok);
  for (const [task, { state }] of [...rig.tasks]) if (state === 'TASK_STAGING') rig.report(task, 'TASK_RUNNING');
  rig.advance(120_000);
  assert.equal(rig.core.state.deployments.size, 0);
  assert.deepEqual(
    rig.running('/web').map(({ spec }) => (spec.kind === 'app' ? spec.cmd : '')),
    ['sleep 1000', 'sleep 1000'],
  );
});

test('a deleted app leaves nothing behind', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { instances: 2 }));
  rig.advance(1_000);
  rig.change({ kind: 'deleteApp', id: '/web' });
  rig.advance(10_000);
  assert.equal(rig.core.state.specs.has('/web'), false);
  assert.equal(rig.tasks.size, 0);
  assert.equal(rig.events('app_terminated_event').length, 1);
  assert.deepEqual(
    [...rig.stored.keys()].filter((key) => key.startsWith('instance/') || key.startsWith('spec/')),
    [],
  );
});

test('killing with scaling wants fewer from then on, and those that were named go', () => {
  const rig = rigWithAgents();
  rig.change(app('/web', { instances: 3 }));
  rig.advance(1_000);
  const victim = rig.running('/web')[1]!.id;
  rig.change({ kind: 'scaleDown', instances: [victim] });
  rig.advance(10_000);
  assert.equal(rig.running('/web').length, 2);
  assert.ok(rig.running('/web').every(({ id }) => id !== victim));
  assert.equal(rig.core.state.current.get('/web')?.instances, 2);
});

test('what waits says what each offer lacked', () => {
  const rig = rigWithAgents(1);
  rig.change(app('/big', { cpus: 1_000 }));
  rig.advance(1_000);
  const statistics = rig.core.state.launching.statistics.get('/big')!;
  assert.equal(statistics.rejects.get('InsufficientCpus'), statistics.unused);
  assert.deepEqual([...statistics.lastUnused.values()][0]?.details, ['needs 1000 cpus, 100 are offered']);
});

test('health checks: failures count after the grace period, and one more than the limit kills', () => {
  const rig = rigWithAgents();
  const check = { protocol: 'TCP', gracePeriodSeconds: 0, intervalSeconds: 10, maxConsecutiveFailures: 2 };
  rig.change(app('/web', { healthChecks: [check] }));
  rig.advance(1_000);
  for (let failure = 1; failure <= 3; failure++) {
    rig.advance(10_000);
    const probe = rig.probes.at(-1)!;
    rig.step({ kind: 'probed', probe: probe.probe, result: { verdict: 'bad', cause: 'refused' } });
    assert.equal(rig.events('unhealthy_instance_kill_event').length, failure === 3 ? 1 : 0, `after ${failure}`);
  }
  assert.match(rig.core.state.specs.get('/web')!.lastFailure!.message, /health check failed. Reason: refused/);
});

test('the kill of an instance that is forgotten meanwhile ends with its task, and others get their turn', () => {
  const rig = rigWithAgents(1, { killChunkSize: 1 });
  rig.change(app('/web', { instances: 2, unreachableStrategy: { inactiveAfterSeconds: 60, expungeAfterSeconds: 60 } }));
  rig.advance(1_000);
  const [first, second] = rig.running('/web');
  const task = first!.tasks[0]!.id;
  rig.isQuick = false;
  rig.ask({ kind: 'kill', instances: [first!.id], wipe: false });
  rig.ask({ kind: 'kill', instances: [second!.id], wipe: false });
  rig.report(task, 'TASK_UNREACHABLE');
  rig.ask({ kind: 'kill', instances: [first!.id], wipe: true });
  assert.ok(!rig.core.state.instances.has(first!.id));
  rig.report(task, 'TASK_GONE');
  assert.deepEqual([...rig.core.state.kills.inFlight.keys()], [second!.id]);
});

test('roles that were told on a connection that broke are told again: a master heeds no call that names others', () => {
  const rig = rigWithAgents();
  const told = (): readonly (readonly string[])[] => {
    const roles: (readonly string[])[] = [];
    const env = { now: rig.now, wall: START + rig.now, random: () => 0.5, chance: () => false };
    rig.core.step({ kind: 'timer', key: 'offers-look' }, env, (effect) => {
      if (effect.kind === 'roles') roles.push(effect.roles);
    });
    return roles;
  };
  rig.isAway = true;
  rig.change(app('/prod/web', { role: 'prod' }));
  assert.deepEqual(told(), [['*', 'prod']]);
  assert.deepEqual(told(), []);
  rig.step({ kind: 'disconnected', reason: 'the connection broke' });
  rig.step({ kind: 'subscribed', frameworkId: 'f' });
  assert.deepEqual(told(), [['*', 'prod']]);
});

test('what a deployment that is given up had still to launch, and is too much now, is not launched any more', () => {
  const rig = rigWithAgents(1);
  rig.change(app('/web'));
  rig.advance(1_000);
  rig.isAway = true;
  const id = deploymentOf(rig.change({ kind: 'restartApp', id: '/web' }));
  assert.equal(rig.instancesOf('/web').length, 2);
  rig.ask({ kind: 'cancelDeployment', id, force: true });
  assert.deepEqual(
    rig.instancesOf('/web').map(({ condition, goal }) => [condition, goal]),
    [['Running', 'Running']],
  );
});

test('listeners hear of the checks of each version: once when it comes, and when its last instance has gone', () => {
  const rig = rigWithAgents();
  const check = { protocol: 'TCP', gracePeriodSeconds: 0, intervalSeconds: 10 };
  const added = (): readonly unknown[] => rig.events('add_health_check_event').map(({ fields }) => fields);
  const removed = (): readonly unknown[] => rig.events('remove_health_check_event').map(({ fields }) => fields);
  const healthy = (): void => {
    for (let round = 0; round < 3; round++) {
      rig.advance(10_000);
      for (const { probe } of rig.probes.splice(0)) rig.step({ kind: 'probed', probe, result: { verdict: 'good' } });
    }
  };
  const documents = { healthChecks: [check, { ...check, protocol: 'HTTP' }], instances: 2 };
  rig.change(app('/web', documents));
  healthy();
  const web = rig.core.state.current.get('/web');
  assert.ok(web?.kind === 'app');
  const { version, healthChecks } = web;
  assert.deepEqual(
    added(),
    healthChecks.map((healthCheck) => ({ appId: '/web', version, healthCheck })),
  );
  rig.change({ kind: 'updateApp', id: '/web', document: { cmd: 'sleep 2' }, mode: 'merge' });
  assert.deepEqual([added().length, removed().length], [4, 0]);
  healthy();
  assert.equal(rig.core.state.deployments.size, 0);
  assert.deepEqual(removed(), [{ appId: '/web' }, { appId: '/web' }]);
  rig.change({ kind: 'deleteApp', id: '/web' });
  rig.advance(10_000);
  assert.deepEqual([added().length, removed().length], [4, 4]);
});

test('listeners hear of a change that is refused, and why', () => {
  const rig = rigWithAgents(0);
  rig.change(app('/web'));
  assert.equal(rig.change({ kind: 'updateApp', id: '/web', document: { cmd: 'sleep 2' }, mode: 'merge' }).ok, false);
  assert.equal(rig.change(app('/a', { dependencies: ['/a'] })).ok, false);
  const told = rig.events('group_change_failed').map(({ fields }) => fields as { groupId: string; reason: string });
  assert.deepEqual(
    told.map(({ groupId }) => groupId),
    ['/', '/'],
  );
  assert.match(told[0]!.reason, /^App is locked/);
  assert.match(told[1]!.reason, /cyclic/);
});

test('checks without an interval come once a second, and not as fast as they are answered', () => {
  const rig = rigWithAgents(1);
  rig.change(app('/web', { healthChecks: [{ protocol: 'TCP', gracePeriodSeconds: 0, intervalSeconds: 0 }] }));
  let probes = 0;
  for (let round = 0; round < 100; round++) {
    rig.advance(100);
    for (const { probe } of rig.probes.splice(0)) {
      probes++;
      rig.step({ kind: 'probed', probe, result: { verdict: 'good' } });
    }
  }
  assert.ok(probes >= 5 && probes <= 10, `${probes} in ten seconds`);
});
