/** How much a role and the roles below it have, in amounts: what quota is counted in. */
import { Quantities } from '../../resources/quantities.ts';
import type { Resources } from '../../resources/resources.ts';
import { isStrictSubrole } from '../../resources/roles.ts';
import type { MasterState } from './state.ts';

/** Whether `role` is `top` or lies below it. */
export function isWithin(role: string, top: string): boolean {
  return role === top || isStrictSubrole(role, top);
}

/** What counts against a role's quota: what is in use, and what is reserved and idle. Offers do not count. */
export function consumedQuota(state: MasterState, role: string): Quantities {
  let sum = Quantities.EMPTY;
  for (const { total, used } of state.agents.values()) {
    const reserved = quantitiesOf(total.reservedToSubtree(role));
    const inUse = quantitiesOf(used.reservedToSubtree(role));
    sum = sum.plus(quantitiesOf(allocatedWithin(used, role))).plus(reserved.minus(inUse));
  }
  return sum;
}

/** What is offered to a role and the roles below it. */
export function offeredQuota(state: MasterState, role: string): Quantities {
  let sum = Quantities.EMPTY;
  for (const offer of state.offers.values()) {
    if (isWithin(offer.role, role)) sum = sum.plus(offer.resources.quantities());
  }
  return sum;
}

/** What all agents have that can be promised, those that are not connected at this moment included. */
export function clusterCapacity(state: MasterState): Quantities {
  let sum = Quantities.EMPTY;
  for (const { total } of state.agents.values()) sum = sum.plus(total.nonRevocable().scalarQuantities());
  return sum;
}

function allocatedWithin(resources: Resources, role: string): Resources {
  return resources.filter(({ allocation_info: allocation }) => isWithin(allocation?.role ?? '', role));
}

function quantitiesOf(resources: Resources): Quantities {
  return resources.isEmpty ? Quantities.EMPTY : resources.quantities();
}
