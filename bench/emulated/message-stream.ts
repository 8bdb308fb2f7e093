/** Takes libprocess messages out of a connection's bytes, at less cost than an HTTP server does: an emulator has thousands of agents to feed. */
import { decodeHead, senderOf } from '../../src/libprocess/encoding.ts';

/** One message. The body is a view of what was received. */
export interface Received {
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly body: Uint8Array;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const EMPTY = new Uint8Array(0);

/** Reads what libprocess writes: a POST whose body is absent, or in chunks, or of a stated length. */
export class MessageStream {
  private rest: Buffer = Buffer.alloc(0);

  /** @returns the messages that are complete now @throws Error when something else than a message comes */
  push(chunk: Buffer): Received[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const found: Received[] = [];
    let at = 0;
    for (let next = this.read(at, found); next !== undefined; next = this.read(at, found)) at = next;
    this.rest = this.rest.subarray(at);
    return found;
  }

  /** Reads one message. @returns where the next one begins, or undefined if this one is not complete */
  private read(at: number, found: Received[]): number | undefined {
    const end = this.rest.indexOf(HEAD_END, at);
    if (end < 0) return undefined;
    const [line = '', ...lines] = this.rest.toString('latin1', at, end).split('\r\n');
    const headers = new Map(lines.map((header) => splitHeader(header)));
    const [method, target = ''] = line.split(' ');
    const sender = senderOf(method, {
      'user-agent': headers.get('user-agent'),
      'libprocess-from': headers.get('libprocess-from'),
    });
    const head = sender === undefined ? undefined : decodeHead(sender, target);
    if (!head?.ok) throw new Error(`'${line}' does not begin a message`);
    const isChunked = headers.get('transfer-encoding') === 'chunked';
    const start = end + HEAD_END.length;
    const body = isChunked
      ? this.readChunks(start)
      : this.readLength(start, Number(headers.get('content-length') ?? 0));
    if (body === undefined) return undefined;
    const { from, to, name } = head.value;
    found.push({ from, to, name, body: body.bytes });
    return body.next;
  }

  private readLength(start: number, length: number): { bytes: Uint8Array; next: number } | undefined {
    const next = start + length;
    return next > this.rest.length ? undefined : { bytes: this.rest.subarray(start, next), next };
  }

  private readChunks(start: number): { bytes: Uint8Array; next: number } | undefined {
    const parts: Uint8Array[] = [];
    for (let at = start; ; ) {
      const lineEnd = this.rest.indexOf(LINE_END, at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.rest.toString('latin1', at, lineEnd), 16);
      if (Number.isNaN(size)) throw new Error('a chunk of a message does not begin with its size');
      const from = lineEnd + LINE_END.length;
      const next = from + size + LINE_END.length;
      if (next > this.rest.length) return undefined;
      if (size > 0) parts.push(this.rest.subarray(from, from + size));
      else return { bytes: parts.length < 2 ? (parts[0] ?? EMPTY) : Buffer.concat(parts), next };
      at = next;
    }
  }
}

function splitHeader(header: string): [string, string] {
  const colon = header.indexOf(':');
  return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
}
