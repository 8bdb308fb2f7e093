/** Ends an app or pod for good. */
import { type Context, publish } from '../context.ts';
import { setGoal } from '../goals.ts';
import { endHealthChecks } from '../health.ts';
import type { Action } from '../model.ts';
import { specRecord } from '../state.ts';
import { failureKey } from '../stored.ts';

export function beginStop(ctx: Context, { spec }: Action): void {
  endHealthChecks(ctx, spec);
  for (const instance of [...specRecord(ctx.state, spec.id).instances.values()]) {
    setGoal(ctx, instance, 'Decommissioned');
  }
}

/** Instances whose reservations are still to be given back are not waited for: that needs offers of their agents. */
export function advanceStop(ctx: Context, { spec }: Action): boolean {
  const { state, emit } = ctx;
  const record = specRecord(state, spec.id);
  if (record.leaving > 0) return false;
  if (record.lastFailure) emit({ kind: 'store', key: failureKey(spec.id), value: undefined });
  delete record.lastFailure;
  delete record.delay;
  if (record.instances.size === 0) state.specs.delete(spec.id);
  publish(ctx, 'app_terminated_event', { appId: spec.id });
  return true;
}
