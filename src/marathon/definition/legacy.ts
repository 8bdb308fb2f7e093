/**
 * Old spellings of apps: ports, uris, ipAddress, and networks and port mappings inside `container.docker`. They are still
 * read, as upstream reads them, and become the new ones; nothing behind this file knows them.
 */
import { err, ok, type Result } from '../../base/result.ts';
import type { AppChange, AppDocument, ContainerDocument, NetworkDocument, PortMappingDocument } from './app-fields.ts';
import { broken, brokenIf, FINE, isUri, type Rule, repeated } from './rule.ts';
import type { DefinitionContext, Problem } from './types.ts';

const ARCHIVES: readonly string[] = ['.tar', '.tar.gz', '.tar.bz2', '.tar.xz', '.gz', '.tgz', '.tbz2', '.txz', '.zip'];

type Artifacts = AppDocument['fetch'];
type PortDefinitions = NonNullable<AppDocument['portDefinitions']>;

/** What contradicts itself when old and new spellings meet. */
export const LEGACY_RULES: readonly Rule<AppDocument>[] = [
  oldContainer,
  ({ container, ipAddress }) =>
    brokenIf(
      container?.type === 'DOCKER' && ipAddress?.discovery !== undefined,
      '/ipAddress',
      'ipAddress/discovery is not allowed for Docker containers: use container.portMappings',
    ),
  oldUris,
  ({ container, networks }) =>
    brokenIf(
      container?.docker?.network !== undefined && networks.length > 0,
      '/',
      'must not specify both container.docker.network and networks: leave container.docker.network out',
    ),
  ({ ipAddress, networks }) =>
    brokenIf(
      ipAddress !== undefined && networks.length > 0,
      '/',
      'must not specify both networks and ipAddress: leave ipAddress out',
    ),
  ({ ports = [] }) => {
    const twice = repeated(ports.filter((port) => port !== 0));
    return brokenIf(twice.length > 0, '/', `ports must be unique, and ${twice.join(', ')} comes twice`);
  },
  ({ ipAddress, ports = [], portDefinitions = [] }) =>
    brokenIf(
      ipAddress !== undefined && (ports.length > 0 || portDefinitions.length > 0),
      '/',
      'cannot specify both an IP address and port: with ipAddress, ports belong into ipAddress.discovery',
    ),
  ({ ports, portDefinitions }) =>
    brokenIf(
      ports !== undefined &&
        portDefinitions !== undefined &&
        String(portDefinitions.map(({ port }) => port)) !== String(ports),
      '/',
      'cannot specify both ports and port definitions unless they say the same: leave ports out',
    ),
];

function oldContainer({ container }: AppDocument): readonly Problem[] {
  const docker = container?.docker;
  if (container === undefined || docker === undefined) return FINE;
  const at = '/container/docker';
  const why = 'must be empty';
  const names = (docker.portMappings ?? []).flatMap(({ name }) => name ?? []);
  const onlyDocker = container.type === 'MESOS';
  return [
    ...brokenIf(docker.credential !== undefined, `${at}/credential`, `${why}: use pullConfig`),
    ...brokenIf(onlyDocker && docker.network !== undefined, `${at}/network`, `${why}: use networks`),
    ...brokenIf(
      onlyDocker && docker.parameters.length > 0,
      `${at}/parameters`,
      `${why}: only the DOCKER engine takes them`,
    ),
    ...brokenIf(
      onlyDocker && docker.portMappings !== undefined && docker.portMappings.length > 0,
      `${at}/portMappings`,
      `${why}: use container.portMappings`,
    ),
    ...brokenIf(
      repeated(names).length > 0,
      `${at}/portMappings`,
      `Port names must be unique: ${repeated(names).join(', ')}`,
    ),
  ];
}

function oldUris({ uris = [], fetch }: AppDocument): readonly Problem[] {
  return [
    ...uris.flatMap((uri, at) => (isUri(uri) ? FINE : broken(`/uris(${at})`, `URI has invalid syntax: '${uri}'`))),
    ...brokenIf(
      uris.length > 0 && fetch.length > 0,
      '/uris',
      'may not be set in conjunction with fetch: move them there',
    ),
  ];
}

/** Whether the fetcher unpacks what `uris` names: an archive by the end of its path. */
function isArchive(uri: string): boolean {
  // What has a scheme but no slash after it has no path: `mailto:a.zip`.
  if (!isUri(uri) || /^[^/?#]*:(?!\/)/.test(uri)) return false;
  const path = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:(?=\/))?(?:\/\/[^/?#]*)?([^?#]*)/.exec(uri)?.[1] ?? '';
  return ARCHIVES.some((end) => path.endsWith(end));
}

function fetchOf(uris: readonly string[] | undefined, fetch: Artifacts | undefined): Result<Artifacts | undefined> {
  if (uris === undefined || uris.length === 0) return ok(fetch);
  if (fetch !== undefined && fetch.length > 0) return err('cannot specify both uris and fetch fields');
  return ok(uris.map((uri) => ({ uri, extract: isArchive(uri), executable: false, cache: false })));
}

type Networks = readonly NetworkDocument[];

function networksOf(
  { ipAddress, container }: Pick<AppChange, 'ipAddress' | 'container'>,
  networks: Networks | undefined,
  { mesosBridgeName }: DefinitionContext,
): Result<Networks | undefined> {
  const network = container?.docker?.network;
  if (ipAddress === undefined && network === undefined) return ok(networks);
  if (networks !== undefined) return err('cannot mix deprecated and canonical network APIs');
  const labels = ipAddress?.labels ?? {};
  const name = ipAddress?.networkName;
  const named = { mode: 'container', ...(name !== undefined && { name }), labels } as const;
  const bridge = { mode: 'container/bridge', labels } as const;
  switch (network) {
    case 'NONE':
      return err('unsupported docker network type NONE: use HOST, BRIDGE or USER, or better networks');
    case 'HOST':
      return ok([{ mode: 'host', labels: {} }]);
    case 'BRIDGE':
      return ok([bridge]);
    case 'USER':
      return ok([named]);
    default:
      return ok([name === mesosBridgeName ? bridge : named]);
  }
}

/** Moves what hangs in the wrong places into `container`. */
function containerOf({
  container,
  ipAddress,
}: Pick<AppChange, 'ipAddress' | 'container'>): Result<ContainerDocument | undefined> {
  const base: ContainerDocument | undefined = container ?? (ipAddress && { type: 'MESOS', volumes: [] });
  if (base === undefined) return ok(undefined);
  let { portMappings } = base;
  const old = base.docker?.portMappings;
  if (old !== undefined) {
    if (portMappings !== undefined && old.length > 0) {
      return err('cannot specify both portMappings and docker.portMappings');
    }
    portMappings ??= old;
  }
  const discovered = ipAddress?.discovery?.ports ?? [];
  if (discovered.length > 0) {
    if (base.type !== 'MESOS') return err(`ipAddress.discovery.ports do not apply for container type ${base.type}`);
    if (portMappings !== undefined)
      return err('container.portMappings and ipAddress.discovery.ports must not both be set');
    portMappings = discovered.map(
      ({ number, name, protocol, labels }): PortMappingDocument => ({
        containerPort: number,
        servicePort: 0,
        name,
        protocol,
        labels,
        networkNames: [],
      }),
    );
  }
  return ok(withoutDockerNetwork({ ...base, portMappings }));
}

function withoutDockerNetwork(container: ContainerDocument): ContainerDocument {
  if (container.docker === undefined) return container;
  const { network: _network, portMappings: _mappings, ...docker } = container.docker;
  return { ...container, docker };
}

function portDefinitionsOf({
  portDefinitions,
  ports,
}: Pick<AppChange, 'ports' | 'portDefinitions'>): PortDefinitions | undefined {
  return portDefinitions ?? ports?.map((port) => ({ port, protocol: 'tcp' as const, labels: {} }));
}

/** The change in new words. What was not said stays unsaid. */
export function changeWithoutLegacy(change: AppChange, context: DefinitionContext): Result<AppChange> {
  const fetch = fetchOf(change.uris, change.fetch);
  if (!fetch.ok) return fetch;
  const networks = networksOf(change, change.networks, context);
  if (!networks.ok) return networks;
  const container = containerOf(change);
  if (!container.ok) return container;
  const { uris: _uris, ports: _ports, ipAddress: _ipAddress, ...rest } = change;
  return ok({
    ...rest,
    ...given('fetch', fetch.value),
    ...given('networks', networks.value),
    ...given('container', container.value),
    ...given('portDefinitions', portDefinitionsOf(change)),
  });
}

/** The app in new words. */
export function appWithoutLegacy(app: AppDocument, context: DefinitionContext): Result<AppDocument> {
  // Whoever says no networks says nothing about them; an empty list is how the reader puts that.
  const { networks, ...said } = app;
  const change = changeWithoutLegacy(networks.length === 0 ? said : app, context);
  return change.ok
    ? ok({ ...app, networks: [], uris: undefined, ports: undefined, ipAddress: undefined, ...change.value })
    : change;
}

function given<K extends string, T>(name: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]?: T });
}
