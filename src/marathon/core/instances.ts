/**
 * The only place where instances change. Each change keeps the tallies, is stored, is told to the event stream, and marks
 * the instance's spec as one whose plans have to be looked at.
 */
import { invariant } from '../../base/invariant.ts';
import { instanceId } from '../definition/task-id.ts';
import type { RunSpec } from '../definition/types.ts';
import { isActive, isTerminal } from './condition.ts';
import { type Context, publish } from './context.ts';
import { sweep } from './launch/asking.ts';
import type { Condition, Instance } from './model.ts';
import { type Counts, type MarathonState, type SpecRecord, specRecord, type Tally } from './state.ts';
import { instanceKey, storedInstance } from './stored.ts';
import { timeUuid } from './uuid.ts';

/** Makes one more instance of this spec; it waits for an offer from now on. */
export function scheduleInstance(ctx: Context, spec: RunSpec): Instance {
  const { state, env } = ctx;
  const instance: Instance = {
    id: instanceId(spec.id, timeUuid(env.wall, env.random)),
    specId: spec.id,
    incarnation: 0,
    goal: 'Running',
    condition: 'Scheduled',
    since: env.wall,
    spec,
    tasks: [],
    unreachable: spec.unreachableStrategy,
  };
  invariant(!state.instances.has(instance.id), `two instances named ${instance.id}`);
  enter(ctx, instance);
  keep(ctx, instance);
  announce(ctx, instance);
  return instance;
}

/** Puts an instance that was stored before back where it belongs; nothing is told. */
export function restoreInstance(ctx: Context, instance: Instance): void {
  enter(ctx, instance);
}

function enter({ state }: Context, instance: Instance): void {
  const spec = specRecord(state, instance.specId);
  state.instances.set(instance.id, instance);
  spec.instances.set(instance.id, instance);
  count(state, spec, instance, 1);
  state.dirty.add(instance.specId);
}

/**
 * Changes an instance.
 * @param alter makes the change; condition and goal that it leaves behind are told if they are new
 */
export function alter(ctx: Context, instance: Instance, alter: (instance: Instance) => void): void {
  const { state, env } = ctx;
  const spec = state.specs.get(instance.specId);
  invariant(spec?.instances.get(instance.id) === instance, `${instance.id} is not one of ours`);
  const { condition, goal, healthy } = instance;
  count(state, spec, instance, -1);
  alter(instance);
  if (instance.condition !== condition) instance.since = env.wall;
  count(state, spec, instance, 1);
  state.dirty.add(instance.specId);
  keep(ctx, instance);
  if (instance.condition !== condition || instance.goal !== goal) announce(ctx, instance);
  if (instance.healthy !== healthy) announceHealth(ctx, instance);
}

/** Forgets an instance that nobody wants and that holds nothing. @returns whether it was */
export function expungeIfDone(ctx: Context, instance: Instance): boolean {
  const isOver = instance.tasks.every((task) => isTerminal(task.condition));
  if (!isOver || instance.goal !== 'Decommissioned' || instance.reservation !== undefined) return false;
  expunge(ctx, instance);
  return true;
}

/** Forgets an instance, whatever runs of it. An instance that still looks alive is told to be `Killed`. */
export function expunge(ctx: Context, instance: Instance): void {
  const { state } = ctx;
  const spec = state.specs.get(instance.specId);
  if (spec?.instances.get(instance.id) !== instance) return;
  count(state, spec, instance, -1);
  spec.instances.delete(instance.id);
  state.instances.delete(instance.id);
  state.dirty.add(instance.specId);
  // Whatever is still reserved for it is nobody's now.
  if (instance.reservation) sweep(ctx, [instance.reservation.role]);
  if (spec.instances.size === 0 && !state.current.has(spec.id) && !state.locks.has(spec.id))
    state.specs.delete(spec.id);
  ctx.emit({ kind: 'store', key: instanceKey(instance.id), value: undefined });
  if (!isTerminal(instance.condition)) announce(ctx, instance, 'Killed');
}

/** Whether it is to be launched as soon as an offer fits. */
export function isScheduled({ goal, condition }: Instance): boolean {
  return goal === 'Running' && (condition === 'Scheduled' || isTerminal(condition));
}

/** Whether it counts towards the number that is wanted. */
function isWanted({ goal, condition }: Instance): boolean {
  return goal === 'Running' && condition !== 'UnreachableInactive';
}

/** Whether somebody looks after its health, so that running alone does not say that it is well. */
export function hasHealthChecks(spec: RunSpec): boolean {
  return spec.kind === 'app' ? spec.healthChecks.length > 0 : spec.containers.some((each) => each.healthCheck);
}

function hasReadinessChecks(spec: RunSpec): boolean {
  return spec.kind === 'app' && spec.readinessChecks.length > 0;
}

/** Healthy as far as anybody checks. */
export function isConsideredHealthy({ spec, healthy }: Instance): boolean {
  return !hasHealthChecks(spec) || healthy === true;
}

/** Runs, and every check that there is has said yes. */
export function isGood(instance: Instance): boolean {
  return (
    instance.condition === 'Running' &&
    isConsideredHealthy(instance) &&
    (!hasReadinessChecks(instance.spec) || instance.ready === true)
  );
}

function count(state: MarathonState, spec: SpecRecord, instance: Instance, by: 1 | -1): void {
  if (isScheduled(instance)) noteScheduled(state, spec, instance, by);
  if (isReleasing(instance)) noteReleasing(state, instance, by);
  if (isLeaving(instance)) spec.leaving += by;
  noteCounts(spec.counts, instance, by);
  if (!isWanted(instance)) return;
  const tally = tallyOf(spec, instance.spec.version);
  tally.wanted += by;
  if (instance.condition === 'Running' && isConsideredHealthy(instance)) tally.healthy += by;
  if (isGood(instance)) tally.good += by;
  if (tally.wanted === 0) spec.tallies.delete(instance.spec.version);
}

function noteCounts(counts: Counts, { condition, healthy }: Instance, by: 1 | -1): void {
  if (condition === 'Staging' || condition === 'Starting' || condition === 'Provisioned') counts.staged += by;
  if (condition === 'Running') counts.running += by;
  if (healthy === undefined || !isActive(condition)) return;
  if (healthy) counts.healthy += by;
  else counts.unhealthy += by;
}

/** Not wanted and not gone yet. One that keeps its volumes and is out of reach is not waited for: it ends when it comes back. */
function isLeaving({ goal, condition }: Instance): boolean {
  return goal !== 'Running' && isActive(condition) && !(goal === 'Stopped' && condition === 'Unreachable');
}

/** Nothing of it runs or will, but something is still reserved for it. */
function isReleasing({ goal, reservation, tasks }: Instance): boolean {
  return goal === 'Decommissioned' && reservation !== undefined && tasks.every((task) => isTerminal(task.condition));
}

function noteReleasing({ launching }: MarathonState, { id, reservation }: Instance, by: 1 | -1): void {
  if (by === -1) {
    launching.releasing.delete(id);
    return;
  }
  launching.releasing.set(id, reservation!.role);
  launching.hasNewWaiting = true;
}

function noteScheduled(state: MarathonState, spec: SpecRecord, instance: Instance, by: 1 | -1): void {
  if (by === 1) {
    spec.scheduled.set(instance.id, instance);
    state.launching.waiting.add(spec.id);
    state.launching.hasNewWaiting = true;
  } else {
    spec.scheduled.delete(instance.id);
    if (spec.scheduled.size === 0) state.launching.waiting.delete(spec.id);
  }
}

function tallyOf(spec: SpecRecord, version: number): Tally {
  let tally = spec.tallies.get(version);
  if (tally === undefined) {
    tally = { wanted: 0, good: 0, healthy: 0 };
    spec.tallies.set(version, tally);
  }
  return tally;
}

function keep({ emit }: Context, instance: Instance): void {
  emit({ kind: 'store', key: instanceKey(instance.id), value: storedInstance(instance) });
}

function announce(ctx: Context, instance: Instance, condition: Condition = instance.condition): void {
  publish(ctx, 'instance_changed_event', {
    instanceId: instance.id,
    condition,
    runSpecId: instance.specId,
    agentId: instance.placement?.agentId,
    host: instance.placement?.host,
    runSpecVersion: instance.spec.version,
  });
}

function announceHealth(ctx: Context, instance: Instance): void {
  publish(ctx, 'instance_health_changed_event', {
    instanceId: instance.id,
    runSpecId: instance.specId,
    healthy: instance.healthy ?? null,
    runSpecVersion: instance.spec.version,
  });
}
