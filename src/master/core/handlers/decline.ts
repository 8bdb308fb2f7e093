import type { Filters } from '../../../wire/v1.ts';
import type { Call_Decline } from '../../../wire/v1_scheduler.ts';
import { requestAllocation } from '../allocation.ts';
import { type Context, countUp } from '../context.ts';
import { discardOffer } from '../offers.ts';
import type { FrameworkRecord } from '../records.ts';

/** Upstream's default of `Filters.refuse_seconds`. */
const DEFAULT_REFUSE_SECONDS = 5;

/** For how long the framework does not want what it gives back. */
export function refuseSeconds(filters: Filters | undefined): number {
  return filters?.refuse_seconds ?? DEFAULT_REFUSE_SECONDS;
}

/** DECLINE: the resources go back; offers that are gone already are ignored. */
export function decline(ctx: Context, framework: FrameworkRecord, call: Call_Decline): void {
  countUp(ctx, 'messages_decline_offers');
  const refuse = refuseSeconds(call.filters);
  for (const { value: id } of call.offer_ids ?? []) {
    const offer = ctx.state.offers.get(id);
    if (offer?.frameworkId !== framework.id) continue;
    discardOffer(ctx, offer, refuse);
    framework.counters.offersDeclined++;
    // Without a filter the framework would be offered the same again at once, and decline it again, and so on.
    if (refuse !== 0) requestAllocation(ctx, offer.agentId);
  }
}
