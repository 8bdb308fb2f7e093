import type { Reader } from './reader.ts';

/** Slots; a power of two. Each holds the last message that was read with a hash that ends so. */
const SLOTS = 8192;
/** Longer messages are seldom equal, and costly to compare. */
const MAX_BYTES = 1024;

type Decode<T> = (reader: Reader, into?: T) => T;

interface Slot {
  readonly decode: Decode<never>;
  readonly bytes: Uint8Array;
  readonly message: object;
}

/**
 * Messages that were read lately, by their bytes. The tasks of a cluster have few different resources and labels: to read
 * each of these once saves time, and the memory of all copies but one. What comes out of a pool is held by many: nobody may
 * change it.
 */
export class Pool {
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);

  /** Reads what is left of the reader's message. @param decode stands for the type */
  take<T extends object>(reader: Reader, decode: Decode<T>): T {
    const { bytes, pos, end } = reader;
    if (end - pos > MAX_BYTES) return decode(reader);
    const at = hash(bytes, pos, end) & (SLOTS - 1);
    const slot = this.#slots[at];
    if (slot !== undefined && slot.decode === decode && isEqual(slot.bytes, bytes, pos, end)) {
      reader.pos = end;
      return slot.message as T;
    }
    const message = decode(reader);
    this.#slots[at] = { decode, bytes: bytes.slice(pos, end), message };
    return message;
  }
}

/** Four bytes at a time. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let sum = to - from;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    sum = Math.imul(sum ^ word, 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  for (; at < to; at++) sum = Math.imul(sum ^ bytes[at]!, 0x01000193);
  return sum ^ (sum >>> 16);
}

function isEqual(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}
