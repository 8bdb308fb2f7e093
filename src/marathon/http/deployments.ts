/** `/v2/deployments`: what is under way, and how to stop or undo it. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { deploymentsView } from '../views/deployment.ts';
import { flagOf, jsonAnswer, outcomeAnswer } from './answers.ts';
import type { MarathonService } from './service.ts';

/** Everything below `/v2/deployments`. */
export async function deployments(service: MarathonService, request: Request): Promise<Answer> {
  const id = request.rest.replace(/^\/+/, '');
  if (id === '' && request.method === 'GET') return jsonAnswer(deploymentsView(service.state));
  if (id === '' || request.method !== 'DELETE') {
    return jsonAnswer({ message: 'Method Not Allowed' }, 405, { allow: id === '' ? 'GET' : 'DELETE' });
  }
  const force = flagOf(request, 'force');
  const outcome = await service.ask({ kind: 'cancelDeployment', id, force });
  return outcome.ok && force ? { status: 202 } : outcomeAnswer(outcome);
}
