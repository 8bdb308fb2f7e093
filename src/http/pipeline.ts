import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvariantError } from '../base/invariant.ts';
import type { Result } from '../base/result.ts';
import { type Answer, badRequest, failure, forbidden, methodNotAllowed, notFound } from './answer.ts';
import { type BodyLimits, readBody } from './body.ts';
import type { Endpoint, Exchange, Principal, Realm, Request } from './endpoint.ts';
import { callbackOf, wrap } from './jsonp.ts';
import { createRouter, type Match, parseTarget, type Router, type Target } from './router.ts';
import { sendAnswer } from './send.ts';
import { openRecordStream } from './stream.ts';

/** What a daemon's HTTP side is made of. */
export interface PipelineOptions {
  readonly endpoints: readonly Endpoint[];
  /** The process that may be left out of a URL: `master`, `slave(1)`. */
  readonly delegate: string;
  /** Says who asks, or the 401 to answer with. Called for endpoints with a realm. Absent: everybody is anonymous. */
  readonly authenticate?: (
    realm: Realm,
    request: Request,
  ) => Result<Principal | undefined, Answer> | Promise<Result<Principal | undefined, Answer>>;
  /** Answers instead of the endpoint: who leads, still recovering. Comes before the method and the body are looked at. */
  readonly guard?: (endpoint: Endpoint, request: Request) => Answer | undefined;
  /** Paths that firewall rules disable. One that names an endpoint disables it under all its names. */
  readonly disabledPaths?: ReadonlySet<string>;
  /** Default 64 MiB. */
  readonly maxBodyBytes?: number;
  /** Default 30,000 milliseconds. */
  readonly bodyIdleMs?: number;
  /** Default 300,000 milliseconds. */
  readonly bodyTotalMs?: number;
  /** Hears of handlers that failed for a reason they do not answer for. */
  readonly onError?: (error: unknown, path: string) => void;
}

/** Answers every request; put it last into the server. @returns true always */
export type Pipeline = (request: IncomingMessage, response: ServerResponse) => boolean;

const NO_BODY = new Uint8Array(0);

/** Builds the HTTP side of a daemon out of its endpoint records. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const router = createRouter(options.endpoints, options.delegate);
  const isDisabled = firewall(router, options.disabledPaths ?? new Set());
  const limits: BodyLimits = {
    maxBytes: options.maxBodyBytes ?? 64 * 1024 * 1024,
    idleMs: options.bodyIdleMs ?? 30_000,
    totalMs: options.bodyTotalMs ?? 300_000,
  };
  const fail = (error: unknown, incoming: IncomingMessage, response: ServerResponse): void => {
    if (error instanceof InvariantError) throw error;
    options.onError?.(error, incoming.url ?? '');
    sendAnswer(incoming, response, failure(500, 'The server failed while answering; its log says why.'));
  };
  return (incoming, response) => {
    response.on('error', () => {});
    const target = parseTarget(incoming.url ?? '');
    if (!target.ok) {
      sendAnswer(incoming, response, badRequest(target.error));
      return true;
    }
    const match = target.value.segments.includes('..') ? undefined : router.match(target.value);
    if (isDisabled(target.value, match)) {
      sendAnswer(incoming, response, forbidden(`Endpoint '${router.fullPath(target.value)}' is disabled`));
    } else if (match === undefined) {
      sendAnswer(incoming, response, notFound());
    } else {
      const request = requestOf(incoming, target.value, match);
      perform(options, limits, { incoming, response, request, endpoint: match.endpoint }).catch((error) =>
        fail(error, incoming, response),
      );
    }
    return true;
  };
}

/**
 * Upstream compares paths as they were written, so that `/state/` goes past a rule for `/state`. Here a rule is about what it
 * leads to.
 */
function firewall(router: Router, rules: ReadonlySet<string>): (target: Target, match: Match | undefined) => boolean {
  const paths = new Set<string>();
  const endpoints = new Set<Endpoint>();
  for (const rule of rules) {
    const target = parseTarget(rule);
    if (!target.ok) continue;
    paths.add(router.fullPath(target.value));
    const match = router.match(target.value);
    if (match?.rest === '') endpoints.add(match.endpoint);
  }
  return (target, match) =>
    paths.has(router.fullPath(target)) || (match !== undefined && endpoints.has(match.endpoint));
}

function requestOf(incoming: IncomingMessage, target: Target, match: Match): Request {
  return {
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '',
    path: match.path,
    rest: match.rest,
    search: target.search,
    query: target.query,
    headers: incoming.headers,
    body: NO_BODY,
    stream: incoming,
    remoteAddress: incoming.socket.remoteAddress ?? '',
  };
}

interface Call {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: Request;
  readonly endpoint: Endpoint;
}

/** One request from authentication to its answer. */
async function perform(options: PipelineOptions, limits: BodyLimits, call: Call): Promise<void> {
  const { incoming, response, endpoint } = call;
  let { request } = call;
  const refuse = (answer: Answer): void => sendAnswer(incoming, response, answer);

  if (endpoint.realm !== undefined && options.authenticate !== undefined) {
    const authenticated = await options.authenticate(endpoint.realm, request);
    if (!authenticated.ok) return refuse(authenticated.error);
    if (authenticated.value !== undefined) request = { ...request, principal: authenticated.value };
  }
  const guarded = options.guard?.(endpoint, request);
  if (guarded !== undefined) return refuse(guarded);
  if (endpoint.methods !== undefined && !endpoint.methods.includes(request.method))
    return refuse(methodNotAllowed(endpoint.methods, request.method));
  const callback = callbackOf(endpoint.jsonp ? request.query : new Map());
  if (!callback.ok) return refuse(callback.error);

  if (endpoint.streams?.(request) !== true) {
    const body = await readBody(incoming, limits);
    if (!body.ok) return body.error === undefined ? undefined : refuse(body.error);
    request = { ...request, body: body.value };
  }
  const exchange: Exchange = {
    reply: (answer) => refuse(wrap(answer, callback.value)),
    openStream: (stream) => openRecordStream(response, stream),
    onClose: (listener) => {
      if (response.closed) listener();
      else response.once('close', listener);
    },
  };
  const answer = await endpoint.handle(request, exchange);
  if (answer !== undefined) exchange.reply(answer);
}
