/** A small cluster for the tests of views: one agent, one framework with tasks in every list, one completed framework. */
import { parseResources } from '../../resources/parse.ts';
import { Resources } from '../../resources/resources.ts';
import type { AgentInfo, FrameworkInfo, Task, TaskState } from '../../wire/v1.ts';
import { zeroCounters } from '../core/counters.ts';
import { BoundedMap, Ring } from '../core/ring.ts';
import type { Agent, Framework, MasterState } from '../core/state.ts';
import { TaskTable } from '../core/task-table.ts';

export const MASTER_ID = 'd580b87b-1aa2-4aa5-b9fa-8c2befa636e4';
export const AGENT_ID = `${MASTER_ID}-S0`;
export const FRAMEWORK_ID = `${MASTER_ID}-0000`;

export function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

export function task(id: string, state: TaskState, timestamp: number): Task {
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: FRAMEWORK_ID },
    agent_id: { value: AGENT_ID },
    state,
    resources: resources('cpus:0.1;mem:32').allocate('eng').toProto(),
    statuses: [{ task_id: { value: id }, state, timestamp }],
  };
}

export function framework(id: string, more: Partial<Framework> = {}): Framework {
  const info: FrameworkInfo = { user: 'root', name: 'snap', id: { value: id }, role: 'eng', failover_timeout: 5 };
  return {
    id,
    info,
    state: 'CONNECTED',
    active: true,
    connection: { kind: 'http', stream: 'stream' },
    principal: undefined,
    capabilities: new Set(),
    roles: new Set(['eng']),
    suppressedRoles: new Set(),
    offerConstraints: undefined,
    tasks: new TaskTable(),
    completedTasks: new Ring<Task>(10),
    unreachableTasks: new BoundedMap<string, Task>(10),
    executors: new Map(),
    offers: new Set(),
    inverseOffers: new Set(),
    used: new Map(),
    operations: new Map(),
    registeredTime: 1_000_000,
    reregisteredTime: 1_000_000,
    unregisteredTime: 0,
    counters: {
      calls: new Map([['SUBSCRIBE', 1]]),
      events: new Map(),
      operations: new Map(),
      terminalTasks: new Map([['TASK_FINISHED', 1]]),
      offersSent: 1,
      offersAccepted: 0,
      offersDeclined: 0,
      offersRescinded: 0,
    },
    ...more,
  };
}

function agent(): Agent {
  const info: AgentInfo = {
    id: { value: AGENT_ID },
    hostname: 'h1',
    port: 5051,
    attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'r1' } }],
    resources: resources('cpus:4;mem:4096;ports:[31000-32000]').toProto(),
  };
  return {
    id: AGENT_ID,
    info,
    pid: 'slave(1)@127.0.0.1:5051',
    version: '1.12.0',
    capabilities: new Set(['MULTI_ROLE']),
    registeredTime: 2_000_000,
    reregisteredTime: undefined,
    isOverdrawn: false,
    connected: true,
    active: true,
    deactivated: false,
    drain: undefined,
    drainStarted: undefined,
    total: resources('cpus:4;mem:4096;cpus(eng):1;ports:[31000-32000]'),
    used: resources('cpus:0.1;mem:32').allocate('eng'),
    offered: resources('cpus:3.9;ports:[31000-32000]').allocate('eng'),
    usedByFramework: new Map(),
    checkpointed: Resources.EMPTY,
    tasks: new Map(),
    executors: new Map(),
    offers: new Set(['O1']),
    inverseOffers: new Set(),
    pendingKills: new Map(),
    operations: new Map(),
    resourceVersion: undefined,
    observer: { process: 'slave-observer(1)', misses: 0, pinged: false, markingUnreachable: false },
  };
}

export function clusterState(): MasterState {
  const completedTasks = new Ring<Task>(10);
  completedTasks.push(task('done', 'TASK_FINISHED', 10));
  const unreachableTasks = new BoundedMap<string, Task>(10);
  unreachableTasks.set('away', task('away', 'TASK_UNREACHABLE', 20));
  const running = task('run', 'TASK_RUNNING', 30);
  const present = framework(FRAMEWORK_ID, {
    tasks: new TaskTable().set('run', running),
    completedTasks,
    unreachableTasks,
    used: new Map([[AGENT_ID, resources('cpus:0.1;mem:32').allocate('eng')]]),
    offers: new Set(['O1']),
  });
  const ended = framework(`${MASTER_ID}-0001`, { state: 'DISCONNECTED', active: false, unregisteredTime: 3_000_000 });
  const completedFrameworks = new BoundedMap<string, Framework>(10);
  completedFrameworks.set(ended.id, ended);
  const offered = resources('cpus:3.9;ports:[31000-32000]').allocate('eng');
  return {
    id: MASTER_ID,
    info: { id: MASTER_ID, ip: 16777343, port: 5050, pid: 'master@127.0.0.1:5050', hostname: 'm1', version: '1.12.0' },
    startTime: 1_000,
    electedTime: 1_500,
    frameworks: new Map([[present.id, present]]),
    completedFrameworks,
    agents: new Map([[AGENT_ID, agent()]]),
    offers: new Map([
      ['O1', { id: 'O1', frameworkId: present.id, agentId: AGENT_ID, role: 'eng', resources: offered, created: 0 }],
    ]),
    inverseOffers: new Map(),
    recovered: new Map(),
    unreachable: new Map(),
    standings: new Map(),
    gone: new Map(),
    removed: new BoundedMap(10),
    roles: new Map([['eng', { name: 'eng', frameworks: new Set([present.id]) }]]),
    weights: new Map([['ops/night', 2]]),
    quotas: new Map(),
    machines: new Map(),
    counters: zeroCounters(),
    taskCounters: new Map([['task_lost/source_master/reason_x', 2]]),
    operationCounts: new Map([
      ['RESERVE/OPERATION_FINISHED', 2],
      ['CREATE/OPERATION_PENDING', 1],
    ]),
    orphanOperations: new Map(),
    messageCounts: new Map(),
    allocationRuns: 3,
    agentsToWaitFor: 0,
    recovery: { expected: 0, returned: 0, began: 0, until: 0 },
  };
}
