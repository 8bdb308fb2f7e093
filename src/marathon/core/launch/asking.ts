/** Tells the master for which roles offers are wanted: asks again for declined ones when more waits, and for none when nothing does. */
import { isResident } from '../../definition/compare.ts';
import { delayOf } from '../backoff.ts';
import type { Context } from '../context.ts';
import { specRecord } from '../state.ts';
import { forgetStatistics } from './statistics.ts';

const LOOK = 'offers-look';
const REVIVE = 'offers-revive';
/** How long offers are wanted for a role in case they hold what nobody needs any more. */
const SWEEP = 60_000;

/** After each step: if something came to wait or went, a look at all of them is due soon. Many changes share one look. */
export function askForOffers({ state, emit }: Context): void {
  const { launching } = state;
  const waiting =
    launching.waiting.size + launching.releasing.size + launching.sweeps.size + launching.held.offers.size;
  const isQuiet = waiting === 0 && launching.offersAsked?.size === 0;
  if (launching.isLookDue || !state.isSubscribed || (isQuiet && !launching.hasNewWaiting)) return;
  if (!launching.hasNewWaiting && launching.offersAsked !== undefined && waiting > 0) return;
  launching.isLookDue = true;
  emit({ kind: 'arm', key: LOOK, after: 0 });
}

export function isOfferTimer(key: string): boolean {
  return key === LOOK || key === REVIVE;
}

export function takeOfferTimer(ctx: Context, key: string): void {
  if (key === REVIVE) revive(ctx, [...(ctx.state.launching.offersAsked ?? [])]);
  else look(ctx);
}

/** Who wants offers now, and when somebody will whose delay is not over. */
function look(ctx: Context): void {
  const { state, emit, options } = ctx;
  const { launching } = state;
  launching.isLookDue = false;
  const isDelayOver = launching.delayedUntil <= ctx.env.wall;
  const { roles, delayedUntil, sweptUntil } = wantedRoles(ctx);
  const nextAt = Math.min(delayedUntil, sweptUntil);
  for (const id of launching.statistics.keys()) if (!launching.waiting.has(id)) forgetStatistics(ctx, id);
  if (nextAt < Number.POSITIVE_INFINITY) emit({ kind: 'arm', key: LOOK, after: Math.max(nextAt - ctx.env.wall, 1) });
  const before = launching.offersAsked;
  const added = [...roles].filter((role) => before === undefined || !before.has(role));
  const dropped = [...(before ?? launching.roles)].filter((role) => !roles.has(role));
  launching.offersAsked = roles;
  subscribeRoles(ctx, roles);
  if (dropped.length > 0 && options.suppressOffers) suppress(ctx, dropped);
  // Whoever was delayed may have let offers pass that others of the role have declined: those have to come again.
  if (roles.size > 0 && (added.length > 0 || launching.hasNewWaiting || isDelayOver)) askAgain(ctx);
  launching.delayedUntil = delayedUntil;
  launching.hasNewWaiting = false;
}

interface Wanted {
  readonly roles: Set<string>;
  /** When the next delay is over, and the next sweep; never, if there is none. */
  readonly delayedUntil: number;
  readonly sweptUntil: number;
}

function wantedRoles({ state, env }: Context): Wanted {
  const roles = new Set<string>();
  let delayedUntil = Number.POSITIVE_INFINITY;
  let sweptUntil = Number.POSITIVE_INFINITY;
  for (const id of state.launching.waiting) {
    const record = specRecord(state, id);
    for (const { spec, reservation } of record.scheduled.values()) {
      const delay = delayOf(record, spec, env.wall);
      if (delay === undefined || delay.deadline <= env.wall) roles.add(reservation?.role ?? spec.role);
      else delayedUntil = Math.min(delayedUntil, delay.deadline);
      // Only with volumes can instances of one app be of several roles.
      if (!isResident(spec)) break;
    }
  }
  for (const role of state.launching.releasing.values()) roles.add(role);
  // What is left of kept offers once they are used is to come back.
  for (const { offer } of state.launching.held.offers.values()) roles.add(offer.allocation_info?.role ?? '*');
  for (const [role, until] of state.launching.sweeps) {
    if (until <= env.wall) {
      state.launching.sweeps.delete(role);
      continue;
    }
    roles.add(role);
    sweptUntil = Math.min(sweptUntil, until);
  }
  return { roles, delayedUntil, sweptUntil };
}

/** Wants offers for these roles for a while: something is reserved there that has to be given back. */
export function sweep({ state, env }: Context, roles: Iterable<string>): void {
  for (const role of roles) {
    state.launching.sweeps.set(role, env.wall + SWEEP);
    state.launching.hasNewWaiting = true;
  }
}

/** All roles in use must be subscribed to before offers can come for them. */
function subscribeRoles({ state, emit, options }: Context, wanted: ReadonlySet<string>): void {
  const { launching } = state;
  const all = new Set([options.definitions.defaultRole, ...launching.roles, ...wanted]);
  if (launching.areRolesTold && all.size === launching.roles.length) return;
  launching.roles = [...all].sort();
  launching.areRolesTold = true;
  emit({ kind: 'roles', roles: launching.roles });
}

/** At once, unless it was asked a moment ago: then when that is long enough ago. */
function askAgain(ctx: Context): void {
  const { state, env, options, emit } = ctx;
  const { launching } = state;
  launching.repetitions = options.reviveRepetitions;
  const wait = launching.revivedAt + options.minReviveOffersInterval - env.now;
  if (wait > 0) emit({ kind: 'arm', key: REVIVE, after: wait });
  else revive(ctx, [...(launching.offersAsked ?? [])], false);
}

function revive({ state, env, emit, options }: Context, roles: readonly string[], isRepetition = true): void {
  const { launching } = state;
  if (roles.length === 0) return;
  launching.revivedAt = env.now;
  launching.counters.revives++;
  emit({ kind: 'call', call: { type: 'REVIVE', revive: { roles } } });
  if (isRepetition) launching.repetitions--;
  if (launching.repetitions > 0) emit({ kind: 'arm', key: REVIVE, after: options.minReviveOffersInterval });
}

function suppress({ state, emit }: Context, roles: readonly string[]): void {
  state.launching.counters.suppresses++;
  emit({ kind: 'call', call: { type: 'SUPPRESS', suppress: { roles } } });
}
