import type { Call } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, reply } from '../context.ts';
import type { SchedulerCallEvent } from '../events.ts';
import { removeFramework } from '../frameworks.ts';
import { count, type FrameworkRecord } from '../records.ts';
import { validateCall } from '../validation/calls.ts';
import { accept } from './accept.ts';
import { acceptInverseOffers } from './accept-inverse-offers.ts';
import { acknowledge } from './acknowledge.ts';
import { decline } from './decline.ts';
import { declineInverseOffers } from './decline-inverse-offers.ts';
import { kill } from './kill.ts';
import { message } from './message.ts';
import { acknowledgeOperation, reconcileOperations } from './operation-feedback.ts';
import { reconcile } from './reconcile.ts';
import { revive } from './revive.ts';
import { shutdown } from './shutdown.ts';
import { subscribeHttp } from './subscribe.ts';
import { suppress } from './suppress.ts';
import { changeFramework } from './update-framework.ts';

type CallType = NonNullable<Call['type']>;

/** The answer to a call that is not just "accepted". */
interface Answer {
  readonly status: number;
  readonly text?: string;
}

type CallHandler = (ctx: Context, framework: FrameworkRecord, call: Call, principal?: string) => Answer | undefined;

/** A handler of one argument of the call; the argument is there, `validateCall` has seen to that. */
function on<K extends keyof Call>(
  argument: K,
  handle: (ctx: Context, framework: FrameworkRecord, argument: NonNullable<Call[K]>) => void,
): CallHandler {
  return (ctx, framework, call) => {
    const value = call[argument];
    if (value !== undefined) handle(ctx, framework, value);
    return undefined;
  };
}

const NOT_IMPLEMENTED: CallHandler = (_ctx, _framework, call) => ({
  status: 501,
  text: `Calls of type ${call.type} are not implemented`,
});

/** Calls of a subscribed scheduler. SUBSCRIBE is not among them: it comes before there is a framework. */
export const SCHEDULER_CALLS = {
  UNKNOWN: NOT_IMPLEMENTED,
  TEARDOWN: (ctx, framework) => {
    countUp(ctx, 'messages_unregister_framework');
    removeFramework(ctx, framework);
    return undefined;
  },
  ACCEPT: on('accept', accept),
  DECLINE: on('decline', decline),
  ACCEPT_INVERSE_OFFERS: on('accept_inverse_offers', acceptInverseOffers),
  DECLINE_INVERSE_OFFERS: on('decline_inverse_offers', declineInverseOffers),
  REVIVE: (ctx, framework, call) => {
    revive(ctx, framework, call.revive);
    return undefined;
  },
  SUPPRESS: (ctx, framework, call) => {
    suppress(ctx, framework, call.suppress);
    return undefined;
  },
  KILL: on('kill', kill),
  SHUTDOWN: on('shutdown', shutdown),
  ACKNOWLEDGE: on('acknowledge', acknowledge),
  ACKNOWLEDGE_OPERATION_STATUS: on('acknowledge_operation_status', acknowledgeOperation),
  RECONCILE: on('reconcile', reconcile),
  RECONCILE_OPERATIONS: on('reconcile_operations', reconcileOperations),
  MESSAGE: on('message', message),
  // The allocator decides by itself what to offer; upstream's ignores requests too.
  REQUEST: on('request', (ctx) => countUp(ctx, 'messages_resource_request')),
  UPDATE_FRAMEWORK: (ctx, framework, call, principal) => {
    if (call.update_framework === undefined) return undefined;
    const result = changeFramework(ctx, framework, call.update_framework, principal);
    return result.ok ? { status: 200 } : result.error;
  },
} as const satisfies Record<Exclude<CallType, 'SUBSCRIBE'>, CallHandler>;

/** A call over HTTP: the checks in upstream's order, then the handler. Most calls are answered 202 whatever comes of them. */
export function schedulerCall(ctx: Context, event: SchedulerCallEvent): void {
  const { call, request, streamId, principal } = event;
  const type = validateCall(call, principal);
  if (!type.ok) {
    reply(ctx, request, 400, `Failed to validate scheduler::Call: ${type.error}`);
    return;
  }
  if (type.value === 'SUBSCRIBE') {
    if (streamId !== undefined) {
      reply(ctx, request, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    } else if (call.subscribe !== undefined) subscribeHttp(ctx, request, call.subscribe, principal);
    return;
  }
  const framework = ctx.state.frameworks.get(call.framework_id?.value ?? '');
  const refusal = refusalOf(framework, event);
  if (framework === undefined || refusal !== undefined) {
    reply(ctx, request, refusal?.status ?? 400, refusal?.text);
    return;
  }
  count(framework.counters.calls, type.value);
  const answer: Answer = SCHEDULER_CALLS[type.value](ctx, framework, call, principal) ?? { status: 202 };
  reply(ctx, request, answer.status, answer.text);
}

function refusalOf(framework: FrameworkRecord | undefined, event: SchedulerCallEvent): Answer | undefined {
  const { streamId, principal } = event;
  if (framework === undefined) return { status: 400, text: 'Framework cannot be found' };
  const owner = framework.info.principal;
  if (principal !== undefined && principal !== owner) {
    const text = `Authenticated principal '${principal}' does not match principal '${owner ?? ''}' set in 'FrameworkInfo'`;
    return { status: 400, text };
  }
  const { connection } = framework;
  if (framework.state !== 'CONNECTED' || connection === undefined) {
    return { status: 403, text: 'Framework is not subscribed' };
  }
  if (connection.kind === 'pid') return { status: 403, text: 'Framework is not connected via HTTP' };
  if (streamId === undefined) {
    return { status: 400, text: "All non-subscribe calls should include the 'Mesos-Stream-Id' header" };
  }
  if (streamId !== connection.stream) {
    const text =
      `The stream ID '${streamId}' included in this request didn't match ` +
      `the stream ID currently associated with framework ID ${framework.id}`;
    return { status: 400, text };
  }
  return undefined;
}
