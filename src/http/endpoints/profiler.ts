import { badRequest } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';

const refusal = badRequest(
  'This profiler is not built in. Start the program with node --cpu-prof, or attach with node --inspect, instead.\n',
);

/** `/profiler/start` and `/profiler/stop`: upstream's answer where its profiler was left out of the build. */
export const profilerEndpoints: readonly Endpoint[] = ['/start', '/stop'].map((path) => ({
  process: 'profiler',
  path,
  realm: 'readwrite',
  summary: path === '/start' ? 'Starts profiling.' : 'Stops profiling.',
  description: 'Always refused: the profiler of upstream is a part of its C++ libraries.',
  handle: () => refusal,
}));
