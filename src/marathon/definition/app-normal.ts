/** Fills in what an app's document leaves out where that depends on other fields: ports, networks, strategies. */
import { err, ok, type Result } from '../../base/result.ts';
import type {
  AppDocument,
  ContainerDocument,
  HealthCheckDocument,
  NetworkDocument,
  PortMappingDocument,
} from './app-fields.ts';
import type { DefinitionContext, UpgradeStrategy } from './types.ts';

const DEFAULT_MAPPING: PortMappingDocument = {
  containerPort: 0,
  servicePort: 0,
  name: 'default',
  protocol: 'tcp',
  labels: {},
  networkNames: [],
};
const PADDING: PortMappingDocument = {
  containerPort: 0,
  servicePort: 0,
  protocol: 'tcp',
  labels: {},
  networkNames: [],
};

export const USUAL_UPGRADE: UpgradeStrategy = { minimumHealthCapacity: 1, maximumOverCapacity: 1 };
/** Where a second instance beside the first could not have the volume. */
export const VOLUME_UPGRADE: UpgradeStrategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };

type Networks = readonly NetworkDocument[];

export function isHostNetworked(networks: Networks): boolean {
  return networks.length === 0 || networks.some(({ mode }) => mode === 'host');
}

export function hasPersistentVolumes({ container }: Pick<AppDocument, 'container'>): boolean {
  return container?.volumes.some(({ kind }) => kind === 'persistent') === true;
}

/** Before the rules are looked at: ports where they belong, ports of health checks, the role. */
export function completeApp(app: AppDocument, role: string): AppDocument {
  const onHost = isHostNetworked(app.networks);
  const container = app.container && withPortMappings(app.container, onHost, app.portDefinitions?.length ?? 0);
  const portDefinitions = onHost
    ? (app.portDefinitions ?? [{ port: 0, protocol: 'tcp', name: 'default', labels: {} }])
    : undefined;
  // Upstream leaves the index out where the ports are made up here; a later change would then add it, and start all instances anew.
  const hasPorts = onHost ? portDefinitions!.length > 0 : container?.portMappings !== undefined;
  return {
    ...app,
    role: app.role ?? role,
    container,
    portDefinitions,
    healthChecks: hasPorts ? app.healthChecks.map(withPortIndex) : app.healthChecks,
    residency:
      app.residency ??
      (hasPersistentVolumes(app)
        ? { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' }
        : undefined),
    readinessChecks: app.readinessChecks.map((check) => ({ httpStatusCodesForReady: [200], ...check })),
  };
}

/** On the host's network there are no mappings; elsewhere one at least, and as many as there were port definitions. */
function withPortMappings(container: ContainerDocument, onHost: boolean, definitions: number): ContainerDocument {
  if (onHost) return { ...container, portMappings: undefined };
  const mappings = container.portMappings ?? [DEFAULT_MAPPING];
  const missing = Math.max(0, definitions - mappings.length);
  return { ...container, portMappings: [...mappings, ...Array<PortMappingDocument>(missing).fill(PADDING)] };
}

export function withPortIndex(check: HealthCheckDocument): HealthCheckDocument {
  if (check.protocol === 'COMMAND' || check.port !== undefined || check.portIndex !== undefined) return check;
  return { ...check, portIndex: 0 };
}

/** After the rules: names of networks, the container that a network needs, the strategies. */
export function finishApp(app: AppDocument, context: DefinitionContext): Result<AppDocument> {
  const networks = namedNetworks(app.networks, context);
  if (!networks.ok) return networks;
  const onHost = isHostNetworked(networks.value);
  return ok({
    ...app,
    networks: networks.value.length === 0 ? [{ mode: 'host', labels: {} }] : networks.value,
    container: networkedContainer(app.container, networks.value),
    unreachableStrategy:
      app.unreachableStrategy ??
      (hasPersistentVolumes(app) ? 'disabled' : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }),
    upgradeStrategy: app.upgradeStrategy ?? usualUpgrade(app),
    requirePorts: onHost && app.requirePorts,
  });
}

/** How an app is upgraded that does not say it. */
export function usualUpgrade(app: AppDocument): UpgradeStrategy {
  return isBoundToVolumes(app) ? VOLUME_UPGRADE : USUAL_UPGRADE;
}

function isBoundToVolumes({ container }: AppDocument): boolean {
  return container?.volumes.some(({ kind }) => kind === 'persistent' || kind === 'dvdi' || kind === 'csi') === true;
}

/** Gives container networks without a name the default one. */
export function namedNetworks(networks: Networks, { defaultNetworkName }: DefinitionContext): Result<Networks> {
  const named = networks.map((network) =>
    network.mode === 'container' && network.name === undefined && defaultNetworkName !== undefined
      ? { ...network, name: defaultNetworkName }
      : network,
  );
  return named.some(({ mode, name }) => mode === 'container' && name === undefined)
    ? err('container network name is not defined: name it, or start with --default_network_name')
    : ok(named);
}

/** What runs elsewhere than on the host's network needs a container; on a bridge, each port has one of the host. */
export function networkedContainer(
  container: ContainerDocument | undefined,
  networks: Networks,
): ContainerDocument | undefined {
  const onHost = isHostNetworked(networks);
  const base: ContainerDocument | undefined =
    container ?? (onHost ? undefined : { type: 'MESOS', volumes: [], portMappings: [DEFAULT_MAPPING] });
  if (base?.portMappings === undefined || !networks.some(({ mode }) => mode === 'container/bridge')) return base;
  return {
    ...base,
    portMappings: base.portMappings.map((mapping) => ({ ...mapping, hostPort: mapping.hostPort ?? 0 })),
  };
}
