import type { Agent, IncomingMessage } from 'node:http';
import type { Address } from './core/address.ts';

// Importing node:http as an ES module reads all its exports, among them getters that load a WebSocket client: 25 ms,
// a third of a short command's life. Asked for in this way it loads in 2 ms.
const http = process.getBuiltinModule('node:http');

/** A principal and its secret, sent as HTTP basic authentication. */
export interface Credential {
  readonly principal: string;
  readonly secret: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A POST (or GET, without a body) to a daemon. `timeout` in ms bounds the wait for the headers, not a stream's life. */
export interface Exchange {
  readonly address: Address;
  readonly path: string;
  /** POST with a body and GET without one, unless given. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly credential?: Credential;
  readonly agent?: Agent;
  readonly timeout?: number;
  /** By HTTPS. `ca` are certificates to trust in place of the usual ones, as PEM. */
  readonly tls?: { readonly ca?: string };
}

const DEFAULT_TIMEOUT = 30_000;
/** A machine that is there takes a connection at once; one that is not would be waited for much longer. */
const CONNECT_WITHIN = 5_000;

/**
 * One connection at a time, kept open: calls arrive in the order in which they were made.
 * node:http is used rather than undici because loading undici takes about 40 ms, more than a whole short task.
 */
export function orderedConnection(): Agent {
  return new http.Agent({ keepAlive: true, maxSockets: 1 });
}

/** Sends a request and resolves with the answer's head; the body is the caller's to read. Rejects on network errors. */
export function open(exchange: Exchange): Promise<IncomingMessage> {
  const { address, body, credential } = exchange;
  const headers: Record<string, string | number> = { ...exchange.headers };
  if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
  if (credential) {
    headers.Authorization = `Basic ${Buffer.from(`${credential.principal}:${credential.secret}`).toString('base64')}`;
  }
  return new Promise((resolve, reject) => {
    const { request } = exchange.tls ? process.getBuiltinModule('node:https') : http;
    const outgoing = request(
      {
        host: address.host,
        port: address.port,
        method: exchange.method ?? (body === undefined ? 'GET' : 'POST'),
        path: exchange.path,
        headers,
        agent: exchange.agent ?? false,
        ...exchange.tls,
      },
      (incoming) => {
        clearTimeout(timer);
        resolve(incoming);
      },
    );
    const giveUp = (what: string, within: number): void => {
      outgoing.destroy(new Error(`no ${what} ${address.host}:${address.port} within ${within} ms`));
    };
    const timeout = exchange.timeout ?? DEFAULT_TIMEOUT;
    const timer = setTimeout(giveUp, timeout, 'answer from', timeout);
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) return;
      const connecting = setTimeout(giveUp, CONNECT_WITHIN, 'connection to', CONNECT_WITHIN);
      for (const over of ['connect', 'close'] as const) socket.once(over, () => clearTimeout(connecting));
    });
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end(body);
  });
}

/** Reads the whole body of an answer. Rejects when the connection breaks before its end. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** One request with its whole answer. */
export async function fetchAnswer(exchange: Exchange): Promise<Answer> {
  const incoming = await open(exchange);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await readBody(incoming) };
}
