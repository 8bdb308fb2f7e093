/**
 * Offers that are kept for a moment instead of being given back, since an offer that is declined comes again much later. Some
 * could be used, were not as many launches under way as may be: launches come to run soon. A few others are kept
 * although nothing waits: who has just deployed something often goes on to deploy more.
 */
import type { Offer } from '../../../wire/v1.ts';
import type { Context } from '../context.ts';
import { hasToken } from './tokens.ts';

const LOOK = 'held-look';
const OVERDUE = 'held-overdue';
/** How long an offer is kept that nothing waits for. */
const SPARE_FOR = 1_000;

/** Keeps an offer until more launches may begin. @returns whether there was room for it */
export function hold(ctx: Context, offer: Offer): boolean {
  const { maxQueuedOffers, offerMatchingTimeout } = ctx.options;
  return keep(ctx, offer, maxQueuedOffers, offerMatchingTimeout);
}

/** Keeps an offer in case something comes to wait. @returns whether there was room for it */
export function spare(ctx: Context, offer: Offer): boolean {
  return keep(ctx, offer, ctx.options.spareOffers, Math.min(SPARE_FOR, ctx.options.offerMatchingTimeout));
}

function keep({ state, env, emit }: Context, offer: Offer, room: number, time: number): boolean {
  const { held } = state.launching;
  if (held.offers.size >= room || time === 0) return false;
  held.offers.set(offer.id.value, { offer, until: env.now + time });
  if (env.now + time < held.overdueAt) {
    held.overdueAt = env.now + time;
    emit({ kind: 'arm', key: OVERDUE, after: time });
  }
  return true;
}

/** After each step: if kept offers can be used now, or are too many, they are looked at soon. Many changes share one look. */
export function watchHeld(ctx: Context): void {
  const { state, emit } = ctx;
  const { held } = state.launching;
  if (held.isLookDue || held.offers.size === 0 || !isUseful(ctx)) return;
  held.isLookDue = true;
  emit({ kind: 'arm', key: LOOK, after: 0 });
}

/** Whether looking at kept offers again would come to something. */
function isUseful(ctx: Context): boolean {
  const { held } = ctx.state.launching;
  if (ctx.state.launching.waiting.size > 0) return hasToken(ctx);
  return !isIdle(ctx) || held.offers.size > ctx.options.spareOffers;
}

/** Nothing wants an offer, neither to launch with it nor to give back what is reserved in it. */
export function isIdle({ state }: Context): boolean {
  const { waiting, releasing, sweeps } = state.launching;
  return waiting.size === 0 && releasing.size === 0 && sweeps.size === 0;
}

export function isHeldTimer(key: string): boolean {
  return key === LOOK || key === OVERDUE;
}

/** Those to be looked at again now: the oldest first, for as long as there is something to be done with them. */
export function* heldForUse(ctx: Context): Generator<Offer> {
  const { held } = ctx.state.launching;
  for (const [id, { offer }] of held.offers) {
    if (!isUseful(ctx)) return;
    held.offers.delete(id);
    yield offer;
  }
}

/** A timer of ours has fired. @returns the offers that have been kept for too long */
export function heldTooLong({ state, env, emit }: Context, key: string): readonly Offer[] {
  const { held } = state.launching;
  if (key === LOOK) {
    held.isLookDue = false;
    return [];
  }
  const overdue: Offer[] = [];
  held.overdueAt = Number.POSITIVE_INFINITY;
  for (const [id, { offer, until }] of held.offers) {
    if (until > env.now) {
      held.overdueAt = Math.min(held.overdueAt, until);
      continue;
    }
    held.offers.delete(id);
    overdue.push(offer);
  }
  if (held.offers.size > 0) emit({ kind: 'arm', key: OVERDUE, after: held.overdueAt - env.now });
  return overdue;
}

/** The master has taken an offer back. */
export function forgetOffer({ state }: Context, offerId: string): void {
  state.launching.held.offers.delete(offerId);
}

/** Offers are void without the subscription that they came with. */
export function forgetHeld({ state, emit }: Context): void {
  const { held } = state.launching;
  held.offers.clear();
  held.overdueAt = Number.POSITIVE_INFINITY;
  emit({ kind: 'disarm', key: OVERDUE });
}
