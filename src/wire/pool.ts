/** Slots; a power of two. Each holds the last message that was read with a hash that ends so. */
const SLOTS = 8192;
/** Longer messages are seldom equal, and costly to compare. */
const MAX_BYTES = 1024;
/** Room for the bytes of all: the oldest are written over. */
const ROOM = 2 ** 20;

/** As much of a reader as is needed here. */
interface Source {
  pos: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

interface Slot {
  readonly decode: unknown;
  /** Where its bytes begin, in a count of all that were ever kept. */
  readonly start: number;
  readonly length: number;
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
  readonly #bytes = new Uint8Array(ROOM);
  readonly #view = new DataView(this.#bytes.buffer);
  #end = 0;
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);

  /** Reads what is left of the reader's message. @param decode stands for the type */
  take<T extends object, S extends Source>(reader: S, decode: (reader: S) => T): T {
    const { pos, end, view } = reader;
    if (end - pos > MAX_BYTES) return decode(reader);
    const at = hash(view, pos, end) & (SLOTS - 1);
    const slot = this.#slots[at];
    if (slot !== undefined && slot.decode === decode && this.#holds(slot, view, pos, end)) {
      reader.pos = end;
      return slot.message as T;
    }
    const message = decode(reader);
    this.#slots[at] = { decode, start: this.#keep(reader.bytes, pos, end), length: end - pos, message };
    return message;
  }

  #holds({ start, length }: Slot, view: DataView, pos: number, end: number): boolean {
    return length === end - pos && this.#end - start <= ROOM && isEqual(this.#view, start % ROOM, view, pos, end);
  }

  #keep(bytes: Uint8Array, pos: number, end: number): number {
    const length = end - pos;
    let start = this.#end;
    // Not around the corner.
    if ((start % ROOM) + length > ROOM) start += ROOM - (start % ROOM);
    const to = start % ROOM;
    for (let at = 0; at < length; at++) this.#bytes[to + at] = bytes[pos + at]!;
    this.#end = start + length;
    return start;
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

function isEqual(known: DataView, start: number, bytes: DataView, from: number, to: number): boolean {
  const length = to - from;
  let at = 0;
  for (; at + 4 <= length; at += 4) if (known.getInt32(start + at) !== bytes.getInt32(from + at)) return false;
  for (; at < length; at++) if (known.getUint8(start + at) !== bytes.getUint8(from + at)) return false;
  return true;
}
