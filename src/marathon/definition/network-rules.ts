/** Networks of apps and pods. */
import { brokenIf, FINE, repeated } from './rule.ts';
import type { DefinitionContext, Network, Problem } from './types.ts';

const AT = '/networks';

export function networkProblems(
  networks: readonly Network[],
  { defaultNetworkName }: DefinitionContext,
): readonly Problem[] {
  const inMode = (mode: Network['mode']): readonly Network[] => networks.filter((network) => network.mode === mode);
  const hosts = inMode('host');
  const bridges = inMode('container/bridge');
  const containers = inMode('container');
  const twice = repeated(networks.flatMap(({ name }) => name ?? []));
  const unnamed = containers.filter(({ name }) => name === undefined);
  const kinds = [hosts, bridges, containers].filter(({ length }) => length > 0).length;
  return [
    ...brokenIf(
      hosts.some(({ name, labels }) => name !== undefined || Object.keys(labels).length > 0),
      AT,
      'Host networks may not have names or labels: leave them out',
    ),
    ...brokenIf(
      bridges.some(({ name }) => name !== undefined),
      AT,
      'Bridge networks may not have names: leave the name out',
    ),
    ...brokenIf(
      twice.length > 0 || unnamed.length > 1,
      AT,
      `Duplicate networks are not allowed: ${twice.join(', ') || 'two have no name'}`,
    ),
    ...brokenIf(
      kinds > 1 || hosts.length > 1 || bridges.length > 1,
      AT,
      'May specify a single host network, single bridge network, or else 1-to-n container networks',
    ),
    ...(defaultNetworkName === undefined
      ? brokenIf(unnamed.length > 0, AT, 'Network name must be specified when container network is selected.')
      : FINE),
  ];
}

/** A port that is on several networks and on the host has to say which network its host port leads to. */
export function needsOneNetwork(
  { hostPort, networkNames }: { readonly hostPort?: number; readonly networkNames: readonly string[] },
  networks: readonly Network[],
): boolean {
  const several = networks.filter(({ mode }) => mode === 'container').length > 1;
  return several && hostPort !== undefined && networkNames.length !== 1;
}

export const NEEDS_ONE_NETWORK =
  'networkNames must be a single item list when hostPort is specified and more than 1 container network is defined';

/** Names of networks that are not there. */
export function unknownNetworks(
  networkNames: readonly string[],
  networks: readonly Network[],
  path: string,
): readonly Problem[] {
  const known = networks.flatMap(({ name }) => name ?? []);
  return networkNames.flatMap((name, at) =>
    brokenIf(!known.includes(name), `${path}/networkNames(${at})`, `is not one of (${known.join(',')}): '${name}'`),
  );
}
