import type { Allocator } from '../../allocator/allocator.ts';
import { Quantities } from '../../resources/quantities.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { fromMilli } from '../../resources/scalars.ts';
import type { MasterState } from '../core/state.ts';
import { type RoleView, rolesOf } from './roles.ts';

type Metrics = Record<string, number>;

/** `allocator/mesos/…/roles/<role>/…`: what roles consume and may consume, their shares, and their filters. */
export function addRoles(
  metrics: Metrics,
  state: MasterState,
  allocator: Pick<Allocator, 'roleShare' | 'activeFilters'> | undefined,
): void {
  const roles = rolesOf(state);
  addConsumed(metrics, roles, (name) => isScalar(state, name));
  addQuotas(metrics, state, roles);
  if (allocator === undefined) return;
  const known = new Set<string>();
  for (const role of state.roles.keys()) {
    metrics[`allocator/mesos/roles/${role}/shares/dominant`] = allocator.roleShare(role);
    for (const name of [role, ...ancestorsOf(role)]) known.add(name);
  }
  for (const role of known)
    metrics[`allocator/mesos/offer_filters/roles/${role}/active`] = allocator.activeFilters(role);
}

/** What role views count may be ports too, which quota is never about. */
function isScalar(state: MasterState, name: string): boolean {
  for (const { total } of state.agents.values()) if (total.scalar(name) > 0) return true;
  return false;
}

/** Of all roles together under the empty name, which is what upstream calls the root of the tree of roles. */
function addConsumed(metrics: Metrics, roles: readonly RoleView[], counts: (resource: string) => boolean): void {
  let all = Quantities.EMPTY;
  const add = (name: string, consumed: Quantities): void => {
    for (const [resource, milli] of consumed) {
      if (counts(resource))
        metrics[`allocator/mesos/quota/roles/${name}/resources/${resource}/consumed`] = fromMilli(milli);
    }
  };
  for (const { name, consumed } of roles) {
    add(name, consumed);
    if (!name.includes('/')) all = all.plus(consumed);
  }
  add('', all);
}

function addQuotas(metrics: Metrics, state: MasterState, roles: readonly RoleView[]): void {
  if (state.quotas.size === 0) return;
  const views = new Map(roles.map((role) => [role.name, role]));
  for (const { role, guarantees, limits } of state.quotas.values()) {
    const prefix = `allocator/mesos/quota/roles/${role}/resources`;
    const view = views.get(role);
    const held = new Map(view?.allocated.plus(view.offered) ?? []);
    for (const [name, milli] of Object.entries(guarantees)) metrics[`${prefix}/${name}/guarantee`] = fromMilli(milli);
    for (const [name, milli] of Object.entries(limits)) metrics[`${prefix}/${name}/limit`] = fromMilli(milli);
    for (const name of new Set([...Object.keys(guarantees), ...Object.keys(limits)]))
      metrics[`${prefix}/${name}/offered_or_allocated`] = fromMilli(held.get(name) ?? 0);
  }
}
