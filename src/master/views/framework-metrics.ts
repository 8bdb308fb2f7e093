import { Offer_Operation_Type, type TaskState } from '../../wire/v1.ts';
import { Call_Type, Event_Type } from '../../wire/v1_scheduler.ts';
import type { Framework } from '../core/state.ts';

type Metrics = Record<string, number>;

/** The states of tasks that count as present. */
export const GAUGED = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
] as const satisfies readonly TaskState[];

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

/** Percent-encoded as upstream does it, since names may contain slashes. */
function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll('~', '%7E');
}

/** `master/frameworks/<name>/<id>/…` */
export function addFramework(metrics: Metrics, framework: Framework): void {
  const prefix = `master/frameworks/${encodeName(framework.info.name)}/${framework.id}`;
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
  for (const state of ACTIVE) metrics[`${prefix}/tasks/active/${state.toLowerCase()}`] = framework.tasks.countOf(state);
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
