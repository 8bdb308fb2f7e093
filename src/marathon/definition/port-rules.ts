/** Ports of apps, and the checks that name them. */
import type { AppDocument, ContainerDocument, HealthCheckDocument } from './app-fields.ts';
import { NEEDS_ONE_NETWORK, needsOneNetwork, unknownNetworks } from './network-rules.ts';
import { brokenIf, FINE, type Rule, repeated } from './rule.ts';
import type { Problem } from './types.ts';

const MESOS_PROTOCOLS: ReadonlySet<string> = new Set(['MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP']);

export const PORT_RULES: readonly Rule<AppDocument>[] = [
  portDefinitions,
  ({ healthChecks, ...app }) =>
    healthChecks.flatMap((check, at) =>
      healthCheckProblems(check, `/healthChecks(${at})`, portCount(app), app.container),
    ),
  ({ healthChecks }) =>
    brokenIf(
      healthChecks.filter(({ protocol }) => MESOS_PROTOCOLS.has(protocol)).length > 1,
      '/',
      'AppDefinition can contain at most one Mesos health check, besides those that run a command',
    ),
  checkProblems,
  readinessProblems,
];

function portDefinitions({ portDefinitions = [] }: AppDocument): readonly Problem[] {
  const names = repeated(portDefinitions.flatMap(({ name }) => name ?? []));
  const ports = repeated(portDefinitions.map(({ port }) => port).filter((port) => port !== 0));
  return [
    ...brokenIf(names.length > 0, '/portDefinitions', `Port names must be unique. ${names.join(', ')} comes twice.`),
    ...brokenIf(ports.length > 0, '/portDefinitions', `Ports must be unique. ${ports.join(', ')} comes twice.`),
  ];
}

export function portMappingProblems(
  { portMappings = [] }: ContainerDocument,
  { networks }: AppDocument,
): readonly Problem[] {
  const names = repeated(portMappings.flatMap(({ name }) => name ?? []));
  const at = '/container/portMappings';
  return [
    ...brokenIf(names.length > 0, at, `Port names must be unique. ${names.join(', ')} comes twice.`),
    ...portMappings.flatMap((mapping, index) => [
      ...brokenIf(needsOneNetwork(mapping, networks), `${at}(${index})`, NEEDS_ONE_NETWORK),
      ...unknownNetworks(mapping.networkNames, networks, `${at}(${index})`),
    ]),
  ];
}

type Ports = Pick<AppDocument, 'container' | 'portDefinitions'>;

function portCount({ container, portDefinitions = [] }: Ports): number {
  return container?.portMappings?.length || portDefinitions.length;
}

/** An index has to be one of the ports; without one there has to be a port, or only one to choose from. */
function isPortKnown(
  { port, portIndex }: { readonly port?: number; readonly portIndex?: number },
  ports: number,
): boolean {
  return portIndex === undefined ? port !== undefined || ports === 1 : portIndex < ports;
}

function healthCheckProblems(
  check: HealthCheckDocument,
  path: string,
  ports: number,
  container: ContainerDocument | undefined,
): readonly Problem[] {
  const { protocol, command, port, portIndex } = check;
  const isCommand = protocol === 'COMMAND';
  const allowsIpv6 = MESOS_PROTOCOLS.has(protocol) && container?.type === 'DOCKER';
  return [
    ...brokenIf(isCommand && command === undefined, path, 'a health check of the protocol COMMAND needs command.value'),
    ...brokenIf(
      !isCommand && command !== undefined,
      path,
      `command only goes with the protocol COMMAND, not with ${protocol}`,
    ),
    ...brokenIf(
      isCommand && (port !== undefined || portIndex !== undefined),
      path,
      'a health check of the protocol COMMAND has neither port nor portIndex',
    ),
    ...brokenIf(port !== undefined && portIndex !== undefined, path, 'may have either port or portIndex, not both'),
    ...brokenIf(
      !isCommand && !isPortKnown(check, ports),
      path,
      `Health check port indices must address an element of the ports array or container port mappings. There are ${ports}.`,
    ),
    ...brokenIf(
      check.ipProtocol !== 'IPv4' && !allowsIpv6,
      path,
      'IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks',
    ),
  ];
}

function checkProblems({ check, ...app }: AppDocument): readonly Problem[] {
  if (check === undefined) return FINE;
  const given = [check.http, check.tcp, check.exec].filter((each) => each !== undefined);
  const named = check.http ?? check.tcp;
  const ports = portCount(app);
  return [
    ...brokenIf(given.length !== 1, '/check', `must have exactly one of http, tcp and exec, not ${given.length}`),
    ...brokenIf(
      named !== undefined && !isPortKnown(named, ports),
      '/check',
      `check port index must address an element of the ports array or container port mappings. There are ${ports}.`,
    ),
    ...brokenIf(
      app.container?.type === 'DOCKER',
      '/',
      "AppDefinition must not use 'checks' if using docker: use healthChecks, or the type MESOS",
    ),
  ];
}

function readinessProblems({ readinessChecks, container, portDefinitions = [] }: AppDocument): readonly Problem[] {
  const names = (container?.portMappings ?? portDefinitions).flatMap(({ name }) => name ?? []);
  return [
    ...brokenIf(
      readinessChecks.length > 1,
      '/readinessChecks',
      `has size ${readinessChecks.length}, expected 1 or less`,
    ),
    ...readinessChecks.flatMap(({ portName, timeoutSeconds, intervalSeconds }, at) => [
      ...brokenIf(
        !names.includes(portName),
        `/readinessChecks(${at})/portName`,
        `No port definition reference for portName ${portName}: the ports are named ${names.join(', ') || 'not at all'}`,
      ),
      ...brokenIf(
        timeoutSeconds >= intervalSeconds,
        `/readinessChecks(${at})/timeoutSeconds`,
        `got ${timeoutSeconds}, expected less than intervalSeconds, ${intervalSeconds}`,
      ),
    ]),
  ];
}
