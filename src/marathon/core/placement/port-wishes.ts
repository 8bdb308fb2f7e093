/** Which host ports an app or pod needs. */
import type { RunSpec } from '../model.ts';
import type { PortWish } from './ports.ts';

/** In the order of the app's ports, or of the pod's endpoints, container after container. */
export function portWishes(spec: RunSpec): readonly PortWish[] {
  if (spec.kind === 'pod') {
    return spec.containers.flatMap(({ endpoints }) => endpoints.map(({ hostPort }) => wish(hostPort)));
  }
  if (spec.portDefinitions !== undefined) {
    return spec.portDefinitions.map(({ port }) => (spec.requirePorts ? wish(port) : 'any'));
  }
  return (spec.container?.portMappings ?? []).map(({ hostPort }) => wish(hostPort));
}

function wish(port: number | undefined): PortWish {
  if (port === undefined) return 'none';
  return port === 0 ? 'any' : port;
}
