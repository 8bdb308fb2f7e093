/** All endpoints of Marathon's API, in one table. */
import type { Answer } from '../../http/answer.ts';
import type { Endpoint, Exchange, Request } from '../../http/endpoint.ts';
import { jsonAnswer, message, unknownUri, valuesOf, wrongMethod } from './answers.ts';
import { apps } from './apps.ts';
import { deployments } from './deployments.ts';
import { ANYTHING, formed, type Handle, JSON_ONLY, JSON_OR_TEXT, leaf, type Produces } from './forms.ts';
import { groups } from './groups.ts';
import { info, leader } from './info.ts';
import { logging } from './logging.ts';
import { pods } from './pods.ts';
import { queue } from './queue.ts';
import type { MarathonService } from './service.ts';
import { config, metrics, ping, prometheus } from './system.ts';
import { tasks } from './tasks.ts';
import { why } from './why.ts';

/** The process that all paths belong to; clients never write it. */
export const MARATHON = 'marathon';

/** Given the leader's service, every endpoint. */
export function marathonEndpoints(service: () => MarathonService): readonly Endpoint[] {
  const at = (path: string, summary: string, handle: Handle, produces: Produces = JSON_ONLY): Endpoint => ({
    process: MARATHON,
    path,
    summary,
    match: 'prefix',
    handle: formed(handle, produces),
  });
  return [
    at('/v2/apps', 'Apps, their tasks and versions', (request) => apps(service(), request), JSON_OR_TEXT),
    at('/v2/groups', 'The tree of groups', (request) => groups(service(), request)),
    at('/v2/pods', 'Pods', (request) => pods(service(), request)),
    // The colons of `/v2/pods::status` stand right behind the name.
    at('/v2/pods::status', 'How all pods are', (request) =>
      pods(service(), { ...request, rest: `::status${request.rest}` }),
    ),
    at('/v2/tasks', 'The tasks of all apps', (request) => tasks(service(), request), JSON_OR_TEXT),
    at('/v2/deployments', 'Deployments under way', (request) => deployments(service(), request)),
    at('/v2/queue', 'What waits to be launched', (request) => queue(service(), request)),
    at('/v2/why', 'Why an app or pod waits, agent by agent', (request) => why(service(), request)),
    at(
      '/v2/info',
      'What this Marathon is',
      leaf(() => info(service()), 'GET'),
    ),
    at(
      '/v2/leader',
      'Who leads',
      leaf((request) => leader(service(), request), 'GET', 'DELETE'),
    ),
    at('/v2/events', 'The event stream', (request, exchange) => events(service(), request, exchange), ANYTHING),
    at('/v2/plugins', 'Plugins; there are none', plugins),
    at('/v2/eventSubscriptions', 'Subscriptions by callback, as older clients ask for them', subscriptions),
    at('/ping', 'Whether somebody is there', leaf(ping, 'GET'), ANYTHING),
    at(
      '/metrics',
      'Metrics as JSON',
      leaf(() => metrics(service()), 'GET'),
    ),
    at(
      '/metrics/prometheus',
      'Metrics for Prometheus',
      leaf(() => prometheus(service()), 'GET'),
      ANYTHING,
    ),
    at(
      '/logging',
      'Levels of the log',
      leaf((request) => logging(service(), request), 'GET', 'POST'),
    ),
    at(
      '/config',
      'The flags in force',
      leaf(() => config(service()), 'GET'),
    ),
    at('/', 'The pages', root, ANYTHING),
  ];
}

/** What nothing else answers. */
function root(request: Request): Answer {
  if (request.rest !== '') return unknownUri(request);
  return request.method === 'GET' ? { status: 302, headers: { location: '/ui/' } } : wrongMethod('GET');
}

function plugins(request: Request): Answer {
  const id = request.rest.split('/')[1];
  if (id !== undefined && id !== '') return message(404, `No plugin with this pluginId: ${id}`);
  return request.method === 'GET' ? jsonAnswer({ plugins: [] }) : wrongMethod('GET');
}

/** Clients ask for these before they use the stream: there are none, and none can be made. */
function subscriptions({ method }: Request): Answer {
  if (method === 'GET') return jsonAnswer({ callbackUrls: [] });
  return message(404, 'Callbacks are not called any more: read the event stream at /v2/events');
}

function events(service: MarathonService, request: Request, exchange: Exchange): Answer | undefined {
  if (request.method !== 'GET' || !(request.headers.accept ?? '').includes('text/event-stream')) {
    const details = 'Ask with GET and Accept: text/event-stream';
    return jsonAnswer({ message: 'Method Not Allowed', details }, 405, { allow: 'GET' });
  }
  if (request.rest !== '') return unknownUri(request);
  const limit = service.flags.values.event_stream_max_outstanding_messages;
  const stream = exchange.openStream({
    contentType: 'text/event-stream;charset=utf-8',
    headers: { 'cache-control': 'no-cache', connection: 'keep-alive' },
    maxQueuedBytes: Math.max(limit, 1) * AVERAGE_EVENT,
  });
  service.hub.attach(stream, valuesOf(request, 'event_type'), request.remoteAddress);
  return undefined;
}

/** Bytes of one event; what may wait for a slow reader is counted in bytes here. */
const AVERAGE_EVENT = 4096;
