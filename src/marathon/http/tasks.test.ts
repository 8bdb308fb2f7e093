/** Tasks of apps: listed as JSON and as text, and killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Served, serve } from './serving.fixture.ts';

const MINUTE = 60_000;
const TEXT = { accept: 'text/plain' };

async function withTasks(t: Parameters<typeof serve>[0]): Promise<Served> {
  const served = await serve(t);
  served.rig.addAgent('host1');
  const apps = [
    { id: '/prod/web', cmd: 'sleep 1', instances: 2, portDefinitions: [{ port: 9000 }, { port: 0 }] },
    { id: '/batch', cmd: 'sleep 1', portDefinitions: [] },
  ];
  assert.equal((await served.ask('PUT', '/v2/apps', apps)).status, 200);
  served.rig.advance(MINUTE);
  return served;
}

interface TaskView {
  readonly id: string;
  readonly appId: string;
  readonly ports: readonly number[];
  readonly servicePorts: readonly number[];
}

test('tasks are listed for one app, for a group, and for all; only there with service ports', async (t) => {
  const { ask } = await withTasks(t);
  const tasks = async (path: string): Promise<readonly TaskView[]> => (await ask('GET', path)).json.tasks;
  const [first] = await tasks('/v2/apps/prod/web/tasks');
  assert.equal(first?.ports.length, 2);
  assert.deepEqual(first?.servicePorts, []);
  assert.deepEqual((await tasks('/v2/apps/prod/*/tasks')).length, 2);
  assert.deepEqual((await tasks('/v2/apps/*/tasks')).length, 3);
  const all = await tasks('/v2/tasks');
  assert.deepEqual(all.map(({ appId }) => appId).sort(), ['/batch', '/prod/web', '/prod/web']);
  assert.equal(all.find(({ id }) => id === first!.id)?.servicePorts[0], 9000);
  assert.equal((await ask('GET', '/v2/apps/nope/*/tasks')).status, 404);
});

test('tasks are listed by status, in any case; what is no status counts for nothing', async (t) => {
  const { ask, rig } = await withTasks(t);
  rig.isQuick = false;
  await ask('PATCH', '/v2/apps/batch', { instances: 2 });
  rig.advance(MINUTE);
  const count = async (query: string): Promise<number> => (await ask('GET', `/v2/tasks${query}`)).json.tasks.length;
  assert.equal(await count('?status=running'), 3);
  assert.equal(await count('?status=STAGING'), 1);
  assert.equal(await count('?status=staging&status=running'), 4);
  assert.equal(await count('?status[]=staging&status[]=running'), 4);
  assert.equal(await count('?status%5B%5D=staging'), 1);
  assert.equal(await count('?status=constructor'), 4);
  assert.equal(await count('?status=lost&status=staging'), 1);
});

test('who asks for text gets a line for each service port', async (t) => {
  const { ask, rig } = await withTasks(t);
  const [one, two] = rig.running('/prod/web').map(({ tasks }) => tasks[0]!.hostPorts);
  const all = await ask('GET', '/v2/tasks', undefined, TEXT);
  assert.deepEqual([all.status, all.headers['content-type']], [200, 'text/plain']);
  const { portDefinitions } = (await ask('GET', '/v2/apps/prod/web')).json.app;
  assert.deepEqual(all.body.split('\n').sort(), [
    '',
    'batch\t \thost1',
    `prod_web\t${portDefinitions[1].port}\thost1:${one![1]}\thost1:${two![1]}`,
    `prod_web\t9000\thost1:${one![0]}\thost1:${two![0]}`,
  ]);
  const app = await ask('GET', '/v2/apps/prod/web/tasks', undefined, TEXT);
  assert.equal(app.body.split('\n').length, 3);
  assert.equal((await ask('GET', '/v2/apps/prod/*/tasks', undefined, TEXT)).body, app.body);
  const both = await ask('GET', '/v2/tasks', undefined, { accept: 'application/json, text/plain' });
  assert.equal(both.headers['content-type'], 'application/json');
});

test('a killed task is answered as it was, and replaced', async (t) => {
  const { ask, rig } = await withTasks(t);
  const [victim] = rig.running('/prod/web');
  const taskId = victim!.tasks[0]!.id;
  const killed = await ask('DELETE', `/v2/apps/prod/web/tasks/${taskId}`);
  assert.deepEqual([killed.status, killed.json.task.id, killed.json.task.state], [200, taskId, 'TASK_RUNNING']);
  rig.advance(5 * MINUTE);
  assert.equal(rig.running('/prod/web').length, 2);
  assert.ok(rig.running('/prod/web').every(({ tasks }) => tasks[0]!.id !== taskId));
  const unknown = await ask('DELETE', '/v2/apps/prod/web/tasks/nope');
  assert.deepEqual([unknown.status, unknown.json], [404, { message: "Task 'nope' does not exist" }]);
});

test('tasks are killed by host', async (t) => {
  const { ask } = await withTasks(t);
  const kill = async (query: string): Promise<number> =>
    (await ask('DELETE', `/v2/apps/prod/web/tasks${query}`)).json.tasks.length;
  assert.equal(await kill('?host=nowhere'), 0);
  assert.equal(await kill('?host=ost'), 2, 'part of a name is enough');
  assert.equal(await kill('?host=*'), 2);
  assert.equal(await kill(''), 2);
});

test('tasks are killed for good with scale', async (t) => {
  const { ask, rig } = await withTasks(t);
  const [victim, other] = rig.running('/prod/web');
  const scaled = await ask('DELETE', `/v2/apps/prod/web/tasks/${victim!.tasks[0]!.id}?scale=true`);
  assert.deepEqual([scaled.status, scaled.headers['marathon-deployment-id']], [200, scaled.json.deploymentId]);
  const locked = await ask('DELETE', '/v2/apps/prod/web/tasks?scale=true');
  assert.deepEqual([locked.status, locked.json.deployments], [409, [{ id: scaled.json.deploymentId }]]);
  rig.advance(MINUTE);
  assert.deepEqual(
    rig.running('/prod/web').map(({ id }) => id),
    [other!.id],
  );
  assert.equal((await ask('GET', '/v2/apps/prod/web')).json.app.instances, 1);
  assert.equal((await ask('DELETE', '/v2/apps/prod/web/tasks?scale=true')).status, 200);
  rig.advance(MINUTE);
  assert.equal((await ask('GET', '/v2/apps/prod/web')).json.app.instances, 0);
});

test('tasks of several apps are killed by their ids; those that are not there are passed over', async (t) => {
  const { ask, rig } = await withTasks(t);
  const [web] = rig.running('/prod/web');
  const [batch] = rig.running('/batch');
  const ids = [web!.tasks[0]!.id, batch!.tasks[0]!.id];
  const gone = `${web!.tasks[0]!.id.slice(0, -1)}99`;
  const killed = await ask('POST', '/v2/tasks/delete', { ids: [...ids, gone] });
  assert.equal(killed.status, 200);
  assert.deepEqual(killed.json.tasks.map(({ id }: TaskView) => id).sort(), [...ids].sort());
  const scaled = await ask('POST', '/v2/tasks/delete?scale=true&force=true', { ids });
  assert.ok(scaled.json.deploymentId);
  const wrong = await ask('POST', '/v2/tasks/delete', { ids: ['what is this'] });
  assert.equal(wrong.status, 400);
  assert.match(wrong.json.message, /^Invalid task id 'what is this': those look like/);
});

test('what makes no sense about tasks is refused', async (t) => {
  const { ask } = await withTasks(t);
  for (const path of ['/v2/apps/prod/web/tasks', '/v2/apps/prod/web/tasks/x', '/v2/tasks/delete']) {
    const method = path.endsWith('delete') ? 'POST' : 'DELETE';
    const id = (await ask('GET', '/v2/tasks')).json.tasks[0].id;
    const target = path.replace(/x$/, (await ask('GET', '/v2/apps/prod/web/tasks')).json.tasks[0].id);
    const { status, json } = await ask(method, `${target}?scale=true&wipe=true`, { ids: [id] });
    assert.deepEqual([status, json.message], [400, 'You cannot use scale and wipe at the same time.'], path);
  }
  for (const body of [{}, { ids: 'x' }, { ids: [1] }, null, []]) {
    assert.equal((await ask('POST', '/v2/tasks/delete', body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await ask('GET', '/v2/tasks/delete')).headers.allow, 'POST');
  assert.equal((await ask('POST', '/v2/tasks')).headers.allow, 'GET');
  assert.equal((await ask('GET', '/v2/tasks/nope')).status, 404);
});
