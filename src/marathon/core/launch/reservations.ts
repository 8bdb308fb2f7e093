/** What becomes of reservations: asked for, seen in an offer, given up if they never are. */
import { mayLaunch } from '../backoff.ts';
import { isTerminal } from '../condition.ts';
import { type Context, log } from '../context.ts';
import { keepFramework } from '../framework.ts';
import { alter, expunge } from '../instances.ts';
import type { Condition, Instance, Reservation } from '../model.ts';
import { hasVolumes, lackOfVolumes, noMatch } from '../placement/match.ts';
import type { OpenOffer } from '../placement/open-offer.ts';
import type { Reserve } from '../placement/result.ts';
import type { SpecRecord } from '../state.ts';
import { noteNoMatch } from './statistics.ts';

const TIMER = 'reservation ';

/** Resources and volumes are asked for; once they are offered as reserved, the instance is launched on them. */
export function reserve(ctx: Context, instance: Instance, { reservation, placement }: Reserve): void {
  const { residentRoles } = ctx.state;
  if (!residentRoles.has(reservation.role)) {
    residentRoles.add(reservation.role);
    keepFramework(ctx);
  }
  alter(ctx, instance, (each) => {
    each.reservation = reservation;
    each.placement = placement;
  });
  watchReservation(ctx, instance);
}

/** Comes back when a reservation that was asked for should have been seen. */
export function watchReservation({ env, emit }: Context, { id, reservation }: Instance): void {
  if (reservation?.state !== 'new') return;
  emit({ kind: 'arm', key: `${TIMER}${id}`, after: Math.max(0, (reservation.deadline ?? 0) - env.wall) });
}

/** What is only said of a task that had its volumes. */
const USED: ReadonlySet<Condition> = new Set<Condition>(['Running', 'Finished']);

/**
 * @param told of one of its tasks
 * @returns the reservation once that is known. What was never used may not be there at all: an agent that was just coming back can
 * have failed to make what a master offered already. It is waited for as if it had only been asked for.
 */
export function afterUpdate(
  { env, options }: Context,
  { condition, reservation }: Instance,
  told: Condition,
): Reservation | undefined {
  if (reservation === undefined) return undefined;
  // Given up too early, the task runs after all: its volumes are in use, and not to be looked for in offers.
  if (reservation.state !== 'launched' && isTerminal(condition)) return reservation;
  if (reservation.state !== 'launched') {
    const { deadline: _, ...used } = reservation;
    return { ...(USED.has(told) ? used : reservation), state: 'launched' };
  }
  const { deadline, ...used } = reservation;
  const isUsed = deadline === undefined || USED.has(told);
  if (!isTerminal(condition)) return isUsed ? used : reservation;
  if (isUsed) return { ...used, state: 'suspended' as const };
  return { ...used, state: 'new' as const, deadline: env.wall + options.reservationTimeout };
}

/** @returns the instance that a timer stands for, if it is one of ours */
export function reservationTimer(key: string): string | undefined {
  return key.startsWith(TIMER) ? key.slice(TIMER.length) : undefined;
}

/**
 * What was asked for has come: it need not be used at once, since its launch may have to wait. But it has to be seen now and
 * then, until it is used for the first time: with nothing written to it yet, it is not worth waiting for a lost agent.
 */
export function confirmReservations(ctx: Context, open: OpenOffer): void {
  const { env, options, state } = ctx;
  for (const id of open.reserved.keys()) {
    const instance = state.instances.get(id);
    if (instance?.reservation?.state !== 'new' || !hasVolumes(open, instance)) continue;
    const deadline = env.wall + options.reservationTimeout;
    if (deadline - (instance.reservation.deadline ?? 0) < options.reservationTimeout / 2) continue;
    alter(ctx, instance, (each) => {
      each.reservation = { ...each.reservation!, deadline };
    });
    watchReservation(ctx, instance);
  }
}

/** What was asked for is not offered: the instance is forgotten, another takes its place, and what comes late is given back. */
export function giveUpReservation(ctx: Context, instanceId: string): void {
  const instance = ctx.state.instances.get(instanceId);
  if (instance?.reservation?.state !== 'new') return;
  const seconds = ctx.options.reservationTimeout / 1000;
  const host = instance.placement?.host ?? '';
  log(
    ctx,
    'warning',
    `Giving up ${instanceId}: what was to be reserved for it on ${host} was not offered within ${seconds} s (--task_reservation_timeout)`,
  );
  expunge(ctx, instance);
}

/** All of these wait for volumes that are elsewhere: whoever asks why should be told. */
export function noteAwaitedVolumes(ctx: Context, record: SpecRecord, open: OpenOffer): void {
  let awaited: Instance | undefined;
  for (const instance of record.scheduled.values()) {
    if (instance.reservation === undefined) return;
    if (instance.reservation.role === open.role && mayLaunch(record, instance.spec, ctx.env.wall)) awaited ??= instance;
  }
  if (awaited) noteNoMatch(ctx, record.id, open.offer, noMatch([lackOfVolumes(awaited)]));
}
