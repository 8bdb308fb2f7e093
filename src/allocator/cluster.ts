import { invariant } from '../base/invariant.ts';
import type { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import { Agent } from './agent.ts';
import type { AgentSpec, AllocatorOptions } from './allocator.ts';
import { GPU_RESOURCES, REGION_AWARE } from './capability.ts';
import { Shares } from './drf-order.ts';
import { QuotaBook } from './quota.ts';
import { Refusals } from './refusals.ts';
import { type Framework, RoleTree, type Seat } from './role-tree.ts';
import { isSame, measure, NameTable } from './scalar-vector.ts';
import { Slots, SlottedSet } from './slot-set.ts';

/**
 * Everything the allocator knows, with the books kept straight, and what must be looked at in the next allocation: an
 * agent needs to be looked at when more of it became free or it changed, a seat when it began to want. All else was
 * settled by the last allocation, which had found nobody for it.
 */
export class Cluster {
  readonly names = new NameTable();
  readonly shares: Shares;
  readonly tree: RoleTree;
  readonly quotas: QuotaBook;
  readonly refusals: Refusals;
  readonly frameworks = new Map<string, Framework>();
  readonly agents = new Map<string, Agent>();
  readonly minAllocatable: readonly Quantities[];
  /** To be looked at for everybody. */
  readonly dirty: SlottedSet<Agent>;
  /** To be looked at on all agents. */
  readonly woken = new Set<Seat>();
  /** With something free. */
  readonly withFree: SlottedSet<Agent>;
  /** With something free that was withheld for a quota. */
  readonly heldBack: SlottedSet<Agent>;
  private readonly options: AllocatorOptions;
  private readonly slots = new Slots<Agent>();
  private readonly orphaned = new Map<string, Set<Agent>>();
  private whitelist: ReadonlySet<string> | undefined;

  constructor(options: AllocatorOptions) {
    this.options = options;
    const excluded = options.fairSharingExcluded ?? new Set();
    this.shares = new Shares((index) => excluded.size > 0 && excluded.has(this.names.names[index]!));
    this.tree = new RoleTree(this.shares, this.names);
    this.quotas = new QuotaBook(this.names);
    this.minAllocatable = options.minAllocatable ?? [];
    this.dirty = new SlottedSet(this.slots);
    this.withFree = new SlottedSet(this.slots);
    this.heldBack = new SlottedSet(this.slots);
    this.refusals = new Refusals(({ seat, agentId }) => {
      const agent = this.agents.get(agentId);
      if (agent === undefined) return;
      agent.forgetRefusal(seat);
      if (seat.listed && !agent.free.isEmpty) this.dirty.add(agent);
    });
  }

  framework(id: string): Framework {
    const framework = this.frameworks.get(id);
    invariant(framework !== undefined, `the allocator knows the framework ${id}`);
    return framework;
  }

  agent(id: string): Agent {
    const agent = this.agents.get(id);
    invariant(agent !== undefined, `the allocator knows the agent ${id}`);
    return agent;
  }

  // What is held.

  /** Somebody is found to hold something: `allocated` is by role. */
  adopt(framework: Framework, agent: Agent, allocated: Resources): void {
    this.enter(framework, agent, allocated);
    agent.recount();
    this.freeChanged(agent);
  }

  private enter(framework: Framework, agent: Agent, allocated: Resources): void {
    for (const [role, resources] of allocated.allocations()) {
      const seat = this.tree.seat(framework, role);
      agent.adopt(seat, resources);
      this.charge(seat, agent, resources);
    }
  }

  /** Something comes back; all of one role. @returns the same, not allocated */
  recover(seat: Seat, agent: Agent, resources: Resources): Resources {
    if (!agent.isLastGiven(seat, resources)) checkHeld(seat, agent, agent.held(seat), resources);
    this.discharge(seat, agent, resources);
    const plain = agent.recover(seat, resources);
    this.freeGrew(agent);
    this.dropIfIdle(seat);
    return plain;
  }

  /** What a seat holds was made into something else, and the agent's total with it. */
  exchange(seat: Seat, agent: Agent, before: Resources, after: Resources, total: Resources): void {
    const held = agent.held(seat);
    checkHeld(seat, agent, held, before);
    this.discharge(seat, agent, before);
    if (hasShared(before) || hasShared(after)) {
      // Copies come and go without the agent having more or less.
      this.countTotal(agent.total, total);
      agent.exchange(seat, before, after);
      agent.setTotal(total);
    } else {
      this.countTotal(before.unallocate(), after.unallocate());
      agent.exchange(seat, before, after);
      agent.convert(total);
    }
    this.charge(seat, agent, after, 0);
    this.updateRequirements(agent);
    this.freeGrew(agent);
  }

  /** @param times how often this counts as having been given something */
  charge(seat: Seat, agent: Agent, resources: Resources, times = 1): void {
    const given = measure(this.names, resources);
    this.tree.give(seat, agent.id, given, times);
    this.quotas.give(seat.node.topRole, given);
  }

  discharge(seat: Seat, agent: Agent, resources: Resources): void {
    const taken = agent.measure(resources);
    this.tree.take(seat, agent.id, taken);
    this.quotas.take(seat.node.topRole, taken);
  }

  /** A role that a framework left goes when it holds nothing of it any more. */
  dropIfIdle(seat: Seat): void {
    if (seat.subscribed || seat.held.some((amount) => amount !== 0)) return;
    for (const agent of this.agents.values()) if (agent.holdings.has(seat)) return;
    this.dropSeat(seat);
  }

  dropSeat(seat: Seat): void {
    this.refusals.lift(seat);
    this.woken.delete(seat);
    for (const agent of this.agents.values()) agent.forgetExclusion(seat);
    this.tree.removeSeat(seat);
  }

  // What is to be looked at.

  /** After a change of what a seat wants, or may have. */
  refresh(seat: Seat, changed: boolean): void {
    if (this.tree.refresh(seat) || (changed && seat.listed)) this.woken.add(seat);
    if (!seat.listed) this.woken.delete(seat);
  }

  freeChanged(agent: Agent): void {
    if (agent.free.isEmpty) this.withFree.delete(agent);
    else this.withFree.add(agent);
  }

  freeGrew(agent: Agent): void {
    this.freeChanged(agent);
    this.dirty.add(agent);
    this.quotaEased();
  }

  /** What was withheld might be given now. */
  quotaEased(): void {
    this.heldBack.each((agent) => this.dirty.add(agent));
    this.heldBack.clear();
  }

  // Agents.

  addAgent(id: string, spec: AgentSpec): void {
    invariant(!this.agents.has(id), `the agent ${id} is new to the allocator`);
    const agent = new Agent(id, this.slots.next(), spec, this.names);
    this.slots.put(agent);
    this.agents.set(id, agent);
    this.setWhitelistedAnew(agent);
    this.countTotal(Resources.EMPTY, spec.total);
    agent.setTotal(spec.total);
    this.updateRequirements(agent);
    this.hold(agent, spec.used ?? []);
    this.freeGrew(agent);
  }

  /** Frameworks, known or not yet known, turn out to hold something of an agent. */
  hold(agent: Agent, used: Iterable<readonly [frameworkId: string, held: Resources]>): void {
    for (const [frameworkId, held] of used) {
      if (held.isEmpty) continue;
      const framework = this.frameworks.get(frameworkId);
      if (framework === undefined) this.addOrphan(agent, frameworkId, held);
      else this.enter(framework, agent, held);
    }
    agent.recount();
    this.freeChanged(agent);
  }

  setTotal(agent: Agent, total: Resources): void {
    this.countTotal(agent.total, total);
    agent.setTotal(total);
    this.updateRequirements(agent);
    this.freeGrew(agent);
  }

  removeAgent(agent: Agent): void {
    for (const [seat, resources] of agent.holdings) this.discharge(seat, agent, resources);
    const seats = [...agent.holdings.keys()];
    this.countTotal(agent.total, Resources.EMPTY);
    for (const id of agent.orphans.keys()) this.orphaned.get(id)?.delete(agent);
    this.agents.delete(agent.id);
    for (const set of [this.dirty, this.withFree, this.heldBack]) set.delete(agent);
    this.slots.free(agent);
    this.liftRefusals(agent);
    for (const seat of seats) this.dropIfIdle(seat);
    this.quotaEased();
  }

  liftRefusals(agent: Agent): void {
    for (const { seats } of this.frameworks.values()) {
      for (const seat of seats.values()) this.refusals.lift(seat, agent.id);
    }
  }

  /** What its domain and its total say about who may be offered it. */
  updateRequirements(agent: Agent): void {
    const region = agent.info.domain?.fault_domain?.region.name;
    const home = this.options.domain?.fault_domain?.region.name;
    const isRemote = region !== undefined && region !== home;
    const hidesGpus = (this.options.filterGpuResources ?? true) && agent.total.scalar('gpus') > 0;
    agent.requires = (isRemote ? REGION_AWARE : 0) | (hidesGpus ? GPU_RESOURCES : 0);
  }

  setWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.whitelist = hostnames;
    for (const agent of this.agents.values()) {
      this.setWhitelistedAnew(agent);
      if (!agent.free.isEmpty) this.dirty.add(agent);
    }
  }

  setWhitelistedAnew(agent: Agent): void {
    agent.isWhitelisted = this.whitelist?.has(agent.info.hostname) ?? true;
  }

  // Those who hold something before they are known.

  private addOrphan(agent: Agent, frameworkId: string, held: Resources): void {
    const before = agent.orphans.get(frameworkId);
    agent.orphans.set(frameworkId, before === undefined ? held : before.plus(held));
    let agents = this.orphaned.get(frameworkId);
    if (agents === undefined) {
      agents = new Set();
      this.orphaned.set(frameworkId, agents);
    }
    agents.add(agent);
  }

  adoptOrphans(framework: Framework): void {
    for (const agent of this.orphaned.get(framework.id) ?? []) {
      const held = agent.orphans.get(framework.id)!;
      agent.orphans.delete(framework.id);
      this.adopt(framework, agent, held);
    }
    this.orphaned.delete(framework.id);
  }

  recoverOrphan(agent: Agent, frameworkId: string, resources: Resources): void {
    const held = agent.orphans.get(frameworkId);
    if (held === undefined) return;
    const rest = held.minus(resources);
    if (rest.isEmpty) {
      agent.orphans.delete(frameworkId);
      this.orphaned.get(frameworkId)?.delete(agent);
    } else {
      agent.orphans.set(frameworkId, rest);
    }
    agent.recount();
    this.freeGrew(agent);
  }

  /** In what the cluster has, `before` became `after`. Reservations and volumes do not change how much that is. */
  private countTotal(before: Resources, after: Resources): void {
    const less = this.names.scalars(before);
    const more = this.names.scalars(after);
    if (!isSame(less, more)) {
      this.shares.shrink(less);
      this.shares.grow(more);
    }
    this.quotas.removeTotal(before);
    this.quotas.addTotal(after);
  }
}

function hasShared(resources: Resources): boolean {
  return resources.nonShared() !== resources;
}

function checkHeld(seat: Seat, agent: Agent, held: Resources, part: Resources): void {
  // Asked first: printing resources costs more than everything else here.
  if (held.contains(part)) return;
  invariant(false, `${seat.framework.id} holds ${part} of ${agent.id} as ${seat.role}; it holds ${held}`);
}
