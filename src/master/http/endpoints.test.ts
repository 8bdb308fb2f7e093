import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FilesTable } from '../../http/files/table.ts';
import { createPipeline } from '../../http/pipeline.ts';
import { type HttpServer, startServer } from '../../http/server.ts';
import { RecordReader } from '../../wire/recordio.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import { Call as OperatorCall, Response as OperatorResponse } from '../../wire/v1_master.ts';
import { Call, Event } from '../../wire/v1_scheduler.ts';
import type { MasterState } from '../core/state.ts';
import { clusterState } from '../views/state.fixture.ts';
import { Answers } from './answers.ts';
import { Connections } from './connections.ts';
import { masterEndpoints } from './endpoints.ts';
import { toLeader } from './pages.ts';
import type { MasterService, Sender } from './service.ts';
import { Subscribers } from './subscribers.ts';

const READING = [
  'GET_HEALTH',
  'GET_FLAGS',
  'GET_VERSION',
  'GET_LOGGING_LEVEL',
  'GET_STATE',
  'GET_AGENTS',
  'GET_FRAMEWORKS',
  'GET_MASTER',
  'GET_QUOTA',
];

const closed: string[] = [];
const connections = new Connections((stream, reason) => void closed.push(`${stream}: ${reason}`));
const answers = new Answers();
const subscribers = new Subscribers(1, answers);
const calls: { call: Call; sender: Sender }[] = [];
const operatorCalls: unknown[] = [];
let state: MasterState | undefined = clusterState();
let leader: MasterInfo | undefined;
let server: HttpServer;
let base = '';

/** Stands in for the core: opens a stream for SUBSCRIBE, accepts everything else. */
const service: MasterService = {
  get state() {
    return state;
  },
  get leader() {
    return leader;
  },
  program: {
    build: { version: '1.12.0', build_date: 'd', build_time: 1, build_user: 'u', git_sha: 'g' },
    flags: { port: '5050' },
  },
  roleWhitelist: undefined,
  log: { get: () => 0, set: () => {}, original: 0 },
  files: new FilesTable(),
  answers,
  inverseOfferStatuses: undefined,
  allocator: undefined,
  metrics: async () => ({ 'master/elected': 1 }),
  schedulerCall(call, sender, exchange, media) {
    calls.push({ call, sender });
    const request = connections.add(exchange, media);
    if (call.type !== 'SUBSCRIBE') return connections.perform({ kind: 'reply', request, status: 202 });
    connections.perform({ kind: 'openStream', request, stream: 's1' });
    connections.perform({ kind: 'event', stream: 's1', event: { type: 'HEARTBEAT' } });
    connections.perform({ kind: 'closeStream', stream: 's1' });
  },
  operatorCall(call, _principal, exchange) {
    operatorCalls.push(call);
    connections.perform({ kind: 'reply', request: connections.add(exchange, 'application/json'), status: 200 });
  },
  subscribe(exchange, media) {
    if (state !== undefined) subscribers.add(state, exchange, media);
  },
};

before(async () => {
  const started = await startServer({ ip: '127.0.0.1', port: 0 });
  assert.ok(started.ok);
  server = started.value;
  server.use(createPipeline({ endpoints: masterEndpoints(service, () => ['master']), delegate: 'master' }));
  base = `http://127.0.0.1:${server.address.port}`;
});
after(() => server.close(0));

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(base + path, { method: 'POST', body: body as string, headers, redirect: 'manual' });
const operator = (call: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  post('/api/v1', JSON.stringify(call), { 'content-type': 'application/json', ...headers });
const scheduler = (call: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  post('/api/v1/scheduler', JSON.stringify(call), { 'content-type': 'application/json', ...headers });
const form = (path: string, body: string): Promise<Response> =>
  post(path, body, { 'content-type': 'application/x-www-form-urlencoded' });
const get = (path: string): Promise<Response> => fetch(base + path, { redirect: 'manual' });

test('the older endpoints answer JSON, with and without the process in front', async () => {
  for (const path of [
    '/state',
    '/master/state',
    '/state.json',
    '/state-summary',
    '/frameworks',
    '/slaves',
    '/tasks',
    '/roles',
    '/weights',
    '/quota',
    '/maintenance/schedule',
    '/maintenance/status',
    '/flags',
    '/version',
    '/metrics/snapshot',
    '/registrar(1)/registry',
  ]) {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get('content-type'), 'application/json', path);
    await response.json();
  }
  assert.equal(await (await get('/tasks?limit=0&jsonp=f')).text(), 'f({"tasks":[]})');
});

test('/allocator/why refuses questions about what is not known, and is there with the process in front too', async () => {
  for (const [path, said] of [
    ['/allocator/why?framework_id=x', "framework_id: no framework 'x' is known; /frameworks lists those that are"],
    ['/master/allocator/why?agent_id=x', "agent_id: no agent 'x' is known; /slaves lists those that are"],
    ['/allocator/why?role=x', "role: nobody knows the role 'x'; /roles lists those that are known"],
    ['/allocator/why?limit=-1', "limit: '-1' is not a whole number from 0 to 100000"],
  ] as const) {
    const response = await get(path);
    assert.deepEqual([response.status, await response.text()], [400, said], path);
  }
  assert.equal((await post('/allocator/why', '')).status, 405);
  const unknown = (await (await get('/allocator/why?task_id=t')).json()) as { tasks: unknown; sentence: string };
  assert.deepEqual(unknown.tasks, []);
  assert.match(unknown.sentence, /^No framework has launched a task 't'/);
});

test('the front page lists agents and endpoints', async () => {
  const response = await get('/');
  assert.equal(response.headers.get('content-type'), 'text/html');
  assert.match(await response.text(), /cpus:4.*\/state-summary/s);
});

test('/redirect leads to the leader, and nothing below it exists', async () => {
  const response = await get('/redirect?x=y');
  assert.deepEqual([response.status, response.headers.get('location')], [307, '//m1:5050']);
  for (const path of ['/redirect/', '/redirect/x']) assert.equal((await get(path)).status, 404, path);
});

test('an operator call is checked for its type, its argument and the Accept header, in this order', async () => {
  const status = async (call: unknown, headers = {}): Promise<number> => (await operator(call, headers)).status;
  assert.equal(await status({}), 400);
  assert.equal(await status({ type: 'UNKNOWN' }), 501);
  assert.match(await (await operator({ type: 'GET_METRICS' }, { accept: 'text/html' })).text(), /'get_metrics'/);
  assert.equal(await status({ type: 'GET_HEALTH' }, { accept: 'text/html' }), 406);
  assert.equal((await post('/api/v1', '{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await get('/api/v1')).status, 405);
});

test('calls that only read are answered with their own type', async () => {
  for (const type of READING) {
    const response = await operator({ type });
    assert.equal(response.status, 200, type);
    assert.equal(((await response.json()) as { type: string }).type, type);
  }
});

test('an operator may speak protobuf', async () => {
  const body = OperatorCall.encode({ type: 'GET_AGENTS' });
  const response = await post('/api/v1', body, {
    'content-type': 'application/x-protobuf',
    accept: 'application/x-protobuf',
  });
  const decoded = OperatorResponse.decode(new Uint8Array(await response.arrayBuffer()));
  assert.equal(decoded.ok && decoded.value.get_agents?.agents?.length, 1);
});

test('the older endpoints are spellings of operator calls', async () => {
  const agent_id = { value: 'x' };
  const resources = [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, role: 'a' }];
  const list = encodeURIComponent(JSON.stringify(resources));
  const sent = async (response: Promise<Response>): Promise<unknown> => {
    operatorCalls.length = 0;
    assert.equal((await response).status, 200);
    return operatorCalls[0];
  };
  assert.deepEqual(await sent(form('/reserve', `slaveId=x&resources=${list}&source=${list}`)), {
    type: 'RESERVE_RESOURCES',
    reserve_resources: { agent_id, resources, source: resources },
  });
  assert.deepEqual(await sent(form('/unreserve', `slaveId=x&resources=${list}`)), {
    type: 'UNRESERVE_RESOURCES',
    unreserve_resources: { agent_id, resources },
  });
  assert.deepEqual(await sent(form('/create-volumes', `slaveId=x&volumes=${list}`)), {
    type: 'CREATE_VOLUMES',
    create_volumes: { agent_id, volumes: resources },
  });
  assert.deepEqual(await sent(form('/destroy-volumes', `slaveId=x&volumes=${list}`)), {
    type: 'DESTROY_VOLUMES',
    destroy_volumes: { agent_id, volumes: resources },
  });
  assert.deepEqual(await sent(post('/quota', '{"role":"a","force":true}')), {
    type: 'SET_QUOTA',
    set_quota: { quota_request: { role: 'a', force: true } },
  });
  for (const role of ['a', 'a/b']) {
    assert.deepEqual(await sent(fetch(`${base}/master/quota/${role}`, { method: 'DELETE' })), {
      type: 'REMOVE_QUOTA',
      remove_quota: { role },
    });
  }
  const machines = [{ hostname: 'a', ip: '10.0.0.1' }];
  assert.deepEqual(await sent(post('/machine/down', JSON.stringify(machines))), {
    type: 'START_MAINTENANCE',
    start_maintenance: { machines },
  });
  assert.deepEqual(await sent(post('/machine/up', JSON.stringify(machines))), {
    type: 'STOP_MAINTENANCE',
    stop_maintenance: { machines },
  });
  const schedule = { windows: [{ machine_ids: machines, unavailability: { start: { nanoseconds: 1 } } }] };
  assert.deepEqual(await sent(post('/maintenance/schedule', JSON.stringify(schedule))), {
    type: 'UPDATE_MAINTENANCE_SCHEDULE',
    update_maintenance_schedule: { schedule },
  });
  const weights = '[{"role":"a","weight":2.5}]';
  assert.deepEqual(await sent(fetch(`${base}/weights`, { method: 'PUT', body: weights })), {
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: [{ role: 'a', weight: 2.5 }] },
  });
});

test('the older endpoints that change something read forms and JSON', async () => {
  assert.equal((await form('/teardown', 'frameworkId=a%2Bb')).status, 200);
  const cases: [path: string, body: string, text: RegExp][] = [
    ['/teardown', 'x=y', /Missing 'frameworkId'/],
    ['/teardown', 'frameworkId=%zz', /Malformed % escape/],
    ['/reserve', 'resources=[]', /Missing 'slaveId'/],
    ['/reserve', 'slaveId=x', /Missing 'resources'/],
    ['/unreserve', 'slaveId=x&resources=[{"name":"cpus"}]', /type/],
    ['/create-volumes', 'slaveId=x&volumes={}', /must be a list/],
    ['/machine/down', '{}', /must be a list/],
    ['/machine/up', '["a"]', /object/],
    ['/maintenance/schedule', '[]', /list/],
    ['/quota', '{"role":"eng","force":1}', /Failed to parse set quota request JSON/],
  ];
  for (const [path, body, text] of cases) {
    const response = await form(path, body);
    assert.equal(response.status, 400, `${path} ${body}`);
    assert.match(await response.text(), text);
  }
  const removed = await fetch(`${base}/quota`, { method: 'DELETE' });
  assert.match(await removed.text(), /expected \/quota\/<role>/);
});

test('a scheduler call is checked in upstream’s order, then handed over with who sent it', async () => {
  assert.match(await (await scheduler({ type: 'TEARDOWN' })).text(), /'framework_id'/);
  const subscribe = { type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'u', name: 'n' } } };
  assert.equal((await scheduler(subscribe, { accept: 'text/html' })).status, 406);
  calls.length = 0;
  const headers = { accept: 'text/html', 'mesos-stream-id': 's1' };
  const response = await scheduler({ type: 'TEARDOWN', framework_id: { value: 'f' } }, headers);
  assert.equal(response.status, 202);
  assert.equal(calls[0]?.sender.streamId, 's1');
});

test('SUBSCRIBE opens a stream of records in the encoding that was asked for', async () => {
  const info = { user: 'u', name: 'n' };
  const body = Call.encode({ type: 'SUBSCRIBE', subscribe: { framework_info: info } });
  for (const accept of ['application/json', 'application/x-protobuf']) {
    const response = await post('/api/v1/scheduler', body, { 'content-type': 'application/x-protobuf', accept });
    assert.equal(response.headers.get('content-type'), accept);
    assert.equal(response.headers.get('mesos-stream-id'), 's1');
    const records = new RecordReader().push(new Uint8Array(await response.arrayBuffer()));
    assert.ok(records.ok);
    const [first] = records.value;
    assert.ok(first);
    const event = accept === 'application/json' ? Event.parse(Buffer.from(first).toString()) : Event.decode(first);
    assert.equal(event.ok && event.value.type, 'HEARTBEAT');
  }
  assert.deepEqual(closed, [], 'a stream that the core closed is not reported to it');
});

test('of more operator streams than allowed the oldest ends', async () => {
  const first = await operator({ type: 'SUBSCRIBE' });
  const reader = first.body!.getReader();
  const { value } = await reader.read();
  assert.match(Buffer.from(value ?? []).toString(), /SUBSCRIBED.*HEARTBEAT/s);
  const second = await operator({ type: 'SUBSCRIBE' });
  assert.equal((await reader.read()).done, true);
  assert.equal(subscribers.size, 1);
  subscribers.tell(clusterState(), { type: 'AGENT_REMOVED', agentId: { value: 'a1' } });
  subscribers.close();
  assert.match(await second.text(), /AGENT_REMOVED.*a1/);
});

test('a master that knows no leader says 503 to everything that only a leader can answer', async () => {
  state = undefined;
  try {
    for (const path of ['/state', '/tasks', '/weights', '/redirect']) assert.equal((await get(path)).status, 503, path);
    assert.equal((await operator({ type: 'GET_HEALTH' })).status, 503);
    assert.equal((await scheduler({ type: 'TEARDOWN' })).status, 503);
    assert.equal((await form('/teardown', 'frameworkId=x')).status, 503);
    for (const path of ['/health', '/version', '/flags', '/metrics/snapshot', '/help', '/']) {
      assert.equal((await get(path)).status, 200, path);
    }
  } finally {
    state = clusterState();
  }
});

test('only what a master knows of itself is answered without a leader: every other endpoint belongs to the one that leads', () => {
  const own = masterEndpoints(service, () => []).filter((endpoint) => endpoint.leader === undefined);
  // /redirect looks for the leader itself.
  assert.deepEqual(own.map(({ process, path }) => `/${process}${path}`).sort(), [
    '/__processes__/',
    '/files/browse',
    '/files/debug',
    '/files/download',
    '/files/read',
    '/help/',
    '/logging/toggle',
    '/master/',
    '/master/flags',
    '/master/health',
    '/master/redirect',
    '/metrics/',
    '/metrics/snapshot',
    '/profiler/start',
    '/profiler/stop',
    '/registrar(1)/registry',
    '/system/stats.json',
    '/version/',
  ]);
});

test('/redirect leads to the master that leads, from one that does not', async () => {
  state = undefined;
  leader = { id: 'm2', ip: 0, port: 5050, hostname: 'm2', address: { hostname: 'm2', port: 5060 } };
  try {
    const response = await get('/redirect');
    assert.deepEqual([response.status, response.headers.get('location')], [307, '//m2:5060']);
    const { headers } = toLeader({ ...leader, hostname: '::1' }, { path: '/master/state', search: '?a=b' });
    assert.equal(headers?.location, '//[::1]:5060/master/state?a=b');
    const odd = toLeader(leader, { path: '/master/quota/a?b#c %/ü', search: '' });
    assert.equal(odd.headers?.location, '//m2:5060/master/quota/a%3Fb%23c%20%25/%C3%BC');
  } finally {
    state = clusterState();
    leader = undefined;
  }
});
