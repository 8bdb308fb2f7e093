/** What every handler gets: the state, the world as far as it may be known, and where to put effects. */
import type { Env } from '../../base/machine.ts';
import type { DefinitionContext } from '../definition/types.ts';
import type { MarathonEffect } from './effects.ts';
import type { Published, PublishedFields } from './published.ts';
import type { MarathonState } from './state.ts';

/** Flags that the core's rules depend on; durations in ms. */
export interface CoreOptions {
  readonly definitions: DefinitionContext;
  readonly maxApps?: number;
  readonly maxRunningDeployments: number;
  readonly localPortMin: number;
  readonly localPortMax: number;
  readonly newGroupEnforceRole: boolean;
  readonly launchConfirmTimeout: number;
  readonly launchTimeout: number;
  readonly reservationTimeout: number;
  readonly killChunkSize: number;
  readonly killRetryTimeout: number;
  readonly reconciliationInitialDelay: number;
  readonly reconciliationInterval: number;
  readonly scaleAppsInitialDelay: number;
  readonly scaleAppsInterval: number;
  readonly expungeInitialDelay: number;
  readonly expungeInterval: number;
  readonly declineOfferDuration: number;
  readonly minReviveOffersInterval: number;
  readonly reviveRepetitions: number;
  readonly suppressOffers: boolean;
  readonly maxInstancesPerOffer: number;
  /** For how long an offer may be kept until more launches may begin, and how many of them. */
  readonly offerMatchingTimeout: number;
  readonly maxQueuedOffers: number;
  /** So many offers are kept for a second although nothing waits. */
  readonly spareOffers: number;
  readonly launchTokens: number;
  readonly launchTokenRefreshInterval: number;
  readonly maintenanceMode: boolean;
  readonly drainingSeconds: number;
  readonly gpuScheduling: 'restricted' | 'unrestricted';
  readonly envVarsPrefix: string;
  readonly executor: string;
  readonly checkpoint: boolean;
  readonly mesosUser: string;
  readonly principal?: string;
  readonly maxVersions: number;
  /** How often old versions are looked for, and in how many apps and pods at once. */
  readonly compactionInterval?: number;
  readonly compactionBatch?: number;
  /** A definition with more bytes than this cannot be stored. */
  readonly maxDefinitionBytes?: number;
  readonly features: ReadonlySet<string>;
}

export interface Context {
  readonly state: MarathonState;
  readonly env: Env;
  readonly options: CoreOptions;
  readonly emit: (effect: MarathonEffect) => void;
}

/** Tells the event stream. */
export function publish<Type extends keyof PublishedFields>(
  { emit, env }: Context,
  eventType: Type,
  fields: PublishedFields[Type],
): void {
  emit({ kind: 'publish', event: { eventType, timestamp: env.wall, fields } as Published });
}

export function log({ emit }: Context, level: 'info' | 'warning' | 'error', text: string): void {
  emit({ kind: 'log', level, text });
}
