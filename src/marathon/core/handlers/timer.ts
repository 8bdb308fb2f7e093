import type { Context } from '../context.ts';
import { healthTimer, runHealthCheck } from '../health.ts';
import { isKillTimer, retryKills } from '../kills.ts';
import { isOfferTimer, takeOfferTimer } from '../launch/asking.ts';
import { runJob } from '../periodic.ts';
import { askWhetherReady, readinessTimer } from '../readiness.ts';
import { noteTimePassing, passingTimer } from '../updates.ts';

/** Whatever was to be looked at again later: the timer's name says what. */
export function takeTimer(ctx: Context, { key }: { readonly key: string }): void {
  if (runJob(ctx, key)) return;
  if (isKillTimer(key)) return retryKills(ctx);
  if (isOfferTimer(key)) return takeOfferTimer(ctx, key);
  const health = healthTimer(key);
  if (health) return runHealthCheck(ctx, health.instanceId, health.check);
  const ready = readinessTimer(key);
  if (ready !== undefined) return askWhetherReady(ctx, ready);
  const passing = passingTimer(key);
  const instance = passing === undefined ? undefined : ctx.state.instances.get(passing);
  if (instance) noteTimePassing(ctx, instance);
}
