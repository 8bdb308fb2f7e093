/** What is remembered about offers: who waits for one, what was asked of the master, and what came of the last ones. */
import type { Offer } from '../../../wire/v1.ts';

/** Why an offer did not do, in the order in which upstream's funnel shows them. */
export const NO_MATCH_REASONS = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
] as const;

export type NoMatchReason = (typeof NO_MATCH_REASONS)[number];

/** The last offer of an agent that an app or pod had no use for. */
export interface UnusedOffer {
  readonly offer: Offer;
  readonly reasons: readonly NoMatchReason[];
  /** For people: which requirement was not met, with what was wanted and what was there. */
  readonly details: readonly string[];
  readonly timestamp: number;
}

/** What offers have come to for one app or pod since it began to wait. */
export interface OfferStatistics {
  /** Since when it waits. */
  readonly since: number;
  processed: number;
  unused: number;
  lastUsedAt?: number;
  lastUnusedAt?: number;
  /** By the first reason of each refusal. */
  readonly rejects: Map<NoMatchReason, number>;
  /** By agent. */
  readonly lastUnused: Map<string, UnusedOffer>;
}

export interface HeldOffer {
  readonly offer: Offer;
  /** Monotonic. */
  readonly until: number;
}

export interface OfferCounters {
  incoming: number;
  used: number;
  declined: number;
  launched: number;
  launchedGroups: number;
  reserved: number;
  revives: number;
  suppresses: number;
}

export interface Launching {
  /** Ids of specs with instances that wait for an offer. */
  readonly waiting: Set<string>;
  /** By id, of instances that are over but for what is reserved for them: the role that it has to be offered to. */
  readonly releasing: Map<string, string>;
  /** Roles that offers are wanted for until then (wall clock), in case they hold what nobody needs any more. */
  readonly sweeps: Map<string, number>;
  /** When the next of those that wait may be launched again after failures (wall clock). */
  delayedUntil: number;
  /** More waits than at the last look. */
  hasNewWaiting: boolean;
  /** A look at who waits is due. */
  isLookDue: boolean;
  /** The roles that offers are wanted for, as the master was told last; undefined if it was not told yet. */
  offersAsked: ReadonlySet<string> | undefined;
  /** The roles that the framework is subscribed to, as far as is known here. */
  roles: readonly string[];
  /** Since the last subscription. What was told before may have been lost with its connection. */
  areRolesTold: boolean;
  /** When the master was last asked to forget declined offers. */
  revivedAt: number;
  /** Still so many times it is asked again. */
  repetitions: number;
  /** So many more launches may be under way. */
  tokens: number;
  tokensRefreshedAt: number;
  /** Offers that are kept for a moment, oldest first; when the first of them has been kept for too long. */
  readonly held: { readonly offers: Map<string, HeldOffer>; isLookDue: boolean; overdueAt: number };
  readonly statistics: Map<string, OfferStatistics>;
  /** Where to begin with the next offer, so that none is served first every time. */
  turn: number;
  readonly counters: OfferCounters;
}

export function newLaunching(): Launching {
  return {
    waiting: new Set(),
    releasing: new Map(),
    sweeps: new Map(),
    delayedUntil: Number.POSITIVE_INFINITY,
    hasNewWaiting: false,
    isLookDue: false,
    offersAsked: undefined,
    roles: [],
    areRolesTold: false,
    revivedAt: Number.NEGATIVE_INFINITY,
    repetitions: 0,
    tokens: 0,
    tokensRefreshedAt: Number.NEGATIVE_INFINITY,
    held: { offers: new Map(), isLookDue: false, overdueAt: Number.POSITIVE_INFINITY },
    statistics: new Map(),
    turn: 0,
    counters: {
      incoming: 0,
      used: 0,
      declined: 0,
      launched: 0,
      launchedGroups: 0,
      reserved: 0,
      revives: 0,
      suppresses: 0,
    },
  };
}
