import { Quantities } from '../../resources/quantities.ts';
import type { Resources } from '../../resources/resources.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { fromMilli } from '../../resources/scalars.ts';
import type { MasterState } from '../core/state.ts';
import { offersTo } from './frameworks.ts';

/** What a role and the roles below it have, in amounts: of ranges and sets, how many items. */
export interface RoleView {
  readonly name: string;
  readonly weight: number;
  readonly frameworks: readonly string[];
  readonly allocated: Quantities;
  readonly offered: Quantities;
  readonly reserved: Quantities;
  /** What counts against its quota: allocated, and reserved but not used. */
  readonly consumed: Quantities;
}

/** Sums by role; what is added to a role counts for the roles above it too. */
class Sums {
  readonly #byRole = new Map<string, Quantities>();

  add(role: string, resources: Resources): void {
    const quantities = resources.quantities();
    for (const name of [role, ...ancestorsOf(role)]) this.#byRole.set(name, this.of(name).plus(quantities));
  }

  of(role: string): Quantities {
    return this.#byRole.get(role) ?? Quantities.EMPTY;
  }

  get roles(): Iterable<string> {
    return this.#byRole.keys();
  }
}

/**
 * The roles that are known, sorted by name: of frameworks, allocations, reservations, weights and quotas, with the roles
 * above them; or, where the operator lists the allowed ones, these.
 */
export function rolesOf(state: MasterState, whitelist?: ReadonlySet<string>): RoleView[] {
  const allocated = new Sums();
  const offered = new Sums();
  const reserved = new Sums();
  const idle = new Sums();
  for (const framework of state.frameworks.values()) {
    for (const used of framework.used.values()) {
      for (const [role, resources] of used.allocations()) allocated.add(role, resources);
    }
    for (const offer of offersTo(state, framework)) offered.add(offer.role, offer.resources);
  }
  for (const agent of state.agents.values()) {
    for (const [role, resources] of agent.total.reservations()) {
      reserved.add(role, resources);
      idle.add(role, resources.minus(agent.used.unallocate().reserved(role)));
    }
  }
  const named = whitelist ?? [
    ...state.roles.keys(),
    ...reserved.roles,
    ...state.weights.keys(),
    ...state.quotas.keys(),
  ];
  const names = new Set<string>();
  for (const role of named) for (const name of [role, ...ancestorsOf(role)]) names.add(name);
  return [...names].sort().map((name) => ({
    name,
    weight: state.weights.get(name) ?? 1,
    frameworks: [...(state.roles.get(name)?.frameworks ?? [])],
    allocated: allocated.of(name),
    offered: offered.of(name),
    reserved: reserved.of(name),
    consumed: allocated.of(name).plus(idle.of(name)),
  }));
}

/** `/roles`. */
export function rolesJson(state: MasterState, whitelist?: ReadonlySet<string>): string {
  const roles = rolesOf(state, whitelist).map((role) => {
    const quota = state.quotas.get(role.name);
    return {
      name: role.name,
      weight: role.weight,
      quota: {
        role: role.name,
        guarantee: numbers(Object.entries(quota?.guarantees ?? {})),
        limit: numbers(Object.entries(quota?.limits ?? {})),
        consumed: numbers(role.consumed),
      },
      resources: numbers(role.allocated.plus(role.offered)),
      allocated: numbers(role.allocated),
      offered: numbers(role.offered),
      reserved: numbers(role.reserved),
      frameworks: role.frameworks,
    };
  });
  return JSON.stringify({ roles });
}

/** `/weights`: the roles whose weight was set. */
export function weightsJson(state: MasterState): string {
  return JSON.stringify([...state.weights].map(([role, weight]) => ({ role, weight })));
}

function numbers(quantities: Iterable<readonly [name: string, milli: number]>): Record<string, number> {
  return Object.fromEntries(Array.from(quantities, ([name, milli]) => [name, fromMilli(milli)]));
}
