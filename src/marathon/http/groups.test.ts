/** `/v2/groups`, as clients use it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Served, serve } from './serving.fixture.ts';

const MINUTE = 60_000;
const TREE = {
  id: '/prod',
  groups: [
    { id: 'front', apps: [{ id: 'web', cmd: 'sleep 1', instances: 2 }], dependencies: ['/prod/back'] },
    { id: 'back', apps: [{ id: 'db', cmd: 'sleep 1' }] },
  ],
};

async function withTree(t: Parameters<typeof serve>[0]): Promise<Served> {
  const served = await serve(t);
  served.rig.addAgent('host1');
  const made = await served.ask('POST', '/v2/groups', TREE);
  assert.equal(made.status, 201, made.body);
  assert.equal(made.headers.location, `http://127.0.0.1:${served.port}/prod`);
  assert.equal(made.headers['marathon-deployment-id'], made.json.deploymentId);
  served.rig.advance(MINUTE);
  return served;
}

test('the root is there from the beginning, and empty', async (t) => {
  const { ask } = await serve(t);
  const { status, json } = await ask('GET', '/v2/groups');
  const { version, ...rest } = json;
  assert.equal(status, 200);
  assert.match(version, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, { id: '/', dependencies: [], apps: [], pods: [], groups: [] });
});

test('a group is shown with what is in it, or only with what embed names', async (t) => {
  const { ask } = await withTree(t);
  const group = (await ask('GET', '/v2/groups/prod')).json;
  assert.equal(group.enforceRole, false);
  const [front] = group.groups.filter(({ id }: { readonly id: string }) => id === '/prod/front');
  assert.deepEqual(front.dependencies, ['/prod/back']);
  assert.equal(front.apps[0].id, '/prod/front/web');
  assert.equal('tasksRunning' in front.apps[0], false);
  const counted = (await ask('GET', '/v2/groups/prod/front?embed=group.apps&embed=group.apps.counts')).json;
  assert.equal(counted.apps[0].tasksRunning, 2);
  assert.equal('groups' in counted || 'pods' in counted, false);
  const bare = (await ask('GET', '/v2/groups/prod?embed=group.groups')).json;
  assert.equal('apps' in bare, false);
  assert.equal(bare.groups.length, 2);
  const full = (await ask('GET', '/v2/groups/prod/front?embed=group.apps&embed=group.apps.tasks')).json;
  assert.equal(full.apps[0].tasks.length, 2);
  assert.deepEqual(full.apps[0].deployments, []);
});

test('the apps of a group and of all below it are listed', async (t) => {
  const { ask } = await withTree(t);
  const ids = async (path: string): Promise<readonly string[]> =>
    (await ask('GET', path)).json.map(({ id }: { readonly id: string }) => id).sort();
  assert.deepEqual(await ids('/v2/groups/prod/apps'), ['/prod/back/db', '/prod/front/web']);
  assert.deepEqual(await ids('/v2/groups/apps'), ['/prod/back/db', '/prod/front/web']);
  assert.deepEqual(await ids('/v2/groups//prod/back/apps'), ['/prod/back/db']);
});

test('groups that are not there, or are there already, are told so', async (t) => {
  const { ask } = await withTree(t);
  const unknown = { message: "Group '/nope' does not exist" };
  for (const [method, path, body] of [
    ['GET', '/v2/groups/nope', undefined],
    ['GET', '/v2/groups/nope/apps', undefined],
    ['GET', '/v2/groups/nope/versions', undefined],
    ['DELETE', '/v2/groups/nope', undefined],
    ['PATCH', '/v2/groups/nope', { enforceRole: true }],
    ['PUT', '/v2/groups/nope', { scaleBy: 2 }],
  ] as const) {
    const { status, json } = await ask(method, path, body);
    assert.deepEqual([status, json], [404, unknown], `${method} ${path}`);
  }
  const again = await ask('POST', '/v2/groups', { id: '/prod' });
  assert.deepEqual(
    [again.status, again.json],
    [409, { message: 'Group /prod is already created. Use PUT to change this group.' }],
  );
  const root = await ask('POST', '/v2/groups', { apps: [] });
  assert.deepEqual(
    [root.status, root.json],
    [409, { message: 'Group / is already created. Use PUT to change this group.' }],
    'nobody who makes something means to end everything',
  );
  const app = await ask('PUT', '/v2/groups', { id: '/prod/back/db', apps: [] });
  assert.deepEqual([app.status, app.json], [409, { message: 'An app with the path /prod/back/db already exists.' }]);
});

test('PUT replaces the lists that it gives, keeps what it does not say, and creates what is not there', async (t) => {
  const { ask, rig } = await withTree(t);
  const put = await ask('PUT', '/v2/groups/prod/front', { apps: [{ id: 'api', cmd: 'sleep 1' }] });
  assert.equal(put.status, 200);
  assert.deepEqual(Object.keys(put.json), ['version', 'deploymentId']);
  rig.advance(MINUTE);
  const front = (await ask('GET', '/v2/groups/prod/front')).json;
  assert.deepEqual(
    [front.apps.map(({ id }: { readonly id: string }) => id), front.dependencies],
    [['/prod/front/api'], ['/prod/back']],
  );
  const made = await ask('PUT', '/v2/groups/new', { apps: [] });
  assert.deepEqual([made.status, made.headers.location], [200, undefined]);
  assert.equal((await ask('GET', '/v2/groups/new')).status, 200);
});

test('a dry run tells the steps, and does nothing', async (t) => {
  const { ask } = await withTree(t);
  const before = (await ask('GET', '/v2/groups')).body;
  const tree = { groups: [{ id: 'back', apps: [{ id: 'db', cmd: 'sleep 2' }] }] };
  const { status, json, headers } = await ask('PUT', '/v2/groups/prod?dryRun=true', tree);
  assert.equal(status, 200);
  assert.deepEqual(json, {
    steps: [
      { actions: [{ action: 'StopApplication', app: '/prod/front/web' }] },
      { actions: [{ action: 'RestartApplication', app: '/prod/back/db' }] },
    ],
  });
  assert.equal(headers['marathon-deployment-id'], undefined);
  assert.equal((await ask('GET', '/v2/groups')).body, before);
});

test('a group is scaled, or goes back to an earlier version, by that alone', async (t) => {
  const { ask, rig } = await withTree(t);
  const versions = (await ask('GET', '/v2/groups/prod/versions')).json;
  assert.ok(Array.isArray(versions));
  const old = versions.at(-1);
  assert.equal((await ask('PUT', '/v2/groups/prod', { scaleBy: 1.3 })).status, 200);
  rig.advance(MINUTE);
  const instances = async (): Promise<readonly number[]> =>
    (await ask('GET', '/v2/groups/prod/apps')).json.map((app: { readonly instances: number }) => app.instances).sort();
  assert.deepEqual(await instances(), [2, 3]);
  const before = await ask('GET', `/v2/groups/prod/versions/${old}`);
  assert.deepEqual([before.status, before.json.id, before.json.version], [200, '/prod', old]);
  assert.equal((await ask('PUT', '/v2/groups/prod', { version: old })).status, 200);
  rig.advance(MINUTE);
  assert.deepEqual(await instances(), [1, 2]);
  for (const body of [
    { scaleBy: 2, apps: [] },
    { version: old, dependencies: [] },
    { version: old, scaleBy: 2 },
  ]) {
    const { status, body: told } = await ask('PUT', '/v2/groups/prod', body);
    assert.equal(status, 422);
    assert.match(told, /not allowed in conjunction with other properties/);
  }
  assert.equal((await ask('PUT', '/v2/groups/prod', { version: '2001-01-01T00:00:00.000Z' })).status, 422);
  assert.equal((await ask('PUT', '/v2/groups/prod', { scaleBy: -1 })).status, 422);
  assert.equal((await ask('GET', '/v2/groups/prod/versions/yesterday')).status, 422);
  assert.equal((await ask('GET', '/v2/groups/prod/versions/2001-01-01T00:00:00.000Z')).status, 404);
});

test('PATCH sets enforceRole of a top-level group without a deployment', async (t) => {
  const { ask } = await withTree(t);
  const patched = await ask('PATCH', '/v2/groups/prod', { enforceRole: true });
  assert.deepEqual([patched.status, patched.body], [200, '']);
  assert.equal((await ask('GET', '/v2/groups/prod')).json.enforceRole, true);
  assert.deepEqual((await ask('GET', '/v2/deployments')).json, []);
  const both = await ask('PUT', '/v2/groups/prod', { enforceRole: false, apps: [] });
  assert.deepEqual([both.status, both.json.details[0].path], [422, '/enforceRole']);
  const below = await ask('PUT', '/v2/groups', {
    groups: [{ id: 'prod', enforceRole: false, groups: [{ id: 'x', apps: [] }] }],
  });
  assert.deepEqual([below.status, below.json.details[0].path], [422, '/groups(0)/enforceRole']);
  assert.equal((await ask('PUT', '/v2/groups/prod', { enforceRole: true, apps: [] })).status, 200, 'it is so already');
  assert.equal((await ask('PATCH', '/v2/groups/prod/front', { enforceRole: true })).status, 422);
  assert.equal((await ask('PATCH', '/v2/groups/prod', { enforceRole: 'yes' })).status, 422);
  assert.equal((await ask('PATCH', '/v2/groups/prod', {})).status, 422);
});

test('a group is deleted with all that is in it; without a name all there is', async (t) => {
  const { ask, rig } = await withTree(t);
  const gone = await ask('DELETE', '/v2/groups/prod/front');
  assert.deepEqual([gone.status, gone.headers['marathon-deployment-id']], [200, gone.json.deploymentId]);
  const scaled = await ask('PUT', '/v2/groups/prod', { scaleBy: 2 });
  const locked = await ask('DELETE', '/v2/groups/prod');
  assert.deepEqual([locked.status, locked.json.deployments], [409, [{ id: scaled.json.deploymentId }]]);
  assert.equal((await ask('DELETE', '/v2/groups?force=true')).status, 200);
  rig.advance(MINUTE);
  assert.deepEqual((await ask('GET', '/v2/groups')).json.groups, []);
  assert.deepEqual((await ask('GET', '/v2/apps')).json.apps, []);
});

test('a circle of five thousand apps is named at once, and nothing of it is kept', async (t) => {
  const { ask } = await serve(t);
  const apps = Array.from({ length: 5000 }, (_, at) => ({
    id: `app-${at}`,
    cmd: 'sleep 1',
    dependencies: [`/big/app-${(at + 1) % 5000}`],
  }));
  const before = (await ask('GET', '/v2/groups')).body;
  const { status, json } = await ask('POST', '/v2/groups', { id: '/big', apps });
  assert.equal(status, 422);
  assert.equal(json.message, 'Object is not valid');
  assert.match(json.details[0].errors[0], /cyclic dependencies.*\/big\/app-0 -> \/big\/app-1 -> .* -> \/big\/app-0$/);
  assert.equal((await ask('GET', '/v2/groups')).body, before);
});

test('bodies that are none, and methods that there are not, are refused', async (t) => {
  const { ask } = await withTree(t);
  assert.equal((await ask('PUT', '/v2/groups/prod', '')).status, 400);
  assert.equal((await ask('PUT', '/v2/groups/prod', '{')).status, 400);
  for (const body of ['null', '5', '[]', '"x"', '{"apps":{}}', '{"groups":[{}]}', '{"groups":[{"groups":[]}]}']) {
    const { status, json } = await ask('PUT', '/v2/groups/prod', body);
    assert.equal(status, 422, body);
    assert.ok(json.details.length > 0, body);
  }
  const wrong = await ask('PUT', '/v2/groups/prod', { apps: [{ id: 'x', cmd: 'sleep 1', cpus: 'many' }] });
  assert.deepEqual(wrong.json.details[0].path, '/apps(0)/cpus');
  assert.equal((await ask('TRACE', '/v2/groups')).status, 405);
});

test('apps, pods and groups never have the same id, whichever comes first', async (t) => {
  const { ask } = await withTree(t);
  const pod = { containers: [{ name: 'c', exec: { command: { shell: 'sleep 1' } } }] };
  const before = (await ask('GET', '/v2/groups')).body;
  for (const [method, path, body] of [
    ['POST', '/v2/apps', { id: '/prod/back/db/more', cmd: 'sleep 1' }],
    ['PUT', '/v2/apps/prod/back/db/more', { cmd: 'sleep 1' }],
    ['PUT', '/v2/apps', [{ id: '/prod/back/db/more', cmd: 'sleep 1' }]],
    ['POST', '/v2/pods', { id: '/prod/back/db/more', ...pod }],
    ['POST', '/v2/groups', { id: '/prod/back/db/more' }],
    ['PUT', '/v2/groups/prod/back', { groups: [{ id: 'db' }] }],
    ['PUT', '/v2/groups', { groups: [{ id: 'x', apps: [{ id: 'y', cmd: 'sleep 1' }], groups: [{ id: 'y' }] }] }],
  ] as const) {
    const { status, body: told } = await ask(method, path, body);
    assert.equal(status, 422, `${method} ${path}: ${told}`);
    assert.match(told, /there is an? (app or a pod|group) with the id/);
  }
  for (const [method, path, body] of [
    ['POST', '/v2/apps', { id: '/prod/back', cmd: 'sleep 1' }],
    ['PUT', '/v2/apps/prod/back', { cmd: 'sleep 1' }],
    ['POST', '/v2/pods', { id: '/prod/back', ...pod }],
    ['POST', '/v2/pods', { id: '/prod/back/db', ...pod }],
  ] as const) {
    assert.equal((await ask(method, path, body)).status, 409, `${method} ${path}`);
  }
  assert.equal((await ask('GET', '/v2/groups')).body, before);
});
