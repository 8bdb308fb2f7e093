/** Gives back what was reserved for instances that are no more. */
import type { Offer_Operation } from '../../../wire/v1.ts';
import type { Context } from '../context.ts';
import type { OpenOffer } from './open-offer.ts';

export function cleanUp(_ctx: Context, _offer: OpenOffer): readonly Offer_Operation[] {
  return [];
}
