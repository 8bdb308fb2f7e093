import { parseDuration } from '../../base/duration.ts';
import { badRequest, json } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';

/** Every metric by name, at once or after a while. */
export type MetricsSource = () => Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;

/**
 * `/metrics/snapshot`. Upstream lets two requests a second through and queues the rest; we have no such limit, since a
 * snapshot costs little.
 * @param snapshot every metric by name
 */
export function metricsEndpoint(snapshot: MetricsSource): Endpoint {
  return {
    process: 'metrics',
    path: '/snapshot',
    realm: 'readonly',
    jsonp: true,
    parameters: [
      {
        name: 'timeout',
        description: 'How long to wait for metrics, as in 5secs. Taken for compatibility: all are there at once.',
      },
    ],
    summary: 'Provides a snapshot of the current metrics.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: async ({ query }) => {
      const timeout = query.get('timeout');
      const duration = timeout === undefined ? undefined : parseDuration(timeout);
      if (duration?.ok === false) return badRequest(`Invalid timeout '${timeout}': ${duration.error}.\n`);
      const metrics = Object.entries(await snapshot()).sort(([a], [b]) => (a < b ? -1 : 1));
      return json(JSON.stringify(Object.fromEntries(metrics)));
    },
  };
}
