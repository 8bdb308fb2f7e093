import type { Allocator } from '../../allocator/allocator.ts';
import { Resources } from '../../resources/resources.ts';
import { fromMilli } from '../../resources/scalars.ts';
import { Offer_Operation_Type, type TaskState } from '../../wire/v1.ts';
import { Call_Type, Event_Type } from '../../wire/v1_scheduler.ts';
import { COUNTERS } from '../core/counters.ts';
import type { Framework, MasterState } from '../core/state.ts';
import { rolesOf } from './roles.ts';

/** What the shell knows and the state does not. */
export interface Outside {
  /** Whether this master leads. */
  readonly elected: boolean;
  /** Seconds since this process started. */
  readonly uptimeSeconds: number;
  readonly operatorStreams: number;
  readonly allocator?: Pick<Allocator, 'roleShare' | 'activeFilters'>;
  /** `--publish_per_framework_metrics` */
  readonly perFramework: boolean;
  /** Further metrics by full name: `system/…`, `registrar/…`, `allocator/…`. */
  readonly more: Readonly<Record<string, number>>;
}

type Metrics = Record<string, number>;

/** `/metrics/snapshot`: every metric by its public name. */
export function metricsOf(state: MasterState, outside: Outside): Metrics {
  const metrics: Metrics = {
    'master/uptime_secs': outside.uptimeSeconds,
    'master/elected': outside.elected ? 1 : 0,
    'master/operator_event_stream_subscribers': outside.operatorStreams,
    'master/outstanding_offers': state.offers.size,
    'master/http_cache_hits': 0,
    'master/event_queue_messages': 0,
    'master/event_queue_dispatches': 0,
    'master/event_queue_http_requests': 0,
    'allocator/event_queue_dispatches': 0,
    'allocator/mesos/event_queue_dispatches': 0,
    'allocator/mesos/allocation_runs': state.allocationRuns,
  };
  for (const name of COUNTERS) metrics[`master/${name}`] = state.counters[name];
  for (const [name, count] of state.taskCounters) metrics[`master/${name}`] = count;
  addAgents(metrics, state);
  addFrameworks(metrics, state);
  addTasks(metrics, state);
  addResources(metrics, state);
  addOperations(metrics, state);
  addRoles(metrics, state, outside.allocator);
  if (outside.perFramework) for (const framework of state.frameworks.values()) addFramework(metrics, framework);
  return Object.assign(metrics, outside.more);
}

function addAgents(metrics: Metrics, state: MasterState): void {
  const agents = [...state.agents.values()];
  const connected = agents.filter((agent) => agent.connected).length;
  const active = agents.filter((agent) => agent.active).length;
  metrics['master/slaves_connected'] = connected;
  metrics['master/slaves_disconnected'] = agents.length - connected;
  metrics['master/slaves_active'] = active;
  metrics['master/slaves_inactive'] = agents.length - active;
  metrics['master/slaves_unreachable'] = state.unreachable.size;
}

function addFrameworks(metrics: Metrics, state: MasterState): void {
  const frameworks = [...state.frameworks.values()];
  const connected = frameworks.filter((framework) => framework.state === 'CONNECTED').length;
  const active = frameworks.filter((framework) => framework.active).length;
  metrics['master/frameworks_connected'] = connected;
  metrics['master/frameworks_disconnected'] = frameworks.length - connected;
  metrics['master/frameworks_active'] = active;
  metrics['master/frameworks_inactive'] = frameworks.length - active;
}

const GAUGED = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'] as const satisfies TaskState[];

function addTasks(metrics: Metrics, state: MasterState): void {
  const counts = new Map<TaskState, number>();
  let unreachable = 0;
  for (const framework of state.frameworks.values()) {
    for (const { state: taskState } of framework.tasks.values())
      counts.set(taskState, (counts.get(taskState) ?? 0) + 1);
    unreachable += framework.unreachableTasks.size;
  }
  for (const name of GAUGED)
    metrics[`master/${name.toLowerCase()}`.replace('/task_', '/tasks_')] = counts.get(name) ?? 0;
  metrics['master/tasks_unreachable'] = unreachable;
}

function addResources(metrics: Metrics, state: MasterState): void {
  const agents = [...state.agents.values()];
  const total = Resources.sum(agents.map((agent) => agent.total));
  const used = Resources.sum(agents.map((agent) => agent.used));
  const offered = Resources.sum(agents.map((agent) => agent.offered));
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
    addShare(metrics, `master/${name}`, total.nonRevocable().scalar(name), used.nonRevocable().scalar(name));
    addShare(metrics, `master/${name}_revocable`, total.revocable().scalar(name), used.revocable().scalar(name));
  }
  for (const name of ['cpus', 'mem', 'disk']) {
    metrics[`allocator/mesos/resources/${name}/total`] = fromMilli(total.scalar(name));
    metrics[`allocator/mesos/resources/${name}/offered_or_allocated`] = fromMilli(
      used.scalar(name) + offered.scalar(name),
    );
  }
}

function addShare(metrics: Metrics, prefix: string, total: number, used: number): void {
  metrics[`${prefix}_total`] = fromMilli(total);
  metrics[`${prefix}_used`] = fromMilli(used);
  metrics[`${prefix}_percent`] = total === 0 ? 0 : used / total;
}

/** The operations whose status is followed; LAUNCH and LAUNCH_GROUP have tasks for that. */
const FOLLOWED = Offer_Operation_Type.values.filter((type) => !['UNKNOWN', 'LAUNCH', 'LAUNCH_GROUP'].includes(type));
const OUTCOMES = [
  'pending',
  'recovering',
  'unreachable',
  'finished',
  'failed',
  'error',
  'dropped',
  'gone_by_operator',
] as const;

function addOperations(metrics: Metrics, state: MasterState): void {
  const prefixes = ['master/operations', ...FOLLOWED.map((type) => `master/operations/${type.toLowerCase()}`)];
  for (const prefix of prefixes) for (const outcome of ['total', ...OUTCOMES]) metrics[`${prefix}/${outcome}`] = 0;
  for (const agent of state.agents.values()) {
    for (const { info, latest_status: status } of agent.operations.values()) {
      const outcome = (status.state ?? 'OPERATION_UNSUPPORTED').slice('OPERATION_'.length).toLowerCase();
      for (const prefix of ['master/operations', `master/operations/${(info.type ?? 'UNKNOWN').toLowerCase()}`]) {
        for (const name of [`${prefix}/total`, `${prefix}/${outcome}`]) if (name in metrics) metrics[name]! += 1;
      }
    }
  }
}

function addRoles(metrics: Metrics, state: MasterState, allocator: Outside['allocator']): void {
  for (const role of rolesOf(state)) {
    for (const [name, milli] of role.consumed)
      metrics[`allocator/mesos/quota/roles/${role.name}/resources/${name}/consumed`] = fromMilli(milli);
  }
  if (allocator === undefined) return;
  for (const role of state.roles.keys()) {
    metrics[`allocator/mesos/roles/${role}/shares/dominant`] = allocator.roleShare(role);
    metrics[`allocator/mesos/offer_filters/roles/${role}/active`] = allocator.activeFilters(role);
  }
}

const ACTIVE: readonly TaskState[] = [...GAUGED, 'TASK_UNREACHABLE', 'TASK_UNKNOWN'];
const TERMINAL = [
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
] as const satisfies readonly TaskState[];

/** `master/frameworks/<name>/<id>/…`; the name is percent-encoded, since it may contain slashes. */
function addFramework(metrics: Metrics, framework: Framework): void {
  const prefix = `master/frameworks/${encodeURIComponent(framework.info.name)}/${framework.id}`;
  const { counters } = framework;
  metrics[`${prefix}/subscribed`] = framework.state === 'CONNECTED' ? 1 : 0;
  addByType(metrics, `${prefix}/calls`, Call_Type.values, counters.calls);
  addByType(metrics, `${prefix}/events`, Event_Type.values, counters.events);
  addByType(metrics, `${prefix}/operations`, Offer_Operation_Type.values, counters.operations);
  metrics[`${prefix}/offers/sent`] = counters.offersSent;
  metrics[`${prefix}/offers/accepted`] = counters.offersAccepted;
  metrics[`${prefix}/offers/declined`] = counters.offersDeclined;
  metrics[`${prefix}/offers/rescinded`] = counters.offersRescinded;
  for (const role of framework.roles)
    metrics[`${prefix}/roles/${role}/suppressed`] = framework.suppressedRoles.has(role) ? 1 : 0;
  for (const state of TERMINAL)
    metrics[`${prefix}/tasks/terminal/${state.toLowerCase()}`] = counters.terminalTasks.get(state) ?? 0;
  for (const state of ACTIVE) metrics[`${prefix}/tasks/active/${state.toLowerCase()}`] = 0;
  for (const { state } of framework.tasks.values()) {
    const name = `${prefix}/tasks/active/${state.toLowerCase()}`;
    if (name in metrics) metrics[name]! += 1;
  }
  metrics[`${prefix}/tasks/active/task_unreachable`] = framework.unreachableTasks.size;
}

function addByType(
  metrics: Metrics,
  prefix: string,
  types: readonly string[],
  counts: ReadonlyMap<string, number>,
): void {
  let total = 0;
  for (const type of types) {
    if (type === 'UNKNOWN') continue;
    const count = counts.get(type) ?? 0;
    metrics[`${prefix}/${type.toLowerCase()}`] = count;
    total += count;
  }
  metrics[prefix] = total;
}
