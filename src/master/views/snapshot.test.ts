import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resources } from '../../resources/resources.ts';
import { type AgentInfo, type ExecutorInfo, Task, type TaskState } from '../../wire/v1.ts';
import { Response } from '../../wire/v1_master.ts';
import { BoundedMap, Ring } from '../core/ring.ts';
import type { Agent, Framework, MasterState, OfferRecord } from '../core/state.ts';
import type { TaskTable } from '../core/task-table.ts';
import { agentsParts } from './agents.ts';
import { frameworksParts } from './frameworks.ts';
import { v1TaskText } from './json-text.ts';
import type { Kept } from './kept.ts';
import { LISTING_CALLS, listingJson, listingProtobuf, subscribedJson, WANTED } from './operator-lists.ts';
import { bytesOf, newKept, textOf } from './parts.fixture.ts';
import { plainAgents, plainAnswer, plainFrameworks, plainState, plainSummary, plainTasks } from './plain.fixture.ts';
import { plainRoles } from './plain-roles.fixture.ts';
import { getRolesJson, getRolesProtobuf, rolesOf, takeRoles } from './roles.ts';
import { takeSnapshot } from './snapshot.ts';
import { AGENT_ID, clusterState, framework, resources, task } from './state.fixture.ts';
import { stateParts } from './state.ts';
import { summaryParts } from './summary.ts';
import { tasksParts, taskText } from './tasks.ts';

const program = {
  build: { version: '1.12.0', build_date: 'd', build_time: 1, build_user: 'u', git_sha: 'g' },
  flags: { cluster: 'c' },
};

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
interface World extends Framework {
  readonly tasks: TaskTable;
  readonly unreachableTasks: BoundedMap<string, Task>;
  readonly completedTasks: Ring<Task>;
  readonly executors: Map<string, Map<string, ExecutorInfo>>;
  readonly offers: Set<string>;
  readonly used: Map<string, Resources>;
}
type Cluster = Omit<MasterState, 'frameworks' | 'completedFrameworks' | 'agents' | 'offers' | 'recovered'> & {
  readonly frameworks: Map<string, World>;
  readonly completedFrameworks: BoundedMap<string, World>;
  readonly agents: Map<string, Writable<Agent>>;
  readonly offers: Map<string, OfferRecord>;
  readonly recovered: Map<string, AgentInfo>;
};

const SMALL = resources('cpus:0.1;mem:32').allocate('eng');
const RESERVED = resources('cpus(eng/ads):0.2;ports(ops):[5-9]');

function worldOf(id: string): World {
  return framework(id, { completedTasks: new Ring<Task>(90) }) as World;
}

function emptyCluster(): Cluster {
  const cluster = { ...clusterState(), frameworks: new Map(), completedFrameworks: new BoundedMap(3) };
  return { ...cluster, agents: new Map(cluster.agents), offers: new Map(), recovered: new Map() } as unknown as Cluster;
}

/** What can happen to a cluster, as far as answers show it: values are replaced, agents and frameworks change in place. */
const CHANGES: readonly ((cluster: Cluster, pick: number) => void)[] = [
  ({ frameworks }, pick) => void frameworks.set(`F${pick}`, worldOf(`F${pick}`)),
  (cluster, pick) => {
    for (let i = 0; i < pick; i++) {
      const added = task(`t${pick}-${i}`, 'TASK_STAGING', i);
      chosen(cluster, pick)?.tasks.set(added.task_id.value, added);
    }
  },
  (cluster, pick) => {
    const world = chosen(cluster, pick);
    const at = [...(world?.tasks.values() ?? [])][pick];
    if (at === undefined) return;
    const state: TaskState = pick % 2 === 0 ? 'TASK_RUNNING' : 'TASK_KILLING';
    const statuses = [...(at.statuses ?? []), { task_id: at.task_id, state, timestamp: pick, healthy: pick % 3 === 0 }];
    world?.tasks.set(at.task_id.value, { ...at, state, statuses });
  },
  (cluster, pick) => {
    const world = chosen(cluster, pick);
    for (const ended of [...(world?.tasks.values() ?? [])].slice(pick, pick + 20)) {
      world?.tasks.delete(ended.task_id.value);
      world?.completedTasks.push({ ...ended, state: 'TASK_FINISHED' });
    }
  },
  (cluster, pick) => {
    const world = chosen(cluster, pick);
    for (const lost of [...(world?.tasks.values() ?? [])].slice(0, pick)) {
      world?.tasks.delete(lost.task_id.value);
      world?.unreachableTasks.set(lost.task_id.value, { ...lost, state: 'TASK_UNREACHABLE' });
    }
  },
  (cluster, pick) => {
    const world = chosen(cluster, pick);
    if (world === undefined) return;
    cluster.frameworks.delete(world.id);
    cluster.completedFrameworks.set(world.id, world);
  },
  ({ agents }, pick) => {
    const model = clusterState().agents.get(AGENT_ID)!;
    agents.set(`S${pick}`, { ...model, id: `S${pick}`, info: { ...model.info, id: { value: `S${pick}` } } });
  },
  (cluster, pick) => {
    const agent = cluster.agents.get(AGENT_ID)!;
    agent.used = agent.used.plus(SMALL);
    chosen(cluster, pick)?.used.set(AGENT_ID, agent.used);
  },
  ({ agents }, pick) => {
    const agent = agents.get(AGENT_ID)!;
    const changes: readonly Partial<Agent>[] = [
      { active: pick % 2 === 0 },
      { deactivated: pick % 2 === 0 },
      { version: `1.${pick}` },
      { registeredTime: pick },
      { reregisteredTime: pick },
      { total: agent.total.plus(SMALL.unallocate()) },
      { total: agent.total.plus(RESERVED), used: agent.used.plus(RESERVED.reserved('eng/ads').allocate('eng/ads')) },
      { offered: SMALL },
      { pid: `slave(${pick})@127.0.0.1:5051` },
      { capabilities: new Set(pick % 2 === 0 ? ['MULTI_ROLE'] : ['RESIZE_VOLUME']) },
      { info: { ...agent.info, hostname: `h${pick}` } },
      { drain: { state: 'DRAINING', config: { mark_gone: pick % 2 === 0 } } },
      { drainStarted: pick },
    ];
    Object.assign(agent, changes[pick % changes.length]);
  },
  ({ agents }, pick) => void agents.delete(`S${pick}`),
  (cluster, pick) => {
    const world = chosen(cluster, pick);
    if (world === undefined) return;
    const id = `O${pick}`;
    world.offers.add(id);
    cluster.offers.set(id, { id, frameworkId: world.id, agentId: AGENT_ID, role: 'eng', resources: SMALL, created: 0 });
  },
  (cluster, pick) => void cluster.offers.delete(`O${pick}`),
  (cluster, pick) => {
    const executor: ExecutorInfo = { executor_id: { value: `e${pick}` }, command: { value: 'true' } };
    chosen(cluster, pick)?.executors.set(pick % 2 === 0 ? AGENT_ID : 'S1', new Map([[`e${pick}`, executor]]));
  },
  ({ recovered }, pick) => void recovered.set(`R${pick}`, { hostname: `r${pick}`, id: { value: `R${pick}` } }),
];

function chosen({ frameworks }: Cluster, pick: number): World | undefined {
  return [...frameworks.values()][pick % Math.max(1, frameworks.size)];
}

const parse = (text: string): unknown => JSON.parse(text);

/** Every long answer says what the plain one says. */
function compare(state: MasterState, kept: Kept): void {
  const snapshot = takeSnapshot(state);
  const said = (parts: Parameters<typeof textOf>[0]): unknown => parse(textOf(parts, kept));
  assert.deepEqual(
    said(() => stateParts(kept, snapshot, program)),
    parse(plainState(state, program)),
  );
  assert.deepEqual(
    said(() => frameworksParts(kept, snapshot)),
    parse(plainFrameworks(state)),
  );
  assert.deepEqual(
    said(() => agentsParts(kept, snapshot)),
    parse(plainAgents(state)),
  );
  assert.deepEqual(
    said(() => summaryParts(kept, snapshot, 'c')),
    parse(plainSummary(state, 'c')),
  );
  for (const selection of [{}, { limit: -1, ascending: true }, { limit: -1, offset: 2 }, { offset: 3, limit: 7 }]) {
    assert.deepEqual(
      said(() => tasksParts(kept, snapshot, selection)),
      parse(plainTasks(state, selection)),
    );
  }
  for (const type of LISTING_CALLS) {
    const own = takeSnapshot(state, WANTED[type]);
    const plain = Response.toJson(plainAnswer(state, type));
    assert.deepEqual(
      said(() => listingJson(kept, own, type)),
      plain,
      type,
    );
    const decoded = Response.decode(bytesOf(() => listingProtobuf(kept, own, type), kept));
    assert.ok(decoded.ok, type);
    assert.deepEqual(Response.toJson(decoded.value), plain, type);
  }
}

/** What is told of roles is what counting everything anew gives. */
function compareRoles(state: MasterState, kept: Kept): void {
  const plain = plainRoles(state);
  const work = rolesOf(kept, takeRoles(state));
  let step = work.next();
  while (!step.done) step = work.next();
  assert.deepEqual(step.value, plain);
  const json = textOf(() => getRolesJson(kept, takeRoles(state)), kept);
  const decoded = Response.decode(bytesOf(() => getRolesProtobuf(kept, takeRoles(state)), kept));
  assert.ok(decoded.ok);
  assert.deepEqual(Response.toJson(decoded.value), parse(json));
  assert.equal(decoded.value.get_roles?.roles?.length, plain.length);
}

test('whatever happens to a cluster, answers written from kept pieces say the same as plain ones', () => {
  const happening = fc.record({ change: fc.nat(CHANGES.length - 1), pick: fc.nat(90) });
  fc.assert(
    fc.property(fc.array(happening, { minLength: 5, maxLength: 40 }), (happenings) => {
      const cluster = emptyCluster();
      const kept = newKept();
      CHANGES[0]!(cluster, 1);
      for (const [at, { change, pick }] of happenings.entries()) {
        CHANGES[change]!(cluster, pick);
        if (at % 5 === 0) compare(cluster, kept);
        if (at % 5 === 0) compareRoles(cluster, kept);
      }
      compare(cluster, kept);
      compareRoles(cluster, kept);
    }),
    { numRuns: 30 },
  );
});

test('a snapshot stays as it was, whatever happens while it is written', () => {
  const cluster = emptyCluster();
  const kept = newKept();
  for (const [change, pick] of [
    [0, 1],
    [1, 90],
    [7, 3],
    [9, 4],
    [11, 2],
  ] as const)
    CHANGES[change]!(cluster, pick);
  const expected = parse(plainState(cluster, program));
  const work = stateParts(kept, takeSnapshot(cluster), program)[Symbol.iterator]();
  let text = '';
  for (let step = 0; ; step++) {
    const { done, value } = work.next();
    if (done) break;
    if (typeof value === 'string') text += value;
    else if (value instanceof Uint8Array) text += Buffer.from(value).toString();
    CHANGES[step % CHANGES.length]!(cluster, step);
    if (step % 3 === 0) compare(cluster, kept);
  }
  assert.deepEqual(parse(text), expected);
});

test('what is not visible is not in the answer, nor counted', () => {
  const state = clusterState();
  const [seen] = state.frameworks.values();
  assert.ok(seen);
  const some = takeSnapshot(state, undefined, { task: (shown) => shown.task_id.value !== 'run' });
  assert.deepEqual(
    some.frameworks.map(({ tasks, completedTasks }) => [tasks.items.length, completedTasks.items.length]),
    [[0, 1]],
  );
  const none = takeSnapshot(state, undefined, { framework: () => false });
  const text = textOf((kept) => stateParts(kept, none, program));
  assert.ok(!text.includes(seen.id));
});

test('the first event of a stream is the state as GET_STATE has it', () => {
  const state = clusterState();
  const first = JSON.parse(textOf((kept) => subscribedJson(kept, takeSnapshot(state), 15)));
  const asked = JSON.parse(textOf((kept) => listingJson(kept, takeSnapshot(state), 'GET_STATE')));
  assert.deepEqual(first.subscribed.get_state, asked.get_state);
});

/** A task with every field that there is. */
const FULL: Task = {
  ...task('quote " and \\ and \u0001 and \ud83d\ude00', 'TASK_RUNNING', 5),
  executor_id: { value: 'e' },
  labels: { labels: [{ key: 'k', value: 'v\n' }, { key: 'only' }] },
  discovery: { visibility: 'CLUSTER', name: 'd', ports: { ports: [{ number: 80 }] } },
  container: { type: 'MESOS', network_infos: [{ name: 'n' }] },
  health_check: { type: 'COMMAND', command: { value: 'true' } },
  kill_policy: { grace_period: { nanoseconds: 5 } },
  user: 'root',
  limits: { cpus: { value: Number.POSITIVE_INFINITY }, mem: { value: 5 } },
  status_update_state: 'TASK_RUNNING',
  status_update_uuid: new Uint8Array([1, 2, 255]),
  statuses: [
    {
      task_id: { value: 'x' },
      state: 'TASK_RUNNING',
      timestamp: 1.5,
      healthy: false,
      labels: { labels: [{ key: 'k' }] },
      container_status: { network_infos: [{ ip_addresses: [{ ip_address: '10.0.0.1' }] }] },
    },
    { task_id: { value: 'x' }, state: 'TASK_KILLING' },
  ],
};

test('a task is written as its codec writes it, every field of it', () => {
  for (const [field] of Task.fields) assert.ok(field in FULL, `the test's task has no ${field}`);
  const odd = resources('ports:[1-3];cpus(eng):0.5').allocate('eng').toProto();
  for (const each of [
    FULL,
    { ...FULL, resources: [...odd, ...(FULL.resources ?? [])], labels: {}, statuses: [], limits: {} },
    task('plain', 'TASK_LOST', 0),
  ]) {
    assert.deepEqual(JSON.parse(v1TaskText(each)), Task.toJson(each));
    const world = worldOf('F');
    world.tasks.set('x', each);
    const cluster = emptyCluster();
    cluster.frameworks.set('F', world);
    const { frameworks } = JSON.parse(plainFrameworks(cluster));
    assert.deepEqual(JSON.parse(taskText(each)), frameworks[0].tasks[0]);
  }
});
