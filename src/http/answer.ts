import type { Readable } from 'node:stream';
import type { Pieces } from './pieces.ts';

/** A whole answer: what an endpoint says when it does not stream. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. Content-Length, Date and Content-Encoding are added by the pipeline. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A readable is sent as it comes; give its Content-Length in the headers where it is known. Pieces are sent without a copy. */
  readonly body?: string | Uint8Array | Pieces | Readable;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };

/** 200 without a body. */
export const done: Answer = { status: 200 };
/** 202 without a body: the call was taken, its outcome comes by another way. */
export const accepted: Answer = { status: 202 };

/** 200 with JSON text made by the caller (a message's `stringify`, or `JSON.stringify`). */
export function json(text: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: text };
}

/** 200 with a serialized message. */
export function protobuf(bytes: Uint8Array): Answer {
  return { status: 200, headers: { 'content-type': 'application/x-protobuf' }, body: bytes };
}

/** 200 with a long body of this type. */
export function inPieces(contentType: string, pieces: Pieces): Answer {
  return { status: 200, headers: { 'content-type': contentType }, body: pieces };
}

/** 200 with plain text. */
export function text(body: string): Answer {
  return { status: 200, headers: PLAIN, body };
}

/** 200 with a page. */
export function html(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'text/html' }, body };
}

/** An error with its sentence; without one, the status says it, as upstream does (`404 Not Found.`). */
export function failure(status: number, sentence?: string, headers?: Readonly<Record<string, string>>): Answer {
  const body = sentence ?? `${status} ${REASONS[status] ?? 'Error'}.`;
  return { status, headers: { ...PLAIN, ...headers }, body };
}

export const badRequest = (sentence: string): Answer => failure(400, sentence);
export const forbidden = (sentence?: string): Answer => failure(403, sentence);
export const notFound = (sentence?: string): Answer => failure(404, sentence);
export const unavailable = (sentence?: string): Answer => failure(503, sentence);

/** 307 to another place; the client repeats its request there. */
export function redirect(location: string): Answer {
  return { status: 307, headers: { location } };
}

/** 405 with the methods that would do. */
export function methodNotAllowed(allowed: readonly string[], received: string): Answer {
  const list = allowed.map((method) => `'${method}'`).join(', ');
  return failure(405, `405 Method Not Allowed. Expecting one of { ${list} }, but received '${received}'.`, {
    allow: allowed.join(', '),
  });
}
