import { Resources } from '../../../resources/resources.ts';
import { fromMilli } from '../../../resources/scalars.ts';
import type { TaskState } from '../../../wire/v1.ts';
import { maxGarbageAge } from '../garbage.ts';
import type { AgentState, ExecutorPhase } from '../state.ts';
import { allocatedOn } from './allocated.ts';

/** Every metric of the agent by upstream's name. @param wall milliseconds since the Unix epoch */
export function agentMetrics(state: AgentState, wall: number): Record<string, number> {
  const { metrics } = state;
  return {
    'slave/uptime_secs': (wall - state.startTime) / 1000,
    'slave/registered': state.phase === 'running' ? 1 : 0,
    'slave/recovery_errors': metrics.recoveryErrors,
    ...(metrics.recoveryTime !== undefined && { 'slave/recovery_time_secs': metrics.recoveryTime / 1000 }),
    'slave/frameworks_active': state.frameworks.size,
    ...taskGauges(state),
    'slave/tasks_finished': metrics.tasksFinished,
    'slave/tasks_failed': metrics.tasksFailed,
    'slave/tasks_killed': metrics.tasksKilled,
    'slave/tasks_lost': metrics.tasksLost,
    'slave/tasks_gone': metrics.tasksGone,
    ...executorGauges(state),
    'slave/executors_terminated': metrics.executorsTerminated,
    'slave/executors_preempted': metrics.executorsPreempted,
    'slave/valid_status_updates': metrics.validStatusUpdates,
    'slave/invalid_status_updates': metrics.invalidStatusUpdates,
    'slave/valid_framework_messages': metrics.validFrameworkMessages,
    'slave/invalid_framework_messages': metrics.invalidFrameworkMessages,
    'slave/executor_directory_max_allowed_age_secs': maxGarbageAge(state) / 1000,
    'slave/container_launch_errors': metrics.containerLaunchErrors,
    ...resourceGauges(state),
    'gc/path_removals_succeeded': metrics.pathRemovals,
    'gc/path_removals_failed': metrics.failedPathRemovals,
    'gc/path_removals_pending': state.garbage.size,
    ...ABSENT_PARTS,
  };
}

/** Those that only grow; the others go up and down. */
export const AGENT_COUNTERS: ReadonlySet<string> = new Set([
  'slave/recovery_errors',
  ...['finished', 'failed', 'killed', 'lost', 'gone'].map((state) => `slave/tasks_${state}`),
  'slave/executors_terminated',
  'slave/executors_preempted',
  'slave/valid_status_updates',
  'slave/invalid_status_updates',
  'slave/valid_framework_messages',
  'slave/invalid_framework_messages',
  'slave/container_launch_errors',
  'gc/path_removals_succeeded',
  'gc/path_removals_failed',
  'containerizer/mesos/container_destroy_errors',
  'containerizer/mesos/provisioner/bind/remove_rootfs_errors',
  'containerizer/mesos/provisioner/remove_container_errors',
  'containerizer/fetcher/task_fetches_succeeded',
  'containerizer/fetcher/task_fetches_failed',
  'resource_provider_manager/events/disconnect',
  'resource_provider_manager/events/subscribe',
]);

/** Counted by parts of upstream that have no counterpart here (yet): they are expected to be there, and are zero. */
const ABSENT_PARTS: Readonly<Record<string, number>> = {
  'containerizer/mesos/container_destroy_errors': 0,
  'containerizer/mesos/provisioner/bind/remove_rootfs_errors': 0,
  'containerizer/mesos/provisioner/remove_container_errors': 0,
  'containerizer/fetcher/task_fetches_succeeded': 0,
  'containerizer/fetcher/task_fetches_failed': 0,
  'containerizer/fetcher/cache_size_total_bytes': 0,
  'containerizer/fetcher/cache_size_used_bytes': 0,
  'resource_provider_manager/subscribed': 0,
  'resource_provider_manager/events/disconnect': 0,
  'resource_provider_manager/events/subscribe': 0,
};

const TASK_GAUGES: readonly (readonly [name: string, state: TaskState])[] = [
  ['slave/tasks_staging', 'TASK_STAGING'],
  ['slave/tasks_starting', 'TASK_STARTING'],
  ['slave/tasks_running', 'TASK_RUNNING'],
  ['slave/tasks_killing', 'TASK_KILLING'],
];

function taskGauges(state: AgentState): Record<string, number> {
  const counts = new Map<TaskState, number>();
  for (const framework of state.frameworks.values()) {
    for (const executor of framework.executors.values()) {
      for (const part of [executor.queued, executor.launched]) {
        for (const { task } of part.values()) counts.set(task.state, (counts.get(task.state) ?? 0) + 1);
      }
    }
  }
  return Object.fromEntries(TASK_GAUGES.map(([name, which]) => [name, counts.get(which) ?? 0]));
}

function executorGauges(state: AgentState): Record<string, number> {
  const gauges: Record<Exclude<ExecutorPhase, 'terminated'>, number> = { registering: 0, running: 0, terminating: 0 };
  for (const framework of state.frameworks.values()) {
    for (const { phase } of framework.executors.values()) if (phase !== 'terminated') gauges[phase]++;
  }
  return Object.fromEntries(Object.entries(gauges).map(([phase, count]) => [`slave/executors_${phase}`, count]));
}

function resourceGauges(state: AgentState): Record<string, number> {
  const total = Resources.of(state.info.resources ?? []).plus(state.oversubscribed ?? Resources.EMPTY);
  const used = allocatedOn(state);
  const gauges: Record<string, number> = {};
  for (const [suffix, pick] of [
    ['', (resources: Resources) => resources.nonRevocable()],
    ['_revocable', (resources: Resources) => resources.revocable()],
  ] as const) {
    const [have, taken] = [pick(total), pick(used)];
    for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
      const [whole, part] = [fromMilli(have.scalar(name)), fromMilli(taken.scalar(name))];
      gauges[`slave/${name}${suffix}_total`] = whole;
      gauges[`slave/${name}${suffix}_used`] = part;
      gauges[`slave/${name}${suffix}_percent`] = whole > 0 ? part / whole : 0;
    }
  }
  return gauges;
}
