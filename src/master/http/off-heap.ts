/**
 * Memory for bytes that live long, outside of what V8 counts. It collects the whole heap whenever so much memory has been
 * taken outside of it, and with a big cluster in it that costs more than a second each time; these bytes are not garbage, so
 * there is nothing to be found. Shared memory is not counted. So that what has become garbage cannot pile up unseen either,
 * no more is taken here than is in use plus some slack; beyond that, memory is taken in the ordinary way.
 */

/** Bytes of garbage that may wait for a collection that comes about for another reason. */
const SLACK = 256 * 1024 * 1024;

/** Allocations between two looks at what is in use. */
const LOOK_EVERY = 256;

export class OffHeap {
  /** Taken here and not given back by a collection yet. */
  #taken = 0;
  /** What may be taken, as of the last time that it was looked at. */
  #limit = SLACK;
  #untilLook = 0;
  readonly #inUse: () => number;
  readonly #returned = new FinalizationRegistry<number>((size) => {
    this.#taken -= size;
  });

  /** @param inUse bytes that are still wanted; asked now and then, so it may cost something */
  constructor(inUse: () => number) {
    this.#inUse = inUse;
  }

  /** Copies bytes, or writes text as UTF-8. */
  readonly store = (content: string | Uint8Array): Uint8Array => {
    const size = typeof content === 'string' ? Buffer.byteLength(content, 'utf8') : content.length;
    const buffer = this.#allocate(size);
    if (typeof content === 'string') buffer.write(content, 0, 'utf8');
    else buffer.set(content);
    return buffer;
  };

  #allocate(size: number): Buffer {
    if (this.#untilLook-- <= 0) {
      this.#untilLook = LOOK_EVERY;
      this.#limit = SLACK + this.#inUse();
    }
    if (this.#taken + size > this.#limit) return Buffer.allocUnsafeSlow(size);
    const memory = new SharedArrayBuffer(size);
    this.#taken += size;
    this.#returned.register(memory, size);
    return Buffer.from(memory);
  }
}
