import type { Kind } from '../resources/kind.ts';
import { Resources } from '../resources/resources.ts';
import { RESERVATION_REFINEMENT, REVOCABLE_RESOURCES, SHARED_RESOURCES } from './capability.ts';
import { type Measure, measure, NameTable, type Vector } from './scalar-vector.ts';
import { SlotSet } from './slot-set.ts';

/** What of an agent some role of a framework with some capabilities may have. Many roles see the same. */
export class View {
  readonly whole: Resources;
  /** Unreserved, not revocable: subject to quota. */
  readonly quotaScalars: Resources;
  /** All else: given whatever the quota. */
  readonly rest: Resources;
  /** It is everything there is to give on the agent. */
  readonly isAll: boolean;
  /** Seats that are known to have refused all of it. */
  readonly refusedBy = new SlotSet();
  /** Whether it is worth an offer by the cluster's own minimum; worked out when first asked. */
  isEnough: boolean | undefined;
  /** The same for `rest` alone. */
  isRestEnough: boolean | undefined;
  /** What it is a view of. */
  readonly of: Offerable;
  private readonly isPlain: boolean;
  private readonly names: NameTable;
  private measured: Measure | undefined;
  private amounts: Vector | undefined;
  private allocatedRole: string | undefined;
  private allocated = Resources.EMPTY;

  constructor(of: Offerable, names: NameTable, available: Resources, isAll: boolean, isPlain: boolean) {
    this.of = of;
    this.names = names;
    this.isAll = isAll;
    this.isPlain = isPlain;
    this.quotaScalars = available.ofKinds(isQuotaScalar);
    this.rest = available.ofKinds((kind) => !isQuotaScalar(kind));
    // In upstream's order, which shows in offers.
    this.whole = this.rest.beside(this.quotaScalars);
  }

  get measure(): Measure {
    this.measured ??= this.names.shared(measure(this.names, this.whole));
    return this.measured;
  }

  /** All of it, allocated to a role. What one declined often goes to another of the same role: the last is remembered. */
  allocatedTo(role: string): Resources {
    if (this.allocatedRole !== role) {
      this.allocatedRole = role;
      this.allocated = this.whole.allocate(role);
    }
    return this.allocated;
  }

  get quotaAmounts(): Vector {
    this.amounts ??= this.isPlain ? this.measure.scalars : this.names.scalars(this.quotaScalars);
    return this.amounts;
  }
}

function isQuotaScalar({ type, reservationRole, revocable }: Kind): boolean {
  return type === 'SCALAR' && reservationRole === undefined && !revocable;
}

function isRefined({ template }: Kind): boolean {
  return (template.reservations?.length ?? 0) > 1;
}

const NO_ROLES: ReadonlySet<string> = new Set();

/** What there is to give on an agent, and the views of it. Immutable but for what it remembers. */
export class Offerable {
  static readonly NOTHING = new Offerable(new NameTable(), Resources.EMPTY);

  readonly resources: Resources;
  /** The capabilities without which a part of it cannot be seen. */
  readonly special: number;
  private readonly names: NameTable;
  private readonly reservedTo: ReadonlySet<string>;
  /** The one view if everybody sees the same. */
  readonly only: View | undefined;
  private readonly views = new Map<string, View>();

  constructor(names: NameTable, resources: Resources) {
    this.names = names;
    this.resources = resources;
    const reserved = resources.reserved();
    this.reservedTo = reserved.isEmpty ? NO_ROLES : new Set(reserved.reservations().keys());
    this.special =
      (resources.nonRevocable() === resources ? 0 : REVOCABLE_RESOURCES) |
      (resources.nonShared() === resources ? 0 : SHARED_RESOURCES) |
      (!reserved.isEmpty && reserved.entries.some(({ kind }) => isRefined(kind)) ? RESERVATION_REFINEMENT : 0);
    if (this.special === 0 && reserved.isEmpty) this.only = new View(this, names, resources, true, true);
  }

  /** @param lineage of the role @param capabilities of the framework */
  view(lineage: readonly string[], capabilities: number): View {
    if (this.only !== undefined) return this.only;
    const owner = this.reservedTo.size === 0 ? undefined : lineage.find((role) => this.reservedTo.has(role));
    const missing = this.special & ~capabilities;
    const key = `${missing} ${owner ?? ''}`;
    let view = this.views.get(key);
    if (view === undefined) {
      view = this.build(owner, missing);
      this.views.set(key, view);
    }
    return view;
  }

  /** A refusal of this seat was lifted. */
  forget(slot: number): void {
    this.only?.refusedBy.delete(slot);
    for (const view of this.views.values()) view.refusedBy.delete(slot);
  }

  private build(owner: string | undefined, missing: number): View {
    let visible = owner === undefined ? this.resources.unreserved() : this.resources.allocatableTo(owner);
    if ((missing & REVOCABLE_RESOURCES) !== 0) visible = visible.nonRevocable();
    if ((missing & SHARED_RESOURCES) !== 0) visible = visible.nonShared();
    if ((missing & RESERVATION_REFINEMENT) !== 0) visible = visible.ofKinds((kind) => !isRefined(kind));
    return new View(this, this.names, visible, visible === this.resources, false);
  }
}
