import type { Quantities } from '../resources/quantities.ts';
import type { Resources } from '../resources/resources.ts';
import type { Agent } from './agent.ts';
import type { View } from './offerable.ts';
import type { Seat } from './role-tree.ts';

/** Whether the agent is for this role and framework at all, capabilities of the framework apart. */
export function mayBeOffered(agent: Agent, seat: Seat): boolean {
  if (!agent.takesHierarchicalRoles && seat.node.isHierarchical) return false;
  return seat.framework.constraints === undefined || !agent.isExcluded(seat);
}

/** Whether an offer is worth making. */
export function isEnough(
  cluster: { readonly minAllocatable: readonly Quantities[] },
  seat: Seat,
  view: View,
  offer: Resources,
): boolean {
  if (offer.isEmpty) return false;
  if (seat.minAllocatable !== undefined) return reaches(offer, seat.minAllocatable);
  if (offer === view.rest && offer !== view.whole) return isRestEnough(cluster, view);
  if (offer !== view.whole) return reaches(offer, cluster.minAllocatable);
  view.isEnough ??= reaches(offer, cluster.minAllocatable);
  return view.isEnough;
}

/** Whether what quota is not about is worth an offer by itself, by the cluster's own minimum. */
export function isRestEnough(cluster: { readonly minAllocatable: readonly Quantities[] }, view: View): boolean {
  view.isRestEnough ??= !view.rest.isEmpty && reaches(view.rest, cluster.minAllocatable);
  return view.isRestEnough;
}

function reaches(offer: Resources, minimums: readonly Quantities[]): boolean {
  return minimums.length === 0 || minimums.some((minimum) => offer.containsQuantities(minimum));
}

/** Whether a refusal that is in force covers the offer. */
export function isRefused(agent: Agent, seat: Seat, view: View, offer: Resources): boolean {
  if (!agent.mayBeRefused(seat)) return false;
  const refusals = seat.refusals.get(agent.id);
  if (refusals === undefined || !refusals.some(({ resources }) => resources.contains(offer))) return false;
  if (offer === view.whole) view.refusedBy.add(seat.slot);
  return true;
}
