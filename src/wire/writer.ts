import type { EnumType } from './enum.ts';
import { MAX_DEPTH, WireFault } from './fault.ts';
import { writeUtf8 } from './utf8.ts';

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const TWO_32 = 2 ** 32;

/** A buffer that grew beyond this is given back after its message, not kept for the next. */
const KEEP = 1 << 20;
let spare: Uint8Array | undefined = new Uint8Array(1 << 14);

/**
 * Writes one protobuf message, used by the generated encoders. A nested message is written after one byte left free for its
 * length; if the length wants more, the message is moved. One buffer serves all messages, one after the other.
 */
export class Writer {
  #bytes: Uint8Array;
  #pos = 0;
  #depth = 0;

  constructor() {
    this.#bytes = spare ?? new Uint8Array(1 << 14);
    spare = undefined;
  }

  /** A copy of what was written. The writer is done with. */
  finish(): Uint8Array {
    const message = this.#bytes.slice(0, this.#pos);
    this.release();
    return message;
  }

  release(): void {
    if (this.#bytes.length <= KEEP) spare = this.#bytes;
  }

  #reserve(size: number): void {
    if (this.#bytes.length - this.#pos >= size) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#pos + size));
    larger.set(this.#bytes.subarray(0, this.#pos));
    this.#bytes = larger;
  }

  /** An unsigned number of up to 32 bits, where five bytes were reserved. */
  #small(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#pos++] = rest;
  }

  #wide(low: number, high: number): void {
    let l = low >>> 0;
    let h = high >>> 0;
    while (h !== 0 || l >= 0x80) {
      this.#bytes[this.#pos++] = (l & 0x7f) | 0x80;
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#bytes[this.#pos++] = l;
  }

  uint32(tag: number, value: number): void {
    if (!(value >= 0 && value < TWO_32 && Number.isInteger(value))) throw new WireFault(`${value} is not a uint32`);
    this.#reserve(10);
    this.#small(tag);
    this.#small(value);
  }

  int32(tag: number, value: number): void {
    if ((value | 0) !== value) throw new WireFault(`${value} is not an int32`);
    this.#reserve(15);
    this.#small(tag);
    if (value >= 0) this.#small(value);
    else this.#wide(value, -1);
  }

  /** 2^64 itself is what the largest numbers are rounded to when read: it is written as the largest. */
  uint64(tag: number, value: number): void {
    if (!(value >= 0 && value <= 2 ** 64 && Number.isInteger(value))) throw new WireFault(`${value} is not a uint64`);
    this.#reserve(15);
    this.#small(tag);
    if (value < TWO_32) this.#small(value);
    else if (value === 2 ** 64) this.#wide(-1, -1);
    else this.#wide(value % TWO_32, Math.floor(value / TWO_32));
  }

  /** As uint64: 2^63 is written as the largest. */
  int64(tag: number, value: number): void {
    if (!(value >= -(2 ** 63) && value <= 2 ** 63 && Number.isInteger(value)))
      throw new WireFault(`${value} is not an int64`);
    this.#reserve(15);
    this.#small(tag);
    if (value === 2 ** 63) this.#wide(-1, 0x7fffffff);
    else {
      const high = Math.floor(value / TWO_32);
      this.#wide(value - high * TWO_32, high);
    }
  }

  bool(tag: number, value: boolean): void {
    this.#reserve(6);
    this.#small(tag);
    this.#bytes[this.#pos++] = value ? 1 : 0;
  }

  double(tag: number, value: number): void {
    if (typeof value !== 'number') throw new WireFault(`${value} is not a number`);
    this.#reserve(13);
    this.#small(tag);
    double[0] = value;
    this.#bytes.set(doubleBytes, this.#pos);
    this.#pos += 8;
  }

  enum<E extends string>(tag: number, value: E, type: EnumType<E>): void {
    const number = type.has(value) ? type.numbers[value] : undefined;
    if (number === undefined) throw new WireFault(`'${value}' is not one of ${type.name}: ${type.values.join(', ')}`);
    this.int32(tag, number);
  }

  string(tag: number, value: string): void {
    if (typeof value !== 'string') throw new WireFault(`${value} is not a string`);
    this.#reserve(10 + value.length * 3);
    this.#small(tag);
    const at = this.#pos + 1;
    const end = writeUtf8(value, this.#bytes, at);
    this.#close(at, end);
  }

  byteString(tag: number, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw new WireFault('bytes must be a Uint8Array');
    this.#reserve(10 + value.length);
    this.#small(tag);
    this.#small(value.length);
    this.#bytes.set(value, this.#pos);
    this.#pos += value.length;
  }

  /** Starts a nested message. @returns what `close` wants back */
  open(tag: number): number {
    if (++this.#depth > MAX_DEPTH) throw new WireFault(`messages are nested more than ${MAX_DEPTH} deep`);
    this.#reserve(10);
    this.#small(tag);
    return ++this.#pos;
  }

  close(at: number): void {
    this.#depth--;
    this.#reserve(4);
    this.#close(at, this.#pos);
  }

  /** Writes the length of what lies between `at` and `end` before it. */
  #close(at: number, end: number): void {
    const length = end - at;
    if (length < 0x80) {
      this.#bytes[at - 1] = length;
      this.#pos = end;
      return;
    }
    const extra = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : length < 1 << 28 ? 3 : 4;
    this.#bytes.copyWithin(at + extra, at, end);
    this.#pos = at - 1;
    this.#small(length);
    this.#pos = end + extra;
  }

  /** Fields that were not understood when the message was read, as they came. */
  unknown(fields: Uint8Array): void {
    this.#reserve(fields.length);
    this.#bytes.set(fields, this.#pos);
    this.#pos += fields.length;
  }
}
