import type { Resource } from '../wire/v1.ts';
import { amountOf, isNone } from './amount.ts';
import { Entry } from './entry.ts';
import { kindOf } from './kind.ts';
import { upgrade } from './refinement.ts';
import type { Milli } from './scalars.ts';

/** Up to this many entries a scan beats a hash index. Most agents have four. */
const SCANNED = 12;
/** Nor is an index worth its while for a few questions. */
const SCANS = 12;

/**
 * Entries, at most one of each identity, while they are being put together. Mutable; a `Resources` owns one and never
 * changes it again.
 */
export class Shelf {
  entries: Entry[];
  private index: Map<string, number> | undefined;
  private scans = 0;

  constructor(entries: Entry[] = []) {
    this.entries = entries;
  }

  copy(): Shelf {
    return new Shelf(this.entries.slice());
  }

  /** Where the entry is that matches, or -1. */
  find(entry: Entry): number {
    if (this.index === undefined) {
      if (this.entries.length <= SCANNED || this.scans++ < SCANS) return this.scan(entry);
      this.index = new Map(this.entries.map((candidate, at) => [candidate.identity, at]));
    }
    return this.index.get(entry.identity) ?? -1;
  }

  private scan(entry: Entry): number {
    const { entries } = this;
    for (let at = 0; at < entries.length; at++) if (entries[at]!.matches(entry)) return at;
    return -1;
  }

  add(entry: Entry): void {
    if (entry.isNone) return;
    const at = this.find(entry);
    if (at >= 0) {
      this.entries[at] = this.entries[at]!.plus(entry);
    } else {
      this.index?.set(entry.identity, this.entries.length);
      this.append(entry);
    }
  }

  /** A list that grows makes room for a dozen more, and most stay short: there are millions of these. */
  private append(entry: Entry): void {
    const [a, b, c] = this.entries;
    if (a === undefined) this.entries = [entry];
    else if (b === undefined) this.entries = [a, entry];
    else if (c === undefined) this.entries = [a, b, entry];
    else if (this.entries.length === 3) this.entries = [a, b, c, entry];
    else this.entries.push(entry);
  }

  /** As `add`, without an entry in between where only a number changes. */
  put(resource: Resource): void {
    const upgraded = upgrade(resource);
    const kind = kindOf(upgraded);
    const amount = amountOf(upgraded);
    if (kind.type === 'SCALAR' && this.entries.length <= SCANNED) {
      const at = this.entries.findIndex((entry) => entry.kind === kind);
      if (at >= 0 && kind.combining === 'divisible') {
        if (!isNone(amount))
          this.entries[at] = new Entry(kind, (this.entries[at]!.amount as Milli) + (amount as Milli));
        return;
      }
    }
    this.add(new Entry(kind, amount));
  }

  /**
   * What nothing matches is ignored, and what would become negative is removed: as upstream, so ask `contains` first. The
   * last entry takes the place of a removed one, upstream's order, which shows in offers and messages.
   */
  subtract(entry: Entry): void {
    const at = this.find(entry);
    if (at < 0) return;
    const rest = this.entries[at]!.minus(entry);
    if (!rest.isNone) {
      this.entries[at] = rest;
      return;
    }
    this.index?.delete(entry.identity);
    const last = this.entries.pop()!;
    if (at < this.entries.length) {
      this.entries[at] = last;
      this.index?.set(last.identity, at);
    }
  }

  contains(entry: Entry): boolean {
    const at = this.find(entry);
    return at >= 0 && this.entries[at]!.contains(entry);
  }
}
