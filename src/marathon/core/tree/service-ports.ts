/** Gives apps the service ports that they left to Marathon: the lowest ones that nobody has. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { App, PortDefinition, PortMapping } from '../../definition/types.ts';

/** How many apps have each port. */
export type PortUse = Map<number, number>;

/** The ports by which an app is known to load balancers; 0 where none is assigned yet. */
export function servicePortsOf(app: App): readonly number[] {
  return (
    app.portDefinitions?.map(({ port }) => port) ??
    app.container?.portMappings?.map(({ servicePort }) => servicePort) ??
    []
  );
}

/** Counts the ports of an app in, or out. */
export function countPorts(use: PortUse, app: App, by: 1 | -1): void {
  for (const port of servicePortsOf(app)) {
    if (port === 0) continue;
    const count = (use.get(port) ?? 0) + by;
    if (count > 0) use.set(port, count);
    else use.delete(port);
  }
}

export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/**
 * An app with all its service ports. One that was there before gets its old ports back first.
 * @param taken ports of this same change, which are not in `use` yet
 */
export function withServicePorts(
  app: App,
  before: App | undefined,
  use: PortUse,
  taken: Set<number>,
  range: PortRange,
): Result<App> {
  const wanted = servicePortsOf(app);
  if (!wanted.includes(0)) {
    for (const port of wanted) taken.add(port);
    return ok(app);
  }
  const old = before === undefined ? [] : servicePortsOf(before);
  const reusable = old.filter((port) => port !== 0 && !wanted.includes(port));
  const ports: number[] = [];
  for (const port of wanted) {
    const given = port !== 0 ? port : (reusable.shift() ?? lowestFree(use, taken, range));
    if (given === undefined) {
      return err(
        `app ${app.id} needs a service port, but all from ${range.min} to ${range.max} are in use; widen --local_port_min and --local_port_max, or name the port`,
      );
    }
    taken.add(given);
    ports.push(given);
  }
  return ok(withPorts(app, ports));
}

function lowestFree(use: PortUse, taken: ReadonlySet<number>, { min, max }: PortRange): number | undefined {
  for (let port = min; port <= max; port++) if (!use.has(port) && !taken.has(port)) return port;
  return undefined;
}

function withPorts(app: App, ports: readonly number[]): App {
  if (app.portDefinitions !== undefined) {
    const portDefinitions = app.portDefinitions.map((each, at): PortDefinition => ({ ...each, port: ports[at]! }));
    return { ...app, portDefinitions };
  }
  const container = app.container!;
  const portMappings = container.portMappings!.map((each, at): PortMapping => ({ ...each, servicePort: ports[at]! }));
  return { ...app, container: { ...container, portMappings } };
}
