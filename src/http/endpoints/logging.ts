import { parseDuration } from '../../base/duration.ts';
import type { Millis } from '../../base/machine.ts';
import { badRequest, done, text } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';

/** The verbosity of the log. */
export interface LogLevel {
  get(): number;
  /** Sets it, and sets it back after so many milliseconds. */
  set(level: number, duration: Millis): void;
  /** What it was started with: it cannot be set lower. */
  readonly original: number;
}

/** `/logging/toggle`. */
export function loggingEndpoint(log: LogLevel): Endpoint {
  return {
    process: 'logging',
    path: '/toggle',
    realm: 'readwrite',
    parameters: [
      { name: 'level', description: 'Verbosity level (0, 1, 2, 3)' },
      { name: 'duration', description: 'How long to keep it, as in 10secs or 15mins' },
    ],
    summary: 'Sets the logging verbosity level for a specified duration.',
    description: 'Without parameters it answers the present level.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: ({ query }) => {
      const [level, duration] = [query.get('level'), query.get('duration')];
      if (level === undefined && duration === undefined) return text(`${log.get()}\n`);
      if (duration === undefined) return badRequest("Expecting 'duration=value' in query.\n");
      if (level === undefined) return badRequest("Expecting 'level=value' in query.\n");
      if (!/^[+-]?\d{1,9}$/.test(level)) return badRequest(`Failed to convert '${level}' to number.\n`);
      const number = Number(level);
      if (number < 0) return badRequest(`Invalid level '${number}'.\n`);
      if (number < log.original) return badRequest(`'${number}' < original level (${log.original}).\n`);
      const parsed = parseDuration(duration);
      if (!parsed.ok) return badRequest(`${parsed.error}.\n`);
      log.set(number, parsed.value);
      return done;
    },
  };
}
