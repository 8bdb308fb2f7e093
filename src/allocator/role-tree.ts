import type { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import { ancestorsOf } from '../resources/roles.ts';
import type { OfferConstraintsFilter } from './constraints.ts';
import { DrfOrder, type Ranked, type Shares } from './drf-order.ts';
import { addTo, type Measure, type NameTable, subtractFrom, type Vector } from './scalar-vector.ts';

/** A framework as the allocator sees it. */
export interface Framework {
  readonly id: string;
  active: boolean;
  /** Bits of capability.ts. */
  capabilities: number;
  constraints: OfferConstraintsFilter | undefined;
  /** By role: what it subscribes to, and what it still holds something of. */
  readonly seats: Map<string, Seat>;
}

/** Some of an agent that a framework does not want for a while. */
export interface Refusal {
  readonly seat: Seat;
  readonly agentId: string;
  /** Not allocated. Anything that this contains is refused. */
  readonly resources: Resources;
  readonly expires: number;
  /** It was lifted before it ran out. */
  lifted: boolean;
}

/** A framework in a role: what takes part in sharing out. */
export class Seat implements Ranked {
  share = 0;
  count = 0;
  listed = false;
  readonly held: Vector = [];
  readonly weight = 1;
  readonly path: string;
  readonly framework: Framework;
  readonly node: RoleNode;
  /** A small number of its own while it lives. */
  readonly slot: number;
  /** False for a role that it left while still holding something of it. */
  subscribed = false;
  suppressed = false;
  /** It has begun to want since all agents were last looked at for it. */
  woken = false;
  minAllocatable: readonly Quantities[] | undefined;
  readonly refusals = new Map<string, Refusal[]>();
  readonly shared: SharedHoldings = new Map();

  constructor(framework: Framework, node: RoleNode, slot: number) {
    this.framework = framework;
    this.node = node;
    this.slot = slot;
    this.path = framework.id;
  }

  get role(): string {
    return this.node.role;
  }

  get wantsOffers(): boolean {
    return this.framework.active && this.subscribed && !this.suppressed;
  }
}

/** By agent: copies of shared resources, which count once towards what is held there. */
type SharedHoldings = Map<string, Resources>;

/** The frameworks of a role itself, taking turns with the roles below it. */
export class OwnTurn implements Ranked {
  share = 0;
  count = 0;
  listed = false;
  readonly held: Vector = [];
  readonly weight = 1;
  readonly path: string;
  readonly node: RoleNode;
  readonly shared: SharedHoldings = new Map();

  constructor(node: RoleNode) {
    this.node = node;
    this.path = `${node.role}/.`;
  }
}

export class RoleNode implements Ranked {
  share = 0;
  count = 0;
  listed = false;
  readonly held: Vector = [];
  weight = 1;
  readonly role: string;
  readonly parent: RoleNode | undefined;
  /** The role and the roles above it, nearest first. */
  readonly lineage: readonly string[];
  readonly children = new Map<string, RoleNode>();
  readonly seats = new Map<string, Seat>();
  /** Those of its seats that want offers. */
  readonly seatTurns: DrfOrder<Seat>;
  /** Itself and its children, as far as anybody below wants offers. */
  readonly turns: DrfOrder<RoleNode | OwnTurn>;
  readonly own: OwnTurn;
  /** In the whole subtree. */
  wanting = 0;
  /** In the whole subtree, while allocating. */
  woken = 0;
  /** The last allocation in which its limits were found to be reached for good. */
  closedIn: unknown;
  /** Seats in the whole subtree that say themselves what is too little for them. */
  ownMinimums = 0;
  readonly shared: SharedHoldings = new Map();

  constructor(role: string, parent: RoleNode | undefined, shares: Shares) {
    this.role = role;
    this.parent = parent;
    this.lineage = [role, ...ancestorsOf(role)];
    this.seatTurns = new DrfOrder(shares);
    this.turns = new DrfOrder(shares);
    this.own = new OwnTurn(this);
  }

  get path(): string {
    return this.role;
  }

  get isHierarchical(): boolean {
    return this.lineage.length > 1;
  }

  /** The top-level role that it is, or is below of. */
  get topRole(): string {
    return this.lineage[this.lineage.length - 1]!;
  }
}

/** The roles that frameworks are in, and what is held in each of them. */
export class RoleTree {
  readonly root: RoleNode;
  /** Changes whenever somebody joins, leaves, begins or ceases to want, or a weight changes. */
  version = 0;
  private readonly nodes = new Map<string, RoleNode>();
  private readonly weights = new Map<string, number>();
  private readonly freeSlots: number[] = [];
  private slots = 0;
  private readonly shares: Shares;
  private readonly names: NameTable;

  constructor(shares: Shares, names: NameTable) {
    this.shares = shares;
    this.names = names;
    this.root = new RoleNode('', undefined, shares);
  }

  get(role: string): RoleNode | undefined {
    return this.nodes.get(role);
  }

  /** The seat of a framework in a role, made if need be: not subscribed, wanting nothing. */
  seat(framework: Framework, role: string): Seat {
    const known = framework.seats.get(role);
    if (known !== undefined) return known;
    const node = this.ensure(role);
    const seat = new Seat(framework, node, this.freeSlots.pop() ?? this.slots++);
    framework.seats.set(role, seat);
    node.seats.set(framework.id, seat);
    return seat;
  }

  setMinimum(seat: Seat, minimum: readonly Quantities[] | undefined): void {
    const by = Number(minimum !== undefined) - Number(seat.minAllocatable !== undefined);
    seat.minAllocatable = minimum;
    for (let at: RoleNode | undefined = seat.node; at !== undefined; at = at.parent) at.ownMinimums += by;
  }

  /** Takes away a seat that holds nothing, and the roles that are empty then. */
  removeSeat(seat: Seat): void {
    const { framework, node } = seat;
    if (seat.listed) this.unlist(seat);
    this.setMinimum(seat, undefined);
    framework.seats.delete(node.role);
    node.seats.delete(framework.id);
    this.freeSlots.push(seat.slot);
    this.version++;
    for (let at: RoleNode = node; at.parent !== undefined && at.seats.size === 0 && at.children.size === 0; ) {
      this.nodes.delete(at.role);
      at.parent.children.delete(at.role);
      at = at.parent;
    }
  }

  /** Puts a seat into, or out of, the order of those that want offers. @returns whether it has begun to want */
  refresh(seat: Seat): boolean {
    if (seat.wantsOffers === seat.listed) return false;
    if (seat.listed) this.unlist(seat);
    else this.list(seat);
    this.version++;
    return seat.listed;
  }

  setWeight(role: string, weight: number): void {
    this.weights.set(role, weight);
    const node = this.nodes.get(role);
    if (node !== undefined) node.weight = weight;
    this.shares.version++;
    this.version++;
  }

  /** Books something given to a seat, all the way up; `times` and `hint` (of the seat) as for `DrfOrder.give`. */
  give(seat: Seat, agentId: string, given: Measure, times = 1, hint?: number): void {
    seat.node.seatTurns.give(seat, this.growth(seat, agentId, given), times, hint);
    if (given.shared.isEmpty) {
      this.giveUpwards(seat.node, given.scalars, times);
      return;
    }
    seat.node.turns.give(seat.node.own, this.growth(seat.node.own, agentId, given), times);
    for (let at = seat.node; at.parent !== undefined; at = at.parent) {
      at.parent.turns.give(at, this.growth(at, agentId, given), times);
    }
    addTo(this.root.held, this.growth(this.root, agentId, given));
  }

  private giveUpwards(node: RoleNode, part: Vector, times: number): void {
    node.turns.give(node.own, part, times);
    for (let at = node; at.parent !== undefined; at = at.parent) at.parent.turns.give(at, part, times);
    addTo(this.root.held, part);
  }

  /** Books something taken from a seat, all the way up. */
  take(seat: Seat, agentId: string, taken: Measure): void {
    seat.node.seatTurns.take(seat, this.decline(seat, agentId, taken));
    seat.node.turns.take(seat.node.own, this.decline(seat.node.own, agentId, taken));
    for (let at = seat.node; at.parent !== undefined; at = at.parent) {
      at.parent.turns.take(at, this.decline(at, agentId, taken));
    }
    subtractFrom(this.root.held, this.decline(this.root, agentId, taken));
  }

  private ensure(role: string): RoleNode {
    const known = this.nodes.get(role);
    if (known !== undefined) return known;
    const above = ancestorsOf(role)[0];
    const parent = above === undefined ? this.root : this.ensure(above);
    const node = new RoleNode(role, parent, this.shares);
    node.weight = this.weights.get(role) ?? 1;
    this.nodes.set(role, node);
    parent.children.set(role, node);
    return node;
  }

  private list(seat: Seat): void {
    const { node } = seat;
    if (node.seatTurns.size === 0) node.turns.insert(node.own);
    node.seatTurns.insert(seat);
    for (let at = node; at.parent !== undefined; at = at.parent) {
      if (at.wanting++ === 0) at.parent.turns.insert(at);
    }
    this.root.wanting++;
  }

  private unlist(seat: Seat): void {
    const { node } = seat;
    node.seatTurns.remove(seat);
    if (node.seatTurns.size === 0) node.turns.remove(node.own);
    for (let at = node; at.parent !== undefined; at = at.parent) {
      if (--at.wanting === 0) at.parent.turns.remove(at);
    }
    this.root.wanting--;
  }

  private growth(holder: { shared: SharedHoldings }, agentId: string, { scalars, shared }: Measure): Vector {
    if (shared.isEmpty) return scalars;
    const before = holder.shared.get(agentId) ?? Resources.EMPTY;
    const after = before.plus(shared);
    holder.shared.set(agentId, after);
    return this.withShared(scalars, before, after);
  }

  private decline(holder: { shared: SharedHoldings }, agentId: string, { scalars, shared }: Measure): Vector {
    if (shared.isEmpty) return scalars;
    const before = holder.shared.get(agentId) ?? Resources.EMPTY;
    const after = before.minus(shared);
    if (after.isEmpty) holder.shared.delete(agentId);
    else holder.shared.set(agentId, after);
    return this.withShared(scalars, after, before);
  }

  private withShared(scalars: Vector, less: Resources, more: Resources): Vector {
    const sum = scalars.slice();
    addTo(sum, this.names.scalars(more));
    subtractFrom(sum, this.names.scalars(less));
    return sum;
  }
}
