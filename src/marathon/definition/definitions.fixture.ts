/** What the tests of definitions have in common. */
import type { Result } from '../../base/result.ts';
import type { RuleFacts } from './rule.ts';
import type { DefinitionContext, Problem, Refused, RoleFacts } from './types.ts';

export const NOW = Date.parse('2024-02-29T12:00:00.005Z');
const ALL_FEATURES = new Set(['secrets', 'gpu_resources', 'external_volumes']);

export const PLAIN: DefinitionContext = {
  defaultRole: '*',
  features: new Set(),
  mesosBridgeName: 'mesos-bridge',
  acceptedResourceRolesDefault: 'any',
};
const ROLES: RoleFacts = { defaultRole: '*', enforceRole: false };

export const plain: RuleFacts = { context: PLAIN, roles: ROLES };
export const full: RuleFacts = { context: { ...PLAIN, features: ALL_FEATURES }, roles: ROLES };
/** Where resident services can be: in a group, whose role they take. */
export const grouped: RuleFacts = {
  context: { ...PLAIN, features: ALL_FEATURES },
  roles: { defaultRole: '*', groupRole: 'prod', enforceRole: true },
};

export function gained<T>(result: Result<T, Refused>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** What is wrong, as lines of path and sentence. */
export function problemsOf(result: Result<unknown, Refused>): readonly string[] {
  if (result.ok) return [];
  if (result.error.kind === 'normalization') return [result.error.message];
  return result.error.problems.map(({ path, error }: Problem) => `${path} ${error}`);
}
