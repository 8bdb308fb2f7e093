import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FilesTable } from '../../http/files/table.ts';
import { serve } from '../../http/testing.fixture.ts';
import { encodeRecord } from '../../wire/recordio.ts';
import { Call, Response } from '../../wire/v1_agent.ts';
import { task, World } from '../core/fake-world.ts';
import { AGENT_COUNTERS, agentMetrics } from '../core/views/metrics.ts';
import { ContainerCalls } from './container-calls.ts';
import { agentEndpoints } from './endpoints.ts';
import { ExecutorConnections } from './executor.ts';

const JSON_BODY = { 'content-type': 'application/json' };

async function agent(t: TestContext) {
  const world = new World().register();
  const levels: number[] = [];
  const calls = new ContainerCalls((event) => {
    for (const effect of world.step(event)) {
      if (effect.kind === 'containerAnswer') calls.answered(effect.ticket, effect.answer);
      if (effect.kind === 'containerOver') calls.over(effect.key, effect.termination);
      if (effect.kind === 'removeSandbox') calls.answered(effect.ticket, { status: 200 });
    }
  });
  const endpoints = agentEndpoints({
    process: 'slave(1)',
    state: world.agent.state,
    usage: () => ({ timestamp: 1, cpus_user_time_secs: 0.5, mem_rss_bytes: 1024 }),
    executors: new ExecutorConnections((event) => world.step(event)),
    calls,
    write: async () => undefined,
    heartbeatInterval: 30_000,
    wall: () => 2000,
    about: () => ({ build: { version: '1.12.0' }, masterHostname: 'localhost' }),
    flags: () => ({ port: '5051' }),
    metrics: () => agentMetrics(world.agent.state, 1_700_000_001_000),
    metricNames: { rules: [], counters: AGENT_COUNTERS },
    log: { get: () => 0, set: (level) => levels.push(level), original: 0 },
    files: new FilesTable(),
    processes: () => ['slave(1)'],
  });
  const { ask } = await serve(t, endpoints, { delegate: 'slave(1)' });
  const call = async (body: object) => {
    const told = await ask('POST', '/api/v1', JSON_BODY, JSON.stringify(body));
    return { ...told, json: told.body.startsWith('{') ? JSON.parse(told.body) : undefined };
  };
  return { world, ask, call, levels };
}

test('the state shows frameworks, executors, tasks and what they hold', async (t) => {
  const { world, ask } = await agent(t);
  world.run(task('run', { value: 'echo out; echo err >&2' }, { labels: { labels: [{ key: 'a', value: 'b' }] } }));
  world.start(undefined, 77);
  world.acknowledgeAll();
  const { containerId } = world.launched();
  world.run(task('done', { value: 'true' }));
  world.start();
  world.exit(0);
  world.acknowledgeAll();
  const state = JSON.parse((await ask('GET', '/state')).body);
  assert.deepEqual(
    [state.id, state.pid, state.hostname, state.master_hostname],
    ['m-S0', 'slave(1)@127.0.0.1:5051', 'host', 'localhost'],
  );
  assert.deepEqual(state.resources, { cpus: 4, mem: 4096, disk: 0, gpus: 0 });
  assert.deepEqual(state.unreserved_resources_allocated, { cpus: 0.2, mem: 64, disk: 0, gpus: 0 });
  assert.deepEqual(state.unreserved_resources_full[0], {
    name: 'cpus',
    type: 'SCALAR',
    scalar: { value: 4 },
    role: '*',
  });
  assert.deepEqual(state.attributes, { rack: 'r1' });
  assert.deepEqual(state.flags, { port: '5051' });
  const [framework] = state.frameworks;
  const [executor] = framework.executors;
  assert.deepEqual(
    [executor.id, executor.name, executor.source, executor.container, executor.role],
    ['run', "Command Executor (Task: run) (Command: sh -c 'echo out; ec...')", 'run', containerId, '*'],
  );
  assert.deepEqual(executor.resources, { cpus: 0.2, mem: 64, disk: 0, gpus: 0 });
  assert.deepEqual(executor.labels, [{ key: 'a', value: 'b' }]);
  assert.deepEqual([executor.tasks[0].executor_id, executor.tasks[0].state], ['', 'TASK_RUNNING']);
  assert.deepEqual(executor.tasks[0].statuses[1].container_status, {
    container_id: { value: containerId },
    network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] }],
  });
  const [completed] = framework.completed_executors;
  assert.deepEqual(completed.resources, { cpus: 0.1, mem: 32, disk: 0, gpus: 0 });
  assert.deepEqual(completed.completed_tasks[0].state, 'TASK_FINISHED');
});

test('containers are listed with their process and use, and can be selected', async (t) => {
  const { world, ask, call } = await agent(t);
  assert.equal((await ask('GET', '/containers')).body, '[]');
  assert.deepEqual((await call({ type: 'GET_CONTAINERS' })).json, { type: 'GET_CONTAINERS' });
  world.run(task('t'));
  world.start(undefined, 77);
  const { containerId } = world.launched();
  const [container] = JSON.parse((await ask('GET', '/containers?framework_id=f1&executor_id=t')).body);
  assert.deepEqual(container.status, { container_id: { value: containerId }, executor_pid: 77 });
  assert.equal(container.statistics.mem_limit_bytes, 64 * 1024 * 1024);
  assert.equal(container.statistics.mem_rss_bytes, 1024);
  assert.equal((await ask('GET', '/containers?container_id=other')).body, '[]');
  assert.equal((await ask('GET', '/containers?executor_id=t')).status, 400);
  assert.equal((await ask('GET', '/containers?container_id=x&framework_id=f1')).status, 400);
  assert.equal((await ask('POST', '/containers')).status, 405);
  const [statistics] = JSON.parse((await ask('GET', '/monitor/statistics')).body);
  assert.equal(statistics.container_id, undefined);
  assert.equal(statistics.source, 't');
  const listed = (await call({ type: 'GET_CONTAINERS' })).json;
  assert.equal(listed.get_containers.containers[0].executor_id.value, 't');
});

test('nested containers are listed when they are asked for', async (t) => {
  const { world, call } = await agent(t);
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: { user: 'u', name: 'f', id: { value: 'f1' } },
    executor: { type: 'DEFAULT', executor_id: { value: 'de' } },
    task_group: { tasks: [task('g')] },
  });
  world.start();
  assert.equal((await call({ type: 'GET_CONTAINERS' })).json.get_containers.containers.length, 1);
  const { containers } = (await call({ type: 'GET_CONTAINERS', get_containers: { show_nested: true } })).json
    .get_containers;
  assert.deepEqual(containers[1].container_status.container_id.parent, containers[0].container_id);
  assert.equal(containers[1].framework_id, undefined);
});

test('the operator API tells of tasks, executors, frameworks and the agent', async (t) => {
  const { world, call } = await agent(t);
  const empty = (await call({ type: 'GET_STATE' })).json;
  assert.deepEqual(empty.get_state.get_tasks.launched_tasks, []);
  assert.deepEqual(empty.get_state.get_frameworks, { frameworks: [], completed_frameworks: [] });
  world.run(task('t'));
  world.run(task('q'));
  world.start();
  const { get_tasks: tasks } = (await call({ type: 'GET_TASKS' })).json;
  assert.deepEqual(
    tasks.queued_tasks.map((one: { state: string }) => one.state),
    ['TASK_STAGING'],
  );
  const { get_executors: executors } = (await call({ type: 'GET_EXECUTORS' })).json;
  assert.deepEqual(executors.executors[0].executor_info.command.arguments, [
    'mesos-executor',
    '--launcher_dir=/usr/libexec/mesos',
  ]);
  const { get_agent: told } = (await call({ type: 'GET_AGENT' })).json;
  assert.equal(told.agent_info.id.value, 'm-S0');
  assert.equal(told.agent_info.checkpoint, undefined);
  assert.deepEqual((await call({ type: 'GET_OPERATIONS' })).json, { type: 'GET_OPERATIONS', get_operations: {} });
  assert.equal((await call({ type: 'GET_HEALTH' })).json.get_health.healthy, true);
  assert.deepEqual((await call({ type: 'GET_FLAGS' })).json.get_flags.flags, [{ name: 'port', value: '5051' }]);
});

test('protobuf calls are understood and answered', async (t) => {
  const { ask } = await agent(t);
  const headers = { 'content-type': 'application/x-protobuf', accept: 'application/x-protobuf' };
  const told = await ask('POST', '/api/v1', headers, Call.encode({ type: 'GET_HEALTH' }));
  const response = Response.decode(told.bytes);
  assert.ok(response.ok);
  assert.equal(response.value.get_health?.healthy, true);
});

test('malformed and incomplete calls are refused with the reason', async (t) => {
  const { ask, call } = await agent(t);
  assert.equal((await ask('GET', '/api/v1')).status, 405);
  assert.equal((await ask('POST', '/api/v1', {}, '{}')).status, 400);
  assert.equal((await ask('POST', '/api/v1', { 'content-type': 'text/plain' }, '{}')).status, 415);
  assert.equal((await ask('POST', '/api/v1', { ...JSON_BODY, accept: 'text/html' }, '{}')).status, 406);
  assert.equal((await ask('POST', '/api/v1', JSON_BODY, '{')).status, 400);
  assert.match((await call({})).body, /Expecting 'type' to be present/);
  assert.match((await call({ type: 'GET_MASTER' })).body, /'type'/);
  assert.match((await call({ type: 'GET_METRICS' })).body, /'get_metrics'/);
  assert.equal((await call({ type: 'UNKNOWN' })).status, 501);
  const nested = (value: string, parent?: string) => ({
    type: 'WAIT_NESTED_CONTAINER',
    wait_nested_container: { container_id: { value, ...(parent && { parent: { value: parent } }) } },
  });
  assert.match((await call(nested('a'))).body, /container_id.parent' to be present/);
  assert.match((await call(nested('../x', 'b'))).body, /invalid/);
  assert.match((await call(nested('a b', 'b'))).body, /invalid characters/);
  const unknown = await call(nested('a', 'b'));
  assert.deepEqual([unknown.status, unknown.body], [404, 'Container b.a cannot be found']);
});

test('no type of resource providers is served, and there is none to remove', async (t) => {
  const { call } = await agent(t);
  const info = { type: 'org.apache.mesos.rp.local.storage', name: 'disks' };
  for (const type of ['ADD_RESOURCE_PROVIDER_CONFIG', 'UPDATE_RESOURCE_PROVIDER_CONFIG']) {
    const told = await call({ type, [type.toLowerCase()]: { info } });
    assert.equal(told.status, 400);
    assert.match(told.body, /type 'org.apache.mesos.rp.local.storage' and name 'disks'.*is unknown/);
    const named = await call({ type, [type.toLowerCase()]: { info: { ...info, id: { value: 'x' } } } });
    assert.match(named.body, /'id' must not be set/);
  }
  const remove = { type: 'REMOVE_RESOURCE_PROVIDER_CONFIG', remove_resource_provider_config: info };
  assert.equal((await call(remove)).status, 200);
  const gone = { resource_provider_id: { value: 'x' } };
  assert.equal((await call({ type: 'MARK_RESOURCE_PROVIDER_GONE', mark_resource_provider_gone: gone })).status, 200);
  assert.deepEqual((await call({ type: 'GET_RESOURCE_PROVIDERS' })).json, {
    type: 'GET_RESOURCE_PROVIDERS',
    get_resource_providers: {},
  });
});

test('record streams are only for the calls that take them', async (t) => {
  const { ask, call } = await agent(t);
  const records = { 'content-type': 'application/recordio', 'message-content-type': 'application/json' };
  const body = (json: object) => encodeRecord(Buffer.from(JSON.stringify(json)));
  assert.equal((await ask('POST', '/api/v1', records, body({ type: 'GET_HEALTH' }))).status, 415);
  assert.match((await ask('POST', '/api/v1', records, body({}))).body, /'type'/);
  assert.equal((await ask('POST', '/api/v1', records, '')).status, 400);
  const input = {
    type: 'ATTACH_CONTAINER_INPUT',
    attach_container_input: { type: 'CONTAINER_ID', container_id: { value: 'x' } },
  };
  assert.equal((await call(input)).status, 415);
  assert.equal((await ask('POST', '/api/v1', records, body(input))).status, 404);
  const stream = { ...JSON_BODY, accept: 'application/recordio', 'message-accept': 'application/json' };
  assert.equal((await ask('POST', '/api/v1', stream, '{"type":"GET_HEALTH"}')).status, 406);
});

test('metrics carry upstream names and follow the tasks', async (t) => {
  const { world, ask, call } = await agent(t);
  world.run(task('t'));
  world.start();
  world.acknowledgeAll();
  world.run(task('bad', { value: 'false' }));
  world.start();
  world.exit(256);
  const metrics = JSON.parse((await ask('GET', '/metrics/snapshot')).body);
  assert.equal(metrics['slave/tasks_running'], 1);
  assert.equal(metrics['slave/tasks_failed'], 1);
  assert.equal(metrics['slave/cpus_used'], 0.2);
  assert.equal(metrics['slave/cpus_percent'], 0.05);
  assert.equal(metrics['slave/registered'], 1);
  assert.equal(metrics['slave/executors_running'], 1);
  const told = (await call({ type: 'GET_METRICS', get_metrics: {} })).json;
  assert.equal(told.get_metrics.metrics.length, Object.keys(metrics).length);
});

test('the log level can be raised, never below what the program was started with', async (t) => {
  const { call, levels } = await agent(t);
  const set = (level: number) =>
    call({ type: 'SET_LOGGING_LEVEL', set_logging_level: { level, duration: { nanoseconds: 1e9 } } });
  assert.equal((await set(2)).status, 200);
  assert.deepEqual(levels, [2]);
  assert.equal((await call({ type: 'GET_LOGGING_LEVEL' })).json.get_logging_level.level, 0);
});

test('files that nobody has attached are not found', async (t) => {
  const { call } = await agent(t);
  assert.equal((await call({ type: 'LIST_FILES', list_files: { path: '/etc' } })).status, 404);
  assert.equal((await call({ type: 'READ_FILE', read_file: { path: '/etc/passwd', offset: 0 } })).status, 404);
});

test('containers are launched where and with what is possible only', async (t) => {
  const { call } = await agent(t);
  const launch = async (parts: readonly string[], more: object): Promise<string> => {
    const id = parts.reduce<object | undefined>((parent, value) => ({ value, ...(parent && { parent }) }), undefined);
    const told = await call({ type: 'LAUNCH_CONTAINER', launch_container: { container_id: id, ...more } });
    assert.equal(told.status, 400);
    return told.body;
  };
  const cpus = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
  const reserved = { ...cpus, reservations: [{ type: 'DYNAMIC', role: 'r' }] };
  const deep = ['a', 'b', 'c'];
  const sharing = (share_cgroups: boolean) => ({ container: { type: 'MESOS', linux_info: { share_cgroups } } });
  assert.match(await launch(['a'], { resources: [reserved] }), /'cpus' with a reservation: it must be unreserved/);
  assert.match(await launch(['a'], { resources: [{ ...cpus, revocable: {} }] }), /'cpus' that is revocable/);
  const volume = { ...cpus, name: 'disk', disk: { persistence: { id: 'v' } } };
  assert.match(await launch(['a'], { resources: [volume] }), /'disk' with a persistent volume/);
  assert.match(await launch(['a'], sharing(true)), /without a parent cannot set 'share_cgroups' to true/);
  assert.match(await launch(deep, { resources: [cpus] }), /second level or deeper cannot have 'resources'/);
  assert.match(await launch(deep, { limits: { cpus: { value: 1 } } }), /second level or deeper cannot have 'limits'/);
  assert.match(await launch(deep, sharing(false)), /second level or deeper cannot set 'share_cgroups' to false/);
  assert.match(await launch(['a', 'b'], {}), /^Parent container a does not exist$/);
  const session = { container_id: { value: 's', parent: { value: 'p' } }, ...sharing(false) };
  const refused = await call({ type: 'LAUNCH_NESTED_CONTAINER_SESSION', launch_nested_container_session: session });
  assert.match(refused.body, /a session must share cgroups/);
});

test('what is written to a container must be a stream of records that begins with its id', async (t) => {
  const { ask, world } = await agent(t);
  const headers = { 'content-type': 'application/recordio', 'message-content-type': 'application/json' };
  const input = async (argument: object): Promise<[number, string]> => {
    const text = JSON.stringify({ type: 'ATTACH_CONTAINER_INPUT', attach_container_input: argument });
    const { status, body } = await ask('POST', '/api/v1', headers, encodeRecord(Buffer.from(text)));
    return [status, body];
  };
  const empty = await ask('POST', '/api/v1', headers, '');
  assert.deepEqual([empty.status, empty.body], [400, 'Received EOF while reading request body']);
  assert.deepEqual(await input({ type: 'PROCESS_IO' }), [
    400,
    "Expecting 'attach_container_input.type' to be CONTAINER_ID",
  ]);
  assert.match((await input({ type: 'CONTAINER_ID' }))[1], /'attach_container_input.container_id' to be present/);
  const named = (value: string) => ({ type: 'CONTAINER_ID', container_id: { value } });
  assert.deepEqual(await input(named('none')), [404, 'Container none cannot be found']);
  world.run(task('t'));
  world.start();
  assert.match((await input(named(world.launched().containerId)))[1], /reads nothing: only those of LAUNCH_NESTED/);
});
