import type { Resource } from '../wire/v1.ts';
import { Resources } from './resources.ts';

/** A power of two: each slot holds what was worked out last with a hash that ends so. */
const SLOTS = 1024;
/** Longer lists are seldom the same. */
const MAX_PARTS = 64;

interface Slot<Part> {
  readonly parts: readonly Part[];
  readonly result: Resources;
}

/**
 * Resources that were worked out lately, by the very things that they were worked out of. Agents of a cluster are often alike,
 * and so is what runs on them: what they have and hold is then there once.
 */
export class Recent<Part extends object> {
  readonly #slots: (Slot<Part> | undefined)[] = new Array<Slot<Part> | undefined>(SLOTS).fill(undefined);
  readonly #hash: (part: Part) => number;
  readonly #make: (parts: readonly Part[]) => Resources;

  /**
   * @param hash of a part; equal for the same part
   * @param make may depend on nothing but its parts, which never change
   */
  constructor(hash: (part: Part) => number, make: (parts: readonly Part[]) => Resources) {
    this.#hash = hash;
    this.#make = make;
  }

  /** @param parts may be changed afterwards */
  of(parts: readonly Part[]): Resources {
    if (parts.length > MAX_PARTS) return this.#make(parts);
    let hash = parts.length;
    for (let at = 0; at < parts.length; at++) hash = Math.imul(hash ^ this.#hash(parts[at]!), 0x9e3779b1);
    const index = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const slot = this.#slots[index];
    if (slot !== undefined && isSameList(slot.parts, parts)) return slot.result;
    const result = this.#make(parts);
    this.#slots[index] = { parts: parts.slice(), result };
    return result;
  }
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** From the first amount, which is enough to tell most from each other. */
function hashOfResources(resources: Resources): number {
  const { entries } = resources;
  const amount = entries[0]?.amount;
  return typeof amount === 'number' ? amount + entries.length : entries.length;
}

function hashOfList(list: readonly Resource[]): number {
  return Math.round((list[0]?.scalar?.value ?? 0) * 1000) + list.length;
}

/** Sums. */
export function recentSums(): Recent<Resources> {
  return new Recent(hashOfResources, (parts) => (parts.length === 1 ? parts[0]! : Resources.sum(parts)));
}

/** What several lists make together. */
export function recentLists(): Recent<readonly Resource[]> {
  return new Recent(hashOfList, (lists) => Resources.of(lists.flat()));
}

/** What is left of the first when the second is taken away. */
export function recentRests(): Recent<Resources> {
  return new Recent(hashOfResources, ([whole = Resources.EMPTY, part = Resources.EMPTY]) => whole.minus(part));
}

/** The same as what is given, but not allocated. */
export function recentUnallocated(): Recent<Resources> {
  return new Recent(hashOfResources, ([allocated = Resources.EMPTY]) => allocated.unallocate());
}
