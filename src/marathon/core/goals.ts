/** What is wanted of an instance, and what follows from that. */
import { isActive } from './condition.ts';
import type { Context } from './context.ts';
import { alter, expungeIfDone } from './instances.ts';
import { killInstance } from './kills.ts';
import type { Goal, Instance } from './model.ts';

/** Wants something else of an instance from now on: what shall not run is killed, what never ran is gone at once. */
export function setGoal(ctx: Context, instance: Instance, goal: Goal): void {
  if (instance.goal === goal) return;
  alter(ctx, instance, (each) => {
    each.goal = goal;
  });
  if (goal === 'Running' || expungeIfDone(ctx, instance)) return;
  if (isActive(instance.condition) || instance.condition === 'UnreachableInactive') killInstance(ctx, instance);
}
