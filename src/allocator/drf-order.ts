import { addTo, subtractFrom, type Vector } from './scalar-vector.ts';

/** Somebody who takes turns: a framework within its role, or a role among its siblings. */
export interface Ranked {
  /** As of the last time that it was placed in its order. */
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
 * total has changed.
 */
export class DrfOrder<T extends Ranked> {
  private readonly items: T[] = [];
  private readonly shares: Shares;
  private version = -1;

  constructor(shares: Shares) {
    this.shares = shares;
  }

  get size(): number {
    return this.items.length;
  }

  /** First come first. Valid until the next change. */
  sorted(): readonly T[] {
    if (!this.isFresh) {
      for (const item of this.items) item.share = this.shares.of(item);
      this.items.sort((a, b) => (comesBefore(a, b) ? -1 : 1));
      this.version = this.shares.version;
    }
    return this.items;
  }

  insert(item: T): void {
    item.listed = true;
    this.items.push(item);
    if (!this.isFresh) return;
    item.share = this.shares.of(item);
    this.settle(this.items.length - 1);
  }

  remove(item: T): void {
    item.listed = false;
    this.items.splice(this.isFresh ? this.find(item) : this.items.indexOf(item), 1);
  }

  /** @param times how often this counts as having been given something */
  give(item: T, part: Vector, times: number): void {
    const at = item.listed && this.isFresh ? this.find(item) : -1;
    addTo(item.held, part);
    item.count += times;
    this.replace(item, at);
  }

  take(item: T, part: Vector): void {
    const at = item.listed && this.isFresh ? this.find(item) : -1;
    subtractFrom(item.held, part);
    this.replace(item, at);
  }

  private get isFresh(): boolean {
    return this.version === this.shares.version;
  }

  private replace(item: T, at: number): void {
    if (at < 0) return;
    item.share = this.shares.of(item);
    this.settle(at);
  }

  /** Where it is, by the share and count that it was placed with. */
  private find(item: T): number {
    let low = 0;
    let high = this.items.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore(this.items[middle]!, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Moves the one item that may be out of order to its place. */
  private settle(from: number): void {
    const { items } = this;
    const item = items[from]!;
    let at = from;
    for (; at > 0 && comesBefore(item, items[at - 1]!); at--) items[at] = items[at - 1]!;
    for (; at + 1 < items.length && comesBefore(items[at + 1]!, item); at++) items[at] = items[at + 1]!;
    items[at] = item;
  }
}
