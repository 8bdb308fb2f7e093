/** How many instances are wanted, and how to want more or fewer. */

import { isResident } from '../../definition/compare.ts';
import { isTerminal } from '../condition.ts';
import type { Context } from '../context.ts';
import { setGoal } from '../goals.ts';
import { alter, scheduleInstance } from '../instances.ts';
import type { Instance, RunSpec } from '../model.ts';
import { type SpecRecord, specRecord } from '../state.ts';

/** All that are to run, of whatever version. */
export function wantedOf({ tallies }: SpecRecord): number {
  let wanted = 0;
  for (const tally of tallies.values()) wanted += tally.wanted;
  return wanted;
}

/** Wants an instance no longer: one with volumes keeps them for who comes after it. */
export function retire(ctx: Context, instance: Instance, spec: RunSpec): void {
  setGoal(ctx, instance, isResident(spec) && instance.reservation !== undefined ? 'Stopped' : 'Decommissioned');
}

/** Instances that are made in one step: more of them would keep everybody else waiting. */
const AT_ONCE = 500;
const GROW = 'grow ';

/** Time to go on making instances. @returns whether the timer was ours */
export function takeGrowTimer({ state }: Context, key: string): boolean {
  if (!key.startsWith(GROW)) return false;
  const id = key.slice(GROW.length);
  // Whoever wants more of them looks at them again.
  if (state.growing.delete(id)) state.dirty.add(id);
  return true;
}

function growBy(ctx: Context, spec: RunSpec, missing: number): void {
  const { state, emit } = ctx;
  if (state.growing.has(spec.id)) return;
  for (let made = 0; made < Math.min(missing, AT_ONCE); made++) scheduleInstance(ctx, spec);
  if (missing <= AT_ONCE) return;
  state.growing.add(spec.id);
  emit({ kind: 'arm', key: `${GROW}${spec.id}`, after: 0 });
}

/** Wants more instances: first those that wait with their volumes, then new ones. */
export function startInstances(ctx: Context, spec: RunSpec, amount: number): void {
  const waiting = [...specRecord(ctx.state, spec.id).instances.values()].filter(
    ({ goal, tasks }) => goal === 'Stopped' && tasks.every((task) => isTerminal(task.condition)),
  );
  for (const instance of waiting.slice(0, amount)) {
    alter(ctx, instance, (each) => {
      each.goal = 'Running';
      each.condition = 'Scheduled';
      each.spec = spec;
    });
  }
  growBy(ctx, spec, amount - waiting.length);
}
