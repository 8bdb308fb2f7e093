/** Rules that apps and pods have in common: roles, secrets, environment, limits. */
import { broken, brokenIf, FINE, needsFeature, type RuleFacts } from './rule.ts';
import type { Env, Problem, ResourceLimits, RoleFacts, Secrets } from './types.ts';

/** Characters that Mesos allows in no role, with their names. */
const ROLE_CHARACTERS = new Map([
  ['\t', 'horizontal tab'],
  ['\n', 'line feed'],
  ['\v', 'vertical tab'],
  ['\f', 'form feed'],
  ['\r', 'carriage return'],
  [' ', 'space'],
  ['/', 'slash'],
  ['\u007f', 'backspace'],
]);

export function validRoles({ defaultRole, groupRole, enforceRole, currentRole }: RoleFacts): readonly string[] {
  if (groupRole === undefined) return [defaultRole];
  const allowed = enforceRole ? [groupRole] : [defaultRole, groupRole];
  return [...new Set(currentRole === undefined ? allowed : [...allowed, currentRole])];
}

/** The role of what names none. */
export function usualRole({ defaultRole, groupRole, enforceRole }: RoleFacts): string {
  return enforceRole && groupRole !== undefined ? groupRole : defaultRole;
}

export function roleProblems(
  role: string,
  what: 'apps' | 'pods',
  isResident: boolean,
  { roles }: RuleFacts,
): readonly Problem[] {
  const valid = validRoles(roles);
  const { currentRole, forceRoleUpdate } = roles;
  return [
    ...brokenIf(!valid.includes(role), '/role', `got ${role}, expected one of: [${valid.join(', ')}]`),
    ...brokenIf(
      isResident && role === '*',
      '/role',
      `Resident ${what} cannot have the role *: nothing can be reserved for it`,
    ),
    ...brokenIf(
      isResident && currentRole !== undefined && currentRole !== role && forceRoleUpdate !== true,
      '/role',
      `It is not possible to change the role for existing reservations: instances that are there keep ${currentRole}, only new ones get ${role}. To do so all the same, repeat the request with ?force=true`,
    ),
  ];
}

/** @param path of the list in the document */
export function acceptedRoleProblems(
  accepted: readonly string[],
  role: string,
  what: 'app' | 'pod',
  isResident: boolean,
  path: string,
): readonly Problem[] {
  if (accepted.length === 0) return FINE;
  const allowed = [...new Set(['*', role])];
  return [
    ...accepted.flatMap((each, at) => roleName(each, `${path}(${at})`)),
    ...brokenIf(
      isResident && accepted.join() !== '*',
      path,
      `A resident ${what} must have \`acceptedResourceRoles = ["*"]\`, not [${accepted.join(', ')}]`,
    ),
    ...brokenIf(
      accepted.some((each) => !allowed.includes(each)),
      path,
      `acceptedResourceRoles can only contain ${allowed.join(' and ')}, not ${accepted.join(', ')}`,
    ),
  ];
}

function roleName(role: string, path: string): readonly Problem[] {
  if (role === '' || role === '.' || role === '..') return broken(path, `A role name must not be "${role}".`);
  const character = [...role].find((each) => ROLE_CHARACTERS.has(each));
  return [
    ...brokenIf(role.startsWith('-'), path, `A role name must not start with a '-': '${role}'`),
    ...brokenIf(
      character !== undefined,
      path,
      `A role name must not include a ${ROLE_CHARACTERS.get(character ?? '')} character.`,
    ),
  ];
}

export function secretProblems(secrets: Secrets, facts: RuleFacts): readonly Problem[] {
  const names = Object.keys(secrets);
  if (names.length === 0) return FINE;
  return [
    ...needsFeature('secrets', '/secrets', facts),
    ...names.flatMap((name, at) => brokenIf(name === '', `/secrets/keys(${at})`, 'must not be empty')),
  ];
}

/** @param path of the environment in the document */
export function envProblems(env: Env, secrets: Secrets, path: string, { context }: RuleFacts): readonly Problem[] {
  const references = Object.entries(env).flatMap(([key, value]) =>
    typeof value === 'string' ? [] : [{ key, ...value }],
  );
  return [
    ...Object.keys(env).flatMap((key, at) => brokenIf(key === '', `${path}/keys(${at})`, 'must not be empty')),
    ...brokenIf(
      references.length > 0 && !context.features.has('secrets'),
      path,
      'use of secret-references in the environment requires the secrets feature to be enabled: --enable_features secrets, with --secrets_key_file',
    ),
    ...references.flatMap(({ key, secret }) =>
      brokenIf(
        !Object.hasOwn(secrets, secret),
        `${path}/${key}/secret`,
        `references an undefined secret: '${secret}' is not in secrets`,
      ),
    ),
  ];
}

/** @param path of what has both, without a slash at its end */
export function limitProblems(
  limits: ResourceLimits | undefined,
  resources: { readonly cpus: number; readonly mem: number },
  path: string,
): readonly Problem[] {
  return (['cpus', 'mem'] as const).flatMap((name) => {
    const limit = limits?.[name];
    return brokenIf(
      typeof limit === 'number' && limit < resources[name],
      `${path}/resourceLimits/${name}`,
      `resource limit must be greater than or equal to requested resource (${resources[name]}), not ${limit}`,
    );
  });
}

interface LinuxDocument {
  readonly seccomp?: { readonly profileName?: string; readonly unconfined: boolean };
  readonly ipcInfo?: { readonly mode: string; readonly shmSize?: number };
}

/** @param path of linuxInfo in the document */
export function linuxProblems({ seccomp, ipcInfo }: LinuxDocument, path: string): readonly Problem[] {
  return [
    ...brokenIf(
      seccomp?.profileName !== undefined && seccomp.unconfined,
      `${path}/seccomp`,
      'Seccomp unconfined can NOT be true when Profile is defined',
    ),
    ...brokenIf(
      seccomp !== undefined && seccomp.profileName === undefined && !seccomp.unconfined,
      `${path}/seccomp`,
      'Seccomp unconfined must be true when Profile is NOT defined',
    ),
    ...brokenIf(
      ipcInfo?.mode === 'SHARE_PARENT' && ipcInfo.shmSize !== undefined,
      `${path}/ipcInfo`,
      'ipcInfo shmSize can NOT be set when mode is SHARE_PARENT',
    ),
  ];
}
