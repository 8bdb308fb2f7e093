import { shuffle } from '../base/random.ts';
import type { Resources } from '../resources/resources.ts';
import type { Agent } from './agent.ts';
import type { Allocation, AllocatorOptions } from './allocator.ts';
import type { Cluster } from './cluster.ts';
import { comesBefore } from './drf-order.ts';
import { isEnough, isRefused, isRestEnough, mayBeOffered } from './eligibility.ts';
import type { View } from './offerable.ts';
import { QuotaRound, type QuotaRule } from './quota.ts';
import { LazyShuffle, type RandomOrder } from './random-order.ts';
import { OwnTurn, type RoleNode, type Seat } from './role-tree.ts';
import { isZero, type Measure, measure } from './scalar-vector.ts';

/** One sharing out of what is free. */
export class AllocationCycle {
  private readonly cluster: Cluster;
  private readonly random: () => number;
  private readonly randomRoles: RandomOrder | undefined;
  private readonly randomSeats: RandomOrder | undefined;
  private readonly round: QuotaRound | undefined;
  private readonly out: Allocation[] = [];
  /** What the first stage gave on an agent, by place in `out`: the second stage adds to it. */
  private readonly firstStage = new Map<Agent, number[]>();
  /** Given on the agent at hand. Orders change when the agent is done, so that everybody has one turn. */
  private readonly bookedSeats: Seat[] = [];
  private readonly bookedParts: Measure[] = [];
  /** Where in the order of its role each of these seats is. */
  private readonly bookedAt: number[] = [];
  private turn = 0;
  /** On the agent at hand only those who began to want are to be asked. */
  private onlyWoken = false;
  /** What quota is not about is not worth an offer on the agent at hand: roles at their limits need not be asked. */
  private skipsClosed = false;
  private isAnyClosed = false;

  constructor(cluster: Cluster, options: AllocatorOptions, order: RandomOrder, random: () => number) {
    this.cluster = cluster;
    this.random = random;
    this.randomRoles = options.roleSorter === 'random' ? order : undefined;
    this.randomSeats = options.frameworkSorter === 'random' ? order : undefined;
    const { quotas, names, shares } = cluster;
    this.round = quotas.isEmpty ? undefined : new QuotaRound(quotas, names, shares.total);
  }

  /**
   * @param agents to look at; those that are not dirty, for the woken only
   * @param isEverywhere these are all that there is to look at
   */
  run(agents: Agent[], isEverywhere: boolean): Allocation[] {
    const { dirty, woken, heldBack } = this.cluster;
    for (const seat of woken) this.wake(seat, 1);
    shuffle(agents, this.random);
    if (this.round !== undefined) {
      this.runFirstStage(this.round, agents);
      if (this.round.isFulfilled && heldBack.size > 0) this.release(agents, isEverywhere);
      shuffle(agents, this.random);
    }
    for (const agent of agents) {
      if (agent.offerable.resources.isEmpty) {
        this.leave(agent);
        continue;
      }
      this.onlyWoken = !dirty.has(agent);
      if (!this.onlyWoken) heldBack.delete(agent);
      this.visit(agent);
      this.settleBookings(agent);
      this.leave(agent);
    }
    for (const seat of woken) this.wake(seat, -1);
    if (this.round !== undefined && heldBack.size > 0 && this.round.isEased()) this.cluster.quotaEased();
    return this.out;
  }

  /** An agent need not be looked at again, but for shared resources that are there whoever has them. */
  private leave(agent: Agent): void {
    const { dirty } = this.cluster;
    if (agent.endAllocation()) dirty.add(agent);
    else dirty.delete(agent);
    this.cluster.freeChanged(agent);
  }

  /** Nothing need be held back for guarantees any more. */
  private release(agents: Agent[], isEverywhere: boolean): void {
    const { dirty, withFree, woken } = this.cluster;
    this.cluster.quotaEased();
    if (!isEverywhere || woken.size > 0) return;
    agents.length = 0;
    withFree.each((agent) => {
      if (dirty.has(agent) && agent.isCandidate) agents.push(agent);
    });
  }

  private wake(seat: Seat, by: 1 | -1): void {
    seat.woken = by === 1;
    for (let at: RoleNode | undefined = seat.node; at !== undefined; at = at.parent) at.woken += by;
  }

  // The first stage: roles that lack something of their guarantees.

  private runFirstStage(round: QuotaRound, agents: readonly Agent[]): void {
    const { quotas, tree } = this.cluster;
    const lacking: RoleNode[] = [];
    for (const node of tree.root.turns.sorted()) {
      if (node instanceof OwnTurn || node.seatTurns.size === 0) continue;
      const rule = quotas.rule(node.role);
      if (rule !== undefined && !isZero(quotas.unsatisfied(node.role, rule))) lacking.push(node);
    }
    const shuffled = this.randomRoles && new LazyShuffle(lacking, (node) => node.weight);
    for (const agent of agents) {
      if (lacking.length === 0) return;
      this.onlyWoken = !this.cluster.dirty.has(agent);
      for (let i = 0; i < lacking.length && !agent.offerable.resources.isEmpty; i++) {
        this.guarantee(round, agent, shuffled?.draw(i, this.random) ?? lacking[i]!);
      }
      const given = new Set(this.bookedSeats.map(({ node }) => node));
      this.settleBookings(agent);
      for (const node of given) if (!this.replace(lacking, node)) shuffled?.remove(node);
    }
  }

  /** Its turn is another one now, or it lacks nothing any more. @returns whether it lacks something */
  private replace(lacking: RoleNode[], node: RoleNode): boolean {
    const { quotas } = this.cluster;
    lacking.splice(lacking.indexOf(node), 1);
    if (isZero(quotas.unsatisfied(node.role, quotas.rule(node.role)!))) return false;
    let low = 0;
    let high = lacking.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore(lacking[middle]!, node)) low = middle + 1;
      else high = middle;
    }
    lacking.splice(low, 0, node);
    return true;
  }

  private guarantee(round: QuotaRound, agent: Agent, node: RoleNode): void {
    const { quotas, names } = this.cluster;
    if (this.onlyWoken && node.woken === 0) return;
    const rule = quotas.rule(node.role)!;
    const shuffled = this.randomSeats?.seatTurns(node);
    const { seatTurns } = node;
    const count = seatTurns.sort();
    for (let i = 0; i < count; i++) {
      const seat = shuffled === undefined ? seatTurns.at(i) : shuffled.draw(i, this.random);
      this.turn = i;
      if (this.onlyWoken && !seat.woken) continue;
      if (agent.offerable.resources.isEmpty) return;
      const view = this.look(agent, seat);
      if (view === undefined) continue;
      const lacks = quotas.unsatisfied(node.role, rule);
      if (isZero(lacks)) return;
      const guaranteed = view.quotaScalars.shrink((name) => lacks[names.index(name)] ?? 0);
      if (guaranteed.isEmpty) continue;
      const amounts = names.scalars(guaranteed);
      const others = view.quotaScalars.minus(guaranteed);
      const beyond = round.beyond(others, names.scalars(others), node.role, rule, amounts);
      const offer = view.rest.plus(guaranteed).plus(beyond);
      if (!this.offer(agent, seat, view, offer, true)) continue;
      round.satisfy(amounts);
    }
  }

  // The second stage: everybody.

  private visit(agent: Agent): void {
    const { only } = agent.offerable;
    this.skipsClosed = this.round !== undefined && only !== undefined && !isRestEnough(this.cluster, only);
    if (this.skipsClosed && this.isAnyClosed) this.cluster.heldBack.add(agent);
    if (this.randomRoles === undefined) {
      this.walk(agent, this.cluster.tree.root);
      return;
    }
    const turns = this.randomRoles.roleTurns();
    for (let i = 0; i < turns.size; i++) {
      const node = turns.draw(i, this.random);
      if (!(this.skipsClosed && node.closedIn === this) && !this.visitRole(agent, node)) return;
    }
  }

  /** @returns whether there is anything left to give */
  private walk(agent: Agent, node: RoleNode): boolean {
    const { turns } = node;
    const count = turns.sort();
    for (let i = 0; i < count; i++) {
      const turn = turns.at(i);
      if (turn instanceof OwnTurn) {
        if (!this.visitRole(agent, turn.node)) return false;
        continue;
      }
      if ((this.onlyWoken && turn.woken === 0) || (this.skipsClosed && turn.closedIn === this)) continue;
      const goesOn = turn.children.size === 0 ? this.visitRole(agent, turn) : this.walk(agent, turn);
      if (!goesOn) return false;
    }
    return true;
  }

  private visitRole(agent: Agent, node: RoleNode): boolean {
    if (this.onlyWoken && node.woken === 0) return true;
    const rule = this.round?.book.rule(node.topRole);
    const isBounded = this.round?.isBounded(rule) ?? false;
    if (isBounded && this.round!.isClosed(node.topRole, rule)) this.close(agent, node.topRole);
    const shuffled = this.randomSeats?.seatTurns(node);
    const { seatTurns } = node;
    const count = seatTurns.sort();
    // Most seats see the same: what quota leaves of it is worked out once, until some of it is given.
    let bounded: { readonly view: View; readonly offer: Resources } | undefined;
    for (let i = 0; i < count; i++) {
      const seat = shuffled === undefined ? seatTurns.at(i) : shuffled.draw(i, this.random);
      this.turn = i;
      if (this.onlyWoken && !seat.woken) continue;
      const view = this.look(agent, seat);
      if (view === undefined) continue;
      if (isBounded && bounded?.view !== view) bounded = { view, offer: this.bound(agent, node, rule, view) };
      if (!this.offer(agent, seat, view, bounded?.offer ?? view.whole, false)) continue;
      if (agent.offerable.resources.isEmpty) return false;
      bounded = undefined;
    }
    return true;
  }

  /** A role has reached its limits, and will not be asked again for what it cannot have. */
  private close(agent: Agent, topRole: string): void {
    const node = this.cluster.tree.get(topRole);
    if (node === undefined || node.ownMinimums > 0) return;
    node.closedIn = this;
    this.isAnyClosed = true;
    this.cluster.heldBack.add(agent);
  }

  /** What of a view a role may have under its quota and that of others. */
  private bound(agent: Agent, node: RoleNode, rule: QuotaRule | undefined, view: View): Resources {
    const allowed = this.round!.beyond(view.quotaScalars, view.quotaAmounts, node.topRole, rule);
    if (allowed === view.quotaScalars) return view.whole;
    this.cluster.heldBack.add(agent);
    return view.rest.plus(allowed);
  }

  // Both.

  /** What a seat sees of an agent, unless it is known that it is not for it. */
  private look(agent: Agent, seat: Seat): View | undefined {
    const { capabilities } = seat.framework;
    if ((agent.requires & ~capabilities) !== 0 || (agent.forbids & capabilities) !== 0) return undefined;
    const view = agent.offerable.view(seat.node.lineage, capabilities);
    const isKnownToRefuse = agent.mayBeRefused(seat) && view.refusedBy.has(seat.slot);
    return isKnownToRefuse || !mayBeOffered(agent, seat) ? undefined : view;
  }

  /** Gives the offer to the seat unless it is too little or refused. @returns whether it was given */
  private offer(agent: Agent, seat: Seat, view: View, offer: Resources, isFirstStage: boolean): boolean {
    const isWhole = offer === view.whole;
    if (!isEnough(this.cluster, seat, view, offer) || isRefused(agent, seat, view, offer)) return false;
    const given = isWhole ? view.measure : measure(this.cluster.names, offer);
    const allocated = isWhole ? view.allocatedTo(seat.role) : offer.allocate(seat.role);
    agent.give(seat, allocated, offer, isWhole ? view : undefined);
    this.cluster.quotas.give(seat.node.topRole, given);
    this.bookedSeats.push(seat);
    this.bookedParts.push(given);
    this.bookedAt.push(this.turn);
    this.hand(agent, seat, allocated, isFirstStage);
    return true;
  }

  private hand(agent: Agent, seat: Seat, resources: Resources, isFirstStage: boolean): void {
    const { out, firstStage } = this;
    const earlier = firstStage.size === 0 ? undefined : firstStage.get(agent);
    const at = earlier?.find((at) => out[at]!.frameworkId === seat.framework.id && out[at]!.role === seat.role);
    if (at !== undefined) {
      out[at] = { ...out[at]!, resources: out[at]!.resources.plus(resources) };
      return;
    }
    out.push({ frameworkId: seat.framework.id, role: seat.role, agentId: agent.id, resources });
    if (isFirstStage) firstStage.set(agent, [...(earlier ?? []), out.length - 1]);
  }

  private settleBookings(agent: Agent): void {
    const { bookedSeats, bookedParts, bookedAt } = this;
    for (let i = 0; i < bookedSeats.length; i++) {
      this.cluster.tree.give(bookedSeats[i]!, agent.id, bookedParts[i]!, 1, bookedAt[i]!);
    }
    bookedSeats.length = 0;
    bookedParts.length = 0;
    bookedAt.length = 0;
  }
}
