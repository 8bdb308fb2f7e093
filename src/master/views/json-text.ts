/** JSON as text, where objects in between would cost more than everything else. */
import { fromMilli, toMilli } from '../../resources/scalars.ts';
import { toSummary } from '../../resources/summary.ts';
import { type Labels, Resource, Task, TaskStatus } from '../../wire/v1.ts';

/** What JSON.stringify writes otherwise than it is: controls, quotes, backslashes, lone surrogates (here: any). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON escapes
const ESCAPED = /[\u0000-\u001f"\\\ud800-\udfff]/;

export function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The older endpoints have the list itself where the message has an object around it. */
export function labelsText({ labels = [] }: Labels): string {
  let text = '';
  for (const { key, value } of labels) {
    text += text === '' ? '[' : ',';
    text += value === undefined ? `{"key":${quoted(key)}}` : `{"key":${quoted(key)},"value":${quoted(value)}}`;
  }
  return text === '' ? '[]' : `${text}]`;
}

/** Beyond it, numbers may print in other ways. */
const LARGEST = 1e15;

/** As `toSummary`, for what most tasks have: each of these at most once, and nothing else. */
export function summaryText(resources: readonly Resource[]): string {
  let cpus = 0;
  let gpus = 0;
  let mem = 0;
  let disk = 0;
  let seen = 0;
  for (const { name, type, scalar, revocable } of resources) {
    const bit = name === 'cpus' ? 1 : name === 'mem' ? 2 : name === 'disk' ? 4 : name === 'gpus' ? 8 : 16;
    const amount = scalar?.value ?? -1;
    const plain = type === 'SCALAR' && revocable === undefined && amount >= 0 && amount < LARGEST;
    if (!plain || bit === 16 || (seen & bit) !== 0) return JSON.stringify(toSummary(resources));
    seen |= bit;
    const value = fromMilli(toMilli(amount));
    if (bit === 1) cpus = value;
    else if (bit === 2) mem = value;
    else if (bit === 4) disk = value;
    else gpus = value;
  }
  return `{"cpus":${cpus},"gpus":${gpus},"mem":${mem},"disk":${disk}}`;
}

/** A task in version 1's JSON, as its codec writes it. A test holds it to know every field. */
export function v1TaskText(task: Task): string {
  const { resources = [], statuses = [], labels, user, executor_id: executorId } = task;
  let text =
    `{"name":${quoted(task.name)},"task_id":${idText(task.task_id)},"framework_id":${idText(task.framework_id)},` +
    `"agent_id":${idText(task.agent_id)},"state":"${task.state}"`;
  if (executorId !== undefined) text += `,"executor_id":${idText(executorId)}`;
  if (resources.length > 0) text += `,"resources":[${resources.map(resourceText).join(',')}]`;
  if (statuses.length > 0) text += `,"statuses":[${statuses.map((status) => TaskStatus.stringify(status)).join(',')}]`;
  if (labels?.labels?.length) text += `,"labels":{"labels":${labelsText(labels)}}`;
  else if (labels !== undefined) text += ',"labels":{}';
  if (user !== undefined) text += `,"user":${quoted(user)}`;
  const { discovery, container, health_check, kill_policy, limits, status_update_state, status_update_uuid } = task;
  const rare = { discovery, container, health_check, kill_policy, limits, status_update_state, status_update_uuid };
  for (const field in rare) {
    if (rare[field as keyof typeof rare] === undefined) continue;
    const others = Task.stringify(rare as unknown as Task);
    return others === '{}' ? `${text}}` : `${text},${others.slice(1)}`;
  }
  return `${text}}`;
}

function idText({ value }: { readonly value: string }): string {
  return `{"value":${quoted(value)}}`;
}

/** Scalars of a role, which is what tasks mostly have; all else is left to the codec. */
function resourceText(resource: Resource): string {
  const { name, type, scalar, allocation_info: allocation } = resource;
  const plain =
    type === 'SCALAR' &&
    scalar !== undefined &&
    Number.isFinite(scalar.value) &&
    allocation?.role !== undefined &&
    resource.reservations === undefined &&
    resource.reservation === undefined &&
    resource.disk === undefined &&
    resource.role === undefined &&
    resource.revocable === undefined &&
    resource.shared === undefined &&
    resource.provider_id === undefined &&
    resource.ranges === undefined &&
    resource.set === undefined;
  if (!plain) return Resource.stringify(resource);
  const role = quoted(allocation.role);
  return `{"name":${quoted(name)},"type":"SCALAR","scalar":{"value":${scalar.value}},"allocation_info":{"role":${role}}}`;
}
