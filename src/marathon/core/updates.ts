/** What Mesos tells of tasks: what becomes of their instances, and of those that nobody here knows. */

import type { NetworkInfo_IPAddress, TaskStatus } from '../../wire/v1.ts';
import { readTaskId } from '../definition/task-id.ts';
import { noteOutcome } from './backoff.ts';
import {
  conditionOf,
  conditionOfAll,
  healthOfAll,
  isActive,
  isTerminal,
  isUnreachableFor,
  taskStateOf,
} from './condition.ts';
import { type Context, log, publish } from './context.ts';
import { wantedOf } from './deploy/wanted.ts';
import { noteFailure } from './failures.ts';
import { setGoal } from './goals.ts';
import { healthOfInstance, noteMesosHealth, watchHealth } from './health.ts';
import { alter, expunge, expungeIfDone } from './instances.ts';
import { confirmKill, confirmTask, killInstance, killTask } from './kills.ts';
import { afterUpdate, watchReservation } from './launch/reservations.ts';
import { returnToken } from './launch/tokens.ts';
import type { Condition, Instance, TaskRecord } from './model.ts';
import type { PublishedAddress } from './published.ts';
import { watchReadiness } from './readiness.ts';
import { specRecord } from './state.ts';

const PASSING = 'passing ';
/** What executors say beyond these lengths is not kept: what is known of an instance has to fit into a node of ZooKeeper. */
const LONGEST_MESSAGE = 10_000;
const MOST_LABELS = 10_000;

/** Takes an update of a task; it is acknowledged once what it says is kept. */
export function takeUpdate(ctx: Context, status: TaskStatus): void {
  const { state } = ctx;
  const taskId = status.task_id.value;
  const condition = conditionOf(status);
  const parsed = readTaskId(taskId);
  const instance = parsed.ok ? state.instances.get(parsed.value.instanceId) : undefined;
  const task = instance?.tasks.find(({ id }) => id === taskId);
  if (instance !== undefined && task !== undefined) applyStatus(ctx, instance, task, condition, status);
  else strangeTask(ctx, taskId, parsed.ok ? parsed.value : undefined, condition);
  acknowledge(ctx, status);
}

function acknowledge({ emit }: Context, { task_id, agent_id, uuid }: TaskStatus): void {
  if (uuid === undefined || uuid.length === 0 || agent_id === undefined) return;
  emit({ kind: 'call', call: { type: 'ACKNOWLEDGE', acknowledge: { task_id, agent_id, uuid } } });
}

/** A task that is not ours (any more): if it lives it must not, and if it has ended people may want to know. */
function strangeTask(
  ctx: Context,
  taskId: string,
  parsed: { readonly instanceId: string; readonly specId: string } | undefined,
  condition: Condition,
): void {
  if (isTerminal(condition) || condition === 'Unreachable') {
    confirmKill(ctx, taskId);
    if (parsed) confirmTask(ctx, parsed.instanceId, taskId);
    if (parsed === undefined || ctx.state.instances.has(parsed.instanceId)) return;
    publish(ctx, 'unknown_instance_terminated_event', {
      instanceId: parsed.instanceId,
      runSpecId: parsed.specId,
      condition,
    });
    return;
  }
  if (condition === 'Killing') return;
  log(ctx, 'warning', `Killing task ${taskId}: no instance of ours has it`);
  killTask(ctx, taskId, taskId);
}

/**
 * What a master says of tasks of which it knows nothing, or whose agent it has given up: it may come back with them. Where the
 * task was launched anew meanwhile it is not found here any more.
 */
const GUESSED: ReadonlySet<Condition> = new Set<Condition>(['Unknown', 'Gone', 'Dropped']);

function applyStatus(
  ctx: Context,
  instance: Instance,
  task: TaskRecord,
  condition: Condition,
  status: TaskStatus,
): void {
  if (isTerminal(task.condition) && !(GUESSED.has(task.condition) && isActive(condition))) {
    if (status.state === 'TASK_GONE_BY_OPERATOR') abandonReservation(ctx, instance);
    else if (status.state === 'TASK_UNKNOWN') forgetUnwanted(ctx, instance);
    return;
  }
  const changed = alteredTask(ctx, task, condition, status);
  if (changed === undefined) {
    noteTimePassing(ctx, instance);
    return;
  }
  const before = instance.condition;
  takeTask(ctx, instance, changed, status);
  publish(ctx, 'status_update_event', {
    slaveId: status.agent_id?.value ?? instance.placement?.agentId ?? '',
    taskId: task.id,
    taskStatus: taskStateOf(condition),
    message: status.message ?? '',
    appId: instance.specId,
    host: instance.placement?.host ?? '',
    ipAddresses: addressesOf(status),
    ports: changed.hostPorts.filter((port) => port !== null),
    version: instance.spec.version,
  });
  noteFailure(ctx, instance, changed, status);
  noteOutcome(ctx, instance, status);
  if (before === 'UnreachableInactive') retireReplaced(ctx, instance);
  settle(ctx, instance);
}

/** It has ended where nobody could see it, and another one has its place: it is not to be launched again. */
function retireReplaced(ctx: Context, instance: Instance): void {
  const { state } = ctx;
  const wanted = state.current.get(instance.specId)?.instances ?? 0;
  if (instance.goal !== 'Running' || !isTerminal(instance.condition) || instance.reservation !== undefined) return;
  if (wantedOf(specRecord(state, instance.specId)) > wanted) setGoal(ctx, instance, 'Decommissioned');
}

/** The task after this update, or undefined if it says nothing new. */
function alteredTask(
  { env }: Context,
  task: TaskRecord,
  condition: Condition,
  status: TaskStatus,
): TaskRecord | undefined {
  const kept = bounded(status);
  const known = task.status;
  const isNew =
    known === undefined ||
    condition !== task.condition ||
    known.state !== status.state ||
    (status.healthy !== undefined && known.healthy !== status.healthy) ||
    (status.check_status !== undefined && JSON.stringify(known.check_status) !== JSON.stringify(status.check_status));
  if (!isNew) return undefined;
  const { unreachableSince: since, ...rest } = task;
  return {
    ...rest,
    condition,
    status: mergedStatus(kept, known),
    ...(condition === 'Running' && task.startedAt === undefined && { startedAt: env.wall }),
    ...(condition === 'Unreachable' && { unreachableSince: since ?? unreachableTime(status, env.wall) }),
  };
}

function bounded({ data: _, message, labels, ...status }: TaskStatus): TaskStatus {
  const isLong = message !== undefined && message.length > LONGEST_MESSAGE;
  return {
    ...status,
    ...(message !== undefined && { message: isLong ? `${message.slice(0, LONGEST_MESSAGE)}…` : message }),
    ...(labels !== undefined && JSON.stringify(labels).length <= MOST_LABELS && { labels }),
  };
}

/** An update that says nothing about addresses or health leaves what was known. */
function mergedStatus(status: TaskStatus, known: TaskStatus | undefined): TaskStatus {
  const container = status.container_status ?? known?.container_status;
  return { ...status, ...(container && { container_status: container }) };
}

function unreachableTime({ unreachable_time: time, timestamp }: TaskStatus, now: number): number {
  if (time !== undefined) return Number(time.nanoseconds) / 1e6;
  return timestamp === undefined ? now : timestamp * 1000;
}

function takeTask(ctx: Context, instance: Instance, task: TaskRecord, status: TaskStatus): void {
  const before = instance.condition;
  alter(ctx, instance, (each) => {
    each.tasks = each.tasks.map((one) => (one.id === task.id ? task : one));
    each.condition = conditionOfAll(each.tasks, each.unreachable, ctx.env.wall);
    const started = each.tasks.flatMap(({ startedAt }) => startedAt ?? []);
    if (started.length > 0) each.activeSince = Math.min(...started);
    const reservation = afterUpdate(ctx, each, task.condition);
    if (reservation) each.reservation = reservation;
    noteMesosHealth(ctx, each, status);
    const healthy = healthOfInstance(ctx, each, healthOfAll(each.tasks));
    if (healthy === undefined) delete each.healthy;
    else each.healthy = healthy;
  });
  watchReservation(ctx, instance);
  if (instance.condition === 'Running' && before !== 'Running') {
    returnToken(ctx);
    watchHealth(ctx, instance);
    watchReadiness(ctx, instance);
  }
}

/** What follows from the condition that an instance has now. */
function settle(ctx: Context, instance: Instance): void {
  if (!isActive(instance.condition)) confirmKill(ctx, instance.id);
  if (isExpired(ctx, instance)) {
    log(ctx, 'info', `Forgetting ${instance.id}: it has been out of reach for too long`);
    expunge(ctx, instance);
    return;
  }
  if (expungeIfDone(ctx, instance)) return;
  watchTime(ctx, instance);
  if (wasGivenAway(instance)) abandonReservation(ctx, instance);
  else if (instance.goal !== 'Running' && isActive(instance.condition)) killAgain(ctx, instance);
}

/** It has come back from where it could not be reached, and is still not wanted. */
function killAgain(ctx: Context, instance: Instance): void {
  if (instance.condition !== 'Unreachable' && instance.condition !== 'Killing') killInstance(ctx, instance);
}

/** Its agent will not come back, and the volumes are lost with it: it begins again elsewhere, if it is to run at all. */
function abandonReservation(ctx: Context, instance: Instance): void {
  if (instance.reservation === undefined || instance.tasks.some(({ condition }) => !isTerminal(condition))) return;
  log(ctx, 'warning', `${instance.id} has lost its volumes: the agent is gone for good`);
  alter(ctx, instance, (each) => {
    delete each.reservation;
    delete each.placement;
    if (each.goal === 'Running') each.condition = 'Scheduled';
    else each.goal = 'Decommissioned';
  });
  expungeIfDone(ctx, instance);
}

/**
 * The master knows neither the task nor its agent: no offer will come with what is reserved there. Should the agent come after
 * all, that is given back as nobody's.
 */
function forgetUnwanted(ctx: Context, instance: Instance): void {
  if (instance.goal === 'Decommissioned' && instance.tasks.every(({ condition }) => isTerminal(condition)))
    expunge(ctx, instance);
}

/** Comes back when an instance out of reach is to be given up, or forgotten. */
function watchTime({ env, emit }: Context, { id, tasks, unreachable }: Instance): void {
  if (unreachable === 'disabled') return;
  for (const { unreachableSince: since } of tasks) {
    if (since === undefined) continue;
    const next = [unreachable.inactiveAfterSeconds, unreachable.expungeAfterSeconds]
      .map((seconds) => since + seconds * 1000)
      .filter((instant) => instant > env.wall);
    if (next.length > 0) emit({ kind: 'arm', key: `${PASSING}${id}`, after: Math.min(...next) - env.wall });
  }
}

/** @returns the instance that a timer stands for, if it is one of ours */
export function passingTimer(key: string): string | undefined {
  return key.startsWith(PASSING) ? key.slice(PASSING.length) : undefined;
}

/** An update that says nothing new about a task out of reach still says that time has passed. */
export function noteTimePassing(ctx: Context, instance: Instance): void {
  if (instance.condition !== 'Unreachable' && instance.condition !== 'UnreachableInactive') return;
  if (isExpired(ctx, instance)) {
    expunge(ctx, instance);
    return;
  }
  const condition = conditionOfAll(instance.tasks, instance.unreachable, ctx.env.wall);
  if (condition === instance.condition) return;
  alter(ctx, instance, (each) => {
    each.condition = condition;
  });
  watchTime(ctx, instance);
}

function isExpired({ env }: Context, { unreachable, tasks }: Instance): boolean {
  if (unreachable === 'disabled') return false;
  const limit = unreachable.expungeAfterSeconds * 1000;
  return tasks.some((task) => isUnreachableFor(task, limit, env.wall));
}

function wasGivenAway({ reservation, tasks }: Instance): boolean {
  return (
    reservation !== undefined &&
    tasks.every(({ condition }) => isTerminal(condition)) &&
    tasks.some(({ status }) => status?.state === 'TASK_GONE_BY_OPERATOR')
  );
}

/** All addresses that the containers of a task were given. */
export function addressesOf({ container_status: container }: TaskStatus): readonly PublishedAddress[] {
  const all: readonly NetworkInfo_IPAddress[] =
    container?.network_infos?.flatMap(({ ip_addresses }) => ip_addresses ?? []) ?? [];
  return all.flatMap(({ ip_address, protocol }) =>
    ip_address === undefined ? [] : [{ ipAddress: ip_address, protocol: protocol ?? 'IPv4' }],
  );
}
