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
  for (let missing = amount - waiting.length; missing > 0; missing--) scheduleInstance(ctx, spec);
}
