import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { err, ok, type Result } from '../base/result.ts';

/** @returns false if the request is for the next handler */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Where to listen. */
export interface ServerOptions {
  readonly ip: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The flag that sets the port, for error texts. Default `--port`. */
  readonly portFlag?: string;
  /** Milliseconds that a request's head may take. Default 60,000. */
  readonly headMs?: number;
  /** Key and certificate, as PKCS#12: HTTPS. */
  readonly tls?: { readonly pfx: Uint8Array; readonly passphrase: string };
}

/** A daemon's one server: libprocess messages, the API and the UI share its port. */
export interface HttpServer {
  readonly address: { readonly ip: string; readonly port: number };
  /** Adds a handler; they are asked in this order, and what none takes is 503. */
  use(handler: RequestHandler): void;
  /** Stops listening, lets answers under way finish for so many milliseconds, then closes every connection. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts to listen. Connections stay open as long as both sides like (messages and streams live on them); what is
 * bounded is the time that a request's head takes, here, and its body, where it is read.
 * @returns an error that names the address and the flag to change
 */
export function startServer(options: ServerOptions): Promise<Result<HttpServer>> {
  const handlers: RequestHandler[] = [];
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: options.headMs ?? 60_000,
    connectionsCheckingInterval: Math.min(15_000, options.headMs ?? 15_000),
    requireHostHeader: false,
    maxHeaderSize: 32 * 1024,
  };
  const { tls } = options;
  const server: Server = tls
    ? createTlsServer({ ...settings, pfx: Buffer.from(tls.pfx), passphrase: tls.passphrase })
    : createServer(settings);
  const answering = new WeakMap<Socket, Set<ServerResponse>>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const answers = answering.get(socket) ?? new Set();
    answering.set(socket, answers.add(response));
    response.once('close', () => answers.delete(response));
    for (const handler of handlers) if (handler(request, response)) return;
    response.writeHead(503, { 'content-length': 0 }).end();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseMalformed(error, socket, isMidAnswer(answering.get(socket)));
  });
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(err(explain(error, options))));
    server.listen({ host: options.ip, port: options.port, backlog: 4096 }, () => {
      server.removeAllListeners('error');
      const { address, port } = server.address() as AddressInfo;
      resolve(
        ok({
          address: { ip: address, port },
          use: (handler) => void handlers.push(handler),
          close: (graceMs = 2_000) => close(server, graceMs),
        }),
      );
    });
  });
}

/** Whether a refusal would land inside of an answer or in another request's place. The one that is torn itself may be open. */
function isMidAnswer(answers: ReadonlySet<ServerResponse> = new Set()): boolean {
  return answers.size > 1 || [...answers].some(({ headersSent }) => headersSent);
}

/** A request that cannot be read ends its own connection and nothing else. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket, midAnswer: boolean): void {
  const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  // A linked peer may well connect long before its first message: silence alone is no offence.
  if (timeout && socket.bytesRead === 0) return;
  if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) {
    socket.destroy();
    return;
  }
  const status = timeout ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const body = status === 400 ? `The request is not HTTP: ${error.message}` : `${status} ${STATUS_CODES[status]}.`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function explain(error: NodeJS.ErrnoException, options: ServerOptions): string {
  const flag = options.portFlag ?? '--port';
  const at = `${options.ip}:${options.port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Cannot listen on ${at}: port ${options.port} is in use by another program. Stop it, or choose another port with ${flag}`;
    case 'EACCES':
      return `Cannot listen on ${at}: this user may not use port ${options.port}. Choose one above 1023 with ${flag}, or run as root`;
    case 'EADDRNOTAVAIL':
      return `Cannot listen on ${at}: this machine has no address ${options.ip}. Choose another with --ip`;
    case 'ENOTFOUND':
      return `Cannot listen on ${at}: '${options.ip}' is not an address. Write one with --ip, as in --ip=127.0.0.1`;
    default:
      return `Cannot listen on ${at}: ${error.message}`;
  }
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
