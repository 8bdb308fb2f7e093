import { recentRests, recentSums, recentUnallocated } from '../resources/recent.ts';
import { Resources } from '../resources/resources.ts';
import type { AgentInfo } from '../wire/v1.ts';
import type { AgentSpec } from './allocator.ts';
import { MULTI_ROLE } from './capability.ts';
import { Holdings } from './holdings.ts';
import { Offerable, type View } from './offerable.ts';
import type { Seat } from './role-tree.ts';
import { type Measure, measure, type NameTable } from './scalar-vector.ts';
import { SlotSet } from './slot-set.ts';

const SUMS = recentSums();
const UNALLOCATED = recentUnallocated();
const RESTS = recentRests();

/** An agent: what it has, who holds what of it, and what is free. */
export class Agent {
  readonly id: string;
  /** A small number of its own while it lives. */
  readonly slot: number;
  info: AgentInfo;
  total: Resources = Resources.EMPTY;
  free: Resources = Resources.EMPTY;
  isActive = true;
  isWhitelisted = true;
  /** Bits of framework capabilities without which it is not offered. */
  requires = 0;
  /** Bits of framework capabilities with which it is not offered. */
  forbids = 0;
  takesHierarchicalRoles = true;
  /** What is held by frameworks that are not known yet. */
  readonly orphans = new Map<string, Resources>();
  /** Shared resources that were offered in the allocation that is going on: each once. */
  offeredShared: Resources = Resources.EMPTY;
  private readonly names: NameTable;
  private readonly exclusions = new Map<Seat, boolean>();
  private hasShared = false;
  /** More is held than it has. */
  private isOvercommitted = false;
  private current: Offerable | undefined;
  /** The one before: what is offered and declined is there again as it was, and so is what was found out about it. */
  private previous: Offerable | undefined;
  private readonly booked = new Holdings();
  /**
   * All that there was to give, given at once: allocated, the view that it was, and to whom. Most of it comes back as it was,
   * and so it is booked only when something else happens (then there is no seat here any more).
   */
  private lastGiven: Resources | undefined;
  private lastView: View | undefined;
  private lastSeat: Seat | undefined;
  /** Seats that have refused anything of it. */
  private readonly refusers = new SlotSet();
  /** A bit for each 32nd of them: mostly enough to know that a seat is not among them. */
  private refuserBits = 0;

  constructor(id: string, slot: number, spec: AgentSpec, names: NameTable) {
    this.id = id;
    this.slot = slot;
    this.info = spec.info;
    this.names = names;
    this.setCapabilities(spec.capabilities);
  }

  /** @returns whether anything changed that matters here */
  setCapabilities(capabilities: ReadonlySet<string>): boolean {
    const forbids = capabilities.has('MULTI_ROLE') ? 0 : MULTI_ROLE;
    const takesHierarchicalRoles = capabilities.has('HIERARCHICAL_ROLE');
    const changed = forbids !== this.forbids || takesHierarchicalRoles !== this.takesHierarchicalRoles;
    this.forbids = forbids;
    this.takesHierarchicalRoles = takesHierarchicalRoles;
    return changed;
  }

  setInfo(info: AgentInfo): void {
    this.info = info;
    this.exclusions.clear();
  }

  setTotal(total: Resources): void {
    this.total = total;
    this.hasShared = total.nonShared() !== total;
    this.recount();
  }

  /** The same as `setTotal` where what was converted is held, and not shared: what is free stays. */
  convert(total: Resources): void {
    if (this.isOvercommitted) this.setTotal(total);
    else this.total = total;
  }

  get isCandidate(): boolean {
    return this.isActive && this.isWhitelisted && !this.free.isEmpty;
  }

  /** What there is to give now. */
  get offerable(): Offerable {
    if (this.current !== undefined) return this.current;
    if (this.free.isEmpty) return Offerable.NOTHING;
    const resources = this.offeredShared.isEmpty ? this.free : this.free.minus(this.offeredShared);
    this.current = this.previous?.resources.equals(resources) ? this.previous : new Offerable(this.names, resources);
    return this.current;
  }

  /** What frameworks hold, allocated to the role of the seat. */
  get holdings(): Holdings {
    this.settle();
    return this.booked;
  }

  /** Books what is given. @param view is given whole */
  give(seat: Seat, allocated: Resources, plain: Resources, view: View | undefined): void {
    if (view?.isAll && !this.hasShared) {
      this.setFree(Resources.EMPTY);
      this.lastGiven = allocated;
      this.lastView = view;
      this.lastSeat = seat;
      return;
    }
    this.hold(seat, allocated);
    if (this.hasShared) {
      this.offeredShared = this.offeredShared.plus(plain.shared());
      this.setFree(this.free.minus(plain.nonShared()));
    } else {
      this.setFree(this.free.minus(plain));
    }
  }

  /** Books what somebody turns out to hold; `recount` is to follow. */
  adopt(seat: Seat, allocated: Resources): void {
    this.hold(seat, allocated);
  }

  /** The sums of what is held or comes back. */
  measure(allocated: Resources): Measure {
    return this.lastGiven === allocated ? this.lastView!.measure : measure(this.names, allocated);
  }

  /** Whether these resources were the last that were given, to this seat, and nothing has happened since. */
  isLastGiven(seat: Seat, allocated: Resources): boolean {
    return this.lastSeat === seat && this.lastGiven === allocated;
  }

  /** Books what comes back. @returns the same, not allocated */
  recover(seat: Seat, allocated: Resources): Resources {
    if (this.isLastGiven(seat, allocated)) {
      const view = this.lastView!;
      this.lastSeat = undefined;
      this.setFree(view.of.resources);
      this.current = view.of;
      return view.whole;
    }
    const held = this.held(seat);
    const rest = held === allocated ? Resources.EMPTY : held.minus(allocated);
    if (rest.isEmpty) this.holdings.delete(seat);
    else this.holdings.set(seat, rest);
    const back = allocated.unallocate();
    if (this.isOvercommitted) this.recount();
    else this.setFree(this.free.plus(this.hasShared ? back.nonShared() : back));
    return back;
  }

  /** What a seat holds was made into something else. */
  exchange(seat: Seat, before: Resources, after: Resources): void {
    const held = this.held(seat).minus(before).plus(after);
    if (held.isEmpty) this.holdings.delete(seat);
    else this.holdings.set(seat, held);
  }

  held(seat: Seat): Resources {
    return this.holdings.get(seat) ?? Resources.EMPTY;
  }

  /** What is free, anew from what it has and what is held. Shared resources are free even when they are held. */
  recount(): void {
    const held = UNALLOCATED.of([SUMS.of([...this.holdings.values(), ...this.orphans.values()])]);
    if (this.hasShared) {
      const unshared = this.total.nonShared();
      this.isOvercommitted = !unshared.contains(held.nonShared());
      this.setFree(unshared.minus(held.nonShared()).plus(this.total.shared()));
    } else {
      this.isOvercommitted = !this.total.contains(held);
      this.setFree(RESTS.of([this.total, held]));
    }
  }

  /** The allocation is over: shared resources may be offered again. @returns whether any were offered */
  endAllocation(): boolean {
    if (this.offeredShared.isEmpty) return false;
    this.offeredShared = Resources.EMPTY;
    this.setFree(this.free);
    return true;
  }

  /** Whether the offer constraints of the seat's framework exclude this agent; asked once. */
  isExcluded(seat: Seat): boolean {
    const { constraints } = seat.framework;
    if (constraints === undefined) return false;
    let excluded = this.exclusions.get(seat);
    if (excluded === undefined) {
      excluded = constraints.excludes(seat.role, this.info);
      this.exclusions.set(seat, excluded);
    }
    return excluded;
  }

  /** The seat is gone, or its constraints changed. */
  forgetExclusion(seat: Seat): void {
    this.exclusions.delete(seat);
  }

  /** A seat refuses some of it from now on. */
  noteRefusal(seat: Seat, refused: Resources): void {
    this.refusers.add(seat.slot);
    this.refuserBits |= 1 << (seat.slot & 31);
    const only = this.current?.only;
    if (only?.whole === refused) only.refusedBy.add(seat.slot);
  }

  /** Whether there may be a refusal by this seat in force. */
  mayBeRefused(seat: Seat): boolean {
    return (this.refuserBits & (1 << (seat.slot & 31))) !== 0 && this.refusers.has(seat.slot);
  }

  /** A refusal by this seat has ended. */
  forgetRefusal(seat: Seat): void {
    if (!seat.refusals.has(this.id)) this.refusers.delete(seat.slot);
    this.current?.forget(seat.slot);
    this.previous?.forget(seat.slot);
    this.lastView?.of.forget(seat.slot);
  }

  private hold(seat: Seat, allocated: Resources): void {
    this.settle();
    this.book(seat, allocated);
  }

  private book(seat: Seat, allocated: Resources): void {
    const held = this.booked.get(seat);
    this.booked.set(seat, held === undefined ? allocated : held.plus(allocated));
  }

  private settle(): void {
    const { lastSeat } = this;
    if (lastSeat === undefined) return;
    this.lastSeat = undefined;
    this.book(lastSeat, this.lastGiven!);
  }

  private setFree(free: Resources): void {
    this.settle();
    this.free = free;
    if (this.current !== undefined) this.previous = this.current;
    this.current = undefined;
    this.lastGiven = undefined;
    this.lastView = undefined;
  }
}
