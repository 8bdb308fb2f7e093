/** Marathon's side of the HTTP server: the leader answers, the others pass requests on to it. */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Loaded } from '../../config/load.ts';
import { createPipeline, type Pipeline } from '../../http/pipeline.ts';
import { wallTime } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { NextLeader } from '../backup.ts';
import type { Outcome } from '../core/outcome.ts';
import type { MarathonState } from '../core/state.ts';
import type { marathonFlags } from '../flags.ts';
import { MARATHON, marathonEndpoints } from './endpoints.ts';
import { EventHub } from './hub.ts';
import { LeaderProxy } from './proxy.ts';
import type { MarathonService, Question } from './service.ts';

export interface MarathonHttpOptions {
  readonly loaded: Loaded<typeof marathonFlags>;
  /** `host:port`, as others reach this one. */
  readonly address: string;
  readonly logger: Logger;
  readonly abdicate: () => void;
  readonly leaveOrder?: (order: NextLeader) => Promise<string | undefined>;
}

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
  'X-Frame-Options': 'DENY',
  'X-XSS-Protection': '1; mode=block',
};

export class MarathonHttp {
  readonly hub = new EventHub(wallTime);
  readonly #options: MarathonHttpOptions;
  readonly #startedAt = wallTime();
  readonly #pipeline: Pipeline;
  readonly #proxy: LeaderProxy;
  #service: MarathonService | undefined;
  #leader: string | undefined;
  #active = 0;

  constructor(options: MarathonHttpOptions) {
    this.#options = options;
    this.#proxy = new LeaderProxy({ address: options.address, flags: options.loaded.values });
    this.#pipeline = createPipeline({
      endpoints: marathonEndpoints(() => this.#service!),
      delegate: MARATHON,
      onError: (error, path) => options.logger.error(`Answering ${path} failed`, error),
    });
  }

  /** This Marathon leads, and answers from now on. */
  lead(state: MarathonState, ask: (question: Question) => Promise<Outcome>): void {
    const { loaded, address, abdicate, leaveOrder } = this.#options;
    const leadsSince = wallTime();
    this.#service = {
      state,
      flags: loaded,
      hub: this.hub,
      address,
      now: wallTime,
      startedAt: this.#startedAt,
      leadsSince: () => leadsSince,
      ask,
      abdicate,
      ...(leaveOrder && { leaveOrder }),
    };
  }

  /** Another Marathon leads; or nobody does. */
  follow(leader: string | undefined): void {
    this.#leader = leader;
  }

  close(): void {
    this.hub.close();
  }

  readonly accept = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { loaded } = this.#options;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    this.#allowOrigins(request, response);
    if (!isAllowed(request, loaded.values.http_credentials)) {
      response.setHeader('WWW-Authenticate', `Basic realm="${loaded.values.http_realm}"`);
      return refuse(response, 401, 'This Marathon asks for a name and a password');
    }
    const limit = loaded.values.http_max_concurrent_requests;
    if (limit !== undefined && this.#active >= limit) {
      return refuse(response, 503, `Too many concurrent requests! Allowed: ${limit}.`);
    }
    this.#active++;
    response.once('close', () => this.#active--);
    if (this.#service === undefined) {
      void this.#proxy.pass(request, response, () => this.#leader);
      return true;
    }
    response.setHeader('X-Marathon-Leader', `http://${this.#options.address}`);
    return this.#pipeline(request, response);
  };

  #allowOrigins(request: IncomingMessage, response: ServerResponse): void {
    const origins = this.#options.loaded.values.access_control_allow_origin?.split(',').map((each) => each.trim());
    if (origins === undefined || origins.length === 0) return;
    const asked = request.headers.origin;
    response.setHeader(
      'Access-Control-Allow-Origin',
      asked !== undefined && origins.includes(asked) ? asked : origins.at(-1)!,
    );
    const headers = request.headers['access-control-request-headers'];
    if (headers !== undefined) response.setHeader('Access-Control-Allow-Headers', headers);
    response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS');
    response.setHeader('Access-Control-Max-Age', '86400');
  }
}

function isAllowed({ headers }: IncomingMessage, credentials: string | undefined): boolean {
  if (credentials === undefined) return true;
  const given = Buffer.from(headers.authorization ?? '');
  const wanted = Buffer.from(`Basic ${Buffer.from(credentials).toString('base64')}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function refuse(response: ServerResponse, status: number, message: string): boolean {
  const body = JSON.stringify({ message });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
  return true;
}
