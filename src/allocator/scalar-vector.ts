import { Resources } from '../resources/resources.ts';

/** Thousandths by the index that a `NameTable` gives to a resource name; dense, and what lies past its end is zero. */
export type Vector = number[];

/** Never changed by anyone. */
export const NOTHING: Vector = [];

/** Small numbers for resource names, so that sums and shares are loops over arrays. */
export class NameTable {
  readonly names: string[] = [];
  private readonly indices = new Map<string, number>();
  private last: Measure | undefined;

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
    for (const [name, amount] of quantities) this.add(out, name, amount);
    return out;
  }

  scalars(resources: Resources): Vector {
    if (resources.isEmpty) return NOTHING;
    const out: Vector = [];
    for (const { kind, quantity } of resources.entries) if (kind.type === 'SCALAR') this.add(out, kind.name, quantity);
    return out;
  }

  /** The last one that was asked about if it is the same: agents are often alike, and one thing is nearer than a thousand. */
  shared(measured: Measure): Measure {
    const { last } = this;
    if (last !== undefined && isSameMeasure(last, measured)) return last;
    this.last = measured;
    return measured;
  }

  add(sum: Vector, name: string, amount: number): void {
    const at = this.index(name);
    while (sum.length <= at) sum.push(0);
    sum[at]! += amount;
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

export function isSame(a: Vector, b: Vector): boolean {
  for (let i = 0; i < a.length || i < b.length; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return false;
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

function isSameMeasure(a: Measure, b: Measure): boolean {
  return (
    isSame(a.scalars, b.scalars) &&
    isSame(a.quotaScalars, b.quotaScalars) &&
    isSame(a.reserved, b.reserved) &&
    a.shared === b.shared
  );
}

export function measure(names: NameTable, resources: Resources): Measure {
  const scalars: Vector = [];
  let isPlain = true;
  let hasShared = false;
  for (const { kind, quantity } of resources.entries) {
    if (kind.combining === 'shared') hasShared = true;
    else if (kind.type === 'SCALAR') {
      names.add(scalars, kind.name, quantity);
      if (kind.reservationRole !== undefined || kind.revocable) isPlain = false;
    }
  }
  const shared = hasShared ? resources.shared().unallocate() : Resources.EMPTY;
  if (isPlain) return { scalars, quotaScalars: scalars, reserved: NOTHING, shared };
  const unshared = resources.nonShared();
  const unreserved = unshared.unreserved();
  return {
    scalars,
    quotaScalars: names.scalars(unreserved.nonRevocable()),
    reserved: unreserved === unshared ? NOTHING : names.scalars(unshared.reserved()),
    shared,
  };
}
