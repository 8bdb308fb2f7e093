/** `/v2/queue`: what waits to be launched, and why. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { canonicalPath } from '../definition/path-id.ts';
import { queueView } from '../views/queue.ts';
import { jsonAnswer, outcomeAnswer, unknownUri, valuesOf, wrongMethod } from './answers.ts';
import type { MarathonService } from './service.ts';

/** Everything below `/v2/queue`. */
export async function queue(service: MarathonService, request: Request): Promise<Answer> {
  if (request.rest === '' || request.rest === '/') {
    if (request.method !== 'GET') return wrongMethod('GET');
    const withOffers = valuesOf(request, 'embed').includes('lastUnusedOffers');
    return jsonAnswer({ queue: queueView(service.state, service.now(), withOffers) });
  }
  if (!request.rest.endsWith('/delay')) return unknownUri(request);
  if (request.method !== 'DELETE') return wrongMethod('DELETE');
  const specId = canonicalPath(request.rest.slice(0, -'/delay'.length));
  const outcome = await service.ask({ kind: 'resetDelay', specId });
  return outcome.ok ? { status: 204 } : outcomeAnswer(outcome);
}
