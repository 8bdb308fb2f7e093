/** Marathon's API as it is served, over the real core, and a Mesos that does what it is told: all of it in one process. */
import { type Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TestContext } from 'node:test';
import { type Loaded, loadFlags } from '../../config/load.ts';
import { startServer } from '../../http/server.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { CoreOptions } from '../core/context.ts';
import { Rig, START } from '../core/rig.fixture.ts';
import { marathonArguments } from '../flag-source.ts';
import { marathonFlags, marathonProgram } from '../flags.ts';
import type { KeyStore } from './keystore.ts';
import { MarathonHttp } from './server.ts';
import type { Question } from './service.ts';

/** What came back; `json` is there where the body is JSON. */
export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all shapes, and fail where these are not so
  readonly json: any;
}

export type Ask = (method: string, path: string, body?: unknown, headers?: OutgoingHttpHeaders) => Promise<Told>;

export interface Served {
  readonly rig: Rig;
  readonly http: MarathonHttp;
  readonly port: number;
  readonly ask: Ask;
  /** What was written to the log. */
  readonly errors: readonly string[];
  /** How often leadership was given up. */
  readonly abdications: () => number;
}

export interface ServeOptions {
  readonly flags?: readonly string[];
  readonly core?: Partial<CoreOptions>;
  /** Does not lead, but passes on to the one that does; `nobody` where none is known. */
  readonly follows?: string;
  /** Hears of requests before they are answered. */
  readonly onRequest?: (method: string, url: string) => void;
  /** Serves by HTTPS. */
  readonly keystore?: KeyStore;
  /** Instead of those of the key store. */
  readonly trusted?: readonly string[];
}

export function flagsOf(flags: readonly string[]): Loaded<typeof marathonFlags> {
  const argv = ['--master=127.0.0.1:5050', ...flags];
  const outcome = loadFlags(marathonProgram, [marathonArguments(argv, marathonFlags)], () => {
    throw new Error('no file is read here');
  });
  if (outcome.kind !== 'run') throw new Error(outcome.stderr);
  return outcome.flags;
}

/** Serves on a free port of 127.0.0.1 until the test is over. */
export async function serve(
  t: TestContext,
  { flags = [], core = {}, follows, keystore, onRequest, trusted = keystore?.trusted ?? [] }: ServeOptions = {},
): Promise<Served> {
  const server = await startServer({ ip: '127.0.0.1', port: 0, ...(keystore && { tls: keystore }) });
  if (!server.ok) throw new Error(server.error);
  const { port } = server.value.address;
  const rig = new Rig(core);
  const errors: string[] = [];
  let abdications = 0;
  const http = new MarathonHttp({
    loaded: flagsOf(flags),
    address: `127.0.0.1:${port}`,
    logger: loggerTo(errors),
    now: () => START + rig.now,
    betweenTries: 1,
    trusted,
    abdicate: () => {
      abdications++;
    },
  });
  if (follows === undefined) lead(http, rig);
  else http.follow(follows === 'nobody' ? undefined : follows);
  server.value.use(({ method = '', url = '' }) => {
    onRequest?.(method, url);
    return false;
  });
  server.value.use(http.accept);
  t.after(async () => {
    http.close();
    await server.value.close(0);
  });
  return { rig, http, port, ask: asker(port, keystore?.trusted), errors, abdications: () => abdications };
}

function lead(http: MarathonHttp, rig: Rig): void {
  http.lead(rig.core.state, (question) => Promise.resolve(rig.ask(question as never)) as ReturnType<AskCore>);
  let told = rig.published.length;
  rig.check = () => {
    // A test that has seen enough may have emptied the list.
    told = Math.min(told, rig.published.length);
    for (const event of rig.published.slice(told)) http.hub.publish(event);
    told = rig.published.length;
  };
}

type AskCore = (question: Question) => ReturnType<Parameters<MarathonHttp['lead']>[1]>;

function loggerTo(lines: string[]): Logger {
  const add = (text: string, cause?: unknown): void => void lines.push(`${text}: ${String(cause)}`);
  const logger: Logger = {
    info: () => {},
    warning: add,
    error: add,
    fatal: add,
    log: (_, text) => add(text),
    verbose: () => {},
    named: () => logger,
  };
  return logger;
}

/** A body that is not a string is sent as JSON. @param agent to keep connections; otherwise each request has its own */
export function asker(port: number, ca?: readonly string[], agent: Agent | false = false): Ask {
  const request = ca === undefined ? httpRequest : httpsRequest;
  return (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const call = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        ...(ca !== undefined && { ca: [...ca] }),
        headers: {
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
          ...headers,
        },
      });
      call.on('error', reject);
      call.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = answer.headers['content-type']?.startsWith('application/json') && text !== '';
          const json: unknown =
            isJson && answer.headers['content-encoding'] === undefined ? JSON.parse(text) : undefined;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, json });
        });
      });
      call.end(payload);
    });
}
