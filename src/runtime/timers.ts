import { Heap } from '../base/heap.ts';
import type { Millis } from '../base/machine.ts';

interface Entry {
  readonly at: Millis;
  /** Entries that are due at the same instant fire in the order in which they were armed. */
  readonly sequence: number;
  readonly key: string;
}

/** Node's timers take at most 2^31 - 1 ms, and run at once when they are given more. */
const LONGEST_SLEEP = 2 ** 31 - 1;

/** For `setTimeout` and `setInterval` with a time that somebody else has chosen: what is longer becomes the longest, 24.8 days. */
export function sleepable(wait: Millis): Millis {
  return Math.min(LONGEST_SLEEP, wait);
}

/** Entries that were replaced stay in the heap until they come up; beyond this many it is built anew. */
const TOLERATED_GARBAGE = 1024;

/**
 * Tens of thousands of timers, each under a key of its own, over a heap and a single timer of Node.
 * Arming a key again replaces what was set; that takes O(log n), disarming O(1).
 */
export class KeyedTimers {
  readonly #onDue: (key: string) => void;
  readonly #now: () => Millis;
  readonly #live = new Map<string, Entry>();
  #heap = newHeap();
  #sequence = 0;
  #sleeping: NodeJS.Timeout | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** @param onDue called once for each key whose time has come @param now a monotonic clock, in ms */
  constructor(onDue: (key: string) => void, now: () => Millis) {
    this.#onDue = onDue;
    this.#now = now;
  }

  get size(): number {
    return this.#live.size;
  }

  /** @param after ms from now; 0 or less means as soon as possible, but never from within this call */
  arm(key: string, after: Millis): void {
    if (this.#stopped) return;
    const entry: Entry = { at: this.#now() + Math.max(0, after), sequence: this.#sequence++, key };
    this.#live.set(key, entry);
    this.#heap.push(entry);
    if (this.#heap.size > 2 * this.#live.size + TOLERATED_GARBAGE) this.#rebuild();
    this.#schedule();
  }

  disarm(key: string): void {
    this.#live.delete(key);
  }

  /** Forgets all timers, for good. */
  stop(): void {
    this.#stopped = true;
    this.#live.clear();
    this.#heap = newHeap();
    clearTimeout(this.#sleeping);
  }

  #rebuild(): void {
    this.#heap = newHeap();
    for (const entry of this.#live.values()) this.#heap.push(entry);
  }

  #schedule(): void {
    const next = this.#heap.peek();
    if (next === undefined || next.at >= this.#wakeAt) return;
    clearTimeout(this.#sleeping);
    this.#wakeAt = next.at;
    const wait = next.at - this.#now();
    // Node's shortest timer is a millisecond; what is due at once, such as an allocation, need not wait for it.
    if (wait <= 0) setImmediate(() => this.#wake());
    // What is due later than that is looked at again then.
    else this.#sleeping = setTimeout(() => this.#wake(), sleepable(wait));
  }

  #wake(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const due: string[] = [];
    const now = this.#now();
    for (let top = this.#heap.peek(); top !== undefined && top.at <= now; top = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#live.get(top.key) !== top) continue;
      this.#live.delete(top.key);
      due.push(top.key);
    }
    for (const key of due) this.#onDue(key);
    this.#schedule();
  }
}

function newHeap(): Heap<Entry> {
  return new Heap((a, b) => a.at - b.at || a.sequence - b.sequence);
}
