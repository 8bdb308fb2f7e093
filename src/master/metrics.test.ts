import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../coordination/store/memory.ts';
import { parseExposition } from '../http/endpoints/exposition.fixture.ts';
import { PrometheusWriter } from '../http/endpoints/prometheus.ts';
import { FilesTable } from '../http/files/table.ts';
import type { MessageHandler } from '../libprocess/libprocess.ts';
import { COUNTERS } from './core/counters.ts';
import { scalar, task, World } from './core/harness.fixture.ts';
import { newMasterState } from './core/records.ts';
import { coreOptionsFor, silentLibprocess, silentLogger } from './metrics.fixture.ts';
import { Registrar } from './registrar.ts';
import { Shell } from './shell.ts';
import { AllocationStopwatch } from './stopwatch.ts';
import { MASTER_COUNTERS, MASTER_METRIC_RULES } from './views/metric-names.ts';

const RESOURCES = ['cpus', 'gpus', 'mem', 'disk'];
const OPERATIONS = [
  'reserve',
  'unreserve',
  'create',
  'destroy',
  'grow_volume',
  'shrink_volume',
  'create_disk',
  'destroy_disk',
];
const OUTCOMES = [
  'total',
  'pending',
  'recovering',
  'unreachable',
  'finished',
  'failed',
  'error',
  'dropped',
  'gone_by_operator',
];
const CALLS = [
  ...['subscribe', 'teardown', 'accept', 'decline', 'accept_inverse_offers', 'decline_inverse_offers', 'revive'],
  ...['suppress', 'kill', 'shutdown', 'acknowledge', 'acknowledge_operation_status', 'reconcile', 'message'],
  ...['reconcile_operations', 'request', 'update_framework'],
];
const EVENTS = [
  ...['subscribed', 'offers', 'inverse_offers', 'rescind', 'rescind_inverse_offer', 'update'],
  ...['update_operation_status', 'message', 'failure', 'error', 'heartbeat'],
];
const ACTIVE = ['staging', 'starting', 'running', 'killing', 'unreachable', 'unknown'];
const TERMINAL = ['finished', 'failed', 'killed', 'lost', 'error', 'dropped', 'gone', 'gone_by_operator'];
const FIGURES = ['count', 'min', 'max', 'p50', 'p90', 'p95', 'p99', 'p999', 'p9999'];

const timer = (name: string): string[] => [name, ...FIGURES.map((figure) => `${name}/${figure}`)];

/** Every metric of upstream's master that is not about one framework, role or reason. */
const NAMES: readonly string[] = [
  ...['uptime_secs', 'elected', 'outstanding_offers', 'operator_event_stream_subscribers', 'http_cache_hits'],
  ...['connected', 'disconnected', 'active', 'inactive', 'unreachable'].map((state) => `slaves_${state}`),
  ...['connected', 'disconnected', 'active', 'inactive'].map((state) => `frameworks_${state}`),
  ...['staging', 'starting', 'running', 'unreachable', 'killing', ...TERMINAL].map((state) => `tasks_${state}`),
  ...['messages', 'dispatches', 'http_requests'].map((queue) => `event_queue_${queue}`),
  ...['dropped_messages', 'messages_register_framework', 'messages_reregister_framework'],
  ...['messages_unregister_framework', 'messages_deactivate_framework', 'messages_kill_task'],
  ...['messages_status_update_acknowledgement', 'messages_resource_request', 'messages_launch_tasks'],
  ...['messages_decline_offers', 'messages_revive_offers', 'messages_suppress_offers'],
  ...['messages_reconcile_operations', 'messages_reconcile_tasks', 'messages_framework_to_executor'],
  ...['messages_operation_status_update_acknowledgement', 'messages_executor_to_framework'],
  ...['messages_register_slave', 'messages_reregister_slave', 'messages_unregister_slave'],
  ...['messages_status_update', 'messages_operation_status_update', 'messages_exited_executor'],
  ...['messages_update_slave', 'messages_authenticate', 'recovery_slave_removals'],
  ...['framework_to_executor_messages', 'executor_to_framework_messages', 'status_updates'].flatMap(validity),
  ...['status_update_acknowledgements', 'operation_status_updates'].flatMap(validity),
  ...validity('operation_status_update_acknowledgements'),
  ...['slave_registrations', 'slave_reregistrations', 'slave_removals'],
  ...['unhealthy', 'unregistered', 'registered'].map((reason) => `slave_removals/reason_${reason}`),
  ...['slave_shutdowns', 'slave_unreachable'].flatMap((what) =>
    ['scheduled', 'completed', 'canceled'].map((stage) => `${what}_${stage}`),
  ),
  ...RESOURCES.flatMap((name) =>
    ['', '_revocable'].flatMap((kind) => ['total', 'used', 'percent'].map((figure) => `${name}${kind}_${figure}`)),
  ),
  ...OUTCOMES.flatMap((outcome) => [
    `operations/${outcome}`,
    ...OPERATIONS.map((operation) => `operations/${operation}/${outcome}`),
  ]),
].map((name) => `master/${name}`);

function validity(what: string): string[] {
  return [`valid_${what}`, `invalid_${what}`];
}

const OTHERS: readonly string[] = [
  'allocator/mesos/allocation_runs',
  ...timer('allocator/mesos/allocation_run_ms'),
  ...timer('allocator/mesos/allocation_run_latency_ms'),
  'allocator/mesos/event_queue_dispatches',
  'allocator/event_queue_dispatches',
  ...['cpus', 'mem', 'disk'].flatMap((name) =>
    ['total', 'offered_or_allocated'].map((figure) => `allocator/mesos/resources/${name}/${figure}`),
  ),
  'registrar/queued_operations',
  'registrar/registry_size_bytes',
  'registrar/state_fetch_ms',
  ...timer('registrar/state_store_ms'),
  ...['load_1min', 'load_5min', 'load_15min', 'cpus_total', 'mem_total_bytes', 'mem_free_bytes'].map(
    (name) => `system/${name}`,
  ),
];

/** Ours. */
const ADDED: readonly string[] = ['expected', 'reregistered', 'awaited', 'until_offers']
  .map((what) => `master/recovery_agents_${what}`)
  .concat('master/recovery_secs_left');

/** Of one framework `a b`, which is in the role `ads/x` and has the principal `p`. */
function aboutFramework(id: string): string[] {
  const prefix = `master/frameworks/a%20b/${id}`;
  return [
    ...['subscribed', 'calls', 'events', 'operations', 'roles/ads/x/suppressed'],
    ...CALLS.map((type) => `calls/${type}`),
    ...EVENTS.map((type) => `events/${type}`),
    ...['launch', 'launch_group', ...OPERATIONS].map((type) => `operations/${type}`),
    ...['sent', 'accepted', 'declined', 'rescinded'].map((what) => `offers/${what}`),
    ...ACTIVE.map((state) => `tasks/active/task_${state}`),
    ...TERMINAL.map((state) => `tasks/terminal/task_${state}`),
  ].map((name) => `${prefix}/${name}`);
}

const ABOUT_ROLES: readonly string[] = [
  ...['guarantee', 'limit', 'consumed', 'offered_or_allocated'].map(
    (figure) => `allocator/mesos/quota/roles/ads/resources/cpus/${figure}`,
  ),
  ...['', 'ads', 'ads/x'].map((role) => `allocator/mesos/quota/roles/${role}/resources/cpus/consumed`),
  ...['ads', 'ads/x'].map((role) => `allocator/mesos/offer_filters/roles/${role}/active`),
  'allocator/mesos/roles/ads/x/shares/dominant',
  'frameworks/p/messages_received',
  'frameworks/p/messages_processed',
  'master/task_lost/source_master/reason_invalid_offers',
];

const ABSENT: Readonly<Record<string, string>> = {
  'registrar/log/ensemble_size': 'there is no replicated log here: the registry is in LMDB or ZooKeeper',
  'registrar/log/recovered': 'there is no replicated log here: the registry is in LMDB or ZooKeeper',
};

/** A master that leads, with a framework that runs a task and has lost another one, and its shell. */
async function stand() {
  const stopwatch = new AllocationStopwatch();
  const quotas = [{ role: 'ads', guarantees: { cpus: 1000 }, limits: { cpus: 3000 } }];
  const registry = { agents: [], unreachable: [], gone: [], weights: [], quotas, machines: [] };
  const world = new World({ registry, stopwatch });
  world.register(5051, [scalar('cpus', 4), scalar('mem', 4096), scalar('disk', 100)]);
  const scheduler = world.subscribe({
    name: 'a b',
    principal: 'p',
    roles: ['ads/x'],
    capabilities: [{ type: 'MULTI_ROLE' }],
  });
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  const launched = task('t', offer.agent_id);
  const resources = launched.resources?.map((resource) => ({ ...resource, allocation_info: { role: 'ads/x' } })) ?? [];
  world.launch(scheduler, offer, [{ ...launched, resources }]);
  world.launch(scheduler, offer, [{ ...task('late', offer.agent_id), resources }]);
  const registrar = new Registrar({
    store: new MemoryStore(new Map()),
    fetchTimeout: 1000,
    storeTimeout: 1000,
    weights: [],
  });
  assert.ok((await registrar.recover()).ok);
  for (const id of ['b', 'c'])
    assert.ok((await registrar.commit({ type: 'ADMIT_AGENT', agent: { hostname: id, id: { value: id } } })).ok);
  const handlers = new Map<string, MessageHandler>();
  const shell = new Shell({
    idle: newMasterState(coreOptionsFor()),
    program: { build: { version: '1', build_date: '', build_time: 0, build_user: '', git_sha: '' }, flags: {} },
    roleWhitelist: undefined,
    perFrameworkMetrics: true,
    maxSubscribers: 1,
    libprocess: silentLibprocess(handlers),
    files: new FilesTable(),
    logLevel: { get: () => 0, set: () => {}, original: 0 },
    logger: silentLogger(),
    queued: () =>
      new Map([
        ['message', 2],
        ['operatorCall', 1],
        ['timer', 1],
      ]),
    allocationTimes: () => stopwatch.metrics(),
    push: () => {},
    shutdown: () => {},
  });
  shell.listen();
  return { shell, world, registrar, scheduler, receive: handlers.get('master')! };
}

test('every metric of upstream that can exist here is there, and none is not a number', async (t) => {
  const { shell, world, registrar, scheduler } = await stand();
  shell.lead(world.master, registrar);
  const metrics = await shell.metrics();
  const expected = [...NAMES, ...OTHERS, ...ADDED, ...ABOUT_ROLES, ...aboutFramework(scheduler.id)];
  assert.deepEqual(
    expected.filter((name) => metrics[name] === undefined),
    [],
  );
  assert.deepEqual(
    Object.entries(metrics).filter(([, value]) => !Number.isFinite(value)),
    [],
  );
  for (const [name, reason] of Object.entries(ABSENT)) {
    t.diagnostic(`${name} is left out: ${reason}`);
    assert.equal(metrics[name], undefined, `${name} is there: take it off the list`);
  }
  const known = new Set(expected);
  assert.deepEqual(
    Object.keys(metrics).filter((name) => !known.has(name) && !/resources\/mem\//.test(name)),
    [],
  );
});

test('the figures are those of the cluster', async () => {
  const { shell, world, registrar, scheduler } = await stand();
  shell.lead(world.master, registrar);
  const metrics = await shell.metrics();
  const prefix = `master/frameworks/a%20b/${scheduler.id}`;
  const expected: Record<string, number> = {
    'master/elected': 1,
    'master/tasks_staging': 1,
    'master/tasks_lost': 1,
    'master/cpus_total': 4,
    'master/cpus_used': 1,
    'master/cpus_percent': 0.25,
    'master/event_queue_messages': 2,
    'master/event_queue_http_requests': 1,
    'master/event_queue_dispatches': 1,
    'allocator/mesos/quota/roles/ads/resources/cpus/guarantee': 1,
    'allocator/mesos/quota/roles/ads/resources/cpus/limit': 3,
    'allocator/mesos/quota/roles/ads/resources/cpus/consumed': 1,
    'allocator/mesos/quota/roles//resources/cpus/consumed': 1,
    'master/task_lost/source_master/reason_invalid_offers': 1,
    [`${prefix}/calls/accept`]: 2,
    [`${prefix}/offers/accepted`]: 1,
    [`${prefix}/tasks/active/task_staging`]: 1,
    'registrar/queued_operations': 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(metrics[name], value, name);
  assert.ok(metrics['registrar/registry_size_bytes']! > 0);
  assert.equal(metrics['registrar/state_store_ms/count'], 3);
});

test('Prometheus is told the same figures, each once, counters as counters', async () => {
  const { shell, world, registrar, scheduler } = await stand();
  shell.lead(world.master, registrar);
  const metrics = await shell.metrics();
  const samples = parseExposition(
    new PrometheusWriter({ rules: MASTER_METRIC_RULES, counters: MASTER_COUNTERS }).write(metrics),
  );
  const values = (figures: readonly number[]): number[] => [...figures].sort((a, b) => a - b);
  assert.deepEqual(values(samples.map(({ value }) => value)), values(Object.values(metrics)));
  const find = (family: string, labels: Record<string, string> = {}) =>
    samples.find((sample) => sample.family === family && isEqual(sample.labels, labels));
  assert.equal(find('mesos_master_cpus_total')?.value, 4);
  const framework = { framework: 'a b', framework_id: scheduler.id };
  const calls = find('mesos_master_framework_calls_by_type', { ...framework, type: 'accept' });
  assert.deepEqual([calls?.value, calls?.type], [2, 'counter']);
  assert.equal(find('mesos_master_framework_role_suppressed', { ...framework, role: 'ads/x' })?.value, 0);
  assert.equal(find('mesos_allocator_quota_limit', { role: 'ads', resource: 'cpus' })?.value, 3);
  assert.equal(
    find('mesos_master_task_states', { state: 'lost', source: 'master', reason: 'invalid_offers' })?.value,
    1,
  );
  assert.equal(find('mesos_frameworks_messages_received', { principal: 'p' })?.type, 'counter');
  for (const name of COUNTERS) {
    const family = `mesos_master_${name}`;
    if (!name.includes('/')) assert.equal(find(family)?.type, 'counter', name);
  }
  assert.equal(find('mesos_master_tasks_staging')?.type, 'gauge');
  assert.ok(!samples.some(({ family }) => family.includes(scheduler.id.replaceAll('-', '_'))));
});

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

test('a master that does not lead counts the messages that it drops', async () => {
  const { shell, receive } = await stand();
  receive('slave(1)@127.0.0.1:5051', 'mesos.internal.PongSlaveMessage', new Uint8Array(), 'master');
  receive('slave(1)@127.0.0.1:5051', 'mesos.internal.AuthenticateMessage', new Uint8Array(), 'master');
  const metrics = await shell.metrics();
  assert.equal(metrics['master/elected'], 0);
  assert.equal(metrics['master/dropped_messages'], 2);
  assert.equal(metrics['master/messages_authenticate'], 1);
});
