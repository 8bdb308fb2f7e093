/** What is about Marathon and not about apps: info, leader, ping, metrics, the log; and what holds for all requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { serve } from './serving.fixture.ts';

test('ping is answered in the form that is asked for', async (t) => {
  const { ask } = await serve(t);
  const ping = async (accept?: string): Promise<unknown> => {
    const { status, body, headers } = await ask('GET', '/ping', undefined, accept === undefined ? {} : { accept });
    return [status, body, headers['content-type']];
  };
  const text = [200, 'pong', 'text/plain; charset=utf-8'];
  for (const accept of [undefined, '*/*', 'text/plain', 'text/html', 'text/*'])
    assert.deepEqual(await ping(accept), text);
  assert.deepEqual(await ping('application/json'), [200, '"pong"', 'application/json']);
  assert.deepEqual(await ping('image/png'), [204, '', undefined]);
  assert.equal((await ask('POST', '/ping')).status, 405);
  assert.equal((await ask('GET', '/ping/pong')).status, 404);
});

test('info tells who this is, by which flags it runs, and no secret', async (t) => {
  const { ask, port } = await serve(t, {
    flags: [
      '--framework_name=ours',
      '--zk=zk://user:geheim@127.0.0.1:2181/marathon',
      '--enable_features=vips,secrets',
      '--http_port=8081',
    ],
  });
  const { status, json, body } = await ask('GET', '/v2/info');
  assert.equal(status, 200);
  assert.deepEqual([json.name, json.frameworkId, json.elected, json.leader], ['ours', 'f', true, `127.0.0.1:${port}`]);
  assert.match(json.version, /^1\.\d+\.\d+$/);
  assert.equal(typeof json.buildref, 'string');
  assert.deepEqual(json.marathon_config.features, ['vips', 'secrets']);
  assert.equal(json.marathon_config.hostname, null);
  assert.equal(json.marathon_config.failover_timeout, 604_800);
  assert.equal(json.zookeeper_config.zk, 'zk://xxxxxxxx:xxxxxxxx@127.0.0.1:2181/marathon');
  assert.deepEqual(json.http_config, { http_port: 8081, https_port: 8443 });
  assert.doesNotMatch(body, /geheim/);
  assert.equal((await ask('PUT', '/v2/info', {})).headers.allow, 'GET');
});

test('the leader is told, and gives up on request', async (t) => {
  const { ask, port, abdications } = await serve(t);
  assert.deepEqual((await ask('GET', '/v2/leader')).json, { leader: `127.0.0.1:${port}` });
  assert.equal((await ask('POST', '/v2/leader', {})).headers.allow, 'GET, DELETE');
  assert.equal(abdications(), 0);
  const gone = await ask('DELETE', '/v2/leader');
  assert.deepEqual([gone.status, gone.json, abdications()], [200, { message: 'Leadership abdicated' }, 1]);
});

test('metrics come as JSON and for Prometheus', async (t) => {
  const { ask, rig } = await serve(t, { flags: ['--metrics_name_prefix=m'] });
  rig.addAgent('host1');
  await ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1', instances: 2 });
  rig.advance(60_000);
  const { json } = await ask('GET', '/metrics');
  assert.deepEqual(Object.keys(json), ['version', 'counters', 'gauges', 'histograms', 'meters', 'timers']);
  assert.deepEqual(json.gauges['m.apps.active.gauge'], { value: 1 });
  assert.deepEqual(json.gauges['m.instances.running.gauge'], { value: 2 });
  assert.deepEqual(json.counters['m.tasks.launched.counter'], { count: 2 });
  const scraped = await ask('GET', '/metrics/prometheus', undefined, {
    accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
  });
  assert.deepEqual(
    [scraped.status, scraped.headers['content-type']],
    [200, 'text/plain; version=0.0.4; charset=utf-8'],
  );
  assert.match(scraped.body, /^# TYPE m_apps_active_gauge gauge\nm_apps_active_gauge 1$/m);
  for (const line of scraped.body.trimEnd().split('\n'))
    assert.match(line, /^(# TYPE )?[a-z0-9_]+ (gauge|counter|[\d.e+-]+)$/);
  assert.equal((await ask('POST', '/metrics', {})).status, 405);
});

test('metrics for Prometheus can be turned off', async (t) => {
  const { ask } = await serve(t, { flags: ['--disable_metrics_prometheus'] });
  const { status, json } = await ask('GET', '/metrics/prometheus');
  assert.deepEqual([status, json.message], [404, 'Turned off by --disable_metrics_prometheus']);
});

test('the level of the log is shown and changed, for a while if it says so', async (t) => {
  const { ask, rig } = await serve(t);
  const level = async (): Promise<unknown> => (await ask('GET', '/logging')).json;
  assert.deepEqual(await level(), { ROOT: 'INFO' });
  const wanted = { level: 'debug', logger: 'ROOT', durationSeconds: 10 };
  assert.deepEqual((await ask('POST', '/logging', wanted)).json, wanted);
  assert.deepEqual(await level(), { ROOT: 'DEBUG' });
  rig.advance(10_000);
  assert.deepEqual(await level(), { ROOT: 'INFO' });
  assert.equal((await ask('POST', '/logging', { level: 'trace', logger: 'mesosphere' })).status, 200);
  rig.advance(1_000_000);
  assert.deepEqual(await level(), { ROOT: 'TRACE' });
  for (const [body, path] of [
    [{ level: 'loud', logger: 'ROOT' }, '/level'],
    [{ logger: 'ROOT' }, '/level'],
    [{ level: 'info', logger: '' }, '/logger'],
    [{ level: 'info', logger: 'ROOT', durationSeconds: 'long' }, '/durationSeconds'],
    [{ level: 'info', logger: 'ROOT', durationSeconds: -1 }, '/durationSeconds'],
    [null, '/level'],
  ] as const) {
    const { status, json } = await ask('POST', '/logging', body);
    assert.deepEqual([status, json.details[0].path], [422, path], JSON.stringify(body));
  }
  assert.equal((await ask('POST', '/logging', '{')).status, 400);
  assert.equal((await ask('DELETE', '/logging')).headers.allow, 'GET, POST');
});

test('flags are shown without secrets', async (t) => {
  const { ask } = await serve(t, { flags: ['--mesos_authentication_secret=geheim', '--framework_name=ours'] });
  const { status, json, body } = await ask('GET', '/config');
  assert.deepEqual([status, json.framework_name, json.mesos_authentication_secret], [200, 'ours', '***']);
  assert.doesNotMatch(body, /geheim/);
});

test('there are no plugins, and no subscriptions by callback', async (t) => {
  const { ask } = await serve(t);
  assert.deepEqual((await ask('GET', '/v2/plugins')).json, { plugins: [] });
  const plugin = await ask('PUT', '/v2/plugins/x/a/b', {});
  assert.deepEqual([plugin.status, plugin.json], [404, { message: 'No plugin with this pluginId: x' }]);
  assert.equal((await ask('POST', '/v2/plugins')).status, 405);
  assert.deepEqual((await ask('GET', '/v2/eventSubscriptions')).json, { callbackUrls: [] });
  assert.equal((await ask('POST', '/v2/eventSubscriptions?callbackUrl=http://x')).status, 404);
});

test('paths that mean nothing are 404 with a sentence, and the root leads to the pages', async (t) => {
  const { ask } = await serve(t);
  for (const path of ['/nope', '/v2', '/v2/nope', '/v2/artifacts', '/v2/schemas/app', '/v2/info/x', '/v2/leader/x']) {
    const { status, json } = await ask('GET', path);
    assert.deepEqual([status, json.message], [404, `URI not found: there is no ${path}`]);
  }
  const { status, headers } = await ask('GET', '/');
  assert.deepEqual([status, headers.location], [302, '/ui/']);
  assert.equal((await ask('GET', '/v2/apps/%zz')).status, 400);
});

test('who has to show a name and a password is asked for them, everywhere', async (t) => {
  const { ask } = await serve(t, { flags: ['--http_credentials=ann:pa:ss', '--http_realm=Ours'] });
  const with_ = (text: string): object => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  for (const path of ['/ping', '/v2/apps', '/metrics', '/']) {
    const { status, headers } = await ask('GET', path);
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Basic realm="Ours"'], path);
  }
  for (const wrong of ['ann:', 'ann:pa', 'bob:pa:ss', 'ann:pa:ss ', '']) {
    assert.equal((await ask('GET', '/ping', undefined, with_(wrong) as never)).status, 401, wrong);
  }
  assert.equal((await ask('GET', '/ping', undefined, { authorization: 'Bearer x' })).status, 401);
  assert.equal((await ask('GET', '/ping', undefined, with_('ann:pa:ss') as never)).status, 200);
  const scheme = { authorization: `basic ${Buffer.from('ann:pa:ss').toString('base64')}` };
  assert.equal((await ask('GET', '/ping', undefined, scheme)).status, 200, 'the scheme is written in any case');
});

test('pages from named origins may use the API', async (t) => {
  const { ask } = await serve(t, { flags: ['--access_control_allow_origin=http://a, http://b'] });
  const from = async (origin?: string): Promise<unknown> =>
    (await ask('GET', '/ping', undefined, origin === undefined ? {} : { origin })).headers[
      'access-control-allow-origin'
    ];
  assert.deepEqual(
    [await from('http://a'), await from('http://b'), await from('http://c')],
    ['http://a', 'http://b', 'http://b'],
  );
  const preflight = await ask('OPTIONS', '/v2/apps', undefined, {
    origin: 'http://a',
    'access-control-request-headers': 'x-thing',
  });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers['access-control-allow-headers'], 'x-thing');
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET, HEAD, OPTIONS');
  assert.equal(preflight.headers['access-control-max-age'], '86400');
});

test('without that flag nothing is said of origins', async (t) => {
  const { ask } = await serve(t);
  const { headers } = await ask('GET', '/ping', undefined, { origin: 'http://a' });
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('long answers are compressed for who takes that, unless it is turned off', async (t) => {
  const apps = Array.from({ length: 20 }, (_, at) => ({ id: `/app-${at}`, cmd: 'sleep 1', instances: 0 }));
  for (const [flags, encoding] of [
    [[], 'gzip'],
    [['--disable_http_compression'], undefined],
  ] as const) {
    const { port, ask } = await serve(t, { flags });
    await ask('PUT', '/v2/apps', apps);
    const answer = await fetch(`http://127.0.0.1:${port}/v2/apps`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(answer.headers.get('content-encoding') ?? undefined, encoding);
    assert.equal(((await answer.json()) as { readonly apps: readonly unknown[] }).apps.length, 20);
    const plain = await ask('GET', '/v2/apps');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.json.apps.length, 20);
  }
  assert.throws(() => gunzipSync('plain'));
});

test('more requests than may be at the same time are refused; streams do not count', async (t) => {
  const { ask, port, http, rig } = await serve(t, { flags: ['--http_max_concurrent_requests=1'] });
  const reader = new AbortController();
  await fetch(`http://127.0.0.1:${port}/v2/events`, {
    headers: { accept: 'text/event-stream' },
    signal: reader.signal,
  });
  assert.equal((await ask('GET', '/ping')).status, 200);
  let answer: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => {
    http.lead(rig.core.state, () => {
      resolve();
      return new Promise((done) => {
        answer = () => done({ ok: true });
      });
    });
  });
  const slow = ask('DELETE', '/v2/apps/x');
  await asked;
  const refused = await ask('GET', '/ping');
  assert.deepEqual([refused.status, refused.json], [503, { message: 'Too many concurrent requests! Allowed: 1.' }]);
  answer?.();
  assert.equal((await slow).status, 200);
  reader.abort();
});
