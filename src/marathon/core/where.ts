/** Where a task can be reached. */
import type { App } from '../definition/types.ts';
import type { Instance } from './model.ts';

/** The address to knock at: the container's own where it has a network of its own and no port of the host. */
export function addressOf(instance: Instance, app: App): string | undefined {
  const ownNetwork = app.networks.some(({ mode }) => mode === 'container');
  const hasHostPort = instance.tasks[0]?.hostPorts.some((port) => port !== null) === true;
  if (ownNetwork && !hasHostPort) {
    const infos = instance.tasks[0]?.status?.container_status?.network_infos ?? [];
    const own = infos
      .flatMap(({ ip_addresses }) => ip_addresses ?? [])
      .find(({ ip_address }) => ip_address !== undefined);
    if (own?.ip_address !== undefined) return own.ip_address;
  }
  return instance.placement?.host;
}

/** The port of this index: the host's where there is one, otherwise the container's. */
export function portOf(instance: Instance, index: number): number | undefined {
  const host = instance.tasks[0]?.hostPorts[index];
  if (host !== undefined && host !== null) return host;
  const { spec } = instance;
  const mapping = spec.kind === 'app' ? spec.container?.portMappings?.[index] : undefined;
  return mapping?.containerPort;
}
