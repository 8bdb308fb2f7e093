import { err, ok, type Result } from '../base/result.ts';
import { type Answer, badRequest } from './answer.ts';
import { Pieces } from './pieces.ts';

const IDENTIFIER_PATH = /^[\p{ID_Start}$_][\p{ID_Continue}$]*(\.[\p{ID_Start}$_][\p{ID_Continue}$]*|\[\d+\])*$/u;

/**
 * The function that an answer is to be wrapped in; empty wraps in bare parentheses, as upstream does. Only a path of
 * identifiers is taken, since anything else would be run as script by whoever includes the answer.
 */
export function callbackOf(query: ReadonlyMap<string, string>): Result<string | undefined, Answer> {
  const name = query.get('jsonp');
  if (name === undefined || name === '' || IDENTIFIER_PATH.test(name)) return ok(name);
  return err(badRequest(`'jsonp' must name a function, as in jsonp=angular.callbacks._0`));
}

/** Wraps a JSON answer; others stay as they are. */
export function wrap(answer: Answer, callback: string | undefined): Answer {
  if (callback === undefined || answer.headers?.['content-type'] !== 'application/json') return answer;
  const { body } = answer;
  if (typeof body !== 'string' && !(body instanceof Pieces)) return answer;
  const wrapped =
    typeof body === 'string'
      ? `${callback}(${body})`
      : new Pieces([Buffer.from(`${callback}(`), ...body.list, Buffer.from(')')]);
  return { status: answer.status, headers: { ...answer.headers, 'content-type': 'text/javascript' }, body: wrapped };
}
