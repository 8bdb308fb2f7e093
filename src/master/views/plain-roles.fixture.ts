/** The roles counted in the simplest way: from the state as it is, in one go, with nothing kept. */
import { Quantities } from '../../resources/quantities.ts';
import type { Resources } from '../../resources/resources.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import type { MasterState } from '../core/state.ts';
import type { RoleView } from './roles.ts';

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

export function plainRoles(state: MasterState, whitelist?: ReadonlySet<string>): RoleView[] {
  const [allocated, offered, reserved, idle] = [new Sums(), new Sums(), new Sums(), new Sums()];
  for (const framework of state.frameworks.values()) {
    for (const used of framework.used.values()) {
      for (const [role, resources] of used.allocations()) allocated.add(role, resources);
    }
    for (const id of framework.offers) {
      const offer = state.offers.get(id);
      if (offer !== undefined) offered.add(offer.role, offer.resources);
    }
  }
  for (const agent of state.agents.values()) {
    for (const [role, resources] of agent.total.reservations()) {
      reserved.add(role, resources);
      idle.add(role, resources.minus(agent.used.unallocate().reserved(role)));
    }
  }
  const known = [...state.roles.keys(), ...reserved.roles, ...state.weights.keys(), ...state.quotas.keys()];
  const names = new Set<string>();
  for (const role of whitelist ?? known) for (const name of [role, ...ancestorsOf(role)]) names.add(name);
  return [...names].sort().map((name) => ({
    name,
    weight: state.weights.get(name) ?? 1,
    frameworks: [...(state.roles.get(name)?.frameworks ?? [])],
    quota: state.quotas.get(name),
    allocated: allocated.of(name),
    offered: offered.of(name),
    reserved: reserved.of(name),
    consumed: allocated.of(name).plus(idle.of(name)),
  }));
}
