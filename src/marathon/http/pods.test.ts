/** `/v2/pods`, as clients use it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Served, serve } from './serving.fixture.ts';

const MINUTE = 60_000;
const POD = {
  id: '/prod/pod',
  containers: [
    {
      name: 'web',
      exec: { command: { shell: 'sleep 1' } },
      resources: { cpus: 0.1, mem: 32 },
      endpoints: [{ name: 'http', hostPort: 0 }],
    },
    { name: 'side', exec: { command: { shell: 'sleep 1' } }, resources: { cpus: 0.2, mem: 64 } },
  ],
  networks: [{ mode: 'host' }],
  scaling: { kind: 'fixed', instances: 2 },
};

async function withPod(t: Parameters<typeof serve>[0]): Promise<Served> {
  const served = await serve(t);
  served.rig.addAgent('host1');
  const made = await served.ask('POST', '/v2/pods', POD);
  assert.equal(made.status, 201, made.body);
  assert.equal(made.headers.location, `http://127.0.0.1:${served.port}/prod/pod`);
  const [deployment] = (await served.ask('GET', '/v2/deployments')).json;
  assert.equal(made.headers['marathon-deployment-id'], deployment.id);
  assert.deepEqual(deployment.affectedPods, ['/prod/pod']);
  assert.equal(made.json.id, '/prod/pod');
  served.rig.advance(MINUTE);
  return served;
}

test('whether there are pods at all is asked by HEAD', async (t) => {
  const { ask } = await serve(t);
  const { status, body } = await ask('HEAD', '/v2/pods');
  assert.deepEqual([status, body], [200, '']);
});

test('pods are shown one by one and all together', async (t) => {
  const { ask } = await withPod(t);
  const one = await ask('GET', '/v2/pods/prod/pod');
  assert.deepEqual([one.status, one.json.scaling.instances], [200, 2]);
  assert.deepEqual((await ask('GET', '/v2/pods')).json, [one.json]);
  assert.deepEqual((await ask('GET', '/v2/pods//prod/pod/')).json, one.json);
});

test('the status of a pod tells of each instance and each of its containers', async (t) => {
  const { ask } = await withPod(t);
  const { status, json } = await ask('GET', '/v2/pods/prod/pod::status');
  assert.deepEqual([status, json.id, json.status, json.instances.length], [200, '/prod/pod', 'STABLE', 2]);
  const [instance] = json.instances;
  assert.equal(instance.status, 'STABLE');
  assert.equal(instance.agentHostname, 'host1');
  assert.equal(instance.specReference, `/v2/pods/prod/pod::versions/${json.spec.version}`);
  assert.deepEqual(instance.containers.map(({ name }: { readonly name: string }) => name).sort(), ['side', 'web']);
  const web = instance.containers.find(({ name }: { readonly name: string }) => name === 'web');
  assert.equal(web.status, 'TASK_RUNNING');
  assert.equal(typeof web.endpoints[0].allocatedHostPort, 'number');
  assert.deepEqual([instance.resources.cpus, instance.resources.mem], [0.4, 128], 'with what the executor needs');
  assert.deepEqual(
    (await ask('GET', '/v2/pods::status')).json.map(({ id }: { readonly id: string }) => id),
    ['/prod/pod'],
  );
  const group = await ask('GET', '/v2/groups/prod');
  assert.equal(group.json.pods[0].status, 'STABLE');
});

test('a pod is terminal while it is being deleted', async (t) => {
  const { ask, rig } = await withPod(t);
  rig.isQuick = false;
  const gone = await ask('DELETE', '/v2/pods/prod/pod');
  assert.deepEqual([gone.status, gone.body, gone.headers.location], [202, '', gone.headers['marathon-deployment-id']]);
  assert.ok(gone.headers.location);
  assert.equal((await ask('GET', '/v2/pods/prod/pod')).status, 404, 'it is not one of the pods that shall be');
  const again = await ask('DELETE', '/v2/pods/prod/pod');
  assert.deepEqual([again.status, again.json], [404, { message: "Pod '/prod/pod' does not exist" }]);
});

test('PUT changes a pod, and makes one that is not there', async (t) => {
  const { ask, rig } = await withPod(t);
  const first = (await ask('GET', '/v2/pods/prod/pod')).json.version;
  const changed = await ask('PUT', '/v2/pods/prod/pod', { ...POD, scaling: { kind: 'fixed', instances: 3 } });
  assert.deepEqual([changed.status, changed.json.scaling.instances], [200, 3]);
  assert.ok(changed.headers['marathon-deployment-id']);
  const locked = await ask('PUT', '/v2/pods/prod/pod', POD);
  assert.deepEqual(
    [locked.status, locked.json.deployments],
    [409, [{ id: changed.headers['marathon-deployment-id'] }]],
  );
  assert.equal((await ask('PUT', '/v2/pods/prod/pod?force=true', POD)).status, 200);
  rig.advance(MINUTE);
  const versions = (await ask('GET', '/v2/pods/prod/pod::versions')).json;
  assert.ok(versions.length >= 2 && versions.includes(first));
  const old = await ask('GET', `/v2/pods/prod/pod::versions/${first}`);
  assert.deepEqual([old.status, old.json.version], [200, first]);
  assert.equal((await ask('GET', '/v2/pods/prod/pod::versions/2001-01-01T00:00:00.000Z')).status, 404);
  assert.equal((await ask('GET', '/v2/pods/prod/pod::versions/yesterday')).status, 422);
  assert.equal((await ask('PUT', '/v2/pods/other', { ...POD, id: '/other' })).status, 200);
  const mismatch = await ask('PUT', '/v2/pods/prod/pod', { ...POD, id: '/other' });
  assert.equal(mismatch.status, 400);
});

test('pods that are there already, or not, or are apps, are told so', async (t) => {
  const { ask } = await withPod(t);
  await ask('POST', '/v2/apps', { id: '/app', cmd: 'sleep 1', instances: 0 });
  const again = await ask('POST', '/v2/pods', POD);
  assert.deepEqual([again.status, again.json], [409, { message: 'A pod with id [/prod/pod] already exists.' }]);
  const app = await ask('POST', '/v2/pods', { ...POD, id: '/app' });
  assert.deepEqual([app.status, app.json], [409, { message: 'An app with id [/app] already exists.' }]);
  const unknown = { message: "Pod '/app' does not exist" };
  for (const path of ['/v2/pods/app', '/v2/pods/app::status', '/v2/pods/app::versions']) {
    const { status, json } = await ask('GET', path);
    assert.deepEqual([status, json], [404, unknown], path);
  }
  assert.deepEqual((await ask('DELETE', '/v2/pods/app::instances', ['x'])).json, unknown);
});

test('instances of a pod are killed one by one or several, and answered as they were', async (t) => {
  const { ask, rig } = await withPod(t);
  const [one, two] = rig.running('/prod/pod').map(({ id }) => id);
  const killed = await ask('DELETE', `/v2/pods/prod/pod::instances/${one}`);
  assert.equal(killed.status, 200);
  assert.equal(killed.json.instanceId.idString, one);
  assert.equal(killed.json.agentInfo.host, 'host1');
  assert.equal(killed.json.state.condition.str, 'Running');
  rig.advance(5 * MINUTE);
  const both = await ask('DELETE', '/v2/pods/prod/pod::instances', [one, two]);
  assert.deepEqual([both.status, both.json.length > 0], [200, true]);
  const absent = `${one!.slice(0, -12)}000000000000`;
  const unknown = await ask('DELETE', `/v2/pods/prod/pod::instances/${absent}`);
  assert.deepEqual([unknown.status, unknown.json], [404, { message: `Task '${absent}' does not exist` }]);
  assert.equal((await ask('DELETE', '/v2/pods/prod/pod::instances/what')).status, 422);
  assert.equal((await ask('DELETE', '/v2/pods/prod/pod::instances', ['what'])).status, 422);
  assert.equal((await ask('DELETE', '/v2/pods/prod/pod::instances', { ids: [] })).status, 400);
  assert.equal((await ask('DELETE', '/v2/pods/prod/pod::instances')).status, 400);
});

test('what there is not is refused', async (t) => {
  const { ask } = await withPod(t);
  for (const [method, path, allow] of [
    ['PATCH', '/v2/pods', 'GET, POST'],
    ['POST', '/v2/pods/prod/pod', 'GET, PUT, DELETE'],
    ['DELETE', '/v2/pods/prod/pod::status', 'GET'],
    ['POST', '/v2/pods::status', 'GET'],
    ['GET', '/v2/pods/prod/pod::instances', 'DELETE'],
  ] as const) {
    const { status, headers } = await ask(method, path);
    assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`);
  }
  assert.equal((await ask('GET', '/v2/pods/prod/pod::secrets')).status, 404);
  const typed = await ask('POST', '/v2/pods', {
    ...POD,
    id: '/x',
    containers: [{ name: 'A', resources: { cpus: 'x' } }],
  });
  assert.deepEqual([typed.status, typed.json.message], [422, 'Invalid JSON']);
  assert.deepEqual(typed.json.details.map(({ path }: { readonly path: string }) => path).sort(), [
    '/containers(0)/name',
    '/containers(0)/resources/cpus',
  ]);
  const rule = await ask('POST', '/v2/pods', { ...POD, id: '/x', containers: [POD.containers[0], POD.containers[0]] });
  assert.deepEqual([rule.status, rule.json.message], [422, 'Object is not valid']);
});
