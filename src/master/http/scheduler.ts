import { badRequest } from '../../http/answer.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { acceptOf, JSON_TYPE, readCall } from '../../http/media.ts';
import { Call } from '../../wire/v1_scheduler.ts';
import { validateCall } from '../core/validation/calls.ts';
import { noLeader } from './pages.ts';
import { type MasterService, PROCESS } from './service.ts';

/** `POST /api/v1/scheduler` (facts: http-endpoints, 3). Checks come in upstream's order; the core makes the last ones. */
export function schedulerEndpoint(service: MasterService): Endpoint {
  return {
    process: PROCESS,
    path: '/api/v1/scheduler',
    methods: ['POST'],
    realm: 'scheduler',
    leader: 'recovered',
    summary: 'Endpoint for schedulers to make calls against the master.',
    description: 'SUBSCRIBE answers with a stream of events that stays open; every other call answers 202.',
    authorization: ['REGISTER_FRAMEWORK', 'RUN_TASK', 'TEARDOWN_FRAMEWORK'],
    handle: (request, exchange) => {
      if (service.state === undefined) return noLeader;
      const call = readCall(request, Call);
      if (!call.ok) return call.error;
      const principal = request.principal?.value;
      const valid = validateCall(call.value, principal);
      if (!valid.ok) return badRequest(`Failed to validate scheduler::Call: ${valid.error}`);
      const streamId = request.headers['mesos-stream-id'];
      const looksAtAccept = valid.value === 'SUBSCRIBE' || valid.value === 'RECONCILE_OPERATIONS';
      const media = acceptOf(request);
      if (looksAtAccept && !media.ok) return media.error;
      service.schedulerCall(
        call.value,
        { principal, streamId: Array.isArray(streamId) ? streamId[0] : streamId },
        exchange,
        media.ok ? media.value : JSON_TYPE,
      );
      return undefined;
    },
  };
}
