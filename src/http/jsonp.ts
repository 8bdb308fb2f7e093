import { err, ok, type Result } from '../base/result.ts';
import { type Answer, badRequest } from './answer.ts';

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
  if (typeof answer.body !== 'string') return answer;
  return {
    status: answer.status,
    headers: { ...answer.headers, 'content-type': 'text/javascript' },
    body: `${callback}(${answer.body})`,
  };
}
