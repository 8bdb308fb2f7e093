import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../base/result.ts';
import { type Answer, failure } from './answer.ts';

/** Bounds of a request body that is read whole. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** Milliseconds that it may stand still. */
  readonly idleMs: number;
  /** Milliseconds that all of it may take. */
  readonly totalMs: number;
}

const EMPTY = new Uint8Array(0);

/**
 * Reads a body.
 * @returns 413 beyond the bound, 408 when it comes too slowly, and undefined as error when the client went away
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
): Promise<Result<Uint8Array, Answer | undefined>> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limits.maxBytes) return Promise.resolve(err(tooLarge(limits)));
  if (length === 0 && request.headers['transfer-encoding'] === undefined) {
    request.resume();
    return Promise.resolve(ok(EMPTY));
  }
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const slow = (): void => settle(err(failure(408, 'The request body did not arrive in time')));
    const idle = setTimeout(slow, limits.idleMs);
    const total = setTimeout(slow, limits.totalMs);
    const settle = (result: Result<Uint8Array, Answer | undefined>): void => {
      clearTimeout(idle);
      clearTimeout(total);
      request.off('data', onData);
      resolve(result);
    };
    const onData = (chunk: Uint8Array): void => {
      idle.refresh();
      size += chunk.length;
      if (size > limits.maxBytes) settle(err(tooLarge(limits)));
      else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => settle(ok(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))));
    request.once('close', () => settle(err(undefined)));
    request.on('error', () => {});
  });
}

function tooLarge(limits: BodyLimits): Answer {
  return failure(413, `The request body is too large: at most ${limits.maxBytes} bytes are taken`);
}
