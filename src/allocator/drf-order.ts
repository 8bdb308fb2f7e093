import { addTo, subtractFrom, type Vector } from './scalar-vector.ts';

/** Somebody who takes turns: a framework within its role, or a role among its siblings. */
export interface Ranked {
  /** As of the last time that it was placed in its order, if it is not alone there. */
  share: number;
  /** How often it was given something; never falls. */
  count: number;
  /** What it holds, in thousandths. */
  readonly held: Vector;
  readonly weight: number;
  /** Unique among those that it takes turns with. */
  readonly path: string;
  /** It is in its order. */
  listed: boolean;
}

/** What shares are parts of. */
export class Shares {
  readonly total: Vector = [];
  /** Grows whenever a share may have changed without anything being given or taken. */
  version = 0;
  private readonly excluded: (index: number) => boolean;

  /** @param excluded whether the resource with this index does not count */
  constructor(excluded: (index: number) => boolean) {
    this.excluded = excluded;
  }

  /** The largest part that it holds of any resource, divided by its weight (Ghodsi et al., NSDI 2011). */
  of({ held, weight }: Pick<Ranked, 'held' | 'weight'>): number {
    const { total } = this;
    let share = 0;
    for (let i = 0; i < held.length; i++) {
      const amount = held[i]!;
      if (amount <= 0 || !(total[i]! > 0) || this.excluded(i)) continue;
      const part = amount / total[i]!;
      if (part > share) share = part;
    }
    return share / weight;
  }

  grow(part: Vector): void {
    addTo(this.total, part);
    this.version++;
  }

  shrink(part: Vector): void {
    subtractFrom(this.total, part);
    this.version++;
  }
}

/** Smaller share first; then who was given less often; then by name. */
export function comesBefore(a: Ranked, b: Ranked): boolean {
  if (a.share !== b.share) return a.share < b.share;
  if (a.count !== b.count) return a.count < b.count;
  return a.path < b.path;
}

/**
 * Those who take turns, in order. Kept sorted as single holdings change; sorted anew when it is next asked for after the
 * total has changed. A change costs a binary search and a move of small integers in one block.
 */
export class DrfOrder<T extends Ranked> {
  private readonly items: (T | undefined)[] = [];
  private readonly gaps: number[] = [];
  /** Places in `items`, in order. */
  private places = new Int32Array(4);
  private count = 0;
  private readonly shares: Shares;
  private version = -1;

  constructor(shares: Shares) {
    this.shares = shares;
  }

  get size(): number {
    return this.count;
  }

  /** To be called before `at`, and again after every change. @returns how many there are */
  sort(): number {
    if (!this.isFresh) {
      const { items } = this;
      for (const item of items) if (item !== undefined) item.share = this.shares.of(item);
      this.places.subarray(0, this.count).sort((a, b) => (comesBefore(items[a]!, items[b]!) ? -1 : 1));
      this.version = this.shares.version;
    }
    return this.count;
  }

  at(index: number): T {
    return this.items[this.places[index]!]!;
  }

  sorted(): T[] {
    return Array.from({ length: this.sort() }, (_, i) => this.at(i));
  }

  insert(item: T): void {
    item.listed = true;
    const place = this.gaps.pop() ?? this.items.length;
    this.items[place] = item;
    if (this.count === this.places.length) {
      const grown = new Int32Array(this.count * 2);
      grown.set(this.places);
      this.places = grown;
    }
    if (this.isFresh) {
      item.share = this.shares.of(item);
      if (this.count === 1) this.at(0).share = this.shares.of(this.at(0));
    }
    const at = this.isFresh ? this.find(item, this.count) : this.count;
    this.places.copyWithin(at + 1, at, this.count);
    this.places[at] = place;
    this.count++;
  }

  remove(item: T): void {
    item.listed = false;
    const at = this.isFresh ? this.find(item, this.count) : this.places.indexOf(this.items.indexOf(item));
    const place = this.places[at]!;
    this.items[place] = undefined;
    this.gaps.push(place);
    this.places.copyWithin(at, at + 1, this.count);
    this.count--;
  }

  /**
   * @param times how often this counts as having been given something
   * @param hint where it probably is
   */
  give(item: T, part: Vector, times: number, hint = -1): void {
    const at = item.listed && this.isFresh ? this.locate(item, hint) : -1;
    addTo(item.held, part);
    item.count += times;
    if (at >= 0) this.replace(item, at);
  }

  take(item: T, part: Vector): void {
    const at = item.listed && this.isFresh ? this.locate(item, -1) : -1;
    subtractFrom(item.held, part);
    if (at >= 0) this.replace(item, at);
  }

  private get isFresh(): boolean {
    return this.version === this.shares.version;
  }

  private locate(item: T, hint: number): number {
    if (this.count === 1) return 0;
    return hint >= 0 && hint < this.count && this.at(hint) === item ? hint : this.find(item, this.count);
  }

  /** Moves the one item that may be out of order to its place. */
  private replace(item: T, from: number): void {
    // Alone it is in its place whatever its share, which is worked out when another comes.
    if (this.count === 1) return;
    const { places } = this;
    const place = places[from]!;
    item.share = this.shares.of(item);
    const before = from > 0 ? this.at(from - 1) : undefined;
    const after = from + 1 < this.count ? this.at(from + 1) : undefined;
    if (after !== undefined && comesBefore(after, item)) {
      const to = this.find(item, this.count, from + 1) - 1;
      places.copyWithin(from, from + 1, to + 1);
      places[to] = place;
    } else if (before !== undefined && comesBefore(item, before)) {
      const to = this.find(item, from);
      places.copyWithin(to + 1, to, from);
      places[to] = place;
    }
  }

  /** The first index from `low` to `high` at which nobody comes before the item, by the shares as they were placed. */
  private find(item: T, high: number, low = 0): number {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore(this.at(middle), item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
