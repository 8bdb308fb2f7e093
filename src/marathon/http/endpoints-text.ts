/** Where apps are reached, as text: for load balancers that were set up by scripts, which read this long before there was JSON. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { App } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { endpointLines } from '../views/endpoint-lines.ts';

/** Whether text is asked for by its name; who takes anything gets JSON. */
export function wantsText({ headers }: Request): boolean {
  const accept = headers.accept ?? '';
  return accept.includes('text/plain') && !accept.includes('application/json');
}

/** One line for each service port of each app. */
export function endpointsText(state: MarathonState, apps: readonly App[]): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: apps.flatMap((app) => endpointLines(state, app).map((line) => `${line}\n`)).join(''),
  };
}
