import { Quantities } from '../../resources/quantities.ts';
import type { Resources } from '../../resources/resources.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { fromMilli } from '../../resources/scalars.ts';
import { type Resource, Role } from '../../wire/v1.ts';
import { Response, Response_GetRoles } from '../../wire/v1_master.ts';
import type { OfferContent } from '../core/offers.ts';
import type { MasterState, QuotaRecord } from '../core/state.ts';
import { type Form, type Kept, type Steps, stretchesOf } from './kept.ts';
import { jsonOnce, nested, type Parts } from './parts.ts';
import { type AgentShown, type Snapshot, takeSnapshot } from './snapshot.ts';

/** What a role and the roles below it have, in amounts: of ranges and sets, how many items. */
export interface RoleView {
  readonly name: string;
  readonly weight: number;
  readonly frameworks: readonly string[];
  readonly quota: QuotaRecord | undefined;
  readonly allocated: Quantities;
  readonly offered: Quantities;
  readonly reserved: Quantities;
  /** What counts against its quota: allocated, and reserved but not used. */
  readonly consumed: Quantities;
}

/** What is needed of the state to tell of its roles, as of one instant. */
export interface RolesSnapshot extends Pick<Snapshot, 'agents' | 'frameworks'> {
  /** By role the ids of the frameworks that subscribe to it. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly weights: ReadonlyMap<string, number>;
  readonly quotas: ReadonlyMap<string, QuotaRecord>;
  /** The only allowed roles, where the operator lists them. */
  readonly whitelist: ReadonlySet<string> | undefined;
}

export function takeRoles(state: MasterState, whitelist?: ReadonlySet<string>): RolesSnapshot {
  const { agents, frameworks } = takeSnapshot(state, { agents: true, holdings: true });
  const roles = new Map<string, readonly string[]>();
  for (const { name, frameworks: ids } of state.roles.values()) roles.set(name, [...ids]);
  return { agents, frameworks, roles, weights: new Map(state.weights), quotas: new Map(state.quotas), whitelist };
}

/** Sums by role, without the roles below it. */
class Sums {
  readonly #byRole = new Map<string, Quantities>();

  add(role: string, quantities: Quantities): void {
    this.#byRole.set(role, this.of(role).plus(quantities));
  }

  addAll(other: Sums): void {
    for (const [role, quantities] of other.#byRole) this.add(role, quantities);
  }

  of(role: string): Quantities {
    return this.#byRole.get(role) ?? Quantities.EMPTY;
  }

  get roles(): Iterable<string> {
    return this.#byRole.keys();
  }

  /** What is a role's counts for the roles above it too. */
  addedUp(): Sums {
    const sums = new Sums();
    for (const [role, quantities] of this.#byRole) {
      for (const name of [role, ...ancestorsOf(role)]) sums.add(name, quantities);
    }
    return sums;
  }
}

const ALLOCATED: Form<Resources, Sums> = {
  name: 'allocated by role',
  make: (items) => {
    const sums = new Sums();
    for (const used of items) for (const [role, part] of used.allocations()) sums.add(role, part.quantities());
    return sums;
  },
};

const OFFERED: Form<OfferContent, Sums> = {
  name: 'offered by role',
  make: (items) => {
    const sums = new Sums();
    for (const { offer } of items) sums.add(offer.role, offer.resources.quantities());
    return sums;
  },
};

/** What agents have reserved, and what of it is idle. */
const RESERVED: Form<AgentShown, { readonly reserved: Sums; readonly idle: Sums }> = {
  name: 'reserved by role',
  make: (agents) => {
    const sums = { reserved: new Sums(), idle: new Sums() };
    for (const { total, used } of agents) {
      for (const [role, part] of total.reservations()) {
        sums.reserved.add(role, part.quantities());
        sums.idle.add(role, part.minus(used.unallocate().reserved(role)).quantities());
      }
    }
    return sums;
  },
};

/**
 * The roles that are known, sorted by name: of frameworks, allocations, reservations, weights and quotas, with the roles
 * above them; or, where the operator lists the allowed ones, these.
 */
export function* rolesOf(kept: Kept, snapshot: RolesSnapshot): Steps<RoleView[]> {
  const own = { allocated: new Sums(), offered: new Sums(), reserved: new Sums(), idle: new Sums() };
  for (const { used, offers } of snapshot.frameworks) {
    for (const sums of yield* kept.values(used, ALLOCATED)) own.allocated.addAll(sums);
    for (const sums of yield* kept.values(offers, OFFERED)) own.offered.addAll(sums);
    yield;
  }
  for (const { reserved, idle } of yield* kept.values(snapshot.agents, RESERVED)) {
    own.reserved.addAll(reserved);
    own.idle.addAll(idle);
  }
  const { roles, weights, quotas } = snapshot;
  const known = snapshot.whitelist ?? [...roles.keys(), ...own.reserved.roles, ...weights.keys(), ...quotas.keys()];
  const names = new Set<string>();
  for (const role of known) for (const name of [role, ...ancestorsOf(role)]) names.add(name);
  yield;
  const [allocated, offered] = [own.allocated.addedUp(), own.offered.addedUp()];
  const [reserved, idle] = [own.reserved.addedUp(), own.idle.addedUp()];
  return [...names].sort().map((name) => ({
    name,
    weight: weights.get(name) ?? 1,
    frameworks: roles.get(name) ?? [],
    quota: quotas.get(name),
    allocated: allocated.of(name),
    offered: offered.of(name),
    reserved: reserved.of(name),
    consumed: allocated.of(name).plus(idle.of(name)),
  }));
}

/** `/roles`. */
export function* rolesParts(kept: Kept, snapshot: RolesSnapshot): Parts {
  const roles = yield* rolesOf(kept, snapshot);
  yield '{"roles":[';
  yield* jsonOnce(roles, (role) => JSON.stringify(roleJson(role)));
  yield ']}';
}

/** GET_ROLES in JSON. */
export function* getRolesJson(kept: Kept, snapshot: RolesSnapshot): Parts {
  const roles = yield* rolesOf(kept, snapshot);
  yield '{"type":"GET_ROLES","get_roles":{"roles":[';
  yield* jsonOnce(roles, (role) => Role.stringify(roleMessage(role)));
  yield ']}}';
}

/** GET_ROLES in protobuf. */
export function* getRolesProtobuf(kept: Kept, snapshot: RolesSnapshot): Parts {
  const roles = yield* rolesOf(kept, snapshot);
  yield Response.encode({ type: 'GET_ROLES' });
  const messages = function* (): Parts {
    for (const some of stretchesOf(roles)) yield Response_GetRoles.encode({ roles: some.map(roleMessage) });
  };
  yield nested(Response, 'get_roles', messages());
}

function roleJson(role: RoleView): object {
  return {
    name: role.name,
    weight: role.weight,
    quota: {
      role: role.name,
      guarantee: numbers(Object.entries(role.quota?.guarantees ?? {})),
      limit: numbers(Object.entries(role.quota?.limits ?? {})),
      consumed: numbers(role.consumed),
    },
    resources: numbers(role.allocated.plus(role.offered)),
    allocated: numbers(role.allocated),
    offered: numbers(role.offered),
    reserved: numbers(role.reserved),
    frameworks: role.frameworks,
  };
}

/** The names that are known to be scalars; of others this message could not say what they are. */
const SCALARS: ReadonlySet<string> = new Set(['cpus', 'mem', 'disk', 'gpus']);

function roleMessage(role: RoleView): Role {
  const all = role.allocated.plus(role.offered);
  const resources = Object.entries(all.filter((name) => SCALARS.has(name)).toWire());
  return {
    name: role.name,
    weight: role.weight,
    frameworks: role.frameworks.map((value) => ({ value })),
    resources: resources.map(([name, scalar]): Resource => ({ name, type: 'SCALAR', scalar })),
  };
}

/** `/weights`: the roles whose weight was set. */
export function weightsJson(state: MasterState): string {
  return JSON.stringify([...state.weights].map(([role, weight]) => ({ role, weight })));
}

function numbers(quantities: Iterable<readonly [name: string, milli: number]>): Record<string, number> {
  return Object.fromEntries(Array.from(quantities, ([name, milli]) => [name, fromMilli(milli)]));
}
