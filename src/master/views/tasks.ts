import {
  ContainerInfo,
  ContainerStatus,
  DiscoveryInfo,
  HealthCheck,
  type Labels,
  NetworkInfo,
  type Task,
  type TaskStatus,
} from '../../wire/v1.ts';
import { labelsText, quoted, summaryText } from './json-text.ts';
import type { Kept, Listed, Steps } from './kept.ts';
import { jsonForm, jsonItems, jsonOnce, type Parts } from './parts.ts';
import { everyFramework, type FrameworkShown, type Snapshot } from './snapshot.ts';

/** A task as the older endpoints show it (facts: http-endpoints, 1.1), as JSON text. */
export function taskText(task: Task): string {
  const { labels, discovery, container, health_check: healthCheck, limits, resources = [], statuses = [] } = task;
  let text =
    `{"id":${quoted(task.task_id.value)},"name":${quoted(task.name)},"framework_id":${quoted(task.framework_id.value)},` +
    `"executor_id":${quoted(task.executor_id?.value ?? '')},"slave_id":${quoted(task.agent_id.value)},` +
    `"state":"${task.state}","resources":${summaryText(resources)}`;
  if (limits && Object.keys(limits).length > 0) text += `,"limits":${JSON.stringify(limitsJson(limits))}`;
  text += `,"role":${quoted(resources[0]?.allocation_info?.role ?? '*')},"statuses":[`;
  for (const status of statuses) text += status === statuses[0] ? statusText(status) : `,${statusText(status)}`;
  text += ']';
  if (task.user !== undefined) text += `,"user":${quoted(task.user)}`;
  if (labels) text += `,"labels":${labelsText(labels)}`;
  if (discovery) text += `,"discovery":${DiscoveryInfo.v0.stringify(discovery)}`;
  if (container) text += `,"container":${ContainerInfo.v0.stringify(container)}`;
  if (healthCheck) text += `,"health_check":${HealthCheck.v0.stringify(healthCheck)}`;
  return `${text}}`;
}

/** The older endpoints have the list itself where the message has an object around it. */
export function labelsJson(labels: Labels): object[] {
  return (labels.labels ?? []).map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

/** Upstream prints a limit of infinity, which JSON has no number for, as text. */
function limitsJson(limits: NonNullable<Task['limits']>): object {
  const entries = Object.entries(limits);
  return Object.fromEntries(entries.map(([name, { value }]) => [name, Number.isFinite(value) ? value : 'Infinity']));
}

function statusText({ state, timestamp, labels, container_status: container, healthy }: TaskStatus): string {
  let text = `{"state":"${state}","timestamp":${JSON.stringify(timestamp ?? 0)}`;
  if (labels) text += `,"labels":${labelsText(labels)}`;
  if (container) text += `,"container_status":${JSON.stringify(containerJson(container))}`;
  if (healthy !== undefined) text += `,"healthy":${healthy}`;
  return `${text}}`;
}

function containerJson(container: ContainerStatus): object {
  const { container_id, cgroup_info } = ContainerStatus.v0.toJson(container);
  const networks = container.network_infos ?? [];
  return {
    ...(container_id !== undefined && { container_id }),
    ...(networks.length > 0 && { network_infos: networks.map(networkJson) }),
    ...(cgroup_info !== undefined && { cgroup_info }),
  };
}

function networkJson(network: NetworkInfo): object {
  const { groups, ip_addresses, name, port_mappings } = NetworkInfo.v0.toJson(network);
  const shown = { groups, labels: network.labels && labelsJson(network.labels), ip_addresses, name, port_mappings };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

/** Which tasks `/tasks` is to list. */
export interface TaskSelection {
  readonly frameworkId?: string;
  readonly taskId?: string;
  readonly limit?: number;
  readonly offset?: number;
  readonly ascending?: boolean;
}

const DEFAULT_LIMIT = 100;

/** Tasks as the older endpoints list them. */
export const TASKS = jsonForm<Task>('tasks', taskText);

/**
 * `/tasks`: tasks of present and completed frameworks, by the time of their first status. A negative limit means all, as
 * upstream has it.
 */
export function* tasksParts(kept: Kept, snapshot: Snapshot, selection: TaskSelection): Parts {
  const tasks: Task[] = [];
  for (const framework of everyFramework(snapshot)) {
    if (selection.frameworkId !== undefined && framework.id !== selection.frameworkId) continue;
    for (const { items } of taskLists(framework)) {
      for (let at = 0; at < items.length; at++) {
        const task = items[at]!;
        if (selection.taskId === undefined || task.task_id.value === selection.taskId) tasks.push(task);
        if (at % BREATH === 0) yield;
      }
    }
  }
  const sign = selection.ascending ? 1 : -1;
  const times = new Float64Array(tasks.length);
  for (let at = 0; at < tasks.length; at++) {
    times[at] = sign * (tasks[at]!.statuses?.[0]?.timestamp ?? Number.NEGATIVE_INFINITY);
    if (at % BREATH === 0) yield;
  }
  const order = yield* sortedOrder(times);
  const { limit = DEFAULT_LIMIT, offset = 0 } = selection;
  const from = Math.max(0, offset);
  const page = order.subarray(from, limit < 0 ? undefined : from + limit);
  const items: Task[] = [];
  for (let at = 0; at < page.length; at++) {
    items.push(tasks[page[at]!]!);
    if (at % BREATH === 0) yield;
  }
  yield '{"tasks":[';
  // Whoever asks for all of them asks again: other pages are as many as there are questions.
  const whole = limit < 0 && from === 0 && selection.frameworkId === undefined && selection.taskId === undefined;
  if (whole) yield* jsonItems(kept, [{ id: selection.ascending ? 'tasks, oldest' : 'tasks, newest', items }], TASKS);
  else yield* jsonOnce(items, taskText);
  yield ']}';
}

/** All lists of tasks that a framework has. */
export function taskLists(framework: FrameworkShown): readonly Listed<Task>[] {
  return [framework.tasks, framework.unreachableTasks, framework.completedTasks];
}

/** Tasks looked at between two places to pause, each somewhere else in memory. */
const BREATH = 2_000;
/** And places merged. */
const SORT_STEP = 1 << 16;

/** The places of numbers in ascending order, equal ones as they stand: a merge sort that can pause. */
export function* sortedOrder(keys: Float64Array): Steps<Uint32Array> {
  let from = new Uint32Array(keys.length);
  for (let at = 0; at < keys.length; at++) from[at] = at;
  let into = new Uint32Array(keys.length);
  let work = 0;
  for (let width = 1; width < keys.length; width *= 2) {
    for (let low = 0; low < keys.length; low += 2 * width) {
      const merging: Merging = {
        low,
        middle: Math.min(low + width, keys.length),
        high: Math.min(low + 2 * width, keys.length),
      };
      if (!joined(keys, from, into, merging)) {
        let [left, right] = [low, merging.middle];
        for (let at = low; at < merging.high; ) {
          const end = Math.min(merging.high, at + SORT_STEP);
          work += end - at;
          [left, right] = merge(keys, from, into, { left, right, at, end, ...merging });
          at = end;
          if (at < merging.high) yield;
        }
      }
      if (++work < SORT_STEP) continue;
      work = 0;
      yield;
    }
    [from, into] = [into, from];
  }
  return from;
}

/** Two runs that lie side by side. */
interface Merging {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Runs that need only be put one after the other: lists are mostly in order, or in the opposite one. */
function joined(keys: Float64Array, from: Uint32Array, into: Uint32Array, { low, middle, high }: Merging): boolean {
  if (middle === high || keys[from[middle - 1]!]! <= keys[from[middle]!]!) {
    into.set(from.subarray(low, high), low);
    return true;
  }
  if (keys[from[high - 1]!]! >= keys[from[low]!]!) return false;
  into.set(from.subarray(middle, high), low);
  into.set(from.subarray(low, middle), low + high - middle);
  return true;
}

/** Merges as much as goes from one place to another. @returns how far both runs are used up */
function merge(
  keys: Float64Array,
  from: Uint32Array,
  into: Uint32Array,
  part: Merging & { readonly left: number; readonly right: number; readonly at: number; readonly end: number },
): [left: number, right: number] {
  const { middle, high } = part;
  let { left, right } = part;
  for (let at = part.at; at < part.end; at++) {
    const takeLeft = left < middle && (right >= high || keys[from[left]!]! <= keys[from[right]!]!);
    into[at] = takeLeft ? from[left++]! : from[right++]!;
  }
  return [left, right];
}
