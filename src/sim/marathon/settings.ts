import type { CoreOptions } from '../../marathon/core/context.ts';
import type { Dice } from '../dice.ts';

/** As Marathon's flags have it; waiting times are mostly shorter than in real life, so that more happens in a run. */
export function settingsFor(dice: Dice): CoreOptions {
  const pick = (...values: readonly [number, ...number[]]): number => dice.pick(values) ?? values[0];
  return {
    definitions: {
      defaultRole: dice.pick(['marathon', 'dev', '*']) ?? 'marathon',
      features: new Set(),
      builtInSecrets: true,
      mesosBridgeName: 'mesos-bridge',
      acceptedResourceRolesDefault: 'any',
    },
    maxRunningDeployments: pick(100, 100, 2),
    localPortMin: 10_000,
    localPortMax: 20_000,
    newGroupEnforceRole: false,
    launchConfirmTimeout: pick(10_000, 30_000),
    launchTimeout: pick(20_000, 60_000),
    reservationTimeout: pick(5_000, 20_000),
    killChunkSize: pick(100, 2),
    killRetryTimeout: pick(2_000, 10_000),
    reconciliationInitialDelay: pick(2_000, 15_000),
    reconciliationInterval: pick(20_000, 120_000),
    scaleAppsInitialDelay: pick(5_000, 15_000),
    scaleAppsInterval: pick(15_000, 120_000),
    expungeInitialDelay: pick(10_000, 60_000),
    expungeInterval: pick(5_000, 30_000),
    declineOfferDuration: pick(3_000, 120_000),
    offerMatchingTimeout: 3_000,
    maxQueuedOffers: 1_024,
    spareOffers: pick(0, 32),
    minReviveOffersInterval: pick(1_000, 5_000),
    reviveRepetitions: 1,
    suppressOffers: dice.chance(0.8),
    maxInstancesPerOffer: pick(5, 5, 1),
    launchTokens: pick(100, 100, 3),
    launchTokenRefreshInterval: pick(5_000, 30_000),
    maintenanceMode: dice.chance(0.8),
    drainingSeconds: 0,
    gpuScheduling: 'restricted',
    envVarsPrefix: '',
    executor: '//cmd',
    checkpoint: true,
    mesosUser: 'nobody',
    maxVersions: pick(50, 2),
    compactionInterval: pick(10_000, 30_000),
    compactionBatch: pick(32, 2),
    features: new Set(),
  };
}
