import { Resources } from '../resources/resources.ts';

/** Thousandths by the index that a `NameTable` gives to a resource name; dense, and what lies past its end is zero. */
export type Vector = number[];

/** Never changed by anyone. */
export const NOTHING: Vector = [];

/** Small numbers for resource names, so that sums and shares are loops over arrays. */
export class NameTable {
  readonly names: string[] = [];
  private readonly indices = new Map<string, number>();

  index(name: string): number {
    let at = this.indices.get(name);
    if (at === undefined) {
      at = this.names.length;
      this.names.push(name);
      this.indices.set(name, at);
    }
    return at;
  }

  vector(quantities: Iterable<readonly [name: string, amount: number]>): Vector {
    const out: Vector = [];
    for (const [name, amount] of quantities) {
      const at = this.index(name);
      while (out.length <= at) out.push(0);
      out[at]! += amount;
    }
    return out;
  }

  scalars(resources: Resources): Vector {
    return resources.isEmpty ? NOTHING : this.vector(resources.scalarQuantities());
  }
}

export function addTo(sum: Vector, part: Vector): void {
  for (let i = 0; i < part.length; i++) {
    if (i < sum.length) sum[i]! += part[i]!;
    else sum.push(part[i]!);
  }
}

export function subtractFrom(sum: Vector, part: Vector): void {
  for (let i = 0; i < part.length; i++) {
    if (i < sum.length) sum[i]! -= part[i]!;
    else sum.push(-part[i]!);
  }
}

export function isZero(vector: Vector): boolean {
  for (let i = 0; i < vector.length; i++) if (vector[i] !== 0) return false;
  return true;
}

/** Resources in the sums that the allocator keeps. Shared ones are counted once per holder and agent: apart. */
export interface Measure {
  /** All scalars that are not shared. */
  readonly scalars: Vector;
  /** Of these, the unreserved that are not revocable: what guarantees and limits are about. */
  readonly quotaScalars: Vector;
  readonly reserved: Vector;
  /** Not allocated. */
  readonly shared: Resources;
}

export function measure(names: NameTable, resources: Resources): Measure {
  const unshared = resources.nonShared();
  const scalars = names.scalars(unshared);
  const shared = unshared === resources ? Resources.EMPTY : resources.shared().unallocate();
  const unreserved = unshared.unreserved();
  const plain = unreserved.nonRevocable();
  return {
    scalars,
    quotaScalars: plain === unshared ? scalars : names.scalars(plain),
    reserved: unreserved === unshared ? NOTHING : names.scalars(unshared.reserved()),
    shared,
  };
}
