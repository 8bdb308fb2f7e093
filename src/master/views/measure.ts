import type { Resources } from '../../resources/resources.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { toMilli } from '../../resources/scalars.ts';

/** An amount in thousandths under a role or a resource name. */
type Amount = readonly [key: string, name: string, milli: number];

/** What metrics ask of the resources of one agent. */
export interface Measure {
  /** Scalars that are always shown, by kind: '' or '_revocable'. */
  readonly shown: readonly Amount[];
  /** All scalars by the role that they are allocated to. */
  readonly allocated: readonly Amount[];
  /** All scalars by the role that they are reserved for. */
  readonly reserved: readonly Amount[];
}

export const SHOWN: readonly string[] = ['cpus', 'gpus', 'mem', 'disk'];

/** What agents have and use is replaced when it changes, and most of it has not since somebody last asked. */
const measured = new WeakMap<Resources, Measure>();

export function measureOf(resources: Resources): Measure {
  const known = measured.get(resources);
  if (known !== undefined) return known;
  const [shown, allocated, reserved] = [new Sums(), new Sums(), new Sums()];
  for (const { name, scalar, revocable, allocation_info, reservations } of resources.toProto()) {
    if (scalar === undefined) continue;
    const milli = toMilli(scalar.value);
    if (SHOWN.includes(name)) shown.add([[revocable === undefined ? '' : '_revocable', name, milli]]);
    if (allocation_info?.role !== undefined) allocated.add([[allocation_info.role, name, milli]]);
    const owner = reservations?.at(-1)?.role;
    if (owner !== undefined) reserved.add([[owner, name, milli]]);
  }
  const measure = { shown: shown.list(), allocated: allocated.list(), reserved: reserved.list() };
  measured.set(resources, measure);
  return measure;
}

/** Sums in thousandths by key and name. */
export class Sums {
  readonly #byKey = new Map<string, Map<string, number>>();

  add(amounts: readonly Amount[], sign: 1 | -1 = 1): void {
    for (const [key, name, milli] of amounts) this.#addTo(key, name, milli * sign);
  }

  of(key: string, name: string): number {
    return this.#byKey.get(key)?.get(name) ?? 0;
  }

  get keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  /** Names and amounts of a key, those that are zero left out. */
  *amounts(key: string): Generator<readonly [name: string, milli: number]> {
    for (const entry of this.#byKey.get(key) ?? []) if (entry[1] > 0) yield entry;
  }

  list(): readonly Amount[] {
    return [...this.#byKey].flatMap(([key, amounts]) =>
      Array.from(amounts, ([name, milli]): Amount => [key, name, milli]),
    );
  }

  /** The keys are roles: adds to every role what its subroles have, and to the empty name what all roles have. */
  addUp(): void {
    for (const [role, amounts] of [...this.#byKey]) {
      for (const above of [...ancestorsOf(role), ''])
        for (const [name, milli] of amounts) this.#addTo(above, name, milli);
    }
  }

  #addTo(key: string, name: string, milli: number): void {
    let amounts = this.#byKey.get(key);
    if (amounts === undefined) {
      amounts = new Map();
      this.#byKey.set(key, amounts);
    }
    amounts.set(name, (amounts.get(name) ?? 0) + milli);
  }
}
