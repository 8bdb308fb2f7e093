import type { Allocator } from '../../allocator/allocator.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { fromMilli } from '../../resources/scalars.ts';
import type { MasterState } from '../core/state.ts';
import type { AgentSums, Sums } from './agent-sums.ts';

type Metrics = Record<string, number>;

/** `allocator/mesos/…/roles/<role>/…`: what roles consume and may consume, their shares, and their filters. */
export function addRoles(
  metrics: Metrics,
  state: MasterState,
  sums: AgentSums,
  allocator: Pick<Allocator, 'roleShare' | 'activeFilters'> | undefined,
): void {
  addConsumed(metrics, sums.consumed.addedUp());
  if (state.quotas.size > 0) addQuotas(metrics, state, sums.held.addedUp());
  if (allocator === undefined) return;
  const known = new Set<string>();
  for (const role of state.roles.keys()) {
    metrics[`allocator/mesos/roles/${role}/shares/dominant`] = allocator.roleShare(role);
    for (const name of [role, ...ancestorsOf(role)]) known.add(name);
  }
  for (const role of known)
    metrics[`allocator/mesos/offer_filters/roles/${role}/active`] = allocator.activeFilters(role);
}

/**
 * What counts against quotas: what is in use, and what is reserved and idle. All roles together are under the empty name,
 * which is what upstream calls the root of the tree of roles.
 */
function addConsumed(metrics: Metrics, consumed: Sums): void {
  for (const role of consumed.keys) {
    for (const [name, milli] of consumed.amounts(role))
      metrics[`allocator/mesos/quota/roles/${role}/resources/${name}/consumed`] = fromMilli(milli);
  }
}

function addQuotas(metrics: Metrics, state: MasterState, held: Sums): void {
  for (const { role, guarantees, limits } of state.quotas.values()) {
    const prefix = `allocator/mesos/quota/roles/${role}/resources`;
    for (const [name, milli] of Object.entries(guarantees)) metrics[`${prefix}/${name}/guarantee`] = fromMilli(milli);
    for (const [name, milli] of Object.entries(limits)) metrics[`${prefix}/${name}/limit`] = fromMilli(milli);
    for (const name of new Set([...Object.keys(guarantees), ...Object.keys(limits)]))
      metrics[`${prefix}/${name}/offered_or_allocated`] = fromMilli(held.of(role, name));
  }
}
