/** Which of the offered resources an app or pod may use. */
import type { DefinitionContext } from '../../definition/types.ts';
import type { RunSpec } from '../model.ts';
import type { Selector } from './resources.ts';

/** Says whose the resources are that Marathon has reserved for single instances. */
export const RESERVED_FOR = 'marathon_task_id';
export const RESERVED_BY = 'marathon_framework_id';

/** Resources of the accepted roles; never those that are reserved for one instance. */
export function selectorFor(spec: RunSpec, fallback: DefinitionContext['acceptedResourceRolesDefault']): Selector {
  const roles = acceptedRoles(spec, fallback);
  return ({ role, labels }) => roles.has(role) && !(RESERVED_FOR in labels) && !(RESERVED_BY in labels);
}

/** The roles whose resources are taken. */
export function acceptedRoles(
  spec: RunSpec,
  fallback: DefinitionContext['acceptedResourceRolesDefault'],
): ReadonlySet<string> {
  if (spec.acceptedResourceRoles.length > 0) return new Set(spec.acceptedResourceRoles);
  if (fallback === 'unreserved') return new Set(['*']);
  return fallback === 'reserved' ? new Set([spec.role]) : new Set(['*', spec.role]);
}
