/** `/logging`: how much is logged. There is one logger, the root. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { bodyOf, jsonAnswer, wrongMethod } from './answers.ts';
import { LEVELS } from './log-levels.ts';
import type { MarathonService } from './service.ts';

/** GET shows the level, POST changes it, for a while if `durationSeconds` says so. */
export function logging({ levels }: Pick<MarathonService, 'levels'>, request: Request): Answer {
  if (request.method === 'GET') return jsonAnswer({ ROOT: levels.level.toUpperCase() });
  if (request.method !== 'POST') return wrongMethod('GET', 'POST');
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  const { level, logger, durationSeconds: seconds } = (body.value ?? {}) as Readonly<Record<string, unknown>>;
  const problems: object[] = [];
  const refuse = (path: string, error: string): void => void problems.push({ path, errors: [error] });
  if (typeof level !== 'string' || !LEVELS.has(level)) {
    refuse('/level', `must be one of ${[...LEVELS.keys()].join(', ')}`);
  }
  if (typeof logger !== 'string' || logger === '') refuse('/logger', 'must name a logger, such as ROOT');
  const isDuration = typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0 && seconds < 2 ** 31;
  if (seconds !== undefined && seconds !== null && !isDuration) {
    refuse('/durationSeconds', 'must be a whole number of seconds');
  }
  if (problems.length > 0) return jsonAnswer({ message: 'Object is not valid', details: problems }, 422);
  levels.set(level as string, isDuration ? seconds * 1000 : undefined);
  return jsonAnswer(body.value);
}
