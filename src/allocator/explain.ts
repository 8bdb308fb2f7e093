import type { Agent } from './agent.ts';
import type { NoOffer } from './allocator.ts';
import { EVERY_CAPABILITY, GPU_RESOURCES } from './capability.ts';
import type { Cluster } from './cluster.ts';
import { isEnough, isRefused } from './eligibility.ts';
import { QuotaRound } from './quota.ts';
import type { NoOfferReason } from './reason.ts';
import type { Framework, Seat } from './role-tree.ts';

/** Why each role of a framework is offered nothing more, with how many agents each reason applies to. */
export function explain(cluster: Cluster, framework: Framework): NoOffer[] {
  const { quotas, names, shares } = cluster;
  const round = quotas.isEmpty ? undefined : new QuotaRound(quotas, names, shares.total);
  const out: NoOffer[] = [];
  for (const seat of framework.seats.values()) {
    if (!seat.subscribed) continue;
    const { role } = seat;
    const general = whyNowhere(cluster, seat);
    if (general !== undefined) {
      out.push({ role, reason: general, agents: cluster.agents.size, exampleAgentId: undefined });
      continue;
    }
    const found = new Map<NoOfferReason, { agents: number; readonly exampleAgentId: string }>();
    for (const agent of cluster.agents.values()) {
      const reason = whyNot(cluster, round, seat, agent);
      const count = found.get(reason);
      if (count === undefined) found.set(reason, { agents: 1, exampleAgentId: agent.id });
      else count.agents++;
    }
    for (const [reason, count] of found) out.push({ role, reason, ...count });
  }
  return out;
}

function whyNowhere(cluster: Cluster, seat: Seat): NoOfferReason | undefined {
  if (!seat.framework.active) return 'FRAMEWORK_INACTIVE';
  if (seat.suppressed) return 'ROLE_SUPPRESSED';
  return cluster.agents.size === 0 ? 'NO_AGENTS' : undefined;
}

function whyNot(cluster: Cluster, round: QuotaRound | undefined, seat: Seat, agent: Agent): NoOfferReason {
  return whyNotTheAgent(seat, agent) ?? whyNotWhatIsFree(cluster, round, seat, agent) ?? 'OTHERS_FIRST';
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

function whyNotWhatIsFree(
  cluster: Cluster,
  round: QuotaRound | undefined,
  seat: Seat,
  agent: Agent,
): NoOfferReason | undefined {
  const { lineage, topRole } = seat.node;
  if (agent.offerable.view(lineage, EVERY_CAPABILITY).whole.isEmpty) return 'NOTHING_FREE';
  const view = agent.offerable.view(lineage, seat.framework.capabilities);
  if (view.whole.isEmpty) return 'LACKS_CAPABILITIES';
  if (!isEnough(cluster, seat, view, view.whole)) return 'TOO_LITTLE';
  if (isRefused(agent, seat, view, view.whole)) return 'REFUSED';
  if (round === undefined) return undefined;
  const allowed = round.beyond(view.quotaScalars, view.quotaAmounts, topRole, cluster.quotas.rule(topRole));
  if (allowed === view.quotaScalars) return undefined;
  const offer = view.rest.plus(allowed);
  if (!isEnough(cluster, seat, view, offer)) return 'QUOTA';
  return isRefused(agent, seat, view, offer) ? 'REFUSED' : undefined;
}
