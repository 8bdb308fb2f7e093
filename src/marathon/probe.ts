/** Knocks at tasks: HTTP, HTTPS and TCP. So many at once at most; the others wait for their turn. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { ProbeTarget } from './core/effects.ts';
import type { ProbeResult } from './core/events.ts';

/** So much of an answer is kept, in bytes. */
const MAX_BODY = 16 * 1024;
const USER_AGENT = 'Meseta Marathon health check';

interface Waiting {
  readonly target: ProbeTarget;
  readonly timeout: number;
  readonly done: (result: ProbeResult) => void;
}

export class Prober {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  /** @param limit of probes that are under way at the same time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Knocks once. @param timeout in ms; none if it is 0 */
  probe(target: ProbeTarget, timeout: number, done: (result: ProbeResult) => void): void {
    this.#waiting.push({ target, timeout, done });
    this.#next();
  }

  #next(): void {
    if (this.#running >= this.#limit) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#running++;
    let isOver = false;
    const finish = (result: ProbeResult): void => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      next.done(result);
      this.#next();
    };
    const { target, timeout } = next;
    if (target.protocol === 'TCP') knock(target.host, target.port, timeout, finish);
    else ask(target, timeout, finish);
  }
}

function knock(host: string, port: number, timeout: number, finish: (result: ProbeResult) => void): void {
  const socket = connect({ host, port });
  if (timeout > 0) socket.setTimeout(timeout, () => give(`no connection within ${timeout} ms`));
  const give = (cause: string): void => {
    finish({ verdict: 'bad', cause });
    socket.destroy();
  };
  socket.on('connect', () => {
    finish({ verdict: 'good' });
    socket.destroy();
  });
  socket.on('error', (error) => give(error.message));
}

function ask(
  target: Exclude<ProbeTarget, { readonly protocol: 'TCP' }>,
  timeout: number,
  finish: (result: ProbeResult) => void,
): void {
  const { protocol, host, port, path } = target;
  const options = {
    host,
    port,
    path: path.startsWith('/') ? path : `/${path}`,
    headers: { 'User-Agent': USER_AGENT, Connection: 'close' },
    agent: false as const,
    // Certificates of tasks are whatever their makers signed: a check asks whether they live, not who they are.
    rejectUnauthorized: false,
  };
  const call = protocol === 'HTTPS' ? httpsRequest(options) : httpRequest(options);
  const give = (cause: string): void => {
    finish({ verdict: 'bad', cause });
    call.destroy();
  };
  if (timeout > 0) call.setTimeout(timeout, () => give(`no answer within ${timeout} ms`));
  call.on('error', (error) => give(error.message));
  call.on('response', (response) => read(response, target, finish));
  call.end();
}

function read(
  response: IncomingMessage,
  target: Exclude<ProbeTarget, { readonly protocol: 'TCP' }>,
  finish: (result: ProbeResult) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    if (size < MAX_BODY) chunks.push(chunk.subarray(0, MAX_BODY - size));
    size += chunk.length;
  });
  response.on('end', () => finish(judged(response, Buffer.concat(chunks).toString('utf8'), target)));
  response.on('error', (error) => finish({ verdict: 'bad', cause: error.message }));
}

function judged(
  { statusCode = 0, headers }: IncomingMessage,
  body: string,
  { goodStatuses, ignores1xx, wantsResponse }: Exclude<ProbeTarget, { readonly protocol: 'TCP' }>,
): ProbeResult {
  const response = { status: statusCode, contentType: headers['content-type'] ?? '', body };
  const seen = wantsResponse ? { response } : {};
  if (statusCode < 200 && ignores1xx) return { verdict: 'ignored', ...seen };
  const isGood = goodStatuses ? goodStatuses.includes(statusCode) : statusCode >= 200 && statusCode < 400;
  return isGood ? { verdict: 'good', ...seen } : { verdict: 'bad', cause: `HTTP status ${statusCode}`, ...seen };
}
