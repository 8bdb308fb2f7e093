import type { Call_AcceptInverseOffers } from '../../../wire/v1_scheduler.ts';
import type { Context } from '../context.ts';
import { answerInverseOffers } from '../inverse-offers.ts';
import type { FrameworkRecord } from '../records.ts';

/** ACCEPT_INVERSE_OFFERS: the framework will leave in time. Operators see it in the maintenance status. */
export function acceptInverseOffers(ctx: Context, framework: FrameworkRecord, call: Call_AcceptInverseOffers): void {
  answerInverseOffers(ctx, framework, call, 'ACCEPT');
}
