/** From the document of an app to the app in memory, and back. */
import type { AppDocument, ContainerDocument, HealthCheckDocument } from './app-fields.ts';
import { appKind } from './app-fields.ts';
import { USUAL_UPGRADE } from './app-normal.ts';
import { readConstraint, writeConstraint } from './constraint-rules.ts';
import type {
  App,
  Constraint,
  Container,
  HealthCheck,
  PersistentInfo,
  Residency,
  VersionInfo,
  Volume,
} from './types.ts';
import type { VolumeDocument } from './volume-fields.ts';
import type { PersistentDocument } from './volume-rules.ts';

/** What a definition is given from outside. */
export interface Stamp {
  readonly version: number;
  readonly versionInfo?: VersionInfo;
}

/** @param document complete, and within all rules */
export function appOf(document: AppDocument, { version, versionInfo }: Stamp): App {
  const { backoffSeconds, backoffFactor, maxLaunchDelaySeconds, residency: _residency, ...rest } = document;
  const { ports: _ports, uris: _uris, ipAddress: _ipAddress, ...kept } = rest;
  return {
    ...kept,
    kind: 'app',
    version,
    versionInfo,
    role: document.role ?? '*',
    container: document.container && containerOf(document.container),
    constraints: document.constraints.flatMap((constraint) => readConstraint(constraint) ?? []),
    acceptedResourceRoles: document.acceptedResourceRoles ?? [],
    backoff: { backoffSeconds, backoffFactor, maxLaunchDelaySeconds },
    upgradeStrategy: document.upgradeStrategy ?? USUAL_UPGRADE,
    unreachableStrategy: document.unreachableStrategy ?? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    healthChecks: document.healthChecks.map(healthCheckOf),
    readinessChecks: document.readinessChecks.map((check) => ({ httpStatusCodesForReady: [200], ...check })),
  };
}

/** With every default filled in; what is derived, as upstream shows it. */
export function appDocument(app: App): AppDocument {
  const { kind: _kind, backoff, constraints, container, acceptedResourceRoles, ...rest } = app;
  return {
    ...rest,
    ...backoff,
    container: container && { ...container, volumes: container.volumes.map(volumeDocument) },
    constraints: constraints.map(writeConstraint),
    acceptedResourceRoles: acceptedResourceRoles.length === 0 ? undefined : acceptedResourceRoles,
    residency: residencyOf(app),
  };
}

/** The app as JSON, as every answer of the API has it. */
export function writeApp(app: App): Readonly<Record<string, unknown>> {
  return appKind.write(appDocument(app)) as Readonly<Record<string, unknown>>;
}

/** Shown for resident apps, since clients read it; nothing depends on it. */
function residencyOf({ container, unreachableStrategy }: App): Residency | undefined {
  if (container?.volumes.some(({ kind }) => kind === 'persistent') !== true) return undefined;
  const timeout = unreachableStrategy === 'disabled' ? 3600 : unreachableStrategy.inactiveAfterSeconds;
  return { relaunchEscalationTimeoutSeconds: timeout, taskLostBehavior: 'WAIT_FOREVER' };
}

/** Only the Docker engine takes parameters and runs privileged. */
function containerOf({ docker, volumes, ...rest }: ContainerDocument): Container {
  const isDocker = rest.type === 'DOCKER';
  return {
    ...rest,
    ...(docker && {
      docker: {
        image: docker.image,
        forcePullImage: docker.forcePullImage,
        privileged: isDocker && docker.privileged,
        parameters: isDocker ? docker.parameters : [],
        pullConfig: docker.pullConfig,
      },
    }),
    volumes: volumes.map(volumeOf),
  };
}

function volumeOf(volume: VolumeDocument): Volume {
  switch (volume.kind) {
    case 'persistent':
      return { ...volume, persistent: persistentOf(volume.persistent) };
    case 'dvdi':
      return {
        ...volume,
        external: { ...volume.external, name: volume.external.name ?? '', provider: volume.external.provider ?? '' },
      };
    default:
      return volume;
  }
}

export function persistentOf(info: PersistentDocument): PersistentInfo {
  return {
    ...info,
    type: info.type ?? (info.profileName === undefined ? 'root' : 'mount'),
    constraints: info.constraints.flatMap((constraint): readonly Constraint[] => {
      const read = readConstraint(constraint);
      return read === undefined ? [] : [read];
    }),
  };
}

function volumeDocument(volume: Volume): VolumeDocument {
  return volume.kind === 'persistent' ? { ...volume, persistent: persistentDocument(volume.persistent) } : volume;
}

export function persistentDocument(info: PersistentInfo): PersistentDocument {
  return { ...info, constraints: info.constraints.map(writeConstraint) };
}

/** What the protocol has no use for is not kept: so it is not shown, and its change restarts nothing. */
function healthCheckOf(check: HealthCheckDocument): HealthCheck {
  const { protocol, command, path, port, portIndex, ignoreHttp1xx, ipProtocol, ...rest } = check;
  const isHttp = protocol === 'HTTP' || protocol === 'HTTPS';
  const isMesos = protocol.startsWith('MESOS_');
  const hasPath = isHttp || protocol === 'MESOS_HTTP' || protocol === 'MESOS_HTTPS';
  return {
    ...rest,
    protocol,
    ...(protocol === 'COMMAND' && { command }),
    ...(protocol !== 'COMMAND' && { port, portIndex }),
    ...(hasPath && { path }),
    ...(isHttp && { ignoreHttp1xx: ignoreHttp1xx ?? false }),
    delaySeconds: isMesos || protocol === 'COMMAND' ? rest.delaySeconds : 15,
    ipProtocol: isMesos ? ipProtocol : 'IPv4',
  };
}
