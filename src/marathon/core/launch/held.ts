/**
 * Offers that could be used, were not as many launches under way as may be: they are kept for a moment instead of being given
 * back, since launches come to run soon and an offer that is declined comes again much later.
 */
import type { Offer } from '../../../wire/v1.ts';
import type { Context } from '../context.ts';
import { hasToken } from './tokens.ts';

const LOOK = 'held-look';
const OVERDUE = 'held-overdue';

/** Keeps an offer. @returns whether there was room for it */
export function hold({ state, env, options, emit }: Context, offer: Offer): boolean {
  const { held } = state.launching;
  if (held.offers.size >= options.maxQueuedOffers || options.offerMatchingTimeout === 0) return false;
  if (held.offers.size === 0) emit({ kind: 'arm', key: OVERDUE, after: options.offerMatchingTimeout });
  held.offers.set(offer.id.value, { offer, since: env.now });
  return true;
}

/** After each step: if kept offers can be used now, or are of no use any more, they are looked at soon. Many updates share one look. */
export function watchHeld(ctx: Context): void {
  const { held, waiting, tokens } = ctx.state.launching;
  if (held.isLookDue || held.offers.size === 0 || (tokens <= 0 && waiting.size > 0)) return;
  held.isLookDue = true;
  ctx.emit({ kind: 'arm', key: LOOK, after: 0 });
}

export function isHeldTimer(key: string): boolean {
  return key === LOOK || key === OVERDUE;
}

/** Those to be looked at again now: the oldest first, for as long as there is something to be done with them. */
export function* heldForUse(ctx: Context): Generator<Offer> {
  const { held, waiting } = ctx.state.launching;
  for (const [id, { offer }] of [...held.offers]) {
    if (!hasToken(ctx) && waiting.size > 0) return;
    held.offers.delete(id);
    yield offer;
  }
}

/** A timer of ours has fired. @returns the offers that have been kept for too long */
export function heldTooLong(ctx: Context, key: string): readonly Offer[] {
  const { state, env, options, emit } = ctx;
  const { held } = state.launching;
  if (key === LOOK) {
    held.isLookDue = false;
    return [];
  }
  const overdue: Offer[] = [];
  for (const [id, { offer, since }] of held.offers) {
    const left = since + options.offerMatchingTimeout - env.now;
    if (left > 0) {
      emit({ kind: 'arm', key: OVERDUE, after: left });
      break;
    }
    held.offers.delete(id);
    overdue.push(offer);
  }
  return overdue;
}

/** The master has taken an offer back. */
export function forgetOffer({ state }: Context, offerId: string): void {
  state.launching.held.offers.delete(offerId);
}

/** Offers are void without the subscription that they came with. */
export function forgetHeld({ state, emit }: Context): void {
  state.launching.held.offers.clear();
  emit({ kind: 'disarm', key: OVERDUE });
}
