/**
 * Health of instances. Some checks are run by Marathon itself, by knocking at the task's port; the others are run beside
 * the task by Mesos, and their results come with its updates.
 */

import type { TaskStatus } from '../../wire/v1.ts';
import type { App, HealthCheck, RunSpec } from '../definition/types.ts';
import { isActive } from './condition.ts';
import { type Context, log, publish } from './context.ts';
import type { ProbeTarget } from './effects.ts';
import type { ProbeResult } from './events.ts';
import { keepFailure } from './failures.ts';
import { alter } from './instances.ts';
import { killInstance } from './kills.ts';
import type { Instance } from './model.ts';
import type { Health } from './state.ts';
import { addressOf, portOf } from './where.ts';

/** The first check of an instance comes this soon, in ms, if the interval does not say sooner. */
const FIRST_AFTER = 5_000;
/** An interval of 0 is allowed; checking as fast as can be would leave no time for anything else. In ms. */
const LEAST_INTERVAL = 1_000;
const PREFIX = 'health ';
const UNKNOWN: Health = { consecutiveFailures: 0 };

/** Those that Marathon runs itself. */
export function isOwnCheck({ protocol }: HealthCheck): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TCP';
}

/** Seen from the last success and the last failure, it is alive. */
export function isAlive({ lastSuccess, lastFailure }: Health): boolean {
  return lastSuccess !== undefined && (lastFailure === undefined || lastSuccess > lastFailure);
}

/** An instance runs: its checks begin. */
export function watchHealth(ctx: Context, instance: Instance): void {
  const { spec } = instance;
  if (spec.kind !== 'app') return;
  spec.healthChecks.forEach((check, at) => {
    if (isOwnCheck(check)) {
      const after = Math.min(Math.max(check.intervalSeconds * 1000, LEAST_INTERVAL), FIRST_AFTER);
      ctx.emit({ kind: 'arm', key: `${PREFIX}${at} ${instance.id}`, after });
    }
  });
}

/** @returns which check of which instance a timer stands for, if it is one of ours */
export function healthTimer(key: string): { readonly check: number; readonly instanceId: string } | undefined {
  if (!key.startsWith(PREFIX)) return undefined;
  const [check, instanceId] = key.slice(PREFIX.length).split(' ');
  return { check: Number(check), instanceId: instanceId! };
}

/** Time for one check of one instance; the next one is in an interval. */
export function runHealthCheck(ctx: Context, instanceId: string, at: number): void {
  const { state, emit } = ctx;
  const instance = state.instances.get(instanceId);
  const check = instance?.spec.kind === 'app' ? instance.spec.healthChecks[at] : undefined;
  if (instance === undefined || check === undefined || !isActive(instance.condition)) {
    forgetHealth(ctx, instanceId);
    return;
  }
  emit({
    kind: 'arm',
    key: `${PREFIX}${at} ${instanceId}`,
    after: Math.max(check.intervalSeconds * 1000, LEAST_INTERVAL),
  });
  if (instance.condition !== 'Running') return;
  const target = targetOf(instance, check);
  if (target === undefined) return;
  const probe = `health/${at}/${instanceId}`;
  // The answer to the last knock is still out: one at a time.
  if (state.probes.has(probe)) return;
  state.probes.set(probe, { instanceId, version: instance.spec.version, check: at });
  emit({ kind: 'probe', probe, target, timeout: check.timeoutSeconds * 1000 });
}

function targetOf(instance: Instance, check: HealthCheck): ProbeTarget | undefined {
  const app = instance.spec as App;
  const port = check.port ?? portOf(instance, check.portIndex ?? 0);
  const host = addressOf(instance, app);
  if (port === undefined || host === undefined) return undefined;
  if (check.protocol === 'TCP') return { protocol: 'TCP', host, port };
  return {
    protocol: check.protocol === 'HTTPS' ? 'HTTPS' : 'HTTP',
    host,
    port,
    path: check.path ?? '/',
    ...(check.ignoreHttp1xx && { ignores1xx: true }),
  };
}

/** What came of a knock. */
export function takeHealthResult(ctx: Context, instance: Instance, at: number, result: ProbeResult): void {
  const check = instance.spec.kind === 'app' ? instance.spec.healthChecks[at] : undefined;
  if (check === undefined || result.verdict === 'ignored') return;
  const known = ctx.state.health.get(instance.id)?.[at] ?? UNKNOWN;
  if (result.verdict === 'bad') {
    if (isForgiven(ctx, instance, check, known)) return;
    publish(ctx, 'failed_health_check_event', { appId: instance.specId, taskId: instance.id, healthCheck: check });
    const cause = result.cause ?? 'unknown';
    killIfHopeless(ctx, instance, check, known, cause);
    takeHealth(ctx, instance, at, failed(known, ctx.env.wall, cause));
  } else {
    takeHealth(ctx, instance, at, succeeded(known, ctx.env.wall));
  }
}

/** Failures do not count before it runs, nor, until it was well once, within its grace period. */
function isForgiven({ env }: Context, instance: Instance, check: HealthCheck, known: Health): boolean {
  if (instance.condition !== 'Running') return true;
  return known.firstSuccess === undefined && instance.since + check.gracePeriodSeconds * 1000 > env.wall;
}

/** Counts the failures before this one: upstream kills at one more than its number says, and people have set it by that. */
function killIfHopeless(ctx: Context, instance: Instance, check: HealthCheck, known: Health, cause: string): void {
  const limit = check.maxConsecutiveFailures;
  if (limit === 0 || known.consecutiveFailures < limit || instance.condition !== 'Running') return;
  const taskId = instance.tasks[0]?.id ?? '';
  log(ctx, 'info', `Killing ${instance.id}: its health check failed ${known.consecutiveFailures + 1} times (${cause})`);
  publish(ctx, 'unhealthy_instance_kill_event', {
    appId: instance.specId,
    taskId,
    instanceId: instance.id,
    version: instance.spec.version,
    reason: cause,
    host: instance.placement?.host ?? 'unknown',
    slaveId: instance.placement?.agentId,
  });
  keepFailure(ctx, instance, taskId, 'TASK_KILLED', `Task was killed since health check failed. Reason: ${cause}`);
  killInstance(ctx, instance);
}

function succeeded(known: Health, now: number): Health {
  return { ...known, firstSuccess: known.firstSuccess ?? now, lastSuccess: now, consecutiveFailures: 0 };
}

function failed(known: Health, now: number, cause: string): Health {
  return { ...known, lastFailure: now, lastFailureCause: cause, consecutiveFailures: known.consecutiveFailures + 1 };
}

function takeHealth(ctx: Context, instance: Instance, at: number, health: Health): void {
  const { state } = ctx;
  const all = state.health.get(instance.id) ?? [];
  const wasAlive = isAlive(all[at] ?? UNKNOWN);
  all[at] = health;
  state.health.set(instance.id, all);
  if (isAlive(health) !== wasAlive) announce(ctx, instance, isAlive(health));
  const healthy = healthOfInstance(ctx, instance, undefined);
  if (healthy === instance.healthy) return;
  alter(ctx, instance, (each) => {
    if (healthy === undefined) delete each.healthy;
    else each.healthy = healthy;
  });
}

function announce(ctx: Context, instance: Instance, alive: boolean): void {
  publish(ctx, 'health_status_changed_event', {
    appId: instance.specId,
    instanceId: instance.id,
    version: instance.spec.version,
    alive,
  });
}

/** Takes over what Mesos's own checks say; of an app there is at most one whose result is told apart. */
export function noteMesosHealth(ctx: Context, instance: Instance, { healthy }: TaskStatus): void {
  const { spec } = instance;
  if (healthy === undefined || spec.kind !== 'app') return;
  const at = spec.healthChecks.findIndex((check) => !isOwnCheck(check));
  if (at < 0) return;
  const all = ctx.state.health.get(instance.id) ?? [];
  const known = all[at] ?? UNKNOWN;
  all[at] = healthy
    ? succeeded(known, ctx.env.wall)
    : failed(known, ctx.env.wall, 'The health check run by Mesos failed');
  ctx.state.health.set(instance.id, all);
  if (isAlive(all[at]) !== isAlive(known)) announce(ctx, instance, isAlive(all[at]));
}

/**
 * What all checks together say; nothing until each has spoken.
 * @param told what the tasks' own updates say, which is all there is for pods
 */
export function healthOfInstance(ctx: Context, { id, spec }: Instance, told: boolean | undefined): boolean | undefined {
  if (spec.kind !== 'app') return told;
  if (spec.healthChecks.length === 0) return told;
  const all = ctx.state.health.get(id) ?? [];
  const known = spec.healthChecks.map((_, at) => all[at]);
  if (known.some((health) => health === undefined)) return undefined;
  return known.every((health) => isAlive(health!));
}

/** Forgets what was known of an instance that is no longer there. */
export function forgetHealth({ state, emit }: Context, instanceId: string): void {
  const known = state.health.get(instanceId);
  state.health.delete(instanceId);
  known?.forEach((_, at) => {
    emit({ kind: 'disarm', key: `${PREFIX}${at} ${instanceId}` });
  });
}

/** From now on there are instances of this version to be looked at. */
export function announceChecks(ctx: Context, { id, version, healthChecks }: App): void {
  for (const healthCheck of healthChecks) publish(ctx, 'add_health_check_event', { appId: id, version, healthCheck });
}

/** There are no instances of this version any more. */
export function withdrawChecks(ctx: Context, { id, healthChecks }: App): void {
  for (const _ of healthChecks) publish(ctx, 'remove_health_check_event', { appId: id });
}

/** An app is to be stopped. */
export function endHealthChecks(ctx: Context, spec: RunSpec): void {
  if (spec.kind !== 'app' || spec.healthChecks.length === 0) return;
  withdrawChecks(ctx, spec);
  for (const id of ctx.state.specs.get(spec.id)?.instances.keys() ?? []) forgetHealth(ctx, id);
}
