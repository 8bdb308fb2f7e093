/** Which of the offered resources an app or pod may use. */
import type { DefinitionContext } from '../../definition/types.ts';
import type { RunSpec } from '../model.ts';
import { RESERVED_BY, RESERVED_FOR } from './reserved.ts';
import type { Selector } from './resources.ts';

/** Resources of the accepted roles; never those that are reserved for one instance. */
export function selectorFor(spec: RunSpec, fallback: DefinitionContext['acceptedResourceRolesDefault']): Selector {
  const roles = acceptedRoles(spec, fallback);
  return ({ role, labels }) => roles.has(role) && !(RESERVED_FOR in labels) && !(RESERVED_BY in labels);
}

/** Resources that are free to be reserved. Upstream does not ask for accepted roles here: there is nothing else to take. */
export const reservable: Selector = ({ role, isDynamic, resource }) =>
  role === '*' && !isDynamic && resource.revocable === undefined;

/** The roles whose resources are taken. */
export function acceptedRoles(
  spec: RunSpec,
  fallback: DefinitionContext['acceptedResourceRolesDefault'],
): ReadonlySet<string> {
  if (spec.acceptedResourceRoles.length > 0) return new Set(spec.acceptedResourceRoles);
  if (fallback === 'unreserved') return new Set(['*']);
  return fallback === 'reserved' ? new Set([spec.role]) : new Set(['*', spec.role]);
}
