import type { EnumType } from './enum.ts';
import { MAX_DEPTH, WireFault } from './fault.ts';
import type { Pool } from './pool.ts';
import { readUtf8 } from './utf8.ts';

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const TWO_32 = 2 ** 32;

/** Positions of the fields that were not understood: start, end, start, end, … */
export type Unknown = number[];

/**
 * A cursor over one protobuf message, used by the generated decoders. Every method throws WireFault where the bytes end or lie;
 * nothing is allocated on the word of a length that the bytes do not bear out.
 */
export class Reader {
  readonly bytes: Uint8Array;
  pos = 0;
  /** Where the message being read ends. */
  end: number;
  /** How many messages deep the cursor is: the outermost is 0. */
  depth = 0;
  #low = 0;
  #high = 0;

  readonly #pool: Pool | undefined;
  #view: DataView | undefined;

  /** @param pool where messages are looked for that were read before */
  constructor(bytes: Uint8Array, pool?: Pool) {
    this.bytes = bytes;
    this.end = bytes.length;
    this.#pool = pool;
  }

  get view(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return this.#view;
  }

  /** Field number and wire type as one number, as the generated `switch` has them. */
  tag(): number {
    const byte = this.bytes[this.pos]!;
    if (byte < 0x80) {
      this.pos++;
      if (byte < 8) throw new WireFault('there is no field number 0');
      return byte;
    }
    this.#varint();
    if (this.#high !== 0 || this.#low >>> 3 === 0) throw new WireFault('this is not a field number of protobuf');
    return this.#low >>> 0;
  }

  /** Reads up to ten bytes into the two halves. */
  #varint(): void {
    const { bytes, end } = this;
    let pos = this.pos;
    let byte = pos < end ? bytes[pos++]! : this.#cut();
    let low = byte & 0x7f;
    let high = 0;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 63) throw new WireFault('a number is longer than ten bytes');
      byte = pos < end ? bytes[pos++]! : this.#cut();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
    }
    this.pos = pos;
    this.#low = low;
    this.#high = high;
  }

  #cut(): never {
    throw new WireFault('the bytes end in the middle of a field');
  }

  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  uint32(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : this.#cut();
    if (byte < 0x80) {
      this.pos++;
      return byte;
    }
    this.#varint();
    return this.#low >>> 0;
  }

  /** Beyond 2^53 the nearest double. */
  int64(): number {
    this.#varint();
    return (this.#high | 0) * TWO_32 + (this.#low >>> 0);
  }

  /** Beyond 2^53 the nearest double. */
  uint64(): number {
    this.#varint();
    return (this.#high >>> 0) * TWO_32 + (this.#low >>> 0);
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  double(): number {
    const at = this.#take(8);
    for (let i = 0; i < 8; i++) doubleBytes[i] = this.bytes[at + i]!;
    return double[0]!;
  }

  /** A number that this version does not know gives undefined: the field then belongs to the unknown ones. */
  enum<E extends string>(type: EnumType<E>): E | undefined {
    return type.of(this.int32());
  }

  string(): string {
    const length = this.#length();
    const at = this.#take(length);
    return readUtf8(this.bytes, at, at + length);
  }

  /** A copy: a message must not hold on to the buffer that it came in. What `slice` of Node's buffers gives is a view. */
  byteString(): Uint8Array {
    const length = this.#length();
    const at = this.#take(length);
    return Uint8Array.prototype.slice.call(this.bytes, at, at + length);
  }

  #length(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : this.#cut();
    if (byte < 0x80) {
      this.pos++;
      return byte;
    }
    this.#varint();
    return (this.#high >>> 0) * TWO_32 + (this.#low >>> 0);
  }

  #take(length: number): number {
    const at = this.pos;
    if (length > this.end - at) {
      throw new WireFault(`a field says that it has ${length} bytes, but ${this.end - at} are left`);
    }
    this.pos = at + length;
    return at;
  }

  /** Enters a nested message (or a packed list). @returns what `close` wants back */
  open(): number {
    const length = this.#length();
    const at = this.#take(length);
    if (++this.depth > MAX_DEPTH) throw new WireFault(`messages are nested more than ${MAX_DEPTH} deep`);
    const outer = this.end;
    this.end = this.pos;
    this.pos = at;
    return outer;
  }

  close(outer: number): void {
    this.depth--;
    this.end = outer;
  }

  /** Reads a nested message, or takes an equal one from the pool. @param into what came of the same field before */
  pooled<T extends object>(decode: (reader: Reader, into?: T) => T, into?: T): T {
    const pool = this.#pool;
    const outer = this.open();
    // A field that comes twice is merged, which must not change what others hold.
    const message =
      pool === undefined || into !== undefined
        ? decode(this, pool === undefined ? into : copyOf(into))
        : pool.take(this, decode);
    this.close(outer);
    return message;
  }

  /** A list of messages that came from a pool, or an equal one that others have. */
  sameList<T extends object>(list: T[]): T[] {
    return this.#pool === undefined ? list : this.#pool.list(list);
  }

  /** Notes that the field from `start` to here was not understood. */
  unknown(list: Unknown | undefined, start: number): Unknown {
    if (list === undefined) return [start, this.pos];
    if (list[list.length - 1] === start) list[list.length - 1] = this.pos;
    else list.push(start, this.pos);
    return list;
  }

  /** Skips a field that the message does not have, and notes it. */
  skip(tag: number, list: Unknown | undefined, start: number): Unknown {
    this.#skip(tag, this.depth);
    return this.unknown(list, start);
  }

  #skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#take(8);
        return;
      case 2:
        this.#take(this.#length());
        return;
      case 3:
        this.#skipGroup(tag, depth);
        return;
      case 5:
        this.#take(4);
        return;
      default:
        throw new WireFault(`a field has wire type ${tag & 7}, which protobuf does not use here`);
    }
  }

  #skipGroup(tag: number, depth: number): void {
    if (depth >= MAX_DEPTH) throw new WireFault(`messages are nested more than ${MAX_DEPTH} deep`);
    while (this.pos < this.end) {
      const inner = this.tag();
      if (inner === tag + 1) return;
      this.#skip(inner, depth + 1);
    }
    this.#cut();
  }

  /** The bytes of all fields that were not understood, in their order. */
  gather(list: Unknown, before: Uint8Array | undefined): Uint8Array {
    let size = before?.length ?? 0;
    for (let i = 0; i < list.length; i += 2) size += list[i + 1]! - list[i]!;
    const all = new Uint8Array(size);
    let at = 0;
    if (before) {
      all.set(before);
      at = before.length;
    }
    for (let i = 0; i < list.length; i += 2) {
      all.set(this.bytes.subarray(list[i]!, list[i + 1]!), at);
      at += list[i + 1]! - list[i]!;
    }
    return all;
  }
}

/** A copy that shares nothing but bytes. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) as T;
}

/** A required field that never came. */
export function absent(field: string): never {
  throw new WireFault('is required, but missing', field);
}

/** Sets a key of a map, also one named `__proto__`. */
export function putEntry<V>(
  map: { readonly [key: string]: V } | undefined,
  key: string,
  value: V,
): { [key: string]: V } {
  const into: { [key: string]: V } = map ?? {};
  if (key === '__proto__')
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
  return into;
}
