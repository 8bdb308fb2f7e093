import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { acceptsGzip } from './accept.ts';
import type { Answer } from './answer.ts';
import { deliver } from './deliver.ts';
import { Pieces } from './pieces.ts';

/** Upstream's bound: smaller bodies are not worth the work. */
const GZIP_FROM_BYTES = 1024;

/** So long a client may go on with a body that nobody wants, in ms. */
const READ_ON = 5_000;

const gzipAsync = promisify(gzip);

/**
 * Sends a whole answer, compressed if it is large and the client takes that. Does nothing if something was sent before.
 * The connection is closed afterwards where the client is still sending a body that nobody will read.
 */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed || sending.has(response)) return;
  sending.add(response);
  const body = answer.body ?? '';
  const headers: Headers = { ...answer.headers };
  if ([408, 413].includes(answer.status)) headers.connection = 'close';
  if (body instanceof Pieces && body.list.length > 1) {
    sendPieces(request, response, answer.status, headers, body);
    return;
  }
  if (body instanceof Readable) {
    response.writeHead(answer.status, headers);
    if (request.method === 'HEAD') {
      body.destroy();
      response.end();
    } else {
      pipeline(body, response, () => {
        // A file that became shorter meanwhile leaves the client waiting for the rest: let it see that it is not whole.
        if ('bytesRead' in body && headers['content-length'] !== String(body.bytesRead)) request.socket.destroy();
      });
    }
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body instanceof Pieces ? whole(body) : body;
  const finish = (payload: Uint8Array): void => {
    headers['content-length'] = payload.length;
    response.writeHead(answer.status, headers);
    if (headers.connection === 'close') endWhenRead(request, response, payload);
    else response.end(payload);
  };
  if (bytes.length >= GZIP_FROM_BYTES && mayCompress(request, headers)) {
    headers['content-encoding'] = 'gzip';
    gzipAsync(bytes).then(finish, () => response.destroy());
  } else {
    finish(bytes);
  }
}

type Headers = Record<string, string | number>;

/** A long answer that others may be getting too. */
function sendPieces(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  pieces: Pieces,
): void {
  const send = ({ list, size }: Pieces): void => {
    if (response.destroyed) return;
    response.writeHead(status, { ...headers, 'content-length': size });
    if (request.method === 'HEAD') response.end();
    else deliver(response, list, (whole) => whole && response.end());
  };
  if (mayCompress(request, headers)) {
    headers['content-encoding'] = 'gzip';
    pieces.gzip().then(send, () => response.destroy());
  } else {
    send(pieces);
  }
}

function whole({ list }: Pieces): Uint8Array {
  return list[0] ?? new Uint8Array(0);
}

function mayCompress(request: IncomingMessage, headers: Headers): boolean {
  return headers['content-encoding'] === undefined && acceptsGzip(asText(request.headers['accept-encoding']));
}

/**
 * Goes on reading for a while: Node closes the connection with the end of the answer, and a reset while the client still
 * sends would take the answer away from it.
 */
function endWhenRead(request: IncomingMessage, response: ServerResponse, payload: Uint8Array): void {
  const end = (): void => {
    clearTimeout(timer);
    response.end();
    setTimeout(() => request.socket.destroy(), 1_000).unref();
  };
  const timer = setTimeout(end, READ_ON).unref();
  response.once('close', () => clearTimeout(timer));
  response.write(payload);
  request.once('end', end);
  request.resume();
}

/** Answers that are being compressed: their headers are not sent yet, but nothing else may answer. */
const sending = new WeakSet<ServerResponse>();

function asText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
