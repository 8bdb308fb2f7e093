/**
 * Calls on their way to a master: all on one connection, in the order in which they were made, and back to back. Waiting for
 * each answer before the next call would bound a framework to one call a round trip; the master takes the calls of a
 * connection one after the other anyway, and answers in the same order.
 */
import { connect, type Socket } from 'node:net';
import { AnswerReader, type ReadAnswer } from './answer-reader.ts';
import { type Address, formatAddress } from './core/address.ts';
import type { Credential } from './exchange.ts';

export interface ChannelOptions {
  readonly address: Address;
  readonly path: string;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly credential?: Credential;
  /** How long the next answer may stay out, in ms. */
  readonly answerWithin?: number;
  /** How long connecting may take, in ms. */
  readonly connectWithin?: number;
}

interface Pending {
  readonly bytes: Uint8Array;
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class CallChannel {
  readonly #options: ChannelOptions;
  readonly #head: string;
  /** Sent or to be sent, not answered; oldest first, from `#first` on. */
  #pending: Pending[] = [];
  #first = 0;
  /** Up to here they are handed to the socket. */
  #sent = 0;
  /** So many may wait for their answers at once: all, unless connections turn out to end before that. */
  #window = Number.POSITIVE_INFINITY;
  /** Answers that came on this connection. */
  #served = 0;
  #socket: Socket | undefined;
  #isFlushDue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChannelOptions) {
    const { address, path, headers, credential } = options;
    this.#options = options;
    const lines = { Host: formatAddress(address), ...headers, ...(credential && { Authorization: basic(credential) }) };
    const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#head = `POST ${path} HTTP/1.1\r\n${text.join('')}`;
  }

  /** Sends a body, after all that were sent before. @throws Error when the connection ends without an answer to it */
  send(body: Uint8Array): Promise<ReadAnswer> {
    const head = Buffer.from(`${this.#head}Content-Length: ${body.length}\r\n\r\n`, 'latin1');
    return new Promise((resolve, reject) => {
      this.#pending.push({ bytes: Buffer.concat([head, body]), resolve, reject });
      if (this.#isFlushDue) return;
      this.#isFlushDue = true;
      // Together with all others of this turn of the event loop.
      process.nextTick(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    });
  }

  /** Ends the connection; whatever has no answer yet gets none. */
  close(): void {
    this.#fail(new Error('the connection was closed'));
  }

  #flush(): void {
    const until = Math.min(this.#pending.length, this.#first + this.#window);
    if (this.#sent >= until) return;
    this.#socket ??= this.#connect();
    const bytes = this.#pending.slice(this.#sent, until).map((each) => each.bytes);
    this.#socket.write(bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes));
    this.#sent = until;
    this.#timer ??= this.#watch();
  }

  #connect(): Socket {
    const { address, connectWithin = 5_000 } = this.#options;
    const { host, port } = address;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    const reader = new AnswerReader();
    const fail = (error: Error): void => {
      if (this.#socket === socket) this.#fail(error);
    };
    socket.setTimeout(connectWithin, () =>
      fail(new Error(`no connection to ${formatAddress(address)} within ${connectWithin} ms`)),
    );
    socket.once('connect', () => socket.setTimeout(0));
    socket.on('error', fail);
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      const answers = reader.push(chunk);
      if (!answers.ok) return fail(new Error(answers.error));
      for (const answer of answers.value) if (this.#socket === socket) this.#take(answer);
    });
    socket.once('close', () => {
      const last = this.#socket === socket ? reader.end() : undefined;
      if (last) this.#take(last);
      fail(new Error('the master closed the connection'));
    });
    return socket;
  }

  #take(answer: ReadAnswer): void {
    if (this.#first === this.#sent) {
      this.#fail(new Error('there was an answer to nothing'));
      return;
    }
    this.#pending[this.#first++]!.resolve(answer);
    this.#served++;
    if (this.#first > 1_000 || this.#first === this.#pending.length) {
      this.#pending = this.#pending.slice(this.#first);
      this.#sent -= this.#first;
      this.#first = 0;
    }
    if (this.#sent > this.#first) this.#timer?.refresh();
    else this.#unwatch();
    if (answer.isLast) this.#begin();
    else this.#flush();
  }

  /** The connection takes no more: whatever was sent after the last answer was not looked at, and goes another way. */
  #begin(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#sent = this.#first;
    this.#window = this.#served;
    this.#served = 0;
    this.#flush();
  }

  #watch(): NodeJS.Timeout {
    const { address, answerWithin = 30_000 } = this.#options;
    return setTimeout(
      () => this.#fail(new Error(`no answer from ${formatAddress(address)} within ${answerWithin} ms`)),
      answerWithin,
    );
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fail(error: Error): void {
    const socket = this.#socket;
    this.#served = 0;
    const lost = this.#pending.slice(this.#first);
    this.#socket = undefined;
    this.#pending = [];
    this.#first = 0;
    this.#sent = 0;
    this.#unwatch();
    socket?.destroy();
    for (const { reject } of lost) reject(error);
  }
}

function basic({ principal, secret }: Credential): string {
  return `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`;
}
