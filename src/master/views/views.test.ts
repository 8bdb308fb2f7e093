import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, Response } from '../../wire/v1_master.ts';
import type { MasterState } from '../core/state.ts';
import { agentsParts } from './agents.ts';
import { frameworksParts } from './frameworks.ts';
import { clusterStatus, schedule } from './maintenance.ts';
import { metricsOf } from './metrics.ts';
import { answerOf, READING_CALLS } from './operator.ts';
import { eventOf } from './operator-events.ts';
import { LISTING_CALLS, type ListingCall, listingJson, listingProtobuf, subscribedJson } from './operator-lists.ts';
import { bytesOf, textOf } from './parts.fixture.ts';
import { getRolesJson, rolesParts, takeRoles, weightsJson } from './roles.ts';
import { takeSnapshot } from './snapshot.ts';
import { AGENT_ID, clusterState, FRAMEWORK_ID, framework } from './state.fixture.ts';
import { type Program, stateParts } from './state.ts';
import { summaryParts } from './summary.ts';
import { type TaskSelection, tasksParts } from './tasks.ts';

const build = { version: '1.12.0', build_date: 'd', build_time: 1, build_user: 'u', git_sha: 'g' };
const parse = (text: string) => JSON.parse(text);
const stateJson = (state: MasterState, program: Program): string =>
  textOf((kept) => stateParts(kept, takeSnapshot(state), program));
const agentsJson = (state: MasterState, id?: string): string =>
  textOf((kept) => agentsParts(kept, takeSnapshot(state), id));
const frameworksJson = (state: MasterState, id?: string): string =>
  textOf((kept) => frameworksParts(kept, takeSnapshot(state), id));
const tasksJson = (state: MasterState, selection: TaskSelection): string =>
  textOf((kept) => tasksParts(kept, takeSnapshot(state), selection));
const summaryJson = (state: MasterState): string => textOf((kept) => summaryParts(kept, takeSnapshot(state)));
const listing = (state: MasterState, type: ListingCall): string =>
  textOf((kept) => listingJson(kept, takeSnapshot(state), type));

test('/state holds agents and frameworks, with resources as numbers and texts', () => {
  const state = parse(stateJson(clusterState(), { build, flags: { port: '5050', cluster: 'c' } }));
  assert.equal(state.leader, 'master@127.0.0.1:5050');
  assert.equal(state.cluster, 'c');
  assert.equal(state.activated_slaves, 1);
  assert.deepEqual(state.slaves[0].attributes, { rack: 'r1' });
  assert.equal(state.slaves[0].resources.cpus, 5);
  assert.equal(state.slaves[0].resources.ports, '[31000-32000]');
  assert.equal(state.slaves[0].reserved_resources.eng.cpus, 1);
  assert.equal(state.slaves[0].unreserved_resources.cpus, 4);
  const [shown] = state.frameworks;
  assert.equal(shown.role, 'eng');
  assert.equal(shown.resources.cpus, 4);
  assert.deepEqual(
    [shown.tasks, shown.unreachable_tasks, shown.completed_tasks].map((tasks) => tasks[0].id),
    ['run', 'away', 'done'],
  );
  assert.equal(shown.tasks[0].slave_id, AGENT_ID);
  assert.equal(shown.offers[0].allocation_info.role, 'eng');
  assert.equal(state.completed_frameworks[0].unregistered_time, 3000);
  assert.deepEqual(state.orphan_tasks, []);
});

test('/slaves shows resources in full, with the older fields beside the newer ones', () => {
  const { slaves } = parse(agentsJson(clusterState()));
  const reserved = slaves[0].reserved_resources_full.eng[0];
  assert.equal(reserved.role, 'eng');
  assert.equal(reserved.reservations[0].role, 'eng');
  assert.equal(slaves[0].used_resources_full[0].allocation_info.role, 'eng');
  assert.equal(parse(agentsJson(clusterState(), AGENT_ID)).slaves.length, 1);
  assert.equal(parse(agentsJson(clusterState(), 'other')).slaves.length, 0);
});

test('/frameworks can be asked for one framework, completed ones included', () => {
  const all = parse(frameworksJson(clusterState()));
  assert.equal(all.frameworks.length, 1);
  const one = parse(frameworksJson(clusterState(), all.completed_frameworks[0].id));
  assert.deepEqual([one.frameworks.length, one.completed_frameworks.length], [0, 1]);
});

test('/tasks lists the newest first unless asked otherwise, a page at a time', () => {
  const ids = (selection: TaskSelection): string[] =>
    parse(tasksJson(clusterState(), selection)).tasks.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids({}), ['run', 'away', 'done']);
  assert.deepEqual(ids({ ascending: true }), ['done', 'away', 'run']);
  assert.deepEqual(ids({ limit: 1, offset: 1 }), ['away']);
  assert.deepEqual(ids({ limit: -1 }), ['run', 'away', 'done']);
  assert.deepEqual(ids({ offset: -1 }), ['run', 'away', 'done']);
  assert.deepEqual(ids({ offset: 9 }), []);
  assert.deepEqual(ids({ taskId: 'done' }), ['done']);
  assert.deepEqual(ids({ frameworkId: 'none' }), []);
});

test('/state-summary counts the tasks of each agent and framework by state', () => {
  const { slaves, frameworks, hostname } = parse(summaryJson(clusterState()));
  assert.equal(hostname, 'm1');
  for (const entry of [slaves[0], frameworks[0]]) {
    assert.deepEqual([entry.TASK_RUNNING, entry.TASK_FINISHED, entry.TASK_UNREACHABLE, entry.TASK_LOST], [1, 1, 1, 0]);
  }
  assert.deepEqual(slaves[0].framework_ids, [FRAMEWORK_ID]);
  assert.deepEqual(frameworks[0].slave_ids, [AGENT_ID]);
});

test('/roles knows roles of frameworks, reservations and weights, and the roles above them', () => {
  const { roles } = parse(textOf((kept) => rolesParts(kept, takeRoles(clusterState()))));
  assert.deepEqual(
    roles.map(({ name }: { name: string }) => name),
    ['eng', 'ops', 'ops/night'],
  );
  const [eng] = roles;
  assert.deepEqual(eng.allocated, { cpus: 0.1, mem: 32 });
  assert.deepEqual(eng.offered, { cpus: 3.9, ports: 1001 });
  assert.deepEqual(eng.resources, { cpus: 4, mem: 32, ports: 1001 });
  assert.deepEqual(eng.reserved, { cpus: 1 });
  assert.deepEqual(eng.quota.consumed, { cpus: 1.1, mem: 32 });
  assert.deepEqual(eng.frameworks, [FRAMEWORK_ID]);
  const { get_roles } = parse(textOf((kept) => getRolesJson(kept, takeRoles(clusterState()))));
  assert.deepEqual(
    get_roles.roles[0].resources.map(({ name }: { name: string }) => name),
    ['cpus', 'mem'],
  );
  assert.deepEqual(parse(weightsJson(clusterState())), [{ role: 'ops/night', weight: 2 }]);
  const listed = parse(textOf((kept) => rolesParts(kept, takeRoles(clusterState(), new Set(['a/b'])))));
  assert.deepEqual(
    listed.roles.map(({ name }: { name: string }) => name),
    ['a', 'a/b'],
  );
});

test('what is used of a reservation counts once against the quota', () => {
  const state = clusterState();
  const [agent] = state.agents.values();
  assert.ok(agent);
  const used = agent.total.reserved('eng').allocate('eng');
  const busy = framework(FRAMEWORK_ID, { used: new Map([[AGENT_ID, used]]) });
  const changed = {
    ...state,
    agents: new Map([[AGENT_ID, { ...agent, used }]]),
    frameworks: new Map([[FRAMEWORK_ID, busy]]),
  };
  const [eng] = parse(textOf((kept) => rolesParts(kept, takeRoles(changed)))).roles;
  assert.equal(eng.quota.consumed.cpus, 1);
});

test('every reading call has an answer that both encodings take and give back', () => {
  for (const type of READING_CALLS) {
    const response = answerOf(clusterState(), type);
    assert.equal(response.type, type);
    const decoded = Response.decode(Response.encode(response));
    assert.ok(decoded.ok, type);
    const read = Response.parse(Response.stringify(response));
    assert.ok(read.ok, `${type}: ${read.ok ? '' : read.error}`);
    assert.deepEqual(Response.toJson(read.value), Response.toJson(decoded.value), type);
  }
  for (const type of LISTING_CALLS) {
    const snapshot = takeSnapshot(clusterState());
    const decoded = Response.decode(bytesOf((kept) => listingProtobuf(kept, snapshot, type)));
    assert.ok(decoded.ok, type);
    const read = Response.parse(listing(clusterState(), type));
    assert.ok(read.ok, `${type}: ${read.ok ? '' : read.error}`);
    assert.deepEqual(Response.toJson(read.value), Response.toJson(decoded.value), type);
  }
});

test('lists of agents, frameworks, executors and tasks are there even when empty', () => {
  const empty = { ...clusterState(), agents: new Map(), frameworks: new Map(), offers: new Map() };
  assert.equal(listing(empty, 'GET_AGENTS'), '{"type":"GET_AGENTS","get_agents":{"agents":[],"recovered_agents":[]}}');
  assert.equal(Response.stringify(answerOf(empty, 'GET_OPERATIONS')), '{"type":"GET_OPERATIONS","get_operations":{}}');
  const state = parse(listing(empty, 'GET_STATE')).get_state;
  assert.deepEqual(Object.keys(state), ['get_tasks', 'get_executors', 'get_frameworks', 'get_agents']);
});

test('operators see offers with their allocation, though the framework does not understand it', () => {
  const { frameworks } = parse(listing(clusterState(), 'GET_FRAMEWORKS')).get_frameworks;
  assert.deepEqual(frameworks[0].offers[0].allocation_info, { role: 'eng' });
  assert.deepEqual(frameworks[0].offers[0].resources[0].allocation_info, { role: 'eng' });
  assert.deepEqual(frameworks[0].offer_constraints, {});
});

test('metrics have gauges of the state, counters of the core and what the shell adds', () => {
  const outside = {
    elected: true,
    queued: { messages: 1, dispatches: 2, httpRequests: 3 },
    uptimeSeconds: 5,
    now: 0,
    operatorStreams: 1,
    perFramework: true,
    more: { 'system/cpus_total': 2 },
  };
  const metrics = metricsOf(clusterState(), outside);
  const expected: Record<string, number> = {
    'master/uptime_secs': 5,
    'master/elected': 1,
    'master/event_queue_messages': 1,
    'master/event_queue_dispatches': 2,
    'master/event_queue_http_requests': 3,
    'master/slaves_active': 1,
    'master/frameworks_connected': 1,
    'master/tasks_running': 1,
    'master/tasks_unreachable': 1,
    'master/cpus_total': 5,
    'master/cpus_used': 0.1,
    'master/cpus_percent': 0.02,
    'master/gpus_percent': 0,
    'master/operations/reserve/pending': 0,
    'master/operations/reserve/finished': 2,
    'master/operations/create/pending': 1,
    'master/operations/total': 3,
    'master/task_lost/source_master/reason_x': 2,
    'master/messages_kill_task': 0,
    'allocator/mesos/resources/cpus/offered_or_allocated': 4,
    'system/cpus_total': 2,
    [`master/frameworks/snap/${FRAMEWORK_ID}/calls`]: 1,
    [`master/frameworks/snap/${FRAMEWORK_ID}/tasks/active/task_running`]: 1,
    [`master/frameworks/snap/${FRAMEWORK_ID}/tasks/terminal/task_finished`]: 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(metrics[name], value, name);
  assert.equal(
    metricsOf(clusterState(), { ...outside, perFramework: false })['master/frameworks/snap/x/calls'],
    undefined,
  );
});

test('GET_FRAMEWORKS shows which agents a framework is asked to leave', () => {
  const state = clusterState();
  const unavailability = { start: { nanoseconds: 5 }, duration: { nanoseconds: 7 } };
  const offer = { id: 'O2', frameworkId: FRAMEWORK_ID, agentId: AGENT_ID, unavailability };
  const asked = framework(FRAMEWORK_ID, { inverseOffers: new Set(['O2']) });
  const changed = {
    ...state,
    frameworks: new Map([[FRAMEWORK_ID, asked]]),
    inverseOffers: new Map([['O2', offer]]),
  };
  const [shown] = parse(listing(changed, 'GET_FRAMEWORKS')).get_frameworks.frameworks;
  assert.deepEqual(shown.inverse_offers, [
    {
      id: { value: 'O2' },
      url: {
        scheme: 'http',
        address: { hostname: 'h1', ip: '127.0.0.1', port: 5051 },
        path: '/slave(1)',
      },
      framework_id: { value: FRAMEWORK_ID },
      agent_id: { value: AGENT_ID },
      unavailability,
    },
  ]);
});

test('maintenance windows gather machines that go down together', () => {
  const unavailability = { start: { nanoseconds: 5 } };
  const machines = new Map([
    ['a', { id: { hostname: 'a' }, mode: 'DRAINING' as const, unavailability }],
    ['b', { id: { hostname: 'b' }, mode: 'DOWN' as const, unavailability }],
    ['c', { id: { hostname: 'c' }, mode: 'UP' as const, unavailability: undefined }],
  ]);
  const state = { ...clusterState(), machines };
  assert.deepEqual(schedule(state), {
    windows: [{ machine_ids: [{ hostname: 'a' }, { hostname: 'b' }], unavailability }],
  });
  assert.deepEqual(clusterStatus(state), {
    draining_machines: [{ id: { hostname: 'a' } }],
    down_machines: [{ hostname: 'b' }],
  });
  assert.deepEqual(schedule(clusterState()), {});
  const answer = { status: 'ACCEPT', framework_id: { value: FRAMEWORK_ID }, timestamp: { nanoseconds: 9 } } as const;
  const here = { hostname: 'H1', ip: '127.0.0.1' };
  const busy = {
    ...clusterState(),
    machines: new Map([['h1', { id: here, mode: 'DRAINING' as const, unavailability }]]),
  };
  const statuses = new Map([
    [AGENT_ID, new Map([[FRAMEWORK_ID, answer]])],
    ['gone', new Map([[FRAMEWORK_ID, answer]])],
  ]);
  assert.deepEqual(clusterStatus(busy, statuses), { draining_machines: [{ id: here, statuses: [answer] }] });
});

test('an event stream begins with everything, and tells of tasks that are still there', () => {
  const state = clusterState();
  const first = parse(textOf((kept) => subscribedJson(kept, takeSnapshot(state), 15)));
  assert.equal(first.subscribed.heartbeat_interval_seconds, 15);
  assert.equal(first.subscribed.get_state.get_agents.agents.length, 1);
  const added = eventOf(state, { type: 'TASK_ADDED', frameworkId: FRAMEWORK_ID, taskId: 'run' });
  assert.equal(added?.task_added?.task.name, 'run');
  assert.equal(eventOf(state, { type: 'TASK_ADDED', frameworkId: FRAMEWORK_ID, taskId: 'none' }), undefined);
  const [present] = state.frameworks.values();
  assert.ok(present);
  const joined = eventOf(state, { type: 'FRAMEWORK_ADDED', framework: present });
  assert.deepEqual(joined?.framework_added?.framework.unregistered_time, { nanoseconds: 0 });
  const removed = eventOf(state, { type: 'AGENT_REMOVED', agentId: { value: AGENT_ID } });
  assert.equal(
    removed && Event.stringify(removed),
    `{"type":"AGENT_REMOVED","agent_removed":{"agent_id":{"value":"${AGENT_ID}"}}}`,
  );
});
