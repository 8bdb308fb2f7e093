import { invariant } from '../base/invariant.ts';
import type { Millis } from '../base/machine.ts';
import { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import type { AgentInfo, Attribute, Unavailability } from '../wire/v1.ts';
import type { InverseOfferStatus } from '../wire/v1_allocator.ts';
import type { Agent } from './agent.ts';
import { AllocationCycle } from './allocation-cycle.ts';
import type {
  AgentSpec,
  AgentUpdate,
  Allocation,
  Allocator,
  AllocatorOptions,
  FrameworkSpec,
  InverseAllocation,
  NoOffer,
  NoOfferHere,
  Quota,
} from './allocator.ts';
import { capabilityBits } from './capability.ts';
import { Cluster } from './cluster.ts';
import { Explainer } from './explain.ts';
import { InverseOffers } from './inverse-offers.ts';
import { RandomOrder } from './random-order.ts';
import type { Framework, Seat } from './role-tree.ts';

const DEFAULT_REFUSE_SECONDS = 5;
const MAX_REFUSE_SECONDS = 365 * 24 * 60 * 60;

/** An allocator that shares by dominant resource, role by role down the tree of roles, as upstream's does. */
export function createAllocator(options: AllocatorOptions = {}): Allocator {
  return new HierarchicalAllocator(options);
}

class HierarchicalAllocator implements Allocator {
  private readonly cluster: Cluster;
  private readonly options: AllocatorOptions;
  private readonly order: RandomOrder;
  private readonly inverseOffers: InverseOffers;
  lookedAt = 0;

  constructor(options: AllocatorOptions) {
    this.options = options;
    this.cluster = new Cluster(options);
    this.order = new RandomOrder(this.cluster.tree);
    this.inverseOffers = new InverseOffers(this.cluster);
  }

  // Frameworks.

  addFramework(
    id: string,
    spec: FrameworkSpec & { readonly active: boolean },
    used: Iterable<readonly [agentId: string, held: Resources]> = [],
  ): void {
    const { cluster } = this;
    invariant(!cluster.frameworks.has(id), `the framework ${id} is new to the allocator`);
    const framework: Framework = {
      id,
      active: spec.active,
      capabilities: capabilityBits(spec.capabilities),
      constraints: spec.constraints,
      seats: new Map(),
    };
    cluster.frameworks.set(id, framework);
    for (const role of spec.roles) this.subscribe(framework, role, spec);
    const suppressed = new Set(spec.suppressedRoles);
    for (const seat of framework.seats.values()) {
      seat.suppressed = suppressed.has(seat.role);
      cluster.refresh(seat, true);
    }
    const found = [...used].filter(([agentId]) => !cluster.agents.get(agentId)?.orphans.has(id));
    cluster.adoptOrphans(framework);
    for (const [agentId, held] of found) {
      const agent = cluster.agents.get(agentId);
      if (agent !== undefined && !held.isEmpty) cluster.adopt(framework, agent, held);
    }
  }

  updateFramework(id: string, spec: FrameworkSpec): void {
    const { cluster } = this;
    const framework = cluster.framework(id);
    const capabilities = capabilityBits(spec.capabilities);
    const changed =
      capabilities !== framework.capabilities ||
      spec.constraints !== undefined ||
      framework.constraints !== undefined ||
      spec.minAllocatableByRole !== undefined ||
      [...framework.seats.values()].some((seat) => seat.minAllocatable !== undefined);
    framework.capabilities = capabilities;
    framework.constraints = spec.constraints;
    this.inverseOffers.liftOf(id);
    const roles = new Set(spec.roles);
    // First the new ones: roles above them that they share with the old ones stay.
    for (const role of roles) this.subscribe(framework, role, spec);
    for (const seat of [...framework.seats.values()]) if (!roles.has(seat.role)) this.unsubscribe(seat);
    const suppressed = new Set(spec.suppressedRoles);
    for (const seat of framework.seats.values()) {
      for (const agent of changed ? cluster.agents.values() : []) agent.forgetExclusion(seat);
      if (seat.suppressed && !suppressed.has(seat.role)) cluster.refusals.lift(seat);
      seat.suppressed = suppressed.has(seat.role);
      cluster.refresh(seat, changed);
    }
  }

  removeFramework(id: string): void {
    const { cluster } = this;
    const framework = cluster.framework(id);
    framework.active = false;
    for (const seat of [...framework.seats.values()]) {
      seat.subscribed = true;
      for (const agent of cluster.agents.values()) {
        const held = agent.holdings.get(seat);
        if (held !== undefined) cluster.recover(seat, agent, held);
      }
      cluster.dropSeat(seat);
    }
    cluster.frameworks.delete(id);
    this.inverseOffers.forgetFramework(id);
  }

  activateFramework(id: string): void {
    const framework = this.cluster.framework(id);
    framework.active = true;
    for (const seat of framework.seats.values()) this.cluster.refresh(seat, false);
  }

  deactivateFramework(id: string): void {
    const framework = this.cluster.framework(id);
    framework.active = false;
    for (const seat of framework.seats.values()) {
      this.cluster.refresh(seat, false);
      this.cluster.refusals.lift(seat);
    }
    this.inverseOffers.liftOf(id);
  }

  hasFramework(id: string): boolean {
    return this.cluster.frameworks.has(id);
  }

  suppress(frameworkId: string, roles?: Iterable<string>): void {
    for (const seat of this.subscribed(frameworkId, roles)) {
      seat.suppressed = true;
      this.cluster.refresh(seat, false);
    }
  }

  revive(frameworkId: string, roles?: Iterable<string>): void {
    this.inverseOffers.liftOf(frameworkId);
    for (const seat of this.subscribed(frameworkId, roles)) {
      this.cluster.refusals.lift(seat);
      seat.suppressed = false;
      this.cluster.refresh(seat, false);
    }
  }

  private subscribe(framework: Framework, role: string, spec: FrameworkSpec): void {
    const seat = this.cluster.tree.seat(framework, role);
    seat.subscribed = true;
    this.cluster.tree.setMinimum(seat, spec.minAllocatableByRole?.get(role));
  }

  private unsubscribe(seat: Seat): void {
    seat.subscribed = false;
    seat.suppressed = false;
    this.cluster.refresh(seat, false);
    this.cluster.refusals.lift(seat);
    this.cluster.dropIfIdle(seat);
  }

  private subscribed(frameworkId: string, roles: Iterable<string> | undefined): Seat[] {
    const wanted = new Set(roles);
    return [...this.cluster.framework(frameworkId).seats.values()].filter(
      (seat) => seat.subscribed && (wanted.size === 0 || wanted.has(seat.role)),
    );
  }

  // Agents.

  addAgent(id: string, spec: AgentSpec): void {
    this.cluster.addAgent(id, spec);
    this.inverseOffers.setUnavailability(id, spec.unavailability);
  }

  updateAgent(id: string, { info, total, capabilities }: AgentUpdate): boolean {
    const { cluster } = this;
    const agent = cluster.agent(id);
    let changed = capabilities !== undefined && agent.setCapabilities(capabilities);
    if (info !== undefined && !sameForOffers(agent.info, info)) {
      // A framework may have refused the agent because of what it did not say about itself.
      if (!sameAttributes(agent.info, info)) {
        cluster.liftRefusals(agent);
        this.inverseOffers.liftFor(id);
      }
      agent.setInfo(info);
      cluster.setWhitelistedAnew(agent);
      cluster.updateRequirements(agent);
      changed = true;
    }
    if (total !== undefined && !agent.total.equals(total)) {
      cluster.setTotal(agent, total);
      changed = true;
    }
    if (changed) cluster.dirty.add(agent);
    return changed;
  }

  addResourceProvider(
    id: string,
    total: Resources,
    used: Iterable<readonly [frameworkId: string, held: Resources]> = [],
  ): void {
    const { cluster } = this;
    const agent = cluster.agent(id);
    cluster.setTotal(agent, agent.total.plus(total));
    cluster.hold(agent, used);
  }

  removeAgent(id: string): void {
    this.cluster.removeAgent(this.cluster.agent(id));
    this.inverseOffers.forgetAgent(id);
  }

  activateAgent(id: string): void {
    const agent = this.cluster.agent(id);
    agent.isActive = true;
    this.cluster.dirty.add(agent);
  }

  deactivateAgent(id: string): void {
    this.cluster.agent(id).isActive = false;
  }

  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void {
    this.inverseOffers.setUnavailability(this.cluster.agent(agentId).id, unavailability);
  }

  allocateInverse(now: Millis): InverseAllocation[] {
    return this.inverseOffers.due(now);
  }

  answerInverseOffer(
    agentId: string,
    frameworkId: string,
    status: InverseOfferStatus | undefined,
    refuseSeconds: number | undefined,
    now: Millis,
  ): void {
    this.inverseOffers.answer(agentId, frameworkId, status, refusedFor(refuseSeconds), now);
  }

  inverseOfferStatuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>> {
    return this.inverseOffers.statuses();
  }

  hasAgent(id: string): boolean {
    return this.cluster.agents.has(id);
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.cluster.setWhitelist(hostnames);
  }

  // Holdings.

  recoverResources(
    frameworkId: string,
    agentId: string,
    resources: Resources,
    refuseSeconds: number | undefined,
    now: Millis,
  ): void {
    const { cluster } = this;
    const agent = cluster.agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const seat = cluster.frameworks.get(frameworkId)?.seats.get(roleOf(resources));
    if (seat === undefined) {
      cluster.recoverOrphan(agent, frameworkId, resources);
      return;
    }
    const plain = cluster.recover(seat, agent, resources);
    const refused = refusedFor(refuseSeconds);
    if (refused === 0 || !seat.subscribed) return;
    const lasts = Math.max(refused * 1000, this.options.allocationInterval ?? 1000);
    cluster.refusals.add(seat, agentId, plain, now + lasts);
    agent.noteRefusal(seat, plain);
  }

  updateAllocation(frameworkId: string, agentId: string, before: Resources, after: Resources): void {
    const { cluster } = this;
    const agent = cluster.agent(agentId);
    const role = roleOf(before);
    const seat = cluster.framework(frameworkId).seats.get(role);
    invariant(seat !== undefined, `the framework ${frameworkId} holds something of the role ${role}`);
    cluster.exchange(seat, agent, before, after, converted(agent, before.unallocate(), after.unallocate()));
  }

  updateAvailable(agentId: string, before: Resources, after: Resources): boolean {
    const agent = this.cluster.agent(agentId);
    if (!agent.free.contains(before)) return false;
    this.cluster.setTotal(agent, converted(agent, before, after));
    return true;
  }

  // Policy.

  updateWeights(weights: Iterable<readonly [role: string, weight: number]>): void {
    for (const [role, weight] of weights) this.cluster.tree.setWeight(role, weight);
  }

  updateQuota(role: string, quota: Quota | undefined): void {
    this.cluster.quotas.set(role, quota);
    this.cluster.dirty.addAll(this.cluster.withFree);
  }

  // Allocation.

  allocate(now: Millis, random: () => number, agentIds?: Iterable<string>): Allocation[] {
    const { cluster } = this;
    const { dirty, woken, withFree } = cluster;
    cluster.refusals.expire(now);
    this.lookedAt = 0;
    if (dirty.size === 0 && woken.size === 0) return [];
    if (cluster.tree.root.wanting === 0) {
      // Whoever begins to want something is woken, and looks at all agents.
      dirty.clear();
      return [];
    }
    const candidates: Agent[] = [];
    const consider = (agent: Agent): void => {
      if (agent.isCandidate) candidates.push(agent);
      else dirty.delete(agent);
    };
    if (agentIds !== undefined) this.dirtyAmong(agentIds).forEach(consider);
    else if (woken.size === 0) dirty.each(consider);
    else withFree.each(consider);
    this.lookedAt = candidates.length;
    const allocations = new AllocationCycle(cluster, this.options, this.order, random).run(
      candidates,
      agentIds === undefined,
    );
    if (agentIds === undefined) woken.clear();
    return allocations;
  }

  nextExpiry(): Millis | undefined {
    return this.cluster.refusals.nextExpiry();
  }

  private dirtyAmong(agentIds: Iterable<string>): Set<Agent> {
    const found = new Set<Agent>();
    for (const id of agentIds) {
      const agent = this.cluster.agents.get(id);
      if (agent !== undefined && this.cluster.dirty.has(agent)) found.add(agent);
    }
    return found;
  }

  // Questions.

  explain(frameworkId: string, now: Millis): NoOffer[] {
    return this.explainer(now).summary(this.cluster.framework(frameworkId));
  }

  explainAgents(
    frameworkId: string,
    now: Millis,
    question: Parameters<Allocator['explainAgents']>[2] = {},
  ): Iterable<NoOfferHere> {
    return this.explainer(now).perAgent(this.cluster.framework(frameworkId), question);
  }

  private explainer(now: Millis): Explainer {
    const { roleSorter = 'drf', frameworkSorter = 'drf' } = this.options;
    return new Explainer(this.cluster, now, roleSorter === 'drf' && frameworkSorter === 'drf');
  }

  excludedByConstraints(frameworkId: string): Map<string, string[]> {
    const agents = [...this.cluster.agents.values()];
    const seats = this.subscribed(frameworkId, undefined);
    return new Map(
      seats.map((seat) => [seat.role, agents.filter((agent) => agent.isExcluded(seat)).map(({ id }) => id)]),
    );
  }

  available(agentId: string): Resources {
    return this.cluster.agent(agentId).free;
  }

  allocated(frameworkId: string, agentId: string): Resources {
    const agent = this.cluster.agent(agentId);
    const seats = this.cluster.frameworks.get(frameworkId)?.seats.values() ?? [];
    const orphan = agent.orphans.get(frameworkId) ?? Resources.EMPTY;
    return Resources.sum([orphan, ...[...seats].map((seat) => agent.held(seat))]);
  }

  roleShare(role: string): number {
    const node = this.cluster.tree.get(role);
    return node === undefined ? 0 : this.cluster.shares.of(node);
  }

  frameworkShare(frameworkId: string, role: string): number {
    const seat = this.cluster.frameworks.get(frameworkId)?.seats.get(role);
    return seat === undefined ? 0 : this.cluster.shares.of(seat);
  }

  quotaConsumed(topRole: string): Quantities {
    const { names, quotas } = this.cluster;
    return Quantities.of(names.names.map((name, i) => [name, quotas.consumed(topRole, i)]));
  }

  activeFilters(role: string): number {
    let count = 0;
    for (const seat of this.cluster.tree.get(role)?.seats.values() ?? []) {
      for (const refusals of seat.refusals.values()) count += refusals.length;
    }
    return count;
  }
}

/** The role that resources of one role are allocated to. */
function roleOf(resources: Resources): string {
  const role = resources.toProto()[0]?.allocation_info?.role;
  invariant(role !== undefined, 'resources that are recovered or changed are allocated to a role');
  return role;
}

function refusedFor(seconds: number | undefined): number {
  if (seconds === undefined) return 0;
  if (Number.isNaN(seconds) || seconds < 0) return DEFAULT_REFUSE_SECONDS;
  return Math.min(seconds, MAX_REFUSE_SECONDS);
}

/** What an agent has after an operation. Of shared resources it has one, however many copies are held. */
function converted(agent: Agent, before: Resources, after: Resources): Resources {
  const kept = agent.total.minus(before.nonShared()).plus(after.nonShared());
  const consumed = before.shared();
  const produced = after.shared();
  const gone = consumed.filter((resource) => !produced.contains(resource));
  const made = produced.filter((resource) => !agent.total.contains(resource));
  return kept.minus(once(gone)).plus(once(made));
}

/** One copy of each. */
function once(shared: Resources): Resources {
  return Resources.of(shared.toProto());
}

function sameAttributes(a: AgentInfo, b: AgentInfo): boolean {
  const texts = (attributes: readonly Attribute[] = []) => attributes.map((one) => JSON.stringify(one)).sort();
  return JSON.stringify(texts(a.attributes)) === JSON.stringify(texts(b.attributes));
}

function sameForOffers(a: AgentInfo, b: AgentInfo): boolean {
  return a.hostname === b.hostname && JSON.stringify(a.domain) === JSON.stringify(b.domain) && sameAttributes(a, b);
}
