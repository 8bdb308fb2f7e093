/** Why somebody is offered nothing. Asks what an allocation asks, in the same order, and changes nothing. */
import type { Millis } from '../base/machine.ts';
import type { Resources } from '../resources/resources.ts';
import type { Agent } from './agent.ts';
import type { NoOffer, NoOfferHere } from './allocator.ts';
import {
  EVERY_CAPABILITY,
  GPU_RESOURCES,
  REGION_AWARE,
  RESERVATION_REFINEMENT,
  REVOCABLE_RESOURCES,
  SHARED_RESOURCES,
} from './capability.ts';
import type { Cluster } from './cluster.ts';
import { isEnough } from './eligibility.ts';
import type { View } from './offerable.ts';
import { QuotaRound, type QuotaRule } from './quota.ts';
import type { Holder, NoOfferDetails, NoOfferReason } from './reason.ts';
import { type Framework, OwnTurn, type RoleNode, type Seat } from './role-tree.ts';
import { isZero, type Vector } from './scalar-vector.ts';

/** Of the many who may hold something of an agent, or have guarantees, these are named. */
const NAMED = 3;

interface Because {
  readonly reason: NoOfferReason;
  readonly until?: Millis;
  readonly details?: NoOfferDetails;
}

export interface Question {
  readonly role?: string | undefined;
  readonly agentId?: string | undefined;
}

/** Answers for one moment. */
export class Explainer {
  private readonly cluster: Cluster;
  private readonly now: Millis;
  private readonly isTurnKnown: boolean;
  private readonly round: QuotaRound | undefined;

  /** @param isTurnKnown who is next is no matter of chance */
  constructor(cluster: Cluster, now: Millis, isTurnKnown: boolean) {
    this.cluster = cluster;
    this.now = now;
    this.isTurnKnown = isTurnKnown;
    const { quotas, names, shares } = cluster;
    this.round = quotas.isEmpty ? undefined : new QuotaRound(quotas, names, shares.total);
  }

  /** Why each role of a framework is offered nothing more, with how many agents each reason applies to. */
  summary(framework: Framework): NoOffer[] {
    const out: NoOffer[] = [];
    for (const seat of framework.seats.values()) {
      if (!seat.subscribed) continue;
      const { role } = seat;
      const general = this.whyNowhere(seat);
      if (general !== undefined) {
        out.push({ role, reason: general, agents: this.cluster.agents.size, exampleAgentId: undefined });
        continue;
      }
      const found = new Map<NoOfferReason, { agents: number; readonly example: Agent; until?: Millis }>();
      for (const agent of this.cluster.agents.values()) {
        const { reason, until } = this.whyNot(seat, agent);
        const before = found.get(reason);
        if (before === undefined)
          found.set(reason, { agents: 1, example: agent, ...(until !== undefined && { until }) });
        else before.agents++;
        if (before?.until !== undefined && until! < before.until) before.until = until!;
      }
      for (const [reason, { agents, example, until }] of found) {
        const details = this.detailed(this.whyNot(seat, example), seat, example);
        out.push({
          role,
          reason,
          agents,
          exampleAgentId: example.id,
          ...(until !== undefined && { until }),
          ...(details !== undefined && { details }),
        });
      }
    }
    return out;
  }

  /** The same for each agent by itself. */
  *perAgent(framework: Framework, { role, agentId }: Question): Generator<NoOfferHere> {
    const agent = agentId === undefined ? undefined : this.cluster.agents.get(agentId);
    const agents = agentId === undefined ? this.cluster.agents.values() : agent === undefined ? [] : [agent];
    const seats = [...framework.seats.values()].filter((seat) => seat.subscribed && seat.role === (role ?? seat.role));
    for (const agent of agents) {
      for (const seat of seats) {
        const general = this.whyNowhere(seat);
        const because = general === undefined ? this.whyNot(seat, agent) : { reason: general };
        const details = this.detailed(because, seat, agent);
        yield { role: seat.role, agentId: agent.id, ...because, ...(details !== undefined && { details }) };
      }
    }
  }

  private whyNowhere(seat: Seat): NoOfferReason | undefined {
    if (!seat.framework.active) return 'FRAMEWORK_INACTIVE';
    if (seat.suppressed) return 'ROLE_SUPPRESSED';
    return this.cluster.agents.size === 0 ? 'NO_AGENTS' : undefined;
  }

  private whyNot(seat: Seat, agent: Agent): Because {
    const reason = whyNotTheAgent(seat, agent);
    return reason === undefined ? this.whyNotWhatIsFree(seat, agent) : { reason };
  }

  private whyNotWhatIsFree(seat: Seat, agent: Agent): Because {
    const { lineage } = seat.node;
    const { offerable } = agent;
    if (offerable.view(lineage, EVERY_CAPABILITY).whole.isEmpty) {
      return { reason: offerable.resources.isEmpty ? 'NOTHING_FREE' : 'RESERVED_TO_OTHERS' };
    }
    const view = offerable.view(lineage, seat.framework.capabilities);
    if (view.whole.isEmpty) return { reason: 'LACKS_CAPABILITIES' };
    if (!isEnough(this.cluster, seat, view, view.whole)) return { reason: 'TOO_LITTLE' };
    const offer = this.withinQuota(seat, view);
    if (offer !== view.whole && !isEnough(this.cluster, seat, view, offer)) {
      return this.whyNotByQuota(seat, view);
    }
    const until = this.refusedUntil(seat, agent, offer);
    return until === undefined ? { reason: 'OTHERS_FIRST' } : { reason: 'REFUSED', until };
  }

  /** What of a view quota lets the role have: by its guarantees, and beyond. */
  private withinQuota(seat: Seat, view: View): Resources {
    const { round } = this;
    if (round === undefined) return view.whole;
    const { names, quotas } = this.cluster;
    const { topRole, isHierarchical } = seat.node;
    const rule = quotas.rule(topRole);
    const lacks: Vector = rule === undefined || isHierarchical ? [] : quotas.unsatisfied(topRole, rule);
    if (isZero(lacks)) {
      const allowed = round.beyond(view.quotaScalars, view.quotaAmounts, topRole, rule);
      return allowed === view.quotaScalars ? view.whole : view.rest.plus(allowed);
    }
    const guaranteed = view.quotaScalars.shrink((name) => lacks[names.index(name)] ?? 0);
    const others = view.quotaScalars.minus(guaranteed);
    const beyond = round.beyond(others, names.scalars(others), topRole, rule, names.scalars(guaranteed));
    return view.rest.plus(guaranteed).plus(beyond);
  }

  /** Its own limit if that alone is too tight, else the guarantees of others. */
  private whyNotByQuota(seat: Seat, view: View): Because {
    const { quotas } = this.cluster;
    const { topRole } = seat.node;
    const rule = quotas.rule(topRole);
    const at = this.limitedAt(topRole, rule, view);
    return { reason: at === undefined ? 'QUOTA_HELD_BACK' : 'QUOTA_LIMIT' };
  }

  /** The first resource of a view of which a role has all that its limit allows; its index. */
  private limitedAt(topRole: string, rule: QuotaRule | undefined, view: View): number | undefined {
    const at = view.quotaAmounts.findIndex(
      (amount, i) => amount > 0 && this.cluster.quotas.consumed(topRole, i) >= (rule?.limits[i] ?? Infinity),
    );
    return at < 0 ? undefined : at;
  }

  /** When the last of the refusals ends that cover an offer; undefined: none does. */
  private refusedUntil(seat: Seat, agent: Agent, offer: Resources): Millis | undefined {
    let until: Millis | undefined;
    for (const { resources, expires } of seat.refusals.get(agent.id) ?? []) {
      if (expires <= this.now || expires <= (until ?? 0) || !resources.contains(offer)) continue;
      until = expires;
    }
    return until;
  }

  // What is behind a reason; looked up only for what is shown.

  private detailed({ reason }: Because, seat: Seat, agent: Agent): NoOfferDetails | undefined {
    switch (reason) {
      case 'LACKS_GPU_RESOURCES':
      case 'LACKS_REGION_AWARE':
        return { capabilities: namesOf(agent.requires & ~seat.framework.capabilities) };
      case 'LACKS_CAPABILITIES':
        return { capabilities: namesOf(agent.offerable.special & ~seat.framework.capabilities) };
      case 'RESERVED_TO_OTHERS':
        return { roles: [...agent.offerable.resources.reservations().keys()].sort() };
      case 'NOTHING_FREE':
        return { holders: [...agent.holdings.keys()].slice(0, NAMED).map(holder) };
      case 'QUOTA_LIMIT':
        return this.limitOf(seat, agent);
      case 'QUOTA_HELD_BACK':
        return this.heldBackFrom(seat, agent);
      case 'OTHERS_FIRST': {
        const next = this.isTurnKnown ? this.nextFor(agent, this.cluster.tree.root) : undefined;
        return next === undefined ? undefined : { next: holder(next) };
      }
      default:
        return undefined;
    }
  }

  private limitOf(seat: Seat, agent: Agent): NoOfferDetails | undefined {
    const { quotas, names } = this.cluster;
    const { topRole, lineage } = seat.node;
    const rule = quotas.rule(topRole);
    const at = this.limitedAt(topRole, rule, agent.offerable.view(lineage, seat.framework.capabilities));
    if (at === undefined) return undefined;
    const limit = rule?.limits[at] ?? Infinity;
    return { limitedRole: topRole, resource: names.names[at]!, limit, consumed: quotas.consumed(topRole, at) };
  }

  private heldBackFrom(seat: Seat, agent: Agent): NoOfferDetails | undefined {
    const { quotas, names, shares } = this.cluster;
    const { lineage, topRole } = seat.node;
    const required = quotas.required();
    const { quotaAmounts } = agent.offerable.view(lineage, seat.framework.capabilities);
    const at = quotaAmounts.findIndex(
      (amount, i) => amount > 0 && (required[i] ?? 0) > 0 && quotas.headroom(shares.total, i) <= required[i]!,
    );
    if (at < 0) return undefined;
    return {
      resource: names.names[at]!,
      free: quotas.headroom(shares.total, at),
      guaranteed: required[at]!,
      roles: quotas
        .lacking(at)
        .filter((role) => role !== topRole)
        .slice(0, NAMED),
    };
  }

  /** The first in turn who could be offered the agent, down from a role. */
  private nextFor(agent: Agent, node: RoleNode): Seat | undefined {
    for (const turn of node.turns.sorted()) {
      const next =
        turn instanceof OwnTurn
          ? turn.node.seatTurns.sorted().find((seat) => this.whyNot(seat, agent).reason === 'OTHERS_FIRST')
          : this.nextFor(agent, turn);
      if (next !== undefined) return next;
    }
    return undefined;
  }
}

function whyNotTheAgent(seat: Seat, agent: Agent): NoOfferReason | undefined {
  const { capabilities } = seat.framework;
  if (!agent.isActive) return 'AGENT_DEACTIVATED';
  if (!agent.isWhitelisted) return 'AGENT_NOT_WHITELISTED';
  if (agent.isExcluded(seat)) return 'OFFER_CONSTRAINTS';
  if ((agent.forbids & capabilities) !== 0) return 'AGENT_LACKS_MULTI_ROLE';
  if (!agent.takesHierarchicalRoles && seat.node.isHierarchical) return 'AGENT_LACKS_HIERARCHICAL_ROLE';
  const missing = agent.requires & ~capabilities;
  if ((missing & GPU_RESOURCES) !== 0) return 'LACKS_GPU_RESOURCES';
  return missing === 0 ? undefined : 'LACKS_REGION_AWARE';
}

function holder({ framework, role }: Seat): Holder {
  return { frameworkId: framework.id, role };
}

const NAMES: readonly (readonly [bit: number, name: string])[] = [
  [GPU_RESOURCES, 'GPU_RESOURCES'],
  [REGION_AWARE, 'REGION_AWARE'],
  [SHARED_RESOURCES, 'SHARED_RESOURCES'],
  [REVOCABLE_RESOURCES, 'REVOCABLE_RESOURCES'],
  [RESERVATION_REFINEMENT, 'RESERVATION_REFINEMENT'],
];

function namesOf(bits: number): string[] {
  return NAMES.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
}
