import { err, ok, type Result } from '../base/result.ts';

const NEWLINE = 10;
const ZERO = 48;

/** The largest record that a reader takes unless told otherwise: 64 MiB, protobuf's own customary limit. */
export const MAX_RECORD = 64 * 1024 * 1024;

/** One RecordIO record: its length in decimal digits, a newline, the bytes. */
export function encodeRecord(bytes: Uint8Array): Uint8Array {
  const head = `${bytes.length}\n`;
  const record = new Uint8Array(head.length + bytes.length);
  for (let i = 0; i < head.length; i++) record[i] = head.charCodeAt(i);
  record.set(bytes, head.length);
  return record;
}

/**
 * Takes a RecordIO stream in chunks, cut anywhere, and gives its records. Memory grows with the bytes that have come, never with
 * the length that a record claims. After an error the stream cannot be read any further: every later push repeats the error.
 */
export class RecordReader {
  readonly #max: number;
  #error: string | undefined;
  /** The length read so far, or undefined before its first digit. */
  #length: number | undefined;
  #inBody = false;
  #body = new Uint8Array(0);
  #filled = 0;

  /** @param max the largest record in bytes */
  constructor(max: number = MAX_RECORD) {
    this.#max = max;
  }

  /** @returns the records that this chunk completed, none of which shares memory with it */
  push(chunk: Uint8Array): Result<Uint8Array[]> {
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length && this.#error === undefined) {
      at = this.#inBody ? this.#takeBody(chunk, at, records) : this.#takeHeader(chunk, at, records);
    }
    return this.#error === undefined ? ok(records) : err(this.#error);
  }

  /** Whether the stream may end here: no record is incomplete. */
  get atBoundary(): boolean {
    return this.#error === undefined && !this.#inBody && this.#length === undefined;
  }

  #takeHeader(chunk: Uint8Array, from: number, records: Uint8Array[]): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === NEWLINE && this.#length !== undefined) {
        this.#inBody = true;
        // A record of length 0 is complete before any byte of a body comes.
        return this.#takeBody(chunk, at + 1, records);
      }
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9)
        return this.#fail(
          `a record's length is written in decimal digits and ends with a newline, but byte ${byte} came`,
        );
      this.#length = (this.#length ?? 0) * 10 + digit;
      if (this.#length > this.#max)
        return this.#fail(
          `a record says that it is ${this.#length} bytes long or longer; the most that is read is ${this.#max}`,
        );
    }
    return at;
  }

  #takeBody(chunk: Uint8Array, at: number, records: Uint8Array[]): number {
    const wanted = this.#length! - this.#filled;
    if (chunk.length - at < wanted) {
      this.#keep(chunk.subarray(at));
      return chunk.length;
    }
    const end = at + wanted;
    if (this.#filled === 0) {
      records.push(chunk.slice(at, end));
    } else {
      this.#keep(chunk.subarray(at, end));
      records.push(this.#body.slice(0, this.#filled));
    }
    this.#inBody = false;
    this.#length = undefined;
    this.#filled = 0;
    this.#body = new Uint8Array(0);
    return end;
  }

  #keep(part: Uint8Array): void {
    const needed = this.#filled + part.length;
    if (needed > this.#body.length) {
      const larger = new Uint8Array(Math.min(this.#length!, Math.max(needed, this.#body.length * 2)));
      larger.set(this.#body.subarray(0, this.#filled));
      this.#body = larger;
    }
    this.#body.set(part, this.#filled);
    this.#filled = needed;
  }

  #fail(why: string): number {
    this.#error = `this is not a RecordIO stream: ${why}`;
    return 0;
  }
}
