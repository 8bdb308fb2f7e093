/** The flags as the core wants them. */
import type { CoreOptions } from './core/context.ts';
import type { MarathonFlags } from './flags.ts';

/** So few that others who want offers hardly notice. */
const SPARE_OFFERS = 32;
/** Half of what a node of ZooKeeper holds, so that a state can always be moved there. */
const LARGEST = 500_000;

/** @param user of tasks whose app names none */
export function coreOptions(flags: MarathonFlags, user: string): CoreOptions {
  const features = new Set(flags.enable_features.split(',').filter((name) => name !== ''));
  // Without a key there is nothing that secrets could come from.
  if (flags.secrets_key_file === undefined) features.delete('secrets');
  const principal = flags.mesos_authentication_principal;
  return {
    definitions: {
      defaultRole: flags.mesos_role,
      features,
      builtInSecrets: true,
      ...(flags.default_network_name !== undefined && { defaultNetworkName: flags.default_network_name }),
      mesosBridgeName: flags.mesos_bridge_name,
      acceptedResourceRolesDefault: acceptedDefault(flags),
    },
    ...(flags.max_apps !== undefined && { maxApps: flags.max_apps }),
    maxRunningDeployments: flags.max_running_deployments,
    localPortMin: flags.local_port_min,
    localPortMax: flags.local_port_max,
    newGroupEnforceRole: flags.new_group_enforce_role === 'top',
    launchConfirmTimeout: flags.task_launch_confirm_timeout,
    launchTimeout: flags.task_launch_timeout,
    reservationTimeout: flags.task_reservation_timeout,
    killChunkSize: flags.kill_chunk_size,
    killRetryTimeout: flags.kill_retry_timeout,
    reconciliationInitialDelay: flags.reconciliation_initial_delay,
    reconciliationInterval: flags.reconciliation_interval,
    scaleAppsInitialDelay: flags.scale_apps_initial_delay,
    scaleAppsInterval: flags.scale_apps_interval,
    expungeInitialDelay: flags.task_lost_expunge_initial_delay,
    expungeInterval: flags.task_lost_expunge_interval,
    declineOfferDuration: flags.decline_offer_duration,
    minReviveOffersInterval: flags.min_revive_offers_interval,
    reviveRepetitions: 1,
    suppressOffers: flags.suppress_offers,
    maxInstancesPerOffer: flags.max_instances_per_offer,
    offerMatchingTimeout: flags.offer_matching_timeout,
    maxQueuedOffers: flags.max_queued_offers,
    spareOffers: Math.min(SPARE_OFFERS, flags.max_queued_offers),
    launchTokens: flags.launch_tokens,
    launchTokenRefreshInterval: flags.launch_token_refresh_interval,
    maintenanceMode: flags.maintenance_mode,
    drainingSeconds: flags.draining_seconds,
    gpuScheduling: flags.gpu_scheduling_behavior,
    envVarsPrefix: flags.env_vars_prefix,
    executor: flags.executor,
    checkpoint: flags.checkpoint,
    mesosUser: user,
    ...(principal !== undefined && { principal }),
    maxVersions: flags.zk_max_versions,
    compactionInterval: flags.storage_compaction_interval * 1000,
    compactionBatch: flags.storage_compaction_scan_batch_size,
    maxDefinitionBytes: maxDefinition(flags),
    features,
  };
}

/** What is stored with a definition, and the transaction around it, have to fit into a node of ZooKeeper too. */
function maxDefinition({ zk, zk_max_node_size: node }: MarathonFlags): number {
  return zk === undefined ? LARGEST : Math.min(Math.floor(node / 2), LARGEST);
}

/** The deprecated flag says the same in other words. */
function acceptedDefault(flags: MarathonFlags): 'any' | 'unreserved' | 'reserved' {
  const old = flags.default_accepted_resource_roles;
  if (old === '*') return 'unreserved';
  if (old === flags.mesos_role) return 'reserved';
  return flags.accepted_resource_roles_default_behavior;
}
