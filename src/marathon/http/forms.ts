/** What holds for every endpoint: HEAD is a GET without a body, OPTIONS lists methods, and answers have forms that clients take. */
import { acceptsMediaType } from '../../http/accept.ts';
import type { Answer } from '../../http/answer.ts';
import type { Exchange, Request } from '../../http/endpoint.ts';
import { jsonAnswer, unknownUri, wrongMethod } from './answers.ts';

export type Handle = (request: Request, exchange: Exchange) => Answer | Promise<Answer> | undefined;

/** Forms that answers come in; empty where the handler looks for itself. */
export type Produces = readonly string[];
export const ANYTHING: Produces = [];
export const JSON_ONLY: Produces = ['application/json'];
export const JSON_OR_TEXT: Produces = ['application/json', 'text/plain'];

/** The handler, with all that holds for every endpoint. */
export function formed(handle: Handle, produces: Produces): Handle {
  return (request, exchange) => {
    if (request.method === 'OPTIONS') return options(handle, request, exchange);
    const { accept } = request.headers;
    if (produces.length > 0 && !produces.some((type) => acceptsMediaType(accept, type))) {
      const details = `There is ${produces.join(' or ')}, which Accept: ${String(accept).slice(0, 100)} leaves out`;
      return jsonAnswer({ message: 'Not Acceptable', details }, 406);
    }
    return handle(request.method === 'HEAD' ? { ...request, method: 'GET' } : request, exchange);
  };
}

/** A handler refuses OPTIONS as it refuses any method that it does not know: with those that it knows. */
async function options(handle: Handle, request: Request, exchange: Exchange): Promise<Answer> {
  const answer = await handle(request, exchange);
  const allowed = answer?.headers?.allow;
  if (answer?.status !== 405 || allowed === undefined) return answer ?? { status: 200 };
  const methods = new Set([...allowed.split(', '), ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS']);
  return { status: 200, headers: { allow: [...methods].join(', ') } };
}

/** A handler of one path, below which there is nothing. */
export function leaf(handle: Handle, ...methods: readonly string[]): Handle {
  return (request, exchange) => {
    if (request.rest !== '') return unknownUri(request);
    return methods.includes(request.method) ? handle(request, exchange) : wrongMethod(...methods);
  };
}
