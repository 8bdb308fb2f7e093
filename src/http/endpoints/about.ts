import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import { done, json } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';
import { buildInfo } from '../version.ts';

/** `/version`. */
export const versionEndpoint: Endpoint = {
  process: 'version',
  path: '/',
  jsonp: true,
  summary: 'Provides version information.',
  description: '`version` is the upstream version that this program behaves as; `meseta_version` is its own.',
  handle: () => json(JSON.stringify(buildInfo)),
};

/** `/health`: answers while the event loop turns. @param process `master` or `slave(1)` */
export function healthEndpoint(process: string): Endpoint {
  return {
    process,
    path: '/health',
    summary: 'Health status.',
    description: 'Answers 200 while the program works. A time-out may mean that it is overloaded.',
    handle: () => done,
  };
}

/** `/flags`. @param flags every flag with its value in text form, defaults included */
export function flagsEndpoint(process: string, flags: () => Readonly<Record<string, string>>): Endpoint {
  return {
    process,
    path: '/flags',
    realm: 'readonly',
    jsonp: true,
    summary: "Exposes the program's flag configuration.",
    authorization: ['VIEW_FLAGS'],
    handle: () => json(JSON.stringify({ flags: flags() })),
  };
}

/** `/system/stats.json`. */
export const systemEndpoint: Endpoint = {
  process: 'system',
  path: '/stats.json',
  jsonp: true,
  summary: 'Shows local system metrics.',
  description: 'Load averages of 1, 5 and 15 minutes, processors, and total and free memory in bytes.',
  handle: () => {
    const [one, five, fifteen] = loadavg();
    const stats = {
      avg_load_15min: fifteen,
      avg_load_1min: one,
      avg_load_5min: five,
      cpus_total: availableParallelism(),
      mem_free_bytes: freemem(),
      mem_total_bytes: totalmem(),
    };
    return json(JSON.stringify(stats));
  },
};

/** `/__processes__`. @param processes the libprocess ids that are registered */
export function processesEndpoint(processes: () => readonly string[]): Endpoint {
  return {
    process: '__processes__',
    path: '/',
    hidden: true,
    summary: 'Lists the processes that messages can be sent to.',
    handle: () => json(JSON.stringify(processes().map((id) => ({ events: [], id })))),
  };
}
