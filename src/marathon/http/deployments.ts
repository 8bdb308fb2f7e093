/** `/v2/deployments`: what is under way, and how to stop or undo it. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { deploymentsView } from '../views/deployment.ts';
import { flagOf, jsonAnswer, outcomeAnswer, unknownUri, wrongMethod } from './answers.ts';
import type { MarathonService } from './service.ts';

/** Everything below `/v2/deployments`. */
export async function deployments(service: MarathonService, request: Request): Promise<Answer> {
  const id = request.rest.replace(/^\/+/, '');
  if (id.includes('/')) return unknownUri(request);
  if (id === '') return request.method === 'GET' ? jsonAnswer(deploymentsView(service.state)) : wrongMethod('GET');
  if (request.method !== 'DELETE') return wrongMethod('DELETE');
  const force = flagOf(request, 'force');
  const outcome = await service.ask({ kind: 'cancelDeployment', id, force });
  return outcome.ok && force ? { status: 202 } : outcomeAnswer(outcome);
}
