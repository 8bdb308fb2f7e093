import type { Millis } from '../../base/machine.ts';

/** How fast messages are taken. */
export interface RateLimit {
  /** Messages per second. */
  readonly qps: number;
  /** So many may wait; absent: any number. */
  readonly capacity?: number;
}

/** `--rate_limits`: whose messages are taken how fast. */
export interface RateLimits {
  /** By principal; undefined: named, and not limited. */
  readonly principals: ReadonlyMap<string, RateLimit | undefined>;
  /** For the frameworks of all other principals, and those without one, together. */
  readonly others: RateLimit | undefined;
}

/** What is taken one by one, at a pace: what comes too early waits in order. */
export class Throttle<Item> {
  readonly capacity: number;
  private readonly gap: Millis;
  private waiting: Item[] = [];
  private head = 0;
  private counted = 0;
  private freeAt = Number.NEGATIVE_INFINITY;

  constructor({ qps, capacity }: RateLimit) {
    this.gap = 1000 / qps;
    this.capacity = capacity ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the room for what waits is used up. */
  get isFull(): boolean {
    return this.counted >= this.capacity;
  }

  /** When the next one of those that wait may be taken. */
  get due(): Millis | undefined {
    return this.head < this.waiting.length ? this.freeAt : undefined;
  }

  /** @returns true: take it now; false: it waits */
  pass(item: Item, counts: boolean, now: Millis): boolean {
    if (this.head === this.waiting.length && this.freeAt <= now) {
      this.freeAt = now + this.gap;
      return true;
    }
    this.waiting.push(item);
    if (counts) this.counted++;
    return false;
  }

  /** Takes out what has waited long enough, if there is any. @param counts as when it came */
  take(now: Millis, counts: (item: Item) => boolean): Item | undefined {
    if (this.head === this.waiting.length || this.freeAt > now) return undefined;
    const item = this.waiting[this.head++]!;
    if (this.head > 1024 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    if (counts(item)) this.counted--;
    // Counted from when it was due, since timers are late: the pace is kept over time.
    this.freeAt += this.gap;
    return item;
  }
}
