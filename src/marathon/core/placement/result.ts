/** What comes of matching an instance with an offer. */
import type { Offer_Operation } from '../../../wire/v1.ts';
import type { NoMatchReason } from '../launch/launching.ts';
import type { Placement, Reservation, TaskRecord } from '../model.ts';

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
