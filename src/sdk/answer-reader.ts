/** Reads HTTP/1.1 answers that come one after the other on one connection, in whatever portions they arrive. */
import { err, ok, type Result } from '../base/result.ts';

export interface ReadAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Nothing follows: requests that were sent after this one were not looked at. */
  readonly isLast: boolean;
}

/** More than any answer to a call has. */
const MAX_HEAD = 64 * 1024;
const MAX_BODY = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const END_OF_HEAD = '\r\n\r\n';

type Framing =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Everything until the connection ends. */
  | { readonly kind: 'rest' };

interface Head {
  readonly status: number;
  readonly framing: Framing;
  readonly isLast: boolean;
}

export class AnswerReader {
  #rest: Buffer = NOTHING;
  #head: Head | undefined;
  /** Of a chunked body: what was read so far. */
  #chunks: Buffer[] = [];
  #size = 0;

  /** @returns the answers that are whole by now, or why this is no HTTP */
  push(bytes: Buffer): Result<readonly ReadAnswer[]> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const answers: ReadAnswer[] = [];
    for (;;) {
      const next = this.#next();
      if (!next.ok) return next;
      if (next.value === undefined) return ok(answers);
      answers.push(next.value);
    }
  }

  /** The connection has ended. @returns the answer that was whole only by that, if there is one */
  end(): ReadAnswer | undefined {
    const head = this.#head;
    if (head?.framing.kind !== 'rest') return undefined;
    this.#head = undefined;
    return { status: head.status, body: this.#rest, isLast: true };
  }

  #next(): Result<ReadAnswer | undefined> {
    while (this.#head === undefined) {
      const head = this.#readHead();
      if (!head.ok) return head;
      if (head.value === undefined) return ok(undefined);
      // 1xx only says that the answer is on its way.
      if (head.value.status >= 200) this.#head = head.value;
    }
    const { status, framing, isLast } = this.#head;
    const body = this.#readBody(framing);
    if (!body.ok) return body;
    if (body.value === undefined) return ok(undefined);
    this.#head = undefined;
    return ok({ status, body: body.value, isLast });
  }

  #readHead(): Result<Head | undefined> {
    const end = this.#rest.indexOf(END_OF_HEAD);
    if (end < 0) {
      if (this.#rest.length <= MAX_HEAD) return ok(undefined);
      return err(`the head of an answer is longer than ${MAX_HEAD} bytes`);
    }
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    this.#rest = this.#rest.subarray(end + END_OF_HEAD.length);
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
    if (status === undefined) return err(`'${first.slice(0, 80)}' is not how an HTTP answer begins`);
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, Math.max(colon, 0)).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const framing = framingOf(Number(status), headers);
    if (!framing.ok) return framing;
    const connection = headers.get('connection')?.toLowerCase() ?? '';
    const isLast =
      framing.value.kind === 'rest' ||
      connection === 'close' ||
      (first.startsWith('HTTP/1.0') && connection !== 'keep-alive');
    return ok({ status: Number(status), framing: framing.value, isLast });
  }

  #readBody(framing: Framing): Result<Buffer | undefined> {
    if (framing.kind === 'chunked') return this.#readChunks();
    if (framing.kind === 'rest') {
      return this.#rest.length > MAX_BODY ? err(tooLong) : ok(undefined);
    }
    return ok(this.#take(framing.length));
  }

  #readChunks(): Result<Buffer | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end < 0) return this.#rest.length > MAX_HEAD ? err('a chunk of an answer has no length') : ok(undefined);
      const digits = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(this.#rest.toString('latin1', 0, end))?.[1];
      if (digits === undefined) return err('a chunk of an answer has no length');
      const length = Number.parseInt(digits, 16);
      if (this.#size + length > MAX_BODY) return err(tooLong);
      if (length === 0) return this.#endOfChunks(end);
      if (this.#rest.length < end + 2 + length + 2) return ok(undefined);
      this.#chunks.push(this.#rest.subarray(end + 2, end + 2 + length));
      this.#size += length;
      this.#rest = this.#rest.subarray(end + 2 + length + 2);
    }
  }

  /** After the last chunk there may be lines like those of a head; an empty one is the end. @param at where its own line ends */
  #endOfChunks(at: number): Result<Buffer | undefined> {
    const end = this.#rest.indexOf(END_OF_HEAD, at);
    if (end < 0) return this.#rest.length > MAX_HEAD ? err('an answer does not end') : ok(undefined);
    this.#rest = this.#rest.subarray(end + END_OF_HEAD.length);
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    return ok(body);
  }

  #take(length: number): Buffer | undefined {
    if (this.#rest.length < length) return undefined;
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}

const tooLong = `the body of an answer is longer than ${MAX_BODY} bytes`;

function framingOf(status: number, headers: ReadonlyMap<string, string>): Result<Framing> {
  if (status < 200 || status === 204 || status === 304) return ok({ kind: 'length', length: 0 });
  const encoding = headers.get('transfer-encoding')?.toLowerCase();
  if (encoding === 'chunked') return ok({ kind: 'chunked' });
  if (encoding !== undefined && encoding !== 'identity') return err(`the transfer encoding '${encoding}' is not known`);
  const text = headers.get('content-length');
  if (text === undefined) return ok({ kind: 'rest' });
  if (!/^\d{1,15}$/.test(text)) return err(`'${text}' is no Content-Length`);
  return Number(text) > MAX_BODY ? err(tooLong) : ok({ kind: 'length', length: Number(text) });
}
