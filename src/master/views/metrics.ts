import type { Allocator } from '../../allocator/allocator.ts';
import type { Millis } from '../../base/machine.ts';
import { fromMilli } from '../../resources/scalars.ts';
import { Offer_Operation_Type } from '../../wire/v1.ts';
import { COUNTERS } from '../core/counters.ts';
import type { MasterState } from '../core/state.ts';
import { type AgentSums, agentSums, SHOWN, type Sums } from './agent-sums.ts';
import { addFramework, GAUGED } from './framework-metrics.ts';
import { addRoles } from './role-metrics.ts';

/** What the shell knows and the state does not. */
export interface Outside {
  /** Whether this master leads. */
  readonly elected: boolean;
  /** What waits for the core. */
  readonly queued: { readonly messages: number; readonly dispatches: number; readonly httpRequests: number };
  /** Seconds since this process started. */
  readonly uptimeSeconds: number;
  /** The clock of the core's steps. */
  readonly now: Millis;
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
    'master/event_queue_messages': outside.queued.messages,
    'master/event_queue_dispatches': outside.queued.dispatches,
    'master/event_queue_http_requests': outside.queued.httpRequests,
    // The allocator works within the master's steps: nothing ever waits for it.
    'allocator/event_queue_dispatches': 0,
    'allocator/mesos/event_queue_dispatches': 0,
    'allocator/mesos/allocation_runs': state.allocationRuns,
  };
  for (const name of COUNTERS) metrics[`master/${name}`] = state.counters[name];
  for (const [name, count] of state.taskCounters) metrics[`master/${name}`] = count;
  addAgents(metrics, state);
  addRecovery(metrics, state, outside.now);
  addFrameworks(metrics, state);
  addTasks(metrics, state);
  const sums = agentSums(state);
  addResources(metrics, sums);
  addOperations(metrics, state);
  addRoles(metrics, state, sums, outside.allocator);
  for (const { principal } of state.frameworks.values()) {
    if (principal === undefined) continue;
    const { received, processed } = state.messageCounts.get(principal) ?? { received: 0, processed: 0 };
    metrics[`frameworks/${principal}/messages_received`] = received;
    metrics[`frameworks/${principal}/messages_processed`] = processed;
  }
  if (outside.perFramework) for (const framework of state.frameworks.values()) addFramework(metrics, framework);
  return Object.assign(metrics, outside.more);
}

function addAgents(metrics: Metrics, state: MasterState): void {
  const { size } = state.agents;
  let connected = 0;
  let active = 0;
  for (const agent of state.agents.values()) {
    if (agent.connected) connected++;
    if (agent.active) active++;
  }
  metrics['master/slaves_connected'] = connected;
  metrics['master/slaves_disconnected'] = size - connected;
  metrics['master/slaves_active'] = active;
  metrics['master/slaves_inactive'] = size - active;
  metrics['master/slaves_unreachable'] = state.unreachable.size;
}

/** After a failover: how many of the agents of before are back, and how long the others are waited for. */
function addRecovery(
  metrics: Metrics,
  { recovery, recovered, agents, agentsToWaitFor }: MasterState,
  now: Millis,
): void {
  metrics['master/recovery_agents_expected'] = recovery.expected;
  metrics['master/recovery_agents_reregistered'] = recovery.returned;
  metrics['master/recovery_agents_awaited'] = recovered.size;
  metrics['master/recovery_secs_left'] = recovered.size === 0 ? 0 : Math.max(0, recovery.until - now) / 1000;
  metrics['master/recovery_agents_until_offers'] =
    agentsToWaitFor === 0 ? 0 : Math.max(0, agentsToWaitFor - agents.size);
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

function addTasks(metrics: Metrics, state: MasterState): void {
  let unreachable = 0;
  for (const framework of state.frameworks.values()) unreachable += framework.unreachableTasks.size;
  for (const name of GAUGED) {
    let count = 0;
    for (const { tasks } of state.frameworks.values()) count += tasks.countOf(name);
    metrics[`master/${name.toLowerCase()}`.replace('/task_', '/tasks_')] = count;
  }
  metrics['master/tasks_unreachable'] = unreachable;
}

function addResources(metrics: Metrics, { total, used, offered }: AgentSums): void {
  for (const name of SHOWN) {
    for (const kind of ['', '_revocable'])
      addShare(metrics, `master/${name}${kind}`, total.of(kind, name), used.of(kind, name));
  }
  const whole = (sums: Sums, name: string): number => sums.of('', name) + sums.of('_revocable', name);
  for (const name of ['cpus', 'mem', 'disk']) {
    metrics[`allocator/mesos/resources/${name}/total`] = fromMilli(whole(total, name));
    metrics[`allocator/mesos/resources/${name}/offered_or_allocated`] = fromMilli(
      whole(used, name) + whole(offered, name),
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
  for (const [key, count] of state.operationCounts) {
    const [type = '', operationState = ''] = key.split('/');
    const outcome = operationState.slice('OPERATION_'.length).toLowerCase();
    for (const prefix of ['master/operations', `master/operations/${type.toLowerCase()}`]) {
      for (const name of [`${prefix}/total`, `${prefix}/${outcome}`]) if (name in metrics) metrics[name]! += count;
    }
  }
}
