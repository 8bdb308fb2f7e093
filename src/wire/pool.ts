import { copyBytes } from './bytes.ts';

/** Slots; a power of two. Each holds the last message that was read with a hash that ends so. */
const SLOTS = 8192;
/** Longer messages are seldom equal, and costly to compare. */
const MAX_BYTES = 1024;

/** As much of a reader as is needed here. */
interface Source {
  pos: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

interface Slot {
  readonly decode: unknown;
  readonly bytes: DataView;
  readonly message: object;
}

/**
 * Messages that were read lately, by their bytes. The tasks of a cluster have few different resources and labels: to read
 * each of these once saves time, and the memory of all copies but one. What comes out of a pool is held by many: nobody may
 * change it.
 */
export class Pool {
  /** By their last items. */
  readonly #lists = new Map<object, object[]>();
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);

  /** Reads what is left of the reader's message. @param decode stands for the type */
  take<T extends object, S extends Source>(reader: S, decode: (reader: S) => T): T {
    const { pos, end, view } = reader;
    if (end - pos > MAX_BYTES) return decode(reader);
    const at = hash(view, pos, end) & (SLOTS - 1);
    const slot = this.#slots[at];
    if (slot !== undefined && slot.decode === decode && isEqual(slot.bytes, view, pos, end)) {
      reader.pos = end;
      return slot.message as T;
    }
    const message = decode(reader);
    this.#slots[at] = { decode, bytes: new DataView(copyBytes(reader.bytes, pos, end).buffer), message };
    return message;
  }

  /** A list with the same items, if there was one lately. */
  list<T extends object>(list: T[]): T[] {
    const last = list.at(-1);
    if (last === undefined) return list;
    const known = this.#lists.get(last);
    if (known?.length === list.length && list.every((item, at) => item === known[at])) return known as T[];
    if (this.#lists.size >= SLOTS) this.#lists.clear();
    // A list that grew has room for more, which this one does not need.
    const exact = list.slice();
    this.#lists.set(last, exact);
    return exact;
  }
}

/** Of so many words, taken all over the bytes: what differs in others only shares a slot, and is not found as often. */
const WORDS = 12;

/** Four bytes at a time. */
function hash(bytes: DataView, from: number, to: number): number {
  const length = to - from;
  let sum = length;
  let at = from;
  const step = length <= 4 * WORDS ? 4 : (length / WORDS) | 0;
  for (; at + 4 <= to; at += step) {
    sum = Math.imul(sum ^ bytes.getInt32(at), 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  if (length >= 4) return mix(sum ^ bytes.getInt32(to - 4));
  for (; at < to; at++) sum = Math.imul(sum ^ bytes.getUint8(at), 0x01000193);
  return mix(sum);
}

function mix(sum: number): number {
  const more = Math.imul(sum, 0x9e3779b1);
  return more ^ (more >>> 16);
}

function isEqual(known: DataView, bytes: DataView, from: number, to: number): boolean {
  const length = known.byteLength;
  if (length !== to - from) return false;
  let at = 0;
  for (; at + 4 <= length; at += 4) if (known.getInt32(at) !== bytes.getInt32(from + at)) return false;
  for (; at < length; at++) if (known.getUint8(at) !== bytes.getUint8(from + at)) return false;
  return true;
}
