/** Where an app is reached: its service ports, and the hosts and ports behind each. */
import type { App } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { servicePortsOf } from '../core/tree/service-ports.ts';
import { safePath } from '../definition/path-id.ts';

/**
 * Lines of tab-separated fields: the app's id with underscores, a service port, and `host:port` of each task that runs.
 * An app without ports has one line with hosts alone.
 */
export function endpointLines(state: MarathonState, app: App): readonly string[] {
  const running = [...(state.specs.get(app.id)?.instances.values() ?? [])].filter(
    ({ condition, placement }) => condition === 'Running' && placement !== undefined,
  );
  const id = safePath(app.id);
  const servicePorts = servicePortsOf(app);
  if (servicePorts.length === 0) return [[id, ' ', ...running.map(({ placement }) => placement!.host)].join('\t')];
  return servicePorts.map((port, at) => {
    const places = running.flatMap(({ placement, tasks }) => {
      const hostPort = tasks[0]?.hostPorts[at];
      return hostPort === undefined || hostPort === null ? [] : [`${placement!.host}:${hostPort}`];
    });
    return [id, String(port), ...places].join('\t');
  });
}
