import { ANY_ROLE } from '../../resources/roles.ts';
import type { AgentInfo_Capability, FrameworkInfo } from '../../wire/v1.ts';

/** The names of a framework's capabilities, as in `MULTI_ROLE`. */
export function capabilitiesOf(info: FrameworkInfo): ReadonlySet<string> {
  return new Set((info.capabilities ?? []).flatMap((capability) => capability.type ?? []));
}

/** The names of an agent's capabilities, as in `RESERVATION_REFINEMENT`. */
export function agentCapabilitiesOf(capabilities: readonly AgentInfo_Capability[] | undefined): ReadonlySet<string> {
  const list = capabilities ?? [];
  // Most agents say the same as the one before.
  if (list.length === last.types.length && list.every(({ type }, at) => type === last.types[at])) return last.set;
  const types = list.map(({ type }) => type);
  last = { types, set: new Set(types.filter((type) => type !== undefined)) };
  return last.set;
}

let last: { readonly types: readonly (string | undefined)[]; readonly set: ReadonlySet<string> } = {
  types: [],
  set: new Set(),
};

/** The roles that a framework subscribes to: `roles` if it is MULTI_ROLE, else the one `role`. */
export function rolesOf(info: FrameworkInfo): ReadonlySet<string> {
  if (capabilitiesOf(info).has('MULTI_ROLE')) return new Set(info.roles ?? []);
  return new Set([info.role ?? ANY_ROLE]);
}
