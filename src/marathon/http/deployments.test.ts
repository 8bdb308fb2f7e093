/** `/v2/deployments` and `/v2/queue`: what is under way, and what waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from './serving.fixture.ts';

const MINUTE = 60_000;

test('a deployment is listed with its steps and how far it is', async (t) => {
  const { ask, rig } = await serve(t);
  const made = await ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' });
  const { status, json } = await ask('GET', '/v2/deployments');
  assert.equal(status, 200);
  assert.deepEqual(json, [
    {
      id: made.headers['marathon-deployment-id'],
      version: json[0].version,
      affectedApps: ['/web'],
      affectedPods: [],
      steps: [
        { actions: [{ action: 'StartApplication', app: '/web' }] },
        { actions: [{ action: 'ScaleApplication', app: '/web' }] },
      ],
      currentActions: [{ action: 'ScaleApplication', app: '/web', readinessCheckResults: [] }],
      currentStep: 2,
      totalSteps: 2,
    },
  ]);
  rig.addAgent('host1');
  rig.advance(MINUTE);
  assert.deepEqual((await ask('GET', '/v2/deployments')).json, []);
});

test('a deployment is undone by another one, or stopped where it stands', async (t) => {
  const { ask, rig } = await serve(t);
  const first = (await ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' })).headers['marathon-deployment-id'];
  const undone = await ask('DELETE', `/v2/deployments/${first}`);
  assert.equal(undone.status, 200);
  assert.notEqual(undone.json.deploymentId, first);
  assert.equal(undone.headers['marathon-deployment-id'], undone.json.deploymentId);
  rig.advance(MINUTE);
  assert.equal((await ask('GET', '/v2/apps/web')).status, 404);
  const second = (await ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' })).headers['marathon-deployment-id'];
  const stopped = await ask('DELETE', `/v2/deployments/${second}?force=true`);
  assert.deepEqual([stopped.status, stopped.body], [202, '']);
  assert.deepEqual((await ask('GET', '/v2/deployments')).json, []);
  assert.equal((await ask('GET', '/v2/apps/web')).status, 200);
  for (const query of ['', '?force=true']) {
    const unknown = await ask('DELETE', `/v2/deployments/${second}${query}`);
    assert.deepEqual([unknown.status, unknown.json], [404, { message: `DeploymentPlan ${second} does not exist` }]);
  }
});

test('no more deployments than may be are begun', async (t) => {
  const { ask } = await serve(t, { core: { maxRunningDeployments: 1 } });
  await ask('POST', '/v2/apps', { id: '/one', cmd: 'sleep 1' });
  const { status, json } = await ask('POST', '/v2/apps', { id: '/two', cmd: 'sleep 1' });
  assert.equal(status, 403);
  assert.match(json.message, /--max_running_deployments/);
  assert.equal((await ask('GET', '/v2/apps/two')).status, 404);
});

test('a change of nothing is a deployment without steps', async (t) => {
  const { ask, rig } = await serve(t);
  rig.addAgent('host1');
  await ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' });
  rig.advance(MINUTE);
  const { status, json } = await ask('PUT', '/v2/apps/web', { cmd: 'sleep 1' });
  assert.equal(status, 200);
  assert.ok(json.deploymentId);
  assert.deepEqual((await ask('GET', '/v2/deployments')).json, []);
});

test('more instances than can be kept are refused, whoever asks for them; the most that may be are told of', async (t) => {
  const { ask, rig } = await serve(t);
  const refused = async (method: string, path: string, body: object): Promise<void> => {
    const { status, json } = await ask(method, path, body);
    assert.equal(status, 422, `${method} ${path}`);
    assert.match(json.details[0].errors[0], /instances of all apps and pods, and at most 200000 may be$/);
  };
  await refused('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1', instances: 2 ** 31 - 1 });
  const container = { name: 'c', exec: { command: { shell: 'sleep 1' } }, resources: { cpus: 1, mem: 32 } };
  const scaling = { kind: 'fixed', instances: 2 ** 31 - 1 };
  await refused('POST', '/v2/pods', { id: '/pod', networks: [{ mode: 'host' }], containers: [container], scaling });
  await ask('PUT', '/v2/apps', [
    { id: '/g/a', cmd: 'sleep 1', instances: 199_999 },
    { id: '/g/b', cmd: 'sleep 1', instances: 1 },
  ]);
  await refused('PUT', '/v2/groups/g?force=true', { scaleBy: 1e300 });
  await refused('PUT', '/v2/groups/g?force=true', { scaleBy: 1.1 });
  rig.advance(1);
  assert.equal(rig.core.state.instances.size, 200_000, 'made a few hundred at a time');
  assert.equal((await ask('GET', '/v2/queue')).json.queue[0].count, 199_999);
  assert.equal((await ask('PUT', '/v2/groups/g?force=true', { scaleBy: 0.5 })).status, 200, 'fewer may always be');
});

test('the queue tells what waits, for how long, and what offers came to', async (t) => {
  const { ask, rig } = await serve(t);
  rig.addAgent('small', { resources: 'cpus:0.5;mem:100000;disk:100000;ports:[31000-32000]' });
  await ask('POST', '/v2/apps', { id: '/prod/big', cmd: 'sleep 1', cpus: 8, instances: 3 });
  rig.advance(MINUTE);
  const { status, json } = await ask('GET', '/v2/queue');
  assert.equal(status, 200);
  const [item] = json.queue;
  assert.deepEqual([item.count, item.role, item.app.id], [3, '*', '/prod/big']);
  assert.deepEqual(item.delay, { timeLeftSeconds: 0, overdue: true });
  assert.equal(item.lastUnusedOffers, undefined);
  const summary = item.processedOffersSummary;
  assert.ok(summary.processedOffersCount > 0);
  assert.equal(summary.unusedOffersCount, summary.processedOffersCount);
  const funnel = summary.rejectSummaryLastOffers;
  assert.equal(funnel.length, 10);
  const cpus = funnel.find(({ reason }: { readonly reason: string }) => reason === 'InsufficientCpus');
  assert.deepEqual(cpus, { reason: 'InsufficientCpus', declined: 1, processed: 1 });
  const more = (await ask('GET', '/v2/queue?embed=nothing&embed=lastUnusedOffers')).json.queue[0];
  assert.equal(more.lastUnusedOffers[0].offer.hostname, 'small');
  assert.ok(more.lastUnusedOffers[0].reason.includes('InsufficientCpus'));
});

test('the delay of what fails again and again is shown, and taken away', async (t) => {
  const { ask, rig } = await serve(t);
  rig.addAgent('host1');
  await ask('POST', '/v2/apps', { id: '/prod/bad', cmd: 'false', backoffSeconds: 100 });
  rig.advance(MINUTE);
  rig.report(rig.running('/prod/bad')[0]!.tasks[0]!.id, 'TASK_FAILED');
  const [item] = (await ask('GET', '/v2/queue')).json.queue;
  assert.deepEqual([item.delay.overdue, item.delay.timeLeftSeconds > 60], [false, true]);
  const reset = await ask('DELETE', '/v2/queue//prod/bad/delay');
  assert.deepEqual([reset.status, reset.body], [204, '']);
  assert.equal((await ask('GET', '/v2/queue')).json.queue[0]?.delay.overdue ?? true, true);
  rig.advance(10 * MINUTE);
  assert.equal((await ask('DELETE', '/v2/queue/prod/bad/delay')).status, 404, 'nothing of it waits any more');
  const unknown = await ask('DELETE', '/v2/queue/prod/nope/delay');
  assert.deepEqual(
    [unknown.status, unknown.json],
    [404, { message: 'Application /prod/nope not found in tasks queue.' }],
  );
});

test('methods and paths that there are not are refused', async (t) => {
  const { ask } = await serve(t);
  for (const [method, path, allow] of [
    ['POST', '/v2/deployments', 'GET'],
    ['GET', '/v2/deployments/x', 'DELETE'],
    ['POST', '/v2/queue', 'GET'],
    ['GET', '/v2/queue/x/delay', 'DELETE'],
  ] as const) {
    const { status, headers } = await ask(method, path);
    assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`);
  }
  assert.equal((await ask('DELETE', '/v2/deployments/x/y')).status, 404);
  assert.equal((await ask('GET', '/v2/queue/x')).status, 404);
});

test('while the master is away everything is answered, and what was asked for happens when it is back', async (t) => {
  const { ask, rig } = await serve(t);
  rig.addAgent('host1');
  await ask('POST', '/v2/apps', { id: '/before', cmd: 'sleep 1' });
  rig.advance(MINUTE);
  rig.isAway = true;
  rig.step({ kind: 'disconnected', reason: 'the master is being upgraded' });
  assert.equal((await ask('POST', '/v2/apps', { id: '/meanwhile', cmd: 'sleep 1', instances: 2 })).status, 201);
  assert.equal((await ask('PATCH', '/v2/apps/before', { cmd: 'sleep 2' })).status, 200);
  rig.advance(10 * MINUTE);
  assert.equal((await ask('GET', '/v2/apps/before')).json.app.tasksRunning, 1);
  assert.equal((await ask('GET', '/v2/queue')).json.queue[0].count > 0, true);
  assert.equal((await ask('GET', '/v2/deployments')).json.length, 2);
  assert.equal((await ask('GET', '/v2/info')).json.frameworkId, 'f');
  rig.isAway = false;
  rig.step({ kind: 'subscribed', frameworkId: 'f' });
  rig.advance(5 * MINUTE);
  assert.deepEqual((await ask('GET', '/v2/deployments')).json, []);
  assert.equal(rig.running('/meanwhile').length, 2);
  const [renewed] = rig.running('/before');
  assert.equal(renewed?.spec.kind === 'app' && renewed.spec.cmd, 'sleep 2');
});
