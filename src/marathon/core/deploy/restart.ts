/**
 * Replaces the instances of an app or pod by ones of its new version, and never goes below `minimumHealthCapacity` or above
 * `maximumOverCapacity` while doing so. All is worked out from what is there now, so that it can be taken up
 * by another leader at any moment.
 */
import { isResident } from '../../definition/compare.ts';
import { isActive } from '../condition.ts';
import type { Context } from '../context.ts';
import { isConsideredHealthy } from '../instances.ts';
import type { Action, Instance, RestartLimits, RunSpec } from '../model.ts';
import { type SpecRecord, specRecord } from '../state.ts';
import { firstToGo } from './victims.ts';
import { retire, startInstances, wantedOf } from './wanted.ts';

/** @param present all that are to run, of whatever version  @param healthy those of the wanted that no check speaks against */
export function restartLimits(spec: RunSpec, present: number, healthy: number, old: number): RestartLimits {
  const { instances, upgradeStrategy } = spec;
  const minimum = Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
  let maximum = Math.floor(instances * (1 + upgradeStrategy.maximumOverCapacity));
  let atOnce = Math.max(0, healthy - minimum);
  if (minimum === maximum && maximum <= healthy) {
    // Without room above and without leave to go below, nothing could ever happen: volumes cannot be doubled, so one of
    // theirs goes first; of all others one more may come.
    if (isResident(spec)) atOnce = healthy - minimum + 1;
    else maximum++;
  }
  if (instances < present) atOnce = Math.max(present - instances, atOnce);
  return { minimum, maximum, atOnce, old };
}

export function beginRestart(ctx: Context, { spec }: Action): void {
  const record = specRecord(ctx.state, spec.id);
  const wanted = [...record.instances.values()].filter(({ goal }) => goal === 'Running');
  const old = wanted.filter((instance) => instance.spec.version !== spec.version);
  const healthy = wanted.filter(isConsideredHealthy);
  ctx.state.restarts.set(spec.id, restartLimits(spec, wanted.length, healthy.length, old.length));
  delete record.delay;
}

/** @returns whether all are new and well, and the old ones are gone */
export function advanceRestart(ctx: Context, { spec }: Action): boolean {
  const record = specRecord(ctx.state, spec.id);
  const limits = ctx.state.restarts.get(spec.id)!;
  let old = oldOnes(record, spec);
  old = dropLifeless(ctx, old, spec);
  old = replaceOld(ctx, record, old, limits, spec);
  startNew(ctx, record, old.length, limits, spec);
  unblock(ctx, record, old, limits, spec);
  const fresh = record.tallies.get(spec.version);
  return oldOnes(record, spec).length === 0 && record.leaving === 0 && fresh?.good === spec.instances;
}

function oldOnes(record: SpecRecord, spec: RunSpec): Instance[] {
  if (wantedOf(record) === (record.tallies.get(spec.version)?.wanted ?? 0) && !hasGivenUp(record)) return [];
  return [...record.instances.values()].filter(
    (instance) => instance.goal === 'Running' && instance.spec.version !== spec.version,
  );
}

/** Those given up as unreachable are in no tally. */
function hasGivenUp({ instances }: SpecRecord): boolean {
  for (const { condition } of instances.values()) if (condition === 'UnreachableInactive') return true;
  return false;
}

/** Old ones that do not run, or have not begun to, need no replacement before they go. */
function dropLifeless(ctx: Context, old: Instance[], spec: RunSpec): Instance[] {
  const [alive, lifeless] = [
    old.filter(({ condition }) => isActive(condition)),
    old.filter((each) => !isActive(each.condition)),
  ];
  for (const instance of lifeless) retire(ctx, instance, spec);
  return alive;
}

/** Ends as many old ones as may go by now: those first that are not well. */
function replaceOld(
  ctx: Context,
  record: SpecRecord,
  old: Instance[],
  limits: RestartLimits,
  spec: RunSpec,
): Instance[] {
  const good = record.tallies.get(spec.version)?.good ?? 0;
  const gone = limits.old - old.length;
  const floor = isResident(spec) && limits.minimum === limits.maximum ? limits.minimum - 1 : limits.minimum;
  let healthy = healthyOf(record);
  // What got well only after the beginning counts too: else those that went because they were not well block the others.
  const spare = Math.max(limits.atOnce + good - gone, healthy - floor);
  let allowed = good >= spec.instances ? old.length : spare;
  if (allowed <= 0) return old;
  const left: Instance[] = [];
  for (const instance of old.sort(unwellFirst(spec))) {
    const isWell = instance.condition === 'Running' && isConsideredHealthy(instance);
    const mayGo = allowed > 0 && (!isWell || healthy > floor || good >= spec.instances);
    if (!mayGo) {
      left.push(instance);
      continue;
    }
    allowed--;
    if (isWell) healthy--;
    retire(ctx, instance, spec);
  }
  return left;
}

function startNew(ctx: Context, record: SpecRecord, old: number, limits: RestartLimits, spec: RunSpec): void {
  const started = record.tallies.get(spec.version)?.wanted ?? 0;
  const room = roomOf(record, limits, spec) - old - record.leaving - started;
  const amount = Math.min(spec.instances - started, room);
  if (amount > 0) startInstances(ctx, spec, amount);
}

/**
 * How many may be there now. While as many are well as must be and as may be, one more may come, as at the beginning: else
 * nothing could ever go. Volumes cannot be doubled: of theirs one goes first.
 */
function roomOf(record: SpecRecord, { minimum, maximum }: RestartLimits, spec: RunSpec): number {
  return minimum === maximum && !isResident(spec) && healthyOf(record) >= maximum ? maximum + 1 : maximum;
}

/** If nothing is on its way and there is no room, an old one that is not well makes way: it counts for nothing anyway. */
function unblock(ctx: Context, record: SpecRecord, old: Instance[], limits: RestartLimits, spec: RunSpec): void {
  const started = record.tallies.get(spec.version)?.wanted ?? 0;
  if (record.leaving > 0 || started >= spec.instances || old.length + started < limits.maximum) return;
  const unwell = old.find((instance) => !(instance.condition === 'Running' && isConsideredHealthy(instance)));
  if (unwell) retire(ctx, unwell, spec);
}

function healthyOf({ tallies }: SpecRecord): number {
  let healthy = 0;
  for (const tally of tallies.values()) healthy += tally.healthy;
  return healthy;
}

function unwellFirst(spec: RunSpec): (a: Instance, b: Instance) => number {
  const byAge = firstToGo(spec.killSelection);
  return (a, b) => Number(isConsideredHealthy(a)) - Number(isConsideredHealthy(b)) || byAge(a, b);
}
