/** What conditions mean, and how they follow from what Mesos tells of tasks. */

import type { TaskState, TaskStatus } from '../../wire/v1.ts';
import type { UnreachableStrategy } from '../definition/types.ts';
import type { Condition, TaskRecord } from './model.ts';

const ACTIVE: ReadonlySet<Condition> = new Set<Condition>([
  'Provisioned',
  'Staging',
  'Starting',
  'Running',
  'Killing',
  'Unreachable',
]);

const TERMINAL: ReadonlySet<Condition> = new Set<Condition>([
  'Finished',
  'Killed',
  'Error',
  'Failed',
  'Gone',
  'Dropped',
  'Unknown',
]);

/** All that there are. */
export const CONDITIONS: readonly Condition[] = ['Scheduled', ...ACTIVE, 'UnreachableInactive', ...TERMINAL];

/** Holds resources of an agent, as far as is known. */
export function isActive(condition: Condition): boolean {
  return ACTIVE.has(condition);
}

/** Will not change any more, unless it is launched anew. */
export function isTerminal(condition: Condition): boolean {
  return TERMINAL.has(condition);
}

const BY_STATE: Readonly<Record<TaskState, Condition | undefined>> = {
  TASK_STAGING: 'Staging',
  TASK_STARTING: 'Starting',
  TASK_RUNNING: 'Running',
  TASK_KILLING: 'Killing',
  TASK_FINISHED: 'Finished',
  TASK_KILLED: 'Killed',
  TASK_FAILED: 'Failed',
  TASK_ERROR: 'Error',
  TASK_DROPPED: 'Dropped',
  TASK_UNREACHABLE: 'Unreachable',
  TASK_GONE: 'Gone',
  TASK_GONE_BY_OPERATOR: 'Gone',
  TASK_UNKNOWN: 'Unknown',
  // Says too little by itself: see `lost`.
  TASK_LOST: undefined,
};

/** With these, a TASK_LOST may still come back. */
const MAY_COME_BACK: ReadonlySet<string> = new Set([
  'REASON_RECONCILIATION',
  'REASON_AGENT_DISCONNECTED',
  'REASON_AGENT_REMOVED',
]);

/** How the master begins its message about a task that it never heard of. */
const UNKNOWN_TASK = 'Reconciliation: Task is unknown to the';

/** Before PARTITION_AWARE there was only TASK_LOST: what it stands for is in its reason and message. */
function lost(status: TaskStatus): Condition {
  if (status.message?.startsWith(UNKNOWN_TASK) || status.reason === 'REASON_TASK_UNKNOWN') return 'Unknown';
  return status.reason !== undefined && MAY_COME_BACK.has(status.reason) ? 'Unreachable' : 'Gone';
}

/** What an update says of its task. */
export function conditionOf(status: TaskStatus): Condition {
  return BY_STATE[status.state] ?? lost(status);
}

/** The state that the API shows; what Mesos has no word for is staging. */
export function taskStateOf(condition: Condition): TaskState {
  switch (condition) {
    case 'Scheduled':
    case 'Provisioned':
      return 'TASK_STAGING';
    case 'UnreachableInactive':
      return 'TASK_UNREACHABLE';
    default:
      return `TASK_${condition.toUpperCase()}` as TaskState;
  }
}

/** Of several tasks in one instance, the first of these that any of them is in counts. */
const PRECEDENCE: readonly Condition[] = [
  'Error',
  'Failed',
  'Gone',
  'Dropped',
  'Unreachable',
  'Killing',
  'Starting',
  'Staging',
  'Unknown',
  'Provisioned',
  'Running',
  'Finished',
  'Killed',
];

/** The condition of an instance with these tasks at this instant. */
export function conditionOfAll(tasks: readonly TaskRecord[], strategy: UnreachableStrategy, now: number): Condition {
  const condition = firstOf(tasks);
  const living = tasks.filter((task) => !isTerminal(task.condition));
  if (living.length > 0 && isTerminal(condition)) {
    // The executor ends the rest of a group with the one that failed. Until it has, nothing else can take its place.
    return firstOf(living) === 'Unreachable' ? unreachable(living, strategy, now) : 'Killing';
  }
  return condition === 'Unreachable' ? unreachable(tasks, strategy, now) : condition;
}

function firstOf(tasks: readonly TaskRecord[]): Condition {
  let first = PRECEDENCE.length;
  for (const { condition } of tasks) first = Math.min(first, PRECEDENCE.indexOf(condition));
  return PRECEDENCE[first] ?? 'Unknown';
}

function unreachable(tasks: readonly TaskRecord[], strategy: UnreachableStrategy, now: number): Condition {
  if (strategy === 'disabled') return 'Unreachable';
  const limit = strategy.inactiveAfterSeconds * 1000;
  return tasks.some((task) => isUnreachableFor(task, limit, now)) ? 'UnreachableInactive' : 'Unreachable';
}

/** Whether a task has been out of reach for at least `limit` ms. */
export function isUnreachableFor(task: TaskRecord, limit: number, now: number): boolean {
  return (
    task.condition === 'Unreachable' && task.unreachableSince !== undefined && task.unreachableSince + limit <= now
  );
}

/**
 * What the tasks' own health checks say of the instance: `false` if a running task is unhealthy, `true` if one is healthy
 * and all others run or have finished, otherwise nothing.
 */
export function healthOfAll(tasks: readonly TaskRecord[]): boolean | undefined {
  let found: boolean | undefined;
  for (const { condition, status } of tasks) {
    if (condition === 'Running' && status?.healthy === false) return false;
    if (condition !== 'Running' && condition !== 'Finished') return undefined;
    if (condition === 'Running' && status?.healthy === true) found = true;
  }
  return found;
}
