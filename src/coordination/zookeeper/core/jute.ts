/** ZooKeeper's serialization: big-endian numbers, and texts and buffers with their length in front. */
import { err, ok, type Result } from '../../../base/result.ts';
import { readUtf8, writeUtf8 } from '../../../wire/utf8.ts';

/** Builds one record. Grows as needed. */
export class JuteWriter {
  private bytes = new Uint8Array(128);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  int(value: number): this {
    this.reserve(4);
    this.view.setInt32(this.length, value);
    this.length += 4;
    return this;
  }

  long(value: bigint): this {
    this.reserve(8);
    this.view.setBigInt64(this.length, value);
    this.length += 8;
    return this;
  }

  bool(value: boolean): this {
    this.reserve(1);
    this.bytes[this.length++] = value ? 1 : 0;
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  string(value: string): this {
    this.reserve(4 + value.length * 3);
    const start = this.length + 4;
    const end = writeUtf8(value, this.bytes, start);
    this.view.setInt32(this.length, end - start);
    this.length = end;
    return this;
  }

  strings(values: readonly string[]): this {
    this.int(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  /** The record with its length in front, as it goes over a connection. */
  frame(): Uint8Array {
    const framed = new Uint8Array(4 + this.length);
    new DataView(framed.buffer).setInt32(0, this.length);
    framed.set(this.bytes.subarray(0, this.length), 4);
    return framed;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** A record that is shorter than what it is said to hold. */
export class Truncated extends Error {}

/** Reads one record. Every method throws `Truncated` where the bytes end too early; `readRecord` makes a value of it. */
export class JuteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  int(): number {
    return this.view.getInt32(this.take(4));
  }

  long(): bigint {
    return this.view.getBigInt64(this.take(8));
  }

  bool(): boolean {
    return this.bytes[this.take(1)] !== 0;
  }

  /** A copy: what it came from may be a large chunk. A length of -1, which stands for "none", reads as empty. */
  buffer(): Uint8Array {
    const length = this.int();
    if (length <= 0) return new Uint8Array(0);
    const start = this.take(length);
    return this.bytes.slice(start, start + length);
  }

  string(): string {
    const length = this.int();
    if (length <= 0) return '';
    const start = this.take(length);
    return readUtf8(this.bytes, start, start + length);
  }

  strings(): string[] {
    return this.list(() => this.string());
  }

  list<T>(item: () => T): T[] {
    const count = this.int();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  private take(length: number): number {
    const start = this.at;
    if (start + length > this.bytes.length) {
      throw new Truncated(`${length} bytes expected at offset ${start} of a record of ${this.bytes.length}`);
    }
    this.at += length;
    return start;
  }
}

/** Reads a record; a record that is too short is an error, not an exception. */
export function readRecord<T>(bytes: Uint8Array, read: (reader: JuteReader) => T): Result<T> {
  try {
    return ok(read(new JuteReader(bytes)));
  } catch (error) {
    if (error instanceof Truncated) return err(error.message);
    throw error;
  }
}

/** Larger frames are an error: a server never sends them (`jute.maxbuffer` is 1 MB, and 4 MB where it was raised). */
const MAX_FRAME = 16 * 1024 * 1024;

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  private rest = new Uint8Array(0);

  /** @returns the frames that are complete now, without their lengths */
  push(chunk: Uint8Array): Result<Uint8Array[]> {
    const bytes = this.rest.length === 0 ? chunk : joined(this.rest, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = view.getInt32(at);
      if (length < 0 || length > MAX_FRAME) return err(`a frame of ${length} bytes is announced: this is no ZooKeeper`);
      if (bytes.length - at - 4 < length) break;
      frames.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.rest = bytes.slice(at);
    return ok(frames);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
