/** Knocks at tasks: HTTP, HTTPS and TCP. So many at once at most; the others wait for their turn. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { ProbeTarget } from './core/effects.ts';
import type { ProbeResult } from './core/events.ts';

/** So much of an answer is kept, in bytes. */
const MAX_BODY = 16 * 1024;
/** What goes on longer than this is not heard to its end. */
const MAX_READ = 1024 * 1024;
/** So long a knock may take that has no limit of its own, in ms: a task that never answers must not keep others waiting for ever. */
const LONGEST = 300_000;
const USER_AGENT = 'Meseta Marathon health check';

type HttpTarget = Exclude<ProbeTarget, { readonly protocol: 'TCP' }>;

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

  /** Knocks once, and answers in any case. @param timeout in ms, for all of it; 0 for five minutes */
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
    let knock: Knock | undefined;
    const limit = next.timeout > 0 ? next.timeout : LONGEST;
    const finish = (result: ProbeResult): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#running--;
      knock?.connection.destroy();
      next.done(result);
      this.#next();
    };
    const late: ProbeResult = { verdict: 'bad', cause: `no answer within ${limit} ms` };
    const timer = setTimeout(() => finish(knock?.soFar() ?? late), limit);
    const { target } = next;
    try {
      knock = target.protocol === 'TCP' ? reach(target.host, target.port, finish) : ask(target, finish);
    } catch (error) {
      // What somebody wrote into a definition, or an agent says of itself, cannot even be tried.
      finish({ verdict: 'bad', cause: (error as Error).message });
    }
  }
}

type Finish = (result: ProbeResult) => void;

interface Knock {
  readonly connection: { destroy(): unknown };
  /** What is known when time is over. */
  soFar(): ProbeResult | undefined;
}

function reach(host: string, port: number, finish: Finish): Knock {
  const socket = connect({ host, port });
  socket.on('connect', () => finish({ verdict: 'good' }));
  socket.on('error', (error) => finish({ verdict: 'bad', cause: error.message }));
  return { connection: socket, soFar: () => undefined };
}

/** As it stands, but for what cannot stand in a request: blanks, control characters, and letters beyond ASCII. */
function requestPath(path: string): string {
  const encoded = path.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent);
  return encoded.startsWith('/') ? encoded : `/${encoded}`;
}

function ask(target: HttpTarget, finish: Finish): Knock {
  const { protocol, host, port, path } = target;
  const options = {
    host,
    port,
    path: requestPath(path),
    headers: { 'User-Agent': USER_AGENT, Connection: 'close' },
    agent: false as const,
    // Certificates of tasks are whatever their makers signed: a check asks whether they live, not who they are.
    rejectUnauthorized: false,
  };
  const call = protocol === 'HTTPS' ? httpsRequest(options) : httpRequest(options);
  const give = (cause: string): void => finish({ verdict: 'bad', cause });
  let soFar: () => ProbeResult | undefined = () => undefined;
  let isAnswered = false;
  call.on('error', (error) => give(error.message));
  call.on('response', (response) => {
    isAnswered = true;
    soFar = read(response, target, finish);
  });
  // Such as after 101, which nobody here has asked for.
  call.on('close', () => isAnswered || give('the connection was closed without an answer'));
  call.end();
  return { connection: call, soFar: () => soFar() };
}

/** The status says it all; the rest is read so that the task need not stumble over us. @returns the verdict so far */
function read(response: IncomingMessage, target: HttpTarget, finish: Finish): () => ProbeResult {
  const chunks: Buffer[] = [];
  let size = 0;
  const judge = (): ProbeResult => judged(response, Buffer.concat(chunks).toString('utf8'), target);
  response.on('data', (chunk: Buffer) => {
    if (size < MAX_BODY) chunks.push(chunk.subarray(0, MAX_BODY - size));
    size += chunk.length;
    if (size > MAX_READ) finish(judge());
  });
  response.on('end', () => finish(judge()));
  response.on('error', (error) => finish({ verdict: 'bad', cause: error.message }));
  return judge;
}

function judged(
  { statusCode = 0, headers }: IncomingMessage,
  body: string,
  { goodStatuses, ignores1xx, wantsResponse }: HttpTarget,
): ProbeResult {
  const response = { status: statusCode, contentType: headers['content-type'] ?? '', body };
  const seen = wantsResponse ? { response } : {};
  if (statusCode < 200 && ignores1xx) return { verdict: 'ignored', ...seen };
  const isGood = goodStatuses ? goodStatuses.includes(statusCode) : statusCode >= 200 && statusCode < 400;
  return isGood ? { verdict: 'good', ...seen } : { verdict: 'bad', cause: `HTTP status ${statusCode}`, ...seen };
}
