/** From the document of a pod to the pod in memory, and back. */
import { persistentDocument, persistentOf, type Stamp } from './app-form.ts';
import { USUAL_UPGRADE, VOLUME_UPGRADE } from './app-normal.ts';
import { type PodContainerDocument, type PodDocument, podKind } from './pod-fields.ts';
import { isResidentPod } from './pod-rules.ts';
import type { Network, Pod, PodContainer } from './types.ts';

const HOST: Network = { mode: 'host', labels: {} };

/** @param document complete, and within all rules; its networks have names */
export function podOf(document: PodDocument, { version, versionInfo }: Stamp): Pod {
  const { scaling, scheduling, environment, containers, volumes, networks, executorResources, ...rest } = document;
  const { backoff, upgrade, placement, killSelection, unreachableStrategy } = scheduling ?? {};
  const isResident = isResidentPod(document);
  const isContainerMode = networks.some(({ mode }) => mode === 'container');
  return {
    ...rest,
    kind: 'pod',
    version,
    versionInfo,
    role: document.role ?? '*',
    instances: scaling?.instances ?? 1,
    env: environment,
    containers: containers.map((container) => containerOf(container, isContainerMode)),
    volumes: volumes.map((volume) =>
      volume.kind === 'persistent' ? { ...volume, persistent: persistentOf(volume.persistent) } : volume,
    ),
    networks: networks.length === 0 ? [HOST] : networks,
    constraints: (placement?.constraints ?? []).map(({ fieldName, ...constraint }) => ({
      field: fieldName,
      ...constraint,
    })),
    acceptedResourceRoles: placement?.acceptedResourceRoles ?? [],
    backoff: {
      backoffSeconds: backoff?.backoff ?? 1,
      backoffFactor: backoff?.backoffFactor ?? 1.15,
      maxLaunchDelaySeconds: backoff?.maxLaunchDelay ?? 300,
    },
    upgradeStrategy: upgrade ?? (isResident ? VOLUME_UPGRADE : USUAL_UPGRADE),
    unreachableStrategy:
      unreachableStrategy ?? (isResident ? 'disabled' : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }),
    killSelection: killSelection ?? 'YOUNGEST_FIRST',
    executorResources: executorResources ?? { cpus: 0.1, mem: 32, disk: 10 },
    legacySharedCgroups: document.legacySharedCgroups === true ? true : undefined,
  };
}

/** Where the network is not the container's own, an endpoint has a port of the host. */
function containerOf(
  { environment, endpoints, ...rest }: PodContainerDocument,
  isContainerMode: boolean,
): PodContainer {
  return {
    ...rest,
    env: environment,
    endpoints: endpoints.map((endpoint) =>
      isContainerMode ? endpoint : { ...endpoint, hostPort: endpoint.hostPort ?? 0 },
    ),
  };
}

/** With every default filled in. */
export function podDocument(pod: Pod): PodDocument {
  const {
    kind: _kind,
    versionInfo: _info,
    env,
    instances,
    constraints,
    acceptedResourceRoles,
    backoff,
    ...others
  } = pod;
  const { upgradeStrategy, unreachableStrategy, killSelection, ...rest } = others;
  return {
    ...rest,
    environment: env,
    containers: pod.containers.map(({ env: environment, ...container }) => ({ ...container, environment })),
    volumes: pod.volumes.map((volume) =>
      volume.kind === 'persistent' ? { ...volume, persistent: persistentDocument(volume.persistent) } : volume,
    ),
    networks: pod.networks.every(({ mode }) => mode === 'host') ? [] : pod.networks,
    scaling: { kind: 'fixed', instances },
    scheduling: {
      backoff: {
        backoff: backoff.backoffSeconds,
        backoffFactor: backoff.backoffFactor,
        maxLaunchDelay: backoff.maxLaunchDelaySeconds,
      },
      upgrade: upgradeStrategy,
      placement: {
        constraints: constraints.map(({ field, ...constraint }) => ({ fieldName: field, ...constraint })),
        acceptedResourceRoles,
      },
      killSelection,
      unreachableStrategy,
    },
  };
}

/** The pod as JSON, as every answer of the API has it. */
export function writePod(pod: Pod): Readonly<Record<string, unknown>> {
  return podKind.write(podDocument(pod)) as Readonly<Record<string, unknown>>;
}
