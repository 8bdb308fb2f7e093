import { invariant } from '../base/invariant.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Offer_Operation, Resource, Resource_ReservationInfo } from '../wire/v1.ts';
import { type AmountType, hasAmount } from './amount.ts';
import type { Entry } from './entry.ts';
import { formatResource } from './format.ts';
import { allocatedKind, type Kind, reservedKind, unallocatedKind } from './kind.ts';
import { type Conversion, conversionsOf } from './operations.ts';
import { Quantities } from './quantities.ts';
import { NO_RANGES, type Ranges, unionRanges } from './ranges.ts';
import { ANY_ROLE, isStrictSubrole } from './roles.ts';
import type { Milli } from './scalars.ts';
import { type Items, unionItems } from './sets.ts';
import { Shelf } from './shelf.ts';

/** What the algebra accepts beside itself. */
export type ResourcesLike = Resources | Resource | readonly Resource[];

/**
 * An immutable bag of resources. Equal kinds are merged; the order in which they came shows only in print and on the wire.
 * Every result shares what an operation left alone. It trusts that what it is given is valid (`validateResources`): zero and
 * negative scalars, and resources of type TEXT, are dropped silently.
 */
export class Resources implements Iterable<Resource> {
  static readonly EMPTY: Resources = new Resources(new Shelf());

  private readonly shelf: Shelf;
  private wire: readonly Resource[] | undefined;
  private sums: Quantities | undefined;
  private scalarSums: Quantities | undefined;
  #text: string | undefined;

  private constructor(shelf: Shelf) {
    this.shelf = shelf;
  }

  /** Accepts both spellings of reservations. */
  static of(list: readonly Resource[]): Resources {
    const shelf = new Shelf();
    for (const resource of list) if (hasAmount(resource)) shelf.put(resource);
    return Resources.wrap(shelf);
  }

  /** The sum. */
  static sum(parts: Iterable<Resources>): Resources {
    const shelf = new Shelf();
    for (const part of parts) for (const entry of part.shelf.entries) shelf.add(entry);
    return Resources.wrap(shelf);
  }

  private static wrap(shelf: Shelf): Resources {
    return shelf.entries.length === 0 ? Resources.EMPTY : new Resources(shelf);
  }

  private static from(other: ResourcesLike): Resources {
    if (other instanceof Resources) return other;
    return Resources.of(Array.isArray(other) ? other : [other as Resource]);
  }

  get isEmpty(): boolean {
    // `wrap` makes no other that is empty.
    return this === Resources.EMPTY;
  }

  /** What it is made of, for loops that have to be quick. */
  get entries(): readonly Entry[] {
    return this.shelf.entries;
  }

  /** How many `Resource` objects there are on the wire. */
  get size(): number {
    return this.toProto().length;
  }

  [Symbol.iterator](): Iterator<Resource> {
    return this.toProto()[Symbol.iterator]();
  }

  /** In stack form. A shared resource is there once, however many copies are held; upstream's wire has no count. */
  toProto(): readonly Resource[] {
    this.wire ??= this.shelf.entries.flatMap((entry) =>
      entry.kind.combining === 'exclusive' && entry.copies > 1
        ? new Array<Resource>(entry.copies).fill(entry.resource)
        : [entry.resource],
    );
    return this.wire;
  }

  // The algebra.

  plus(other: ResourcesLike): Resources {
    const right = Resources.from(other);
    if (right.isEmpty) return this;
    if (this.isEmpty) return right;
    const shelf = this.shelf.copy();
    for (const entry of right.shelf.entries) shelf.add(entry);
    return Resources.wrap(shelf);
  }

  /** The sum with what has no kind in common with this. */
  beside(other: Resources): Resources {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return Resources.wrap(new Shelf([...this.shelf.entries, ...other.shelf.entries]));
  }

  /** What is not there is ignored, and nothing becomes negative: ask `contains` first where it matters. */
  minus(other: ResourcesLike): Resources {
    const right = Resources.from(other);
    if (right.isEmpty || this.isEmpty) return this;
    const shelf = this.shelf.copy();
    for (const entry of right.shelf.entries) shelf.subtract(entry);
    return Resources.wrap(shelf);
  }

  contains(other: ResourcesLike): boolean {
    const right = Resources.from(other);
    return this === right || right.shelf.entries.every((entry) => this.shelf.contains(entry));
  }

  /** Whether there is at least this much of every name, in whatever kinds. */
  containsQuantities(quantities: Quantities): boolean {
    for (const [name, amount] of quantities) if (!this.reaches(name, amount)) return false;
    return true;
  }

  private reaches(name: string, amount: Milli): boolean {
    let sum = 0;
    for (const entry of this.shelf.entries) {
      if (entry.kind.name !== name) continue;
      sum += entry.quantity;
      if (sum >= amount) return true;
    }
    return false;
  }

  equals(other: Resources): boolean {
    if (this === other) return true;
    const { shelf } = other;
    if (this.shelf.entries.length !== shelf.entries.length) return false;
    return this.shelf.entries.every((entry) => {
      const at = shelf.find(entry);
      return at >= 0 && shelf.entries[at]!.equals(entry);
    });
  }

  /** How many copies of exactly this resource there are (more than one only of what is not divisible). */
  count(resource: Resource): number {
    const entry = Resources.of([resource]).shelf.entries[0];
    const at = entry === undefined ? -1 : this.shelf.find(entry);
    if (entry === undefined || at < 0) return 0;
    const found = this.shelf.entries[at]!;
    return found.kind.combining !== 'divisible' ? found.copies : found.equals(entry) ? 1 : 0;
  }

  // Amounts.

  /** Thousandths of a scalar, summed over roles, disks and all else. */
  scalar(name: string): Milli {
    let total = 0;
    for (const entry of this.shelf.entries) {
      if (entry.kind.name === name && entry.kind.type === 'SCALAR') total += entry.quantity;
    }
    return total;
  }

  ranges(name: string): Ranges {
    let total = NO_RANGES;
    for (const { kind, amount } of this.shelf.entries) {
      if (kind.name === name && kind.type === 'RANGES') total = unionRanges(total, amount as Ranges);
    }
    return total;
  }

  items(name: string): Items {
    let total: Items = [];
    for (const { kind, amount } of this.shelf.entries) {
      if (kind.name === name && kind.type === 'SET') total = unionItems(total, amount as Items);
    }
    return total;
  }

  /** Every name, with a port and a word of a set counting as one. Computed once. */
  quantities(): Quantities {
    this.sums ??= Quantities.sum(this.shelf.entries);
    return this.sums;
  }

  /** As `quantities`, of scalars only. Computed once. */
  scalarQuantities(): Quantities {
    this.scalarSums ??= Quantities.sum(this.shelf.entries.filter((entry) => entry.kind.type === 'SCALAR'));
    return this.scalarSums;
  }

  /** Each name with its type, in order of appearance. */
  types(): Map<string, AmountType> {
    return new Map(this.shelf.entries.map(({ kind }) => [kind.name, kind.type]));
  }

  // Parts.

  filter(keep: (resource: Resource) => boolean): Resources {
    return this.pick((_, entry) => keep(entry.resource));
  }

  ofKinds(keep: (kind: Kind) => boolean): Resources {
    return this.pick(keep);
  }

  named(name: string): Resources {
    return this.pick((kind) => kind.name === name);
  }

  scalars(): Resources {
    return this.pick((kind) => kind.type === 'SCALAR');
  }

  unreserved(): Resources {
    return this.pick((kind) => kind.reservationRole === undefined);
  }

  /** What is reserved, to the given role if one is given. */
  reserved(role?: string): Resources {
    return this.pick(
      (kind) => kind.reservationRole !== undefined && (role ?? kind.reservationRole) === kind.reservationRole,
    );
  }

  /** What a role may be given: the unreserved, its own reservations, and those of the roles above it. */
  allocatableTo(role: string): Resources {
    return this.pick(
      ({ reservationRole: owner }) => owner === undefined || owner === role || isStrictSubrole(role, owner),
    );
  }

  /** What is reserved to a role or to roles below it. */
  reservedToSubtree(role: string): Resources {
    return this.pick(
      ({ reservationRole: owner }) => owner !== undefined && (owner === role || isStrictSubrole(owner, role)),
    );
  }

  revocable(): Resources {
    return this.pick((kind) => kind.revocable);
  }

  nonRevocable(): Resources {
    return this.pick((kind) => !kind.revocable);
  }

  shared(): Resources {
    return this.pick((kind) => kind.combining === 'shared');
  }

  nonShared(): Resources {
    return this.pick((kind) => kind.combining !== 'shared');
  }

  persistentVolumes(): Resources {
    return this.pick((kind) => kind.persistent);
  }

  /** What is reserved, by role. */
  reservations(): Map<string, Resources> {
    return this.groupBy((kind) => kind.reservationRole);
  }

  /** By the role that it is allocated to; everything must be allocated. */
  allocations(): Map<string, Resources> {
    return this.groupBy((kind) => {
      // Asked first: printing resources costs more than all else here.
      if (kind.allocationRole === undefined) invariant(false, `resources are allocated: ${this}`);
      return kind.allocationRole;
    });
  }

  /**
   * The part that stays within limits per name, in thousandths; a name without a limit stays whole, and what cannot be cut
   * (a MOUNT disk, a volume) stays only if all of it fits. Limits count over all kinds of a name, in order.
   */
  shrink(limit: (name: string) => Milli | undefined): Resources {
    const left = new Map<string, Milli>();
    const kept: Entry[] = [];
    let changed = false;
    for (const entry of this.shelf.entries) {
      const { name, type, combining } = entry.kind;
      const remaining = type === 'SCALAR' ? (left.get(name) ?? limit(name)) : undefined;
      if (remaining === undefined || entry.quantity <= remaining) {
        kept.push(entry);
        if (remaining !== undefined) left.set(name, remaining - entry.quantity);
        continue;
      }
      changed = true;
      if (combining !== 'divisible' || remaining <= 0) continue;
      kept.push(entry.with(remaining));
      left.set(name, 0);
    }
    return changed ? Resources.wrap(new Shelf(kept)) : this;
  }

  // Other kinds.

  /** The same, allocated to a role, whatever it was allocated to. */
  allocate(role: string): Resources {
    return this.reallocate((kind) => allocatedKind(kind, role));
  }

  unallocate(): Resources {
    return this.reallocate(unallocatedKind);
  }

  /** The same with no reservation at all. */
  toUnreserved(): Resources {
    return this.mapKinds((kind) => (kind.reservationRole === undefined ? kind : reservedKind(kind, [])));
  }

  /** The same with one more reservation, which must be a valid refinement. */
  pushReservation(reservation: Resource_ReservationInfo): Resources {
    return this.mapKinds((kind) => {
      const { reservationRole: owner } = kind;
      const role = reservation.role ?? ANY_ROLE;
      invariant(owner === undefined || isStrictSubrole(role, owner), `${role} refines ${owner}`);
      return reservedKind(kind, [...(kind.template.reservations ?? []), reservation]);
    });
  }

  /** The same without the innermost reservation; everything must be reserved. */
  popReservation(): Resources {
    return this.mapKinds((kind) => {
      const reservations = kind.template.reservations ?? [];
      if (reservations.length === 0) invariant(false, `resources are reserved: ${this}`);
      return reservedKind(kind, reservations.slice(0, -1));
    });
  }

  /**
   * The part of these resources that serves as `target`, whatever the reservations: first from the target's role, then
   * unreserved, then from any other role. Undefined if there is not enough.
   */
  find(target: ResourcesLike): Resources | undefined {
    let left: Resources = this;
    let found = Resources.EMPTY;
    for (const entry of Resources.from(target).shelf.entries) {
      const part = left.findOne(entry);
      if (part === undefined) return undefined;
      left = left.minus(part);
      found = found.plus(part);
    }
    return found;
  }

  private findOne(target: Entry): Resources | undefined {
    const role = target.kind.reservationRole;
    let missing = target.as(reservedKind(target.kind, []));
    const found = new Shelf();
    const preferred = [
      (kind: Kind) => role !== undefined && kind.reservationRole === role,
      (kind: Kind) => kind.reservationRole === undefined,
      (kind: Kind) => kind.reservationRole !== undefined && kind.reservationRole !== role,
    ];
    for (const prefers of preferred) {
      for (const entry of this.shelf.entries) {
        if (!prefers(entry.kind)) continue;
        const candidate = entry.as(reservedKind(entry.kind, []));
        if (!candidate.matches(missing)) continue;
        if (candidate.contains(missing)) {
          found.add(missing.as(entry.kind));
          return Resources.wrap(found);
        }
        if (missing.contains(candidate)) {
          found.add(entry);
          missing = missing.minus(candidate);
        }
      }
    }
    return undefined;
  }

  // Operations.

  /** The resources after an operation. Refused if what it consumes is not there, or if it would change an amount. */
  apply(operation: Offer_Operation): Result<Resources> {
    const conversions = conversionsOf(operation);
    if (!conversions.ok) return conversions;
    let result: Resources = this;
    for (const conversion of conversions.value) {
      const next = result.convert(conversion);
      if (!next.ok) return next;
      result = next.value;
    }
    if (!result.quantities().equals(this.quantities())) {
      return err(
        `the operation ${operation.type} would turn ${this.quantities()} into ${result.quantities()}; ` +
          'it may change what resources are for, never how much there is',
      );
    }
    return ok(result);
  }

  convert({ consumed, converted, gone }: Conversion): Result<Resources> {
    const before = Resources.of(consumed);
    if (!this.contains(before)) return err(`${this} does not contain ${before}`);
    const result = this.minus(before).plus(converted);
    if (gone !== undefined && result.contains(gone)) {
      return err(
        `the persistent volume ${formatResource(gone)} is still held elsewhere; release its other copies first`,
      );
    }
    return ok(result);
  }

  /** As upstream prints: `cpus:4; mem:2048; ports:[31000-32000]`, and `{}` for nothing. */
  toString(): string {
    if (this.isEmpty) return '{}';
    this.#text ??= this.shelf.entries
      .flatMap((entry) => {
        const text = formatResource(entry.resource, entry.copies);
        return entry.kind.combining === 'exclusive' ? new Array<string>(entry.copies).fill(text) : [text];
      })
      .join('; ');
    return this.#text;
  }

  private pick(keep: (kind: Kind, entry: Entry) => boolean): Resources {
    const { entries } = this.shelf;
    const kept = entries.filter((entry) => keep(entry.kind, entry));
    return kept.length === entries.length ? this : Resources.wrap(new Shelf(kept));
  }

  /** If all were allocated alike they are different still, and need not be compared. */
  private reallocate(map: (kind: Kind) => Kind): Resources {
    const { entries } = this.shelf;
    const role = entries[0]?.kind.allocationRole;
    if (entries.some(({ kind }) => kind.allocationRole !== role)) return this.mapKinds(map);
    if (entries.length === 0 || map(entries[0]!.kind) === entries[0]!.kind) return this;
    return Resources.wrap(new Shelf(entries.map((entry) => entry.as(map(entry.kind)))));
  }

  /** Kinds may become equal, so entries are merged anew. */
  private mapKinds(map: (kind: Kind) => Kind): Resources {
    const shelf = new Shelf();
    let changed = false;
    for (const entry of this.shelf.entries) {
      const kind = map(entry.kind);
      if (kind !== entry.kind) changed = true;
      shelf.add(entry.as(kind));
    }
    return changed ? Resources.wrap(shelf) : this;
  }

  private groupBy(keyOf: (kind: Kind) => string | undefined): Map<string, Resources> {
    const { entries } = this.shelf;
    const first = entries.length === 0 ? undefined : keyOf(entries[0]!.kind);
    if (entries.every(({ kind }) => keyOf(kind) === first)) {
      return first === undefined ? new Map() : new Map([[first, this]]);
    }
    const groups = new Map<string, Entry[]>();
    for (const entry of this.shelf.entries) {
      const key = keyOf(entry.kind);
      if (key === undefined) continue;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [entry]);
      else group.push(entry);
    }
    return new Map([...groups].map(([key, entries]) => [key, Resources.wrap(new Shelf(entries))]));
  }
}

/** As upstream prints resources; see `Resources.toString`. */
export function formatResources(resources: Resources): string {
  return resources.toString();
}
