/** Keeps count of what offers come to, so that whoever waits can be told why. */
import type { Offer } from '../../../wire/v1.ts';
import type { Context } from '../context.ts';
import type { NoMatch } from '../placement/result.ts';
import { NO_MATCH_REASONS, type OfferStatistics } from './launching.ts';

function statisticsOf({ state, env }: Context, specId: string): OfferStatistics {
  const { statistics } = state.launching;
  let known = statistics.get(specId);
  if (known === undefined) {
    known = { since: env.wall, processed: 0, unused: 0, rejects: new Map(), lastUnused: new Map() };
    statistics.set(specId, known);
  }
  return known;
}

/** An offer was used for it. */
export function noteMatch(ctx: Context, specId: string): void {
  const statistics = statisticsOf(ctx, specId);
  statistics.processed++;
  statistics.lastUsedAt = ctx.env.wall;
}

/** An offer did not do. */
export function noteNoMatch(ctx: Context, specId: string, offer: Offer, { reasons, details }: NoMatch): void {
  const statistics = statisticsOf(ctx, specId);
  statistics.processed++;
  statistics.unused++;
  statistics.lastUnusedAt = ctx.env.wall;
  statistics.lastUnused.set(offer.agent_id.value, { offer, reasons, details, timestamp: ctx.env.wall });
  const first = NO_MATCH_REASONS.find((reason) => reasons.includes(reason));
  if (first) statistics.rejects.set(first, (statistics.rejects.get(first) ?? 0) + 1);
}

/** Nothing of it waits any more. */
export function forgetStatistics({ state }: Context, specId: string): void {
  state.launching.statistics.delete(specId);
}
