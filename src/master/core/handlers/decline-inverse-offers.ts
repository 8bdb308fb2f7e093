import type { Call_DeclineInverseOffers } from '../../../wire/v1_scheduler.ts';
import type { Context } from '../context.ts';
import { answerInverseOffers } from '../inverse-offers.ts';
import type { FrameworkRecord } from '../records.ts';

/** DECLINE_INVERSE_OFFERS: the framework cannot leave in time. Operators see it in the maintenance status. */
export function declineInverseOffers(ctx: Context, framework: FrameworkRecord, call: Call_DeclineInverseOffers): void {
  answerInverseOffers(ctx, framework, call, 'DECLINE');
}
