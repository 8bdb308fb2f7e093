/** Rules that a pod has to keep as a whole. */
import { constraintError } from './constraint-rules.ts';
import { NEEDS_ONE_NETWORK, needsOneNetwork, networkProblems, unknownNetworks } from './network-rules.ts';
import { pathProblems } from './path-id.ts';
import type { PodContainerDocument, PodDocument } from './pod-fields.ts';
import {
  broken,
  brokenIf,
  FINE,
  needsFeature,
  type Rule,
  type RuleFacts,
  repeated,
  secretFilePath,
  secretForRegistry,
} from './rule.ts';
import {
  acceptedRoleProblems,
  envProblems,
  limitProblems,
  linuxProblems,
  roleProblems,
  secretProblems,
} from './scheduling-rules.ts';
import { APP_CONTAINER } from './task-id.ts';
import type { Problem } from './types.ts';
import { persistentProblems } from './volume-rules.ts';

/** What else is in the id of a task: the name of an instance, and how often it was launched. */
const MAX_ID_AND_NAME = 195;

export const POD_RULES: readonly Rule<PodDocument>[] = [
  ({ id }) => pathProblems(id),
  ({ id, containers }) =>
    containers.flatMap(({ name }, at) =>
      brokenIf(
        id.length + name.length > MAX_ID_AND_NAME,
        `/containers(${at})/name`,
        `may have at most ${MAX_ID_AND_NAME} characters together with the pod's id: task ids are made of both, and have to fit into 255`,
      ),
    ),
  ({ user }) => brokenIf(user === '', '/user', 'must not be empty'),
  ({ environment, secrets }, facts) => envProblems(environment, secrets, '/environment', facts),
  ({ secrets }, facts) => secretProblems(secrets, facts),
  volumeProblems,
  (pod, facts) => pod.containers.flatMap((each, at) => containerProblems(each, `/containers(${at})`, pod, facts)),
  uniqueNames,
  ({ networks }, { context }) => networkProblems(networks, context),
  ({ scheduling }) =>
    (scheduling?.placement?.constraints ?? []).flatMap(({ fieldName, ...rest }, at) => {
      const error = constraintError({ field: fieldName, ...rest });
      return error === undefined ? FINE : broken(`/scheduling/placement/constraints(${at})`, error);
    }),
  strategies,
  (pod, facts) => roleProblems(pod.role ?? '', 'pods', isResidentPod(pod), facts),
  (pod) => {
    const accepted = pod.scheduling?.placement?.acceptedResourceRoles ?? [];
    return acceptedRoleProblems(accepted, pod.role ?? '', 'pod', isResidentPod(pod), '/acceptedResourceRoles');
  },
  ({ linuxInfo }) =>
    linuxInfo === undefined
      ? FINE
      : [
          ...brokenIf(
            linuxInfo.seccomp !== undefined,
            '/linuxInfo/seccomp',
            'Seccomp configuration on executor level is not supported: say it of a container',
          ),
          ...linuxProblems({ ipcInfo: linuxInfo.ipcInfo }, '/linuxInfo'),
        ],
];

export function isResidentPod({ volumes }: Pick<PodDocument, 'volumes'>): boolean {
  return volumes.some(({ kind }) => kind === 'persistent');
}

function volumeProblems({ volumes, containers, secrets }: PodDocument, facts: RuleFacts): readonly Problem[] {
  const mounted = new Set(containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
  const twice = repeated(volumes.map(({ name }) => name));
  return [
    ...brokenIf(twice.length > 0, '/volumes', `volume names must be unique: ${twice.join(', ')}`),
    ...volumes.flatMap((volume, at) => [
      ...brokenIf(
        !mounted.has(volume.name),
        `/volumes(${at})`,
        `volume must be referenced by at least one container: no volumeMounts name '${volume.name}'`,
      ),
      ...(volume.kind === 'persistent' ? persistentProblems(volume.persistent, `/volumes(${at})/persistent`) : FINE),
      ...(volume.kind === 'secret'
        ? [
            ...needsFeature('secrets', `/volumes(${at})`, facts),
            ...brokenIf(
              !Object.hasOwn(secrets, volume.secret),
              `/volumes(${at})/secret`,
              `volume.secret must refer to an existing secret: '${volume.secret}' is not in secrets`,
            ),
          ]
        : FINE),
    ]),
  ];
}

/** What has to be unique in the whole pod, since all containers share a network and a namespace of ids. */
function uniqueNames({ containers }: PodDocument): readonly Problem[] {
  const endpoints = containers.flatMap((container) => container.endpoints);
  const names = repeated(containers.map(({ name }) => name));
  const endpointNames = repeated(endpoints.map(({ name }) => name));
  const containerPorts = repeated(endpoints.map(({ containerPort }) => containerPort).filter(Boolean));
  const hostPorts = repeated(endpoints.map(({ hostPort }) => hostPort).filter(Boolean));
  return [
    ...brokenIf(names.length > 0, '/containers', `container names must be unique: ${names.join(', ')}`),
    ...brokenIf(
      endpointNames.length > 0,
      '/',
      `endpoint names must be unique across all containers: ${endpointNames.join(', ')}`,
    ),
    ...brokenIf(
      containerPorts.length > 0,
      '/',
      `container ports must be unique across all containers: ${containerPorts.join(', ')}`,
    ),
    ...brokenIf(hostPorts.length > 0, '/', `host ports must be unique across all containers: ${hostPorts.join(', ')}`),
  ];
}

function containerProblems(
  container: PodContainerDocument,
  path: string,
  pod: PodDocument,
  facts: RuleFacts,
): readonly Problem[] {
  const { resources, resourceLimits, linuxInfo, volumeMounts } = container;
  const volumes = pod.volumes.map(({ name }) => name);
  return [
    ...brokenIf(container.name === APP_CONTAINER, `${path}/name`, `must not be ${APP_CONTAINER}`),
    ...brokenIf(
      container.exec === undefined && container.image === undefined,
      `${path}/exec`,
      'has to be there where there is no image: otherwise there is nothing to run',
    ),
    ...limitProblems(resourceLimits, resources, path),
    ...brokenIf(
      pod.legacySharedCgroups === true && resourceLimits !== undefined,
      `${path}/resourceLimits`,
      'resourceLimits cannot be defined if legacySharedCgroups is enabled',
    ),
    ...container.endpoints.flatMap((endpoint, at) => endpointProblems(endpoint, `${path}/endpoints(${at})`, pod)),
    ...imageProblems(container, `${path}/image`, pod, facts),
    ...envProblems(container.environment, pod.secrets, `${path}/environment`, facts),
    ...healthProblems(container, path),
    ...volumeMounts.flatMap(({ name, mountPath }, at) => [
      ...brokenIf(
        !volumes.includes(name),
        `${path}/volumeMounts(${at})/name`,
        `Referenced Volume in VolumeMount should exist: there is no volume '${name}'`,
      ),
      ...(pod.volumes.some((volume) => volume.kind === 'secret' && volume.name === name)
        ? secretFilePath(mountPath, container.image !== undefined, `${path}/volumeMounts(${at})/mountPath`)
        : FINE),
    ]),
    ...(linuxInfo === undefined ? FINE : linuxProblems(linuxInfo, `${path}/linuxInfo`)),
  ];
}

function endpointProblems(
  endpoint: PodContainerDocument['endpoints'][number],
  path: string,
  { networks }: PodDocument,
): readonly Problem[] {
  const { containerPort, protocol, networkNames } = endpoint;
  const isHost = networks.some(({ mode }) => mode === 'host');
  const isContainer = networks.some(({ mode }) => mode === 'container');
  return [
    ...unknownNetworks(networkNames, networks, path),
    ...brokenIf(
      isHost && containerPort !== undefined,
      `${path}/containerPort`,
      'is not allowed when using host-mode networking: say hostPort',
    ),
    ...brokenIf(
      isContainer && containerPort === undefined,
      `${path}/containerPort`,
      'is required when using container-mode networking',
    ),
    ...brokenIf(
      repeated(protocol).length > 0,
      `${path}/protocol`,
      `Duplicate protocols within the same endpoint are not allowed: ${repeated(protocol).join(', ')}`,
    ),
    ...brokenIf(needsOneNetwork(endpoint, networks), path, NEEDS_ONE_NETWORK),
  ];
}

function imageProblems(
  { image }: PodContainerDocument,
  path: string,
  { secrets }: PodDocument,
  facts: RuleFacts,
): readonly Problem[] {
  if (image?.pullConfig === undefined) return FINE;
  const { secret } = image.pullConfig;
  return [
    ...needsFeature('secrets', `${path}/pullConfig`, facts),
    ...secretForRegistry(`${path}/pullConfig`, facts),
    ...brokenIf(
      !Object.hasOwn(secrets, secret),
      `${path}/pullConfig`,
      `pullConfig.secret must refer to an existing secret: '${secret}' is not in secrets`,
    ),
  ];
}

type Probes = Pick<NonNullable<PodContainerDocument['check']>, 'http' | 'tcp' | 'exec'>;

function healthProblems({ healthCheck, check, endpoints }: PodContainerDocument, path: string): readonly Problem[] {
  const names = endpoints.map(({ name }) => name);
  return [
    ...(healthCheck === undefined
      ? FINE
      : [
          ...probeProblems(healthCheck, `${path}/healthCheck`, names),
          ...brokenIf(
            healthCheck.timeoutSeconds >= healthCheck.intervalSeconds,
            `${path}/healthCheck/timeoutSeconds`,
            `got ${healthCheck.timeoutSeconds}, expected less than intervalSeconds, ${healthCheck.intervalSeconds}`,
          ),
        ]),
    ...(check === undefined ? FINE : probeProblems(check, `${path}/check`, names)),
  ];
}

function probeProblems({ http, tcp, exec }: Probes, path: string, names: readonly string[]): readonly Problem[] {
  const given = [http, tcp, exec].filter((probe) => probe !== undefined).length;
  return [
    ...brokenIf(
      given !== 1,
      path,
      `Only one of http, tcp, or command may be specified, and one has to be: there are ${given}`,
    ),
    ...(['http', 'tcp'] as const).flatMap((kind) => {
      const endpoint = { http, tcp }[kind]?.endpoint;
      return brokenIf(
        endpoint !== undefined && !names.includes(endpoint),
        `${path}/${kind}/endpoint`,
        `contained in the container endpoints is what it has to be, and '${endpoint}' is not`,
      );
    }),
  ];
}

function strategies(pod: PodDocument): readonly Problem[] {
  const { upgrade, unreachableStrategy } = pod.scheduling ?? {};
  const isResident = isResidentPod(pod);
  return [
    ...brokenIf(
      isResident && upgrade !== undefined && upgrade.maximumOverCapacity !== 0,
      '/upgrade/maximumOverCapacity',
      `got ${upgrade?.maximumOverCapacity}, expected 0.0: a second instance could not have the volumes`,
    ),
    ...brokenIf(
      isResident && unreachableStrategy !== undefined && unreachableStrategy !== 'disabled',
      '/',
      'unreachableStrategy must be disabled for pods with persistent volumes: "unreachableStrategy": "disabled"',
    ),
    ...(typeof unreachableStrategy === 'object'
      ? brokenIf(
          unreachableStrategy.inactiveAfterSeconds > unreachableStrategy.expungeAfterSeconds,
          '/scheduling/unreachableStrategy',
          `inactiveAfterSeconds (${unreachableStrategy.inactiveAfterSeconds}) must be less than or equal to expungeAfterSeconds (${unreachableStrategy.expungeAfterSeconds})`,
        )
      : FINE),
  ];
}
