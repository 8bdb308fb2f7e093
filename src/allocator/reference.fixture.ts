/**
 * The rules of sharing out, written down as plainly as they are said: nothing is remembered that can be worked out, and
 * every allocation looks at every agent for everybody. Slow, and what the real allocator is held against.
 */
import { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import { ancestorsOf, isStrictSubrole } from '../resources/roles.ts';
import type { AgentInfo, Resource } from '../wire/v1.ts';
import type { AgentSpec, AgentUpdate, Allocation, AllocatorOptions, FrameworkSpec, Quota } from './allocator.ts';
import type { OfferConstraintsFilter } from './constraints.ts';

interface Framework {
  readonly id: string;
  active: boolean;
  roles: Set<string>;
  suppressed: Set<string>;
  capabilities: ReadonlySet<string>;
  minimums: ReadonlyMap<string, readonly Quantities[]>;
  constraints: OfferConstraintsFilter | undefined;
}

interface Agent {
  readonly id: string;
  info: AgentInfo;
  total: Resources;
  capabilities: ReadonlySet<string>;
  active: boolean;
  offeredShared: Resources;
}

/** Not allocated. */
interface Holding {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  resources: Resources;
}

interface Refused extends Holding {
  readonly until: number;
}

/** One whose turn comes among its siblings. */
interface Turn {
  readonly path: string;
  readonly share: number;
  readonly count: number;
  /** The role whose own frameworks are meant; undefined for a role with roles below it. */
  readonly role: string | undefined;
}

const SCALARS = ['cpus', 'mem', 'disk', 'gpus'];

function within(role: string, top: string): boolean {
  return role === top || isStrictSubrole(role, top);
}

function topOf(role: string): string {
  return ancestorsOf(role).at(-1) ?? role;
}

function isQuotaScalar(resource: Resource): boolean {
  return resource.type === 'SCALAR' && (resource.reservations ?? []).length === 0 && resource.revocable === undefined;
}

export class ReferenceAllocator {
  private readonly options: AllocatorOptions;
  private readonly frameworks = new Map<string, Framework>();
  private readonly agents = new Map<string, Agent>();
  private readonly places: (Agent | undefined)[] = [];
  private readonly gaps: number[] = [];
  private readonly weights = new Map<string, number>();
  private readonly quotas = new Map<string, Quota>();
  private readonly counts = new Map<string, number>();
  private holdings: Holding[] = [];
  private refusals: Refused[] = [];
  private whitelist: ReadonlySet<string> | undefined;

  constructor(options: AllocatorOptions = {}) {
    this.options = options;
  }

  // What happens.

  addFramework(id: string, spec: FrameworkSpec & { readonly active: boolean }): void {
    this.frameworks.set(id, { ...this.fieldsOf(spec), id, active: spec.active });
    for (const { frameworkId, role } of this.holdings) if (frameworkId === id) this.count(id, role);
  }

  updateFramework(id: string, spec: FrameworkSpec): void {
    const framework = this.frameworks.get(id)!;
    const { roles: before, suppressed: wereSuppressed } = framework;
    Object.assign(framework, this.fieldsOf(spec));
    for (const role of before) {
      const isRevived = wereSuppressed.has(role) && !framework.suppressed.has(role);
      if (!framework.roles.has(role) || isRevived) this.lift((one) => one.frameworkId === id && one.role === role);
    }
    this.forgetCounts();
  }

  removeFramework(id: string): void {
    this.frameworks.delete(id);
    this.holdings = this.holdings.filter((one) => one.frameworkId !== id);
    this.lift((one) => one.frameworkId === id);
    this.forgetCounts();
  }

  activateFramework(id: string): void {
    this.frameworks.get(id)!.active = true;
  }

  deactivateFramework(id: string): void {
    this.frameworks.get(id)!.active = false;
    this.lift((one) => one.frameworkId === id);
  }

  suppress(id: string, roles: Iterable<string> = []): void {
    for (const role of this.meant(id, roles)) this.frameworks.get(id)!.suppressed.add(role);
  }

  revive(id: string, roles: Iterable<string> = []): void {
    for (const role of this.meant(id, roles)) {
      this.frameworks.get(id)!.suppressed.delete(role);
      this.lift((one) => one.frameworkId === id && one.role === role);
    }
  }

  addAgent(id: string, { info, total, capabilities, used = [] }: AgentSpec): void {
    const agent: Agent = { id, info, total, capabilities, active: true, offeredShared: Resources.EMPTY };
    this.agents.set(id, agent);
    this.places[this.gaps.pop() ?? this.places.length] = agent;
    for (const [frameworkId, held] of used) {
      for (const [role, resources] of held.allocations()) this.hold(frameworkId, role, id, resources.unallocate());
    }
  }

  updateAgent(id: string, { info, total, capabilities }: AgentUpdate): void {
    const agent = this.agents.get(id)!;
    if (info !== undefined && JSON.stringify(info.attributes) !== JSON.stringify(agent.info.attributes)) {
      this.lift((one) => one.agentId === id);
    }
    Object.assign(agent, {
      info: info ?? agent.info,
      total: total ?? agent.total,
      capabilities: capabilities ?? agent.capabilities,
    });
  }

  removeAgent(id: string): void {
    const place = this.places.findIndex((agent) => agent?.id === id);
    this.places[place] = undefined;
    this.gaps.push(place);
    this.agents.delete(id);
    this.holdings = this.holdings.filter((one) => one.agentId !== id);
    this.lift((one) => one.agentId === id);
    this.forgetCounts();
  }

  activateAgent(id: string): void {
    this.agents.get(id)!.active = true;
  }

  deactivateAgent(id: string): void {
    this.agents.get(id)!.active = false;
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.whitelist = hostnames;
  }

  updateWeights(weights: Iterable<readonly [role: string, weight: number]>): void {
    for (const [role, weight] of weights) this.weights.set(role, weight);
  }

  updateQuota(role: string, quota: Quota | undefined): void {
    if (quota === undefined) this.quotas.delete(role);
    else this.quotas.set(role, quota);
  }

  recoverResources(id: string, agentId: string, resources: Resources, refuse: number | undefined, now: number): void {
    for (const [role, part] of resources.allocations()) {
      const plain = part.unallocate();
      this.release(id, role, agentId, plain);
      if (refuse && this.frameworks.get(id)?.roles.has(role)) {
        const until = now + Math.max(refuse * 1000, this.options.allocationInterval ?? 1000);
        this.refusals.push({ frameworkId: id, role, agentId, resources: plain, until });
      }
    }
    this.forgetCounts();
  }

  updateAllocation(id: string, agentId: string, before: Resources, after: Resources): void {
    for (const [role, part] of before.allocations()) this.release(id, role, agentId, part.unallocate());
    for (const [role, part] of after.allocations()) this.keep(id, role, agentId, part.unallocate());
    const agent = this.agents.get(agentId)!;
    agent.total = agent.total.minus(before.unallocate()).plus(after.unallocate());
  }

  updateAvailable(agentId: string, before: Resources, after: Resources): boolean {
    const agent = this.agents.get(agentId)!;
    if (!this.available(agentId).contains(before)) return false;
    agent.total = agent.total.minus(before).plus(after);
    return true;
  }

  // Questions.

  available(agentId: string): Resources {
    const held = Resources.sum(this.holdings.filter((one) => one.agentId === agentId).map((one) => one.resources));
    const { total } = this.agents.get(agentId)!;
    return total.nonShared().minus(held.nonShared()).plus(total.shared());
  }

  // Sharing out. Agents come in the order of their places: it is for the caller to make the other side do the same.

  allocate(now: number): Allocation[] {
    this.refusals = this.refusals.filter(({ until }) => until > now);
    const agents = this.places.filter((agent) => agent !== undefined);
    const offered = agents.filter(({ active, info }) => active && (this.whitelist?.has(info.hostname) ?? true));
    const out: Allocation[] = [];
    const round = { out, required: this.requiredHeadroom() };
    for (const agent of offered) this.firstStage(agent, round);
    for (const agent of offered) this.secondStage(agent, round);
    for (const agent of agents) agent.offeredShared = Resources.EMPTY;
    return merged(out);
  }

  private firstStage(agent: Agent, round: { out: Allocation[]; required: Quantities }): void {
    for (const role of this.rolesInOrder()) {
      const quota = this.quotas.get(role);
      if (quota === undefined || role.includes('/')) continue;
      for (const framework of this.frameworksInOrder(role)) {
        const lacking = Quantities.of(Object.entries(quota.guarantees)).minus(this.consumed(role));
        if (lacking.isEmpty) break;
        const visible = this.visible(agent, framework, role);
        const scalars = visible.filter(isQuotaScalar);
        const guaranteed = scalars.shrink((name) => lacking.get(name));
        if (guaranteed.isEmpty) continue;
        const rest = scalars.minus(guaranteed);
        const beyond = this.bounded(rest, role, round.required, guaranteed.scalarQuantities());
        const offer = visible
          .filter((resource) => !isQuotaScalar(resource))
          .plus(guaranteed)
          .plus(beyond);
        if (!this.isWorthIt(framework, role, offer) || this.isRefused(framework, role, agent, offer)) continue;
        round.required = round.required.minus(guaranteed.scalarQuantities());
        this.give(agent, framework, role, offer, round.out);
      }
    }
  }

  private secondStage(agent: Agent, round: { out: Allocation[]; required: Quantities }): void {
    for (const role of this.rolesInOrder()) {
      for (const framework of this.frameworksInOrder(role)) {
        const visible = this.visible(agent, framework, role);
        const bounded = this.bounded(visible.filter(isQuotaScalar), role, round.required, Quantities.EMPTY);
        const offer = visible.filter((resource) => !isQuotaScalar(resource)).plus(bounded);
        if (!this.isWorthIt(framework, role, offer) || this.isRefused(framework, role, agent, offer)) continue;
        this.give(agent, framework, role, offer, round.out);
      }
    }
  }

  /** What of some scalars a role may have beyond its guarantees. */
  private bounded(scalars: Resources, role: string, required: Quantities, guaranteed: Quantities): Resources {
    const consumed = this.consumed(topOf(role)).plus(guaranteed);
    const limits = this.quotas.get(topOf(role))?.limits ?? {};
    const limited = scalars.shrink((name) => {
      const limit = limits[name];
      return limit === undefined ? Infinity : Math.max(0, limit - consumed.get(name));
    });
    if (required.isEmpty) return limited;
    const surplus = this.headroom().minus(required);
    return limited.shrink((name) => surplus.get(name));
  }

  /** What of an agent a role of a framework is shown. */
  private visible(agent: Agent, framework: Framework, role: string): Resources {
    const { capabilities, constraints } = framework;
    if (constraints?.excludes(role, agent.info)) return Resources.EMPTY;
    if (role.includes('/') && !agent.capabilities.has('HIERARCHICAL_ROLE')) return Resources.EMPTY;
    if (capabilities.has('MULTI_ROLE') && !agent.capabilities.has('MULTI_ROLE')) return Resources.EMPTY;
    const hidesGpus = (this.options.filterGpuResources ?? true) && agent.total.scalar('gpus') > 0;
    if (hidesGpus && !capabilities.has('GPU_RESOURCES')) return Resources.EMPTY;
    const region = agent.info.domain?.fault_domain?.region.name;
    const isRemote = region !== undefined && region !== this.options.domain?.fault_domain?.region.name;
    if (isRemote && !capabilities.has('REGION_AWARE')) return Resources.EMPTY;
    let out = this.available(agent.id).minus(agent.offeredShared).allocatableTo(role);
    if (!capabilities.has('REVOCABLE_RESOURCES')) out = out.nonRevocable();
    if (!capabilities.has('SHARED_RESOURCES')) out = out.nonShared();
    if (capabilities.has('RESERVATION_REFINEMENT')) return out;
    return out.filter(({ reservations = [] }) => reservations.length < 2);
  }

  private isWorthIt(framework: Framework, role: string, offer: Resources): boolean {
    const minimums = framework.minimums.get(role) ?? this.options.minAllocatable ?? [];
    if (offer.isEmpty) return false;
    return minimums.length === 0 || minimums.some((minimum) => offer.containsQuantities(minimum));
  }

  private isRefused(framework: Framework, role: string, agent: Agent, offer: Resources): boolean {
    return this.refusals.some(
      (one) =>
        one.frameworkId === framework.id &&
        one.role === role &&
        one.agentId === agent.id &&
        one.resources.contains(offer),
    );
  }

  private give(agent: Agent, framework: Framework, role: string, offer: Resources, out: Allocation[]): void {
    this.hold(framework.id, role, agent.id, offer);
    agent.offeredShared = agent.offeredShared.plus(offer.shared());
    out.push({ frameworkId: framework.id, role, agentId: agent.id, resources: offer.allocate(role) });
  }

  // Quota.

  /** What frameworks hold that are not known yet counts only when they are. */
  private get counted(): Holding[] {
    return this.holdings.filter(({ frameworkId }) => this.frameworks.has(frameworkId));
  }

  /** All that is reserved to a role and the roles below it, and what they hold of all else that is not revocable. */
  private consumed(top: string): Quantities {
    const reserved = [...this.agents.values()].map(({ total }) => total.nonRevocable().reservedToSubtree(top));
    const held = this.counted.filter(({ role }) => within(role, top)).map((one) => one.resources.filter(isQuotaScalar));
    return Resources.sum([...reserved, ...held]).scalarQuantities();
  }

  private requiredHeadroom(): Quantities {
    let sum = Quantities.EMPTY;
    for (const [role, { guarantees }] of this.quotas) {
      sum = sum.plus(Quantities.of(Object.entries(guarantees)).minus(this.consumed(role)));
    }
    return sum;
  }

  /** What is free in the cluster, unreserved and not revocable. */
  private headroom(): Quantities {
    const total = Resources.sum([...this.agents.values()].map((agent) => agent.total.filter(isQuotaScalar)));
    const held = Resources.sum(this.counted.map((one) => one.resources.filter(isQuotaScalar)));
    return total.scalarQuantities().minus(held.scalarQuantities());
  }

  // Turns.

  /** All roles with frameworks that want offers: the turns of siblings, down the tree. */
  private rolesInOrder(): string[] {
    const wanted = new Set<string>();
    for (const framework of this.frameworks.values()) {
      for (const role of framework.roles) if (this.wants(framework, role)) wanted.add(role);
    }
    const below = (parent: string): Turn[] => {
      const depth = parent === '' ? 1 : parent.split('/').length + 1;
      const children = [...wanted].filter((role) => parent === '' || isStrictSubrole(role, parent));
      const paths = new Set(children.map((role) => role.split('/').slice(0, depth).join('/')));
      return [...paths].map((path) => {
        const isParent = this.existing().some((role) => isStrictSubrole(role, path));
        return this.turn(path, isParent ? undefined : path, (role) => within(role, path), this.weights.get(path) ?? 1);
      });
    };
    const walk = (parent: string): string[] => {
      const turns = below(parent);
      if (wanted.has(parent)) turns.push(this.turn(`${parent}/.`, parent, (role) => role === parent, 1));
      return inOrder(turns).flatMap(({ path, role }) => (role === undefined ? walk(path) : [role]));
    };
    return walk('');
  }

  private frameworksInOrder(role: string): Framework[] {
    const wanting = [...this.frameworks.values()].filter((framework) => this.wants(framework, role));
    const turns = wanting.map(({ id }) => this.turn(`${role} ${id}`, id, (of, by) => of === role && by === id, 1));
    return inOrder(turns).map((turn) => this.frameworks.get(turn.role!)!);
  }

  private turn(
    path: string,
    role: string | undefined,
    isIts: (role: string, frameworkId: string) => boolean,
    weight: number,
  ): Turn {
    const its = this.counted.filter((one) => isIts(one.role, one.frameworkId));
    const total = Resources.sum([...this.agents.values()].map((agent) => agent.total));
    const held = new Map<string, number>();
    for (const agentId of this.agents.keys()) {
      // The sum holds a shared thing that several hold once.
      const there = Resources.sum(its.filter((one) => one.agentId === agentId).map((one) => one.resources));
      for (const name of SCALARS) held.set(name, (held.get(name) ?? 0) + there.scalar(name));
    }
    let share = 0;
    for (const [name, amount] of held) {
      if (total.scalar(name) === 0 || this.options.fairSharingExcluded?.has(name)) continue;
      share = Math.max(share, amount / total.scalar(name));
    }
    return { path, role, share: share / weight, count: this.counts.get(path) ?? 0 };
  }

  private wants({ active, roles, suppressed }: Framework, role: string): boolean {
    return active && roles.has(role) && !suppressed.has(role);
  }

  // Books.

  private hold(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    this.keep(frameworkId, role, agentId, resources);
    if (this.frameworks.has(frameworkId)) this.count(frameworkId, role);
  }

  private keep(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    const held = this.holding(frameworkId, role, agentId);
    if (held === undefined) this.holdings.push({ frameworkId, role, agentId, resources });
    else held.resources = held.resources.plus(resources);
  }

  private release(frameworkId: string, role: string, agentId: string, resources: Resources): void {
    const held = this.holding(frameworkId, role, agentId)!;
    held.resources = held.resources.minus(resources);
    this.holdings = this.holdings.filter((one) => !one.resources.isEmpty);
  }

  private holding(frameworkId: string, role: string, agentId: string): Holding | undefined {
    return this.holdings.find((one) => one.frameworkId === frameworkId && one.role === role && one.agentId === agentId);
  }

  /** Something was given: that decides between equal shares. */
  private count(frameworkId: string, role: string): void {
    for (const path of [`${role} ${frameworkId}`, `${role}/.`, role, ...ancestorsOf(role)]) {
      this.counts.set(path, (this.counts.get(path) ?? 0) + 1);
    }
  }

  /** Roles and frameworks in roles that are gone begin anew when they come back. */
  private forgetCounts(): void {
    const known = new Set(this.existing().flatMap((role) => [role, `${role}/.`]));
    for (const { id, roles } of this.frameworks.values()) {
      for (const role of roles) known.add(`${role} ${id}`);
    }
    for (const { frameworkId, role } of this.holdings) known.add(`${role} ${frameworkId}`);
    for (const path of [...this.counts.keys()]) if (!known.has(path)) this.counts.delete(path);
  }

  /** Roles that known frameworks are in or hold something of, and the roles above them. */
  private existing(): string[] {
    const roles = new Set<string>();
    for (const framework of this.frameworks.values()) for (const role of framework.roles) roles.add(role);
    for (const { role } of this.counted) roles.add(role);
    return [...new Set([...roles].flatMap((role) => [role, ...ancestorsOf(role)]))];
  }

  private lift(isMeant: (one: Refused) => boolean): void {
    this.refusals = this.refusals.filter((one) => !isMeant(one));
  }

  private meant(id: string, roles: Iterable<string>): string[] {
    const wanted = new Set(roles);
    return [...this.frameworks.get(id)!.roles].filter((role) => wanted.size === 0 || wanted.has(role));
  }

  private fieldsOf(spec: FrameworkSpec) {
    return {
      roles: new Set(spec.roles),
      suppressed: new Set(spec.suppressedRoles),
      capabilities: spec.capabilities,
      minimums: spec.minAllocatableByRole ?? new Map(),
      constraints: spec.constraints,
    };
  }
}

function inOrder(turns: Turn[]): Turn[] {
  return turns.sort((a, b) => a.share - b.share || a.count - b.count || (a.path < b.path ? -1 : 1));
}

/** One offer for what both stages gave. */
function merged(allocations: readonly Allocation[]): Allocation[] {
  const offers = new Map<string, Allocation>();
  for (const one of allocations) {
    const key = `${one.frameworkId} ${one.role} ${one.agentId}`;
    const before = offers.get(key);
    offers.set(key, before === undefined ? one : { ...one, resources: before.resources.plus(one.resources) });
  }
  return [...offers.values()];
}
