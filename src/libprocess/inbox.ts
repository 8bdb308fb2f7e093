import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodeHead, type MessageHead, senderOf } from './encoding.ts';

/** Limits and rules for what comes in. */
export interface InboxOptions {
  readonly maxMessageBytes: number;
  /** Milliseconds that a body may stand still. */
  readonly bodyIdleMs: number;
  /** Refuse a message whose PID names another host than it came from (`LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH`). */
  readonly requirePeerAddressMatch: boolean;
}

/** @returns false if nobody is registered under that id */
export type Deliver = (head: MessageHead, body: Uint8Array) => boolean;

/** One message of a connection, from its head until its turn to be delivered. */
interface Slot {
  readonly head: MessageHead;
  readonly response: ServerResponse;
  body: Uint8Array | undefined;
  dropped: boolean;
}

const EMPTY = new Uint8Array(0);

/**
 * Takes messages out of HTTP requests. Pipelined requests are delivered in the order in which they stand on the
 * connection, whatever the order in which their bodies become complete.
 */
export class Inbox {
  private readonly options: InboxOptions;
  private readonly deliver: Deliver;
  private readonly slots = new WeakMap<Socket, Slot[]>();

  constructor(options: InboxOptions, deliver: Deliver) {
    this.options = options;
    this.deliver = deliver;
  }

  /** @returns false if the request is not a message */
  accept(request: IncomingMessage, response: ServerResponse): boolean {
    const sender = senderOf(request.method, request.headers);
    if (sender === undefined) return false;
    const head = decodeHead(sender, request.url ?? '');
    if (!head.ok) {
      request.resume();
      answer(response, head.error.status, head.error.sentence);
      return true;
    }
    const mismatch = this.addressMismatch(head.value, request.socket.remoteAddress);
    if (mismatch !== undefined) {
      request.resume();
      answer(response, 400, mismatch);
      return true;
    }
    this.collect(head.value, request, response);
    return true;
  }

  private addressMismatch(head: MessageHead, remote: string | undefined): string | undefined {
    const host = remote?.replace(/^::ffff:/, '');
    if (!this.options.requirePeerAddressMatch || head.fromHost === host) return undefined;
    return `UPID IP address validation failed: Message from ${head.from} was sent from IP ${host}`;
  }

  private collect(head: MessageHead, request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const queue = this.slots.get(socket) ?? [];
    this.slots.set(socket, queue);
    const slot: Slot = { head, response, body: undefined, dropped: false };
    queue.push(slot);
    const chunks: Uint8Array[] = [];
    let size = 0;
    const idle = setTimeout(() => fail(408, 'The message did not arrive in time'), this.options.bodyIdleMs);
    const fail = (status: number, sentence: string): void => {
      slot.dropped = true;
      answer(response, status, sentence);
      response.once('finish', () => socket.destroySoon());
    };
    request.on('data', (chunk: Uint8Array) => {
      if (slot.dropped) return;
      idle.refresh();
      size += chunk.length;
      if (size > this.options.maxMessageBytes)
        fail(413, `The message is too large: at most ${this.options.maxMessageBytes} bytes are taken`);
      else chunks.push(chunk);
    });
    request.once('end', () => {
      slot.body = chunks.length === 0 ? EMPTY : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size);
    });
    request.once('close', () => {
      clearTimeout(idle);
      if (slot.body === undefined) slot.dropped = true;
      this.flush(queue);
    });
    request.once('end', () => this.flush(queue));
    request.on('error', () => {});
  }

  private flush(queue: Slot[]): void {
    for (let slot = queue[0]; slot !== undefined; slot = queue[0]) {
      if (!slot.dropped && slot.body === undefined) return;
      queue.shift();
      if (slot.dropped) continue;
      if (this.deliver(slot.head, slot.body ?? EMPTY)) answer(slot.response, 202, '');
      else answer(slot.response, 404, '404 Not Found.');
    }
  }
}

function answer(response: ServerResponse, status: number, sentence: string): void {
  if (response.headersSent) return;
  const headers: Record<string, string | number> = { 'content-length': Buffer.byteLength(sentence) };
  if (sentence !== '') headers['content-type'] = 'text/plain; charset=utf-8';
  response.writeHead(status, headers);
  response.end(sentence);
}
