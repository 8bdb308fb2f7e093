import type { Context } from '../context.ts';
import { healthTimer, runHealthCheck } from '../health.ts';
import { isKillTimer, retryKills } from '../kills.ts';
import { isOfferTimer, takeOfferTimer } from '../launch/asking.ts';
import { isHeldTimer } from '../launch/held.ts';
import { takeHeldTimer } from '../launch/offers.ts';
import { giveUpReservation, reservationTimer } from '../launch/reservations.ts';
import { runJob } from '../periodic.ts';
import { askWhetherReady, readinessTimer } from '../readiness.ts';
import { noteTimePassing, passingTimer } from '../updates.ts';

/** Whatever was to be looked at again later: the timer's name says what. */
export function takeTimer(ctx: Context, { key }: { readonly key: string }): void {
  if (runJob(ctx, key)) return;
  const health = healthTimer(key);
  const ready = readinessTimer(key);
  const reservation = reservationTimer(key);
  const passing = passingTimer(key);
  const instance = passing === undefined ? undefined : ctx.state.instances.get(passing);
  if (isKillTimer(key)) retryKills(ctx);
  else if (isOfferTimer(key)) takeOfferTimer(ctx, key);
  else if (isHeldTimer(key)) takeHeldTimer(ctx, key);
  else if (reservation !== undefined) giveUpReservation(ctx, reservation);
  else if (health) runHealthCheck(ctx, health.instanceId, health.check);
  else if (ready !== undefined) askWhetherReady(ctx, ready);
  else if (instance) noteTimePassing(ctx, instance);
}
