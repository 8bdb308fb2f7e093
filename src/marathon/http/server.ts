/** Marathon's side of the HTTP server: the leader answers, the others pass requests on to it. */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Loaded } from '../../config/load.ts';
import { createPipeline, type Pipeline } from '../../http/pipeline.ts';
import { wallTime } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { NextLeader } from '../backup.ts';
import type { MarathonState } from '../core/state.ts';
import type { marathonFlags } from '../flags.ts';
import { MARATHON, marathonEndpoints } from './endpoints.ts';
import { EventHub } from './hub.ts';
import { LogLevels, type Verbosity } from './log-levels.ts';
import { LeaderProxy } from './proxy.ts';
import type { MarathonService } from './service.ts';

export interface MarathonHttpOptions {
  readonly loaded: Loaded<typeof marathonFlags>;
  /** `host:port`, as others reach this one. */
  readonly address: string;
  readonly logger: Logger;
  readonly abdicate: () => void;
  readonly verbosity?: Verbosity;
  /** Certificates that a leader with HTTPS may have, as PEM. */
  readonly trusted?: readonly string[];
  /** How long to wait before the leader is looked for again, in ms. */
  readonly betweenTries?: number;
  /** Wall clock, in ms. */
  readonly now?: () => number;
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
  readonly hub: EventHub;
  readonly #options: MarathonHttpOptions;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #scheme: 'http' | 'https';
  readonly #origins: readonly string[];
  readonly #levels: LogLevels;
  readonly #pipeline: Pipeline;
  readonly #proxy: LeaderProxy;
  #service: MarathonService | undefined;
  #leader: string | undefined;
  #active = 0;

  constructor(options: MarathonHttpOptions) {
    const { loaded, address, verbosity = { set: () => {} }, now = wallTime } = options;
    const flags = loaded.values;
    this.#options = options;
    this.#now = now;
    this.hub = new EventHub(now);
    this.#startedAt = now();
    this.#scheme = flags.disable_http ? 'https' : 'http';
    this.#origins = (flags.access_control_allow_origin ?? '').split(',').flatMap((each) => each.trim() || []);
    this.#levels = new LogLevels(flags.logging_level, verbosity, now);
    this.#proxy = new LeaderProxy({
      address,
      scheme: this.#scheme,
      trusted: options.trusted ?? [],
      betweenTries: options.betweenTries ?? 250,
      flags,
    });
    this.#pipeline = createPipeline({
      endpoints: marathonEndpoints(() => this.#service!),
      delegate: MARATHON,
      onError: (error, path) => options.logger.error(`Answering ${path} failed`, error),
    });
  }

  /** This Marathon leads, and answers from now on. */
  lead(
    state: MarathonState,
    ask: MarathonService['ask'],
    agentTotals: MarathonService['agentTotals'] = () => Promise.resolve(undefined),
  ): void {
    const { loaded, address, abdicate, leaveOrder } = this.#options;
    const leadsSince = this.#now();
    this.#service = {
      state,
      flags: loaded,
      hub: this.hub,
      address,
      scheme: this.#scheme,
      levels: this.#levels,
      now: this.#now,
      startedAt: this.#startedAt,
      leadsSince: () => leadsSince,
      ask,
      agentTotals,
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
    // Streams stay for as long as their readers like: they are no requests that will be over.
    if (!request.url?.startsWith('/v2/events')) {
      this.#active++;
      response.once('close', () => this.#active--);
    }
    if (!loaded.values.http_compression) delete request.headers['accept-encoding'];
    if (this.#service === undefined) {
      void this.#proxy.pass(request, response, () => this.#leader);
      return true;
    }
    response.setHeader('X-Marathon-Leader', `${this.#scheme}://${this.#options.address}`);
    const path = request.url?.replace(/\?.*$/s, '') ?? '';
    if (!isEncoded(path))
      return refuse(response, 400, `The path ${path} is not percent-encoded correctly: write % as %25`);
    return this.#pipeline(request, response);
  };

  #allowOrigins(request: IncomingMessage, response: ServerResponse): void {
    const origins = this.#origins;
    if (origins.length === 0) return;
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
  const given = Buffer.from(/^basic +(.*)$/i.exec(headers.authorization ?? '')?.[1] ?? '', 'base64');
  const wanted = Buffer.from(credentials);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function isEncoded(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function refuse(response: ServerResponse, status: number, message: string): boolean {
  const body = JSON.stringify({ message });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
  return true;
}
