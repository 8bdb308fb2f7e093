/** Whether an instance fits an offer; if so, what to ask of the master, if not, why. */
import type { Offer_Operation } from '../../../wire/v1.ts';
import type { Context } from '../context.ts';
import type { NoMatchReason } from '../launch/launching.ts';
import type { Instance, Placement, Reservation, TaskRecord } from '../model.ts';
import type { SpecRecord } from '../state.ts';
import type { OpenOffer } from './open-offer.ts';

export interface MatchRequest {
  readonly offer: OpenOffer;
  /** Waits to be launched. */
  readonly instance: Instance;
  /** All instances of its app or pod. */
  readonly record: SpecRecord;
}

/** It fits. What it uses has been taken out of the offer. */
export interface Launch {
  readonly kind: 'launch';
  readonly operations: readonly Offer_Operation[];
  /** As they are from now on: provisioned. */
  readonly tasks: readonly TaskRecord[];
  /** Of a resident instance: in use from now on. */
  readonly reservation?: Reservation;
}

/** It would fit, but first its resources and volumes have to be made its own. */
export interface Reserve {
  readonly kind: 'reserve';
  readonly operations: readonly Offer_Operation[];
  readonly reservation: Reservation;
  readonly placement: Placement;
}

export interface NoMatch {
  readonly kind: 'none';
  readonly reasons: readonly NoMatchReason[];
  /** One sentence for each requirement that was not met: what was wanted, what was there. */
  readonly details: readonly string[];
}

export type MatchResult = Launch | Reserve | NoMatch;

/** Looks whether the instance fits what is left of the offer. */
export function matchInstance(_ctx: Context, _request: MatchRequest): MatchResult {
  return { kind: 'none', reasons: [], details: [] };
}
