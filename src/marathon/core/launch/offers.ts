/** Uses offers for what waits to be launched, and tells the master for which roles offers are wanted at all. */
import type { Offer, Offer_Operation, OfferID } from '../../../wire/v1.ts';
import { isResident } from '../../definition/compare.ts';
import { mayLaunch } from '../backoff.ts';
import type { Context } from '../context.ts';
import type { Instance } from '../model.ts';
import { cleanUp } from '../placement/clean-up.ts';
import { hasVolumes, matchInstance } from '../placement/match.ts';
import { type OpenOffer, openOffer } from '../placement/open-offer.ts';
import type { MatchResult } from '../placement/result.ts';
import { type SpecRecord, specRecord } from '../state.ts';
import { heldForUse, heldTooLong, hold, isIdle, spare } from './held.ts';
import { provision } from './provision.ts';
import { confirmReservations, noteAwaitedVolumes, reserve } from './reservations.ts';
import { missingSecret, noteMissingSecret } from './secrets.ts';
import { noteMatch, noteNoMatch } from './statistics.ts';
import { hasToken, spendToken } from './tokens.ts';
import { orderedTurn } from './turn.ts';

/** Offers that could not be used only because of limits of our own come back after this many seconds. */
const SOON = 5;

/** By how many seconds they are refused: the offers that are given back. */
type GivenBack = Map<number, OfferID[]>;

/** Looks at each offer: takes what fits, gives the rest back. */
export function takeOffers(ctx: Context, offers: readonly Offer[]): void {
  ctx.state.launching.counters.incoming += offers.length;
  const givenBack: GivenBack = new Map();
  for (const offer of offers) takeOffer(ctx, offer, givenBack);
  decline(ctx, givenBack);
}

/** Kept offers are to be looked at again. */
export function takeHeldTimer(ctx: Context, key: string): void {
  const overdue = heldTooLong(ctx, key);
  const givenBack: GivenBack = new Map();
  for (const offer of heldForUse(ctx)) takeOffer(ctx, offer, givenBack);
  const seconds = isIdle(ctx) ? ctx.options.declineOfferDuration / 1000 : SOON;
  for (const offer of overdue) giveBack(ctx, givenBack, offer, seconds);
  decline(ctx, givenBack);
}

function takeOffer(ctx: Context, offer: Offer, givenBack: GivenBack): void {
  const { state, options } = ctx;
  const open = openOffer(offer);
  confirmReservations(ctx, open);
  const operations: Offer_Operation[] = [...cleanUp(ctx, open)];
  const isLimited = useOffer(ctx, open, operations);
  if (operations.length > 0) {
    state.launching.counters.used++;
    accept(ctx, offer, operations);
  } else if (isLimited ? hold(ctx, offer) : isIdle(ctx) && spare(ctx, offer)) {
    return;
  } else if (!isLimited) {
    giveBack(ctx, givenBack, offer, options.declineOfferDuration / 1000);
  } else {
    giveBack(ctx, givenBack, offer, SOON);
  }
}

/** @returns whether more could have been launched, had our own limits allowed it */
function useOffer(ctx: Context, open: OpenOffer, operations: Offer_Operation[]): boolean {
  const { state, options } = ctx;
  let launches = 0;
  // Each in turn gets one, until nobody finds anything more in the offer.
  let specs = [...orderedTurn(state.launching)];
  for (let round = 0; specs.length > 0; round++) {
    const again: string[] = [];
    for (const id of specs) {
      const record = specRecord(state, id);
      const instance = nextToLaunch(ctx, record, open);
      if (instance === undefined) {
        if (round === 0) noteAwaitedVolumes(ctx, record, open);
        continue;
      }
      if (launches >= options.maxInstancesPerOffer || !hasToken(ctx)) return true;
      const missing = missingSecret(state, instance.spec);
      if (missing !== undefined) {
        noteMissingSecret(ctx, instance, missing, open.offer);
        continue;
      }
      const result = matchInstance(ctx, { offer: open, instance, record });
      if (result.kind === 'none') {
        noteNoMatch(ctx, id, open.offer, result);
        continue;
      }
      apply(ctx, instance, open, result);
      operations.push(...result.operations);
      launches++;
      again.push(id);
    }
    specs = again;
  }
  return false;
}

/** The next instance of this spec that may be launched from this offer: first those whose volumes are in it. */
function nextToLaunch(ctx: Context, record: SpecRecord, open: OpenOffer): Instance | undefined {
  for (const id of open.reserved.keys()) {
    const instance = record.scheduled.get(id);
    if (instance?.reservation === undefined || !hasVolumes(open, instance)) continue;
    if (mayLaunch(record, instance.spec, ctx.env.wall)) return instance;
  }
  for (const instance of record.scheduled.values()) {
    if (instance.reservation) continue;
    if (instance.spec.role === open.role && mayLaunch(record, instance.spec, ctx.env.wall)) return instance;
    // Only with volumes can instances of one app be of several roles.
    if (!isResident(instance.spec)) return undefined;
  }
  return undefined;
}

function apply(
  ctx: Context,
  instance: Instance,
  open: OpenOffer,
  result: Exclude<MatchResult, { kind: 'none' }>,
): void {
  const { counters } = ctx.state.launching;
  noteMatch(ctx, instance.specId);
  if (result.kind === 'reserve') {
    counters.reserved++;
    reserve(ctx, instance, result);
    return;
  }
  spendToken(ctx);
  counters.launched++;
  if (instance.spec.kind === 'pod') counters.launchedGroups++;
  provision(ctx, instance, open, result);
}

function accept({ emit }: Context, { id }: Offer, operations: readonly Offer_Operation[]): void {
  // What is left over may come back at once: something else may fit.
  emit({
    kind: 'call',
    call: { type: 'ACCEPT', accept: { offer_ids: [id], operations, filters: { refuse_seconds: 0 } } },
  });
}

function giveBack({ state }: Context, givenBack: GivenBack, { id }: Offer, seconds: number): void {
  state.launching.counters.declined++;
  const known = givenBack.get(seconds);
  if (known === undefined) givenBack.set(seconds, [id]);
  else known.push(id);
}

function decline({ emit }: Context, givenBack: GivenBack): void {
  for (const [refuse_seconds, offer_ids] of givenBack) {
    emit({ kind: 'call', call: { type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds } } } });
  }
}
