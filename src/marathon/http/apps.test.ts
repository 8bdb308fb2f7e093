/** `/v2/apps`, as clients use it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Served, serve } from './serving.fixture.ts';

const MINUTE = 60_000;

async function withApp(t: Parameters<typeof serve>[0], more: object = {}): Promise<Served> {
  const served = await serve(t);
  served.rig.addAgent('host1');
  const made = await served.ask('POST', '/v2/apps', { id: '/prod/web', cmd: 'sleep 1', instances: 2, ...more });
  assert.equal(made.status, 201, made.body);
  served.rig.advance(MINUTE);
  return served;
}

test('a new app is answered as it is, with counts, its deployment and where it is', async (t) => {
  const { ask, port } = await serve(t);
  const made = await ask('POST', '/v2/apps', { id: 'prod/web', cmd: 'sleep 1' });
  assert.equal(made.status, 201);
  assert.equal(made.headers['content-type'], 'application/json');
  assert.equal(made.headers.location, `http://127.0.0.1:${port}/prod/web`);
  assert.equal(made.headers['marathon-deployment-id'], made.json.deployments[0].id);
  assert.equal(made.json.id, '/prod/web');
  assert.deepEqual(
    [made.json.tasksStaged, made.json.tasksRunning, made.json.tasksHealthy, made.json.tasksUnhealthy],
    [0, 0, 0, 0],
  );
  assert.equal(made.json.versionInfo, undefined);
  assert.equal(made.json.tasks, undefined);
  for (const never of ['ports', 'uris', 'ipAddress']) assert.equal(never in made.json, false, never);
  for (const always of ['labels', 'networks', 'executor', 'upgradeStrategy', 'unreachableStrategy', 'version']) {
    assert.ok(always in made.json, always);
  }
  const again = await ask('POST', '/v2/apps', { id: '/prod/web', cmd: 'sleep 1' });
  assert.deepEqual([again.status, again.json], [409, { message: 'An app with id [/prod/web] already exists.' }]);
});

test('every answer of the leader says who it is, and that it must not be kept', async (t) => {
  const { ask, port } = await serve(t);
  for (const path of ['/v2/apps', '/v2/apps/nope', '/ping', '/v2/info', '/nope']) {
    const { headers } = await ask('GET', path);
    assert.equal(headers['x-marathon-leader'], `http://127.0.0.1:${port}`, path);
    assert.equal(headers['cache-control'], 'no-cache, no-store, must-revalidate');
    assert.equal(headers.pragma, 'no-cache');
    assert.equal(headers.expires, '0');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-xss-protection'], '1; mode=block');
    assert.equal(headers.server, undefined);
  }
});

test('an app is shown with its tasks, counts and deployments, and on request with more', async (t) => {
  const { ask } = await withApp(t);
  const shown = await ask('GET', '/v2/apps/prod/web');
  const { app } = shown.json;
  assert.deepEqual([app.tasksRunning, app.tasks.length, app.deployments], [2, 2, []]);
  assert.equal(app.tasks[0].host, 'host1');
  assert.equal(app.tasks[0].state, 'TASK_RUNNING');
  assert.deepEqual(app.tasks[0].servicePorts, []);
  assert.ok(app.versionInfo.lastConfigChangeAt);
  assert.equal('taskStats' in app || 'readinessCheckResults' in app, false);
  const more = await ask('GET', '/v2/apps/prod/web?embed=app.taskStats&embed=apps.readiness&embed=unknown');
  assert.deepEqual(more.json.app.readinessCheckResults, []);
  assert.deepEqual(more.json.app.taskStats.totalSummary.stats.counts, {
    staged: 0,
    running: 2,
    healthy: 0,
    unhealthy: 0,
  });
  assert.equal(more.json.app.tasksStats, undefined);
});

test('ids may have slashes before, after and twice, or be encoded', async (t) => {
  const { ask } = await withApp(t);
  const paths = ['//prod/web', '/prod/web/', '/prod//web', '/%2Fprod%2Fweb', '/prod/./web'];
  for (const path of paths) {
    const { status, json } = await ask('GET', `/v2/apps${path}`);
    assert.deepEqual([status, json.app?.id], [200, '/prod/web'], path);
  }
});

test('apps are listed by id, command and labels; all of these have to hold', async (t) => {
  const { ask } = await serve(t);
  const make = (id: string, cmd: string, labels: object): Promise<unknown> =>
    ask('POST', '/v2/apps', { id, cmd, labels, instances: 0 });
  await make('/prod/web', 'Serve Pages', { env: 'prod', tier: 'web' });
  await make('/prod/db', 'keep rows', { env: 'prod', tier: 'data' });
  await make('/test/web', 'serve pages', { env: 'test', 'odd key': 'a,b', 'my-key': '' });
  const ids = async (query: string): Promise<readonly string[]> => {
    const { status, json, body } = await ask('GET', `/v2/apps${query}`);
    assert.equal(status, 200, body);
    return json.apps.map(({ id }: { readonly id: string }) => id).sort();
  };
  const label = (text: string): Promise<readonly string[]> => ids(`?label=${encodeURIComponent(text)}`);
  assert.deepEqual(await ids(''), ['/prod/db', '/prod/web', '/test/web']);
  assert.deepEqual(await ids('?id=PROD'), ['/prod/db', '/prod/web']);
  assert.deepEqual(await ids('?cmd=serve'), ['/prod/web', '/test/web']);
  assert.deepEqual(await ids('?cmd=serve&id=prod'), ['/prod/web']);
  assert.deepEqual(await ids('?cmd=serve&id=prod&label=tier==data'), []);
  assert.deepEqual(await ids('?id=db&id=web'), ['/prod/db'], 'of a repeated parameter the first counts');
  assert.deepEqual(await label('env==prod'), ['/prod/db', '/prod/web']);
  assert.deepEqual(await label('env!=prod'), ['/test/web']);
  assert.deepEqual(await label('tier!=web'), ['/prod/db'], 'who has no such label is left out');
  assert.deepEqual(await label(' env in ( prod , test ) , tier '), ['/prod/db', '/prod/web']);
  assert.deepEqual(await label('env notin (prod)'), ['/test/web']);
  assert.deepEqual(await label('tier notin (web)'), ['/prod/db']);
  assert.deepEqual(await label('tier'), ['/prod/db', '/prod/web']);
  assert.deepEqual(await label('my-key'), ['/test/web']);
  assert.deepEqual(await label('odd\\ key==a\\,b'), ['/test/web']);
  assert.deepEqual(await label('odd\\ key in (a\\,b)'), ['/test/web']);
  assert.deepEqual(await label(''), ['/prod/db', '/prod/web', '/test/web']);
  assert.deepEqual(await label('toString'), [], 'no label of anybody');
  for (const wrong of ['env=prod', 'env==', '==prod', 'env in prod', 'env in (a', 'a,,b', 'a,', 'a b', 'env notin']) {
    const { status, json } = await ask('GET', `/v2/apps?label=${encodeURIComponent(wrong)}`);
    assert.equal(status, 422, wrong);
    assert.match(json.message, /^Can not parse label selector/);
  }
});

test('apps below a group are listed under a star', async (t) => {
  const { ask } = await withApp(t);
  await ask('POST', '/v2/apps', { id: '/other', cmd: 'xx', instances: 0 });
  const ids = async (path: string): Promise<unknown> =>
    (await ask('GET', path)).json['*'].map(({ id }: { readonly id: string }) => id).sort();
  assert.deepEqual(await ids('/v2/apps/prod/*'), ['/prod/web']);
  assert.deepEqual(await ids('/v2/apps/*'), ['/other', '/prod/web']);
  const [shown] = (await ask('GET', '/v2/apps/prod/*')).json['*'];
  assert.deepEqual([shown.tasks.length, shown.tasksRunning, shown.deployments], [2, 2, []], 'as an app alone is shown');
  const unknown = await ask('GET', '/v2/apps/nope/*');
  assert.deepEqual([unknown.status, unknown.json], [404, { message: "Group '/nope' does not exist" }]);
});

test('PUT merges, or replaces where partialUpdate says no; PATCH needs an app that is there', async (t) => {
  const { ask, rig, port } = await withApp(t, { env: { A: '1' } });
  const app = async (): Promise<Record<string, unknown>> => (await ask('GET', '/v2/apps/prod/web')).json.app;
  const merged = await ask('PUT', '/v2/apps/prod/web', { id: '/something/else', mem: 64 });
  assert.equal(merged.status, 200);
  assert.deepEqual(Object.keys(merged.json), ['version', 'deploymentId']);
  assert.equal(merged.headers['marathon-deployment-id'], merged.json.deploymentId);
  assert.equal(merged.headers.location, undefined);
  rig.advance(MINUTE);
  assert.deepEqual([(await app()).mem, (await app()).env], [64, { A: '1' }]);
  assert.equal((await ask('PUT', '/v2/apps/prod/web?partialUpdate=false', { cmd: 'yy' })).status, 200);
  rig.advance(MINUTE);
  assert.deepEqual([(await app()).mem, (await app()).env, (await app()).instances], [128, undefined, 1]);
  assert.equal((await ask('PATCH', '/v2/apps/prod/web', { mem: 32 })).status, 200);
  rig.advance(MINUTE);
  assert.deepEqual([(await app()).mem, (await app()).cmd], [32, 'yy']);
  const created = await ask('PUT', '/v2/apps/prod/new', { cmd: 'xx', instances: 0 });
  assert.deepEqual([created.status, created.headers.location], [201, `http://127.0.0.1:${port}/prod/new`]);
  const absent = await ask('PATCH', '/v2/apps/nope', { mem: 32 });
  assert.deepEqual([absent.status, absent.json], [404, { message: "App '/nope' does not exist" }]);
});

test('an app that is put as a whole is read as a new one is: with a port, and whatever version it names', async (t) => {
  const { ask, rig } = await withApp(t);
  const ports = async (id: string): Promise<readonly string[]> =>
    (await ask('GET', `/v2/apps${id}`)).json.app.portDefinitions.map(({ name }: { readonly name: string }) => name);
  const whole = { cmd: 'sleep 2', instances: 0, version: '2001-01-01T00:00:00.000Z' };
  assert.equal((await ask('PUT', '/v2/apps/new', whole)).status, 201);
  assert.deepEqual(await ports('/new'), ['default']);
  const { app } = (await ask('GET', '/v2/apps/prod/web')).json;
  const back = await ask('PUT', '/v2/apps/prod/web?partialUpdate=false', {
    ...app,
    cmd: 'sleep 3',
    portDefinitions: null,
  });
  assert.equal(back.status, 200, back.body);
  assert.deepEqual(await ports('/prod/web'), ['default']);
  rig.advance(5 * MINUTE);
  const many = [
    { id: '/prod/web', cmd: 'sleep 4', version: app.version },
    { id: '/more', ...whole },
  ];
  assert.equal(
    (await ask('PUT', '/v2/apps', many)).status,
    422,
    'an update cannot change something and go back at once',
  );
  assert.equal((await ask('PUT', '/v2/apps?partialUpdate=false', many)).status, 200);
  assert.deepEqual(await ports('/more'), ['default']);
  const wrong = await ask('PUT', '/v2/apps', [
    { id: '/prod/web', mem: 64 },
    { id: '/x', cmd: 'sleep 1', ports: [1, 1] },
  ]);
  assert.deepEqual([wrong.status, wrong.json.details[0].path], [422, '(1)']);
});

test('who posted an app is told with the app as it became', async (t) => {
  const { ask, rig } = await withApp(t);
  const put = await ask('PUT', '/v2/apps/prod/web', { mem: 64 });
  const told = rig.events('api_post_event').at(-1);
  assert.ok(told?.eventType === 'api_post_event');
  const { appDefinition } = told.fields;
  assert.ok(appDefinition.kind === 'app');
  assert.deepEqual([appDefinition.mem, appDefinition.version], [64, Date.parse(put.json.version)]);
});

test('an app goes back to an earlier version, alone and by its instant', async (t) => {
  const { ask, rig } = await withApp(t);
  const first = (await ask('GET', '/v2/apps/prod/web')).json.app.version;
  await ask('PUT', '/v2/apps/prod/web', { cmd: 'sleep 2' });
  rig.advance(MINUTE);
  const { versions } = (await ask('GET', '/v2/apps/prod/web/versions')).json;
  assert.equal(versions.length, 2);
  assert.ok(versions.includes(first));
  const old = await ask('GET', `/v2/apps/prod/web/versions/${first}`);
  assert.deepEqual([old.status, old.json.cmd, old.json.id], [200, 'sleep 1', '/prod/web']);
  assert.equal((await ask('PUT', '/v2/apps/prod/web', { version: first })).status, 200);
  rig.advance(MINUTE);
  assert.equal((await ask('GET', '/v2/apps/prod/web')).json.app.cmd, 'sleep 1');
  const both = await ask('PUT', '/v2/apps/prod/web', { version: first, cmd: 'xx' });
  assert.equal(both.status, 422);
  const unknown = await ask('PUT', '/v2/apps/prod/web', { version: '2001-01-01T00:00:00.000Z' });
  assert.equal(unknown.status, 422);
  assert.match(unknown.json.message, /has no version 2001-01-01T00:00:00.000Z/);
  const absent = await ask('GET', '/v2/apps/prod/web/versions/2001-01-01T00:00:00.000Z');
  assert.deepEqual(
    [absent.status, absent.json],
    [404, { message: "App '/prod/web' does not exist in version 2001-01-01T00:00:00.000Z" }],
  );
  assert.equal((await ask('GET', '/v2/apps/prod/web/versions/yesterday')).status, 422);
  assert.equal((await ask('GET', '/v2/apps/nope/versions')).status, 404);
  assert.equal((await ask('GET', `/v2/apps/nope/versions/${first}`)).status, 404);
});

test('several apps change by one deployment, or none of them', async (t) => {
  const { ask, rig } = await withApp(t);
  const put = await ask('PUT', '/v2/apps', [
    { id: '/prod/web', instances: 1 },
    { id: '/prod/more', cmd: 'xx', instances: 0 },
  ]);
  assert.equal(put.status, 200);
  assert.ok(put.json.deploymentId);
  rig.advance(MINUTE);
  assert.equal((await ask('GET', '/v2/apps')).json.apps.length, 2);
  const before = (await ask('GET', '/v2/groups')).body;
  const unknown = await ask('PATCH', '/v2/apps', [
    { id: '/prod/web', mem: 32 },
    { id: '/nope', mem: 32 },
  ]);
  assert.deepEqual([unknown.status, unknown.json], [404, { message: "App '/nope' does not exist" }]);
  const nameless = await ask('PUT', '/v2/apps', [{ cmd: 'xx' }]);
  assert.deepEqual(
    [nameless.status, nameless.json],
    [
      422,
      {
        message: 'Invalid JSON',
        details: [
          { path: '(0)/id', errors: ['error.path.missing', 'is missing: each app has to say which one it is'] },
        ],
      },
    ],
  );
  assert.equal((await ask('PUT', '/v2/apps', { id: '/prod/web' })).status, 422);
  assert.equal((await ask('PUT', '/v2/apps', [null, 5, 'xx'])).status, 422);
  assert.equal((await ask('GET', '/v2/groups')).body, before);
  assert.equal((await ask('PATCH', '/v2/apps', [{ id: '/prod/web', mem: 32 }])).status, 200);
});

test('restart and delete start deployments; of what is not there they tell', async (t) => {
  const { ask, rig } = await withApp(t);
  const before = rig.running('/prod/web').map(({ id }) => id);
  const restart = await ask('POST', '/v2/apps/prod/web/restart');
  assert.deepEqual([restart.status, restart.headers['marathon-deployment-id']], [200, restart.json.deploymentId]);
  rig.advance(5 * MINUTE);
  assert.ok(rig.running('/prod/web').every(({ id }) => !before.includes(id)));
  assert.equal((await ask('DELETE', '/v2/apps/prod/web')).status, 200);
  rig.advance(MINUTE);
  for (const [method, path] of [
    ['GET', '/v2/apps/prod/web'],
    ['DELETE', '/v2/apps/prod/web'],
    ['POST', '/v2/apps/prod/web/restart'],
    ['GET', '/v2/apps/prod/web/tasks'],
    ['DELETE', '/v2/apps/prod/web/tasks'],
    ['DELETE', '/v2/apps/prod/web/tasks/x'],
    ['GET', '/v2/apps/prod/web/versions'],
  ] as const) {
    const { status, json } = await ask(method, path);
    assert.deepEqual([status, json], [404, { message: "App '/prod/web' does not exist" }], `${method} ${path}`);
  }
});

test('what is being deployed is locked: the ids of the deployments are told, and force gives them up', async (t) => {
  const { ask, rig } = await serve(t);
  const made = await ask('POST', '/v2/apps', { id: '/web', cmd: 'xx' });
  const holder = made.json.deployments[0].id;
  for (const [method, path, body] of [
    ['PUT', '/v2/apps/web', { cmd: 'yy' }],
    ['PATCH', '/v2/apps/web', { cmd: 'yy' }],
    ['PUT', '/v2/apps', [{ id: '/web', cmd: 'yy' }]],
    ['POST', '/v2/apps/web/restart', undefined],
    ['DELETE', '/v2/apps/web?force=false', undefined],
    ['PUT', '/v2/apps/web?force=yes', { cmd: 'yy' }],
    ['PUT', '/v2/groups', { apps: [] }],
    ['DELETE', '/v2/groups', undefined],
  ] as const) {
    const { status, json } = await ask(method, path, body);
    assert.equal(status, 409, `${method} ${path}`);
    assert.deepEqual(json.deployments, [{ id: holder }]);
    assert.match(json.message, /^App is locked by one or more deployments\./);
  }
  assert.equal((await ask('PUT', '/v2/apps/web?force=True', { cmd: 'yy' })).status, 200);
  assert.equal(rig.events('deployment_failed').length, 1);
  assert.equal((await ask('DELETE', '/v2/apps/web')).status, 200, 'a delete is forced unless it says otherwise');
});

test('bodies that cannot be read are refused, with what is wrong and where', async (t) => {
  const { ask } = await serve(t);
  const post = (body: string, headers = {}) => ask('POST', '/v2/apps', body, headers);
  const broken = await post('{"id": ');
  assert.deepEqual([broken.status, broken.json.message, typeof broken.json.details], [400, 'Invalid JSON', 'string']);
  const empty = await post('');
  assert.deepEqual([empty.status, empty.json.message], [400, 'Please specify data in JSON format']);
  const deep = await post('['.repeat(100_000));
  assert.deepEqual([deep.status, deep.json.message], [400, 'Invalid JSON']);
  assert.equal(
    (await post(`{"id":"/x","cmd":"${'['.repeat(2000)}","instances":0}`)).status,
    201,
    'in a string it is fine',
  );
  const form = await post('{"id":"/y","cmd":"xx"}', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.deepEqual([form.status, form.json.message], [415, 'Unsupported Media Type']);
  assert.match(form.json.details, /Content-Type: application\/json/);
  const charset = await post('{"id":"/y","cmd":"xx"}', { 'content-type': 'application/json; charset=utf-8' });
  assert.equal(charset.status, 201);
  const typed = await post('{"id":5,"cpus":"much","instances":-1}');
  assert.equal(typed.status, 422);
  assert.equal(typed.json.message, 'Invalid JSON');
  const first = Object.fromEntries(
    typed.json.details.map(({ path, errors }: { path: string; errors: readonly string[] }) => [path, errors[0]]),
  );
  assert.deepEqual(first, {
    '/id': 'error.expected.jsstring',
    '/cpus': 'error.expected.jsnumber',
    '/instances': 'error.min',
  });
  const wrong = await post(
    '{"id":"/z","cmd":"xx","upgradeStrategy":{"minimumHealthCapacity":1,"maximumOverCapacity":0},"args":["x"]}',
  );
  assert.deepEqual([wrong.status, wrong.json.message], [422, 'Object is not valid']);
  assert.ok(Array.isArray(wrong.json.details[0].errors));
});

test('a path that makes no sense is refused in JSON like everything else', async (t) => {
  const { ask } = await serve(t);
  for (const path of ['/v2/apps/%', '/v2/apps/%zz', '/v2/groups/%ff', '/%']) {
    const { status, json } = await ask('GET', path);
    assert.equal(status, 400, path);
    assert.match(json.message, /is not percent-encoded correctly/);
  }
});

test('methods and forms that there are not are refused; HEAD and OPTIONS are known everywhere', async (t) => {
  const { ask } = await withApp(t);
  for (const [method, path, allow] of [
    ['DELETE', '/v2/apps', 'GET, POST, PUT, PATCH'],
    ['POST', '/v2/apps/prod/web', 'GET, PUT, PATCH, DELETE'],
    ['GET', '/v2/apps/prod/web/restart', 'POST'],
    ['POST', '/v2/apps/prod/web/tasks', 'GET, DELETE'],
    ['DELETE', '/v2/apps/prod/*/tasks', 'GET'],
    ['GET', '/v2/apps/prod/web/tasks/x', 'DELETE'],
    ['POST', '/v2/apps/prod/web/versions', 'GET'],
    ['DELETE', '/v2/apps/prod/web/versions/x', 'GET'],
  ] as const) {
    const { status, json, headers } = await ask(method, path);
    assert.deepEqual([status, json.message, headers.allow], [405, 'Method Not Allowed', allow], `${method} ${path}`);
  }
  const head = await ask('HEAD', '/v2/apps');
  assert.deepEqual([head.status, head.body, head.headers['content-type']], [200, '', 'application/json']);
  assert.equal((await ask('HEAD', '/v2/apps/nope')).status, 404);
  assert.equal((await ask('HEAD', '/v2/apps/prod/web/versions')).status, 200);
  const options = await ask('OPTIONS', '/v2/apps/prod/web');
  assert.deepEqual([options.status, options.headers.allow], [200, 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS']);
  const image = await ask('GET', '/v2/apps', undefined, { accept: 'image/png' });
  assert.deepEqual([image.status, image.json.message], [406, 'Not Acceptable']);
  const browser = await ask('GET', '/v2/apps', undefined, { accept: 'text/html,*/*;q=0.8' });
  assert.equal(browser.status, 200);
});

test('apps whose names are words of the API are apps where nothing stands before them', async (t) => {
  const { ask } = await serve(t);
  for (const name of ['tasks', 'versions', 'restart']) {
    assert.deepEqual((await ask('GET', `/v2/apps/${name}`)).json, { message: `App '/${name}' does not exist` });
  }
});
