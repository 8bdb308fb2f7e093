/** What becomes of an instance when an offer is used for it. */

import { noteOutcome } from '../backoff.ts';
import type { Context } from '../context.ts';
import { alter } from '../instances.ts';
import type { Instance } from '../model.ts';
import type { OpenOffer } from '../placement/open-offer.ts';
import type { Launch } from '../placement/result.ts';

/** It is launched: from now on its tasks are expected to be heard of. */
export function provision(ctx: Context, instance: Instance, offer: OpenOffer, { tasks, reservation }: Launch): void {
  alter(ctx, instance, (each) => {
    each.condition = 'Provisioned';
    each.incarnation++;
    each.placement = offer.placement;
    each.tasks = tasks;
    if (reservation) each.reservation = reservation;
    delete each.activeSince;
    delete each.healthy;
    delete each.ready;
  });
  ctx.state.health.delete(instance.id);
  ctx.state.readiness.delete(instance.id);
  noteOutcome(ctx, instance);
}
