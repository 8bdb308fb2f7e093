import { compileOfferConstraints, type OfferConstraintsFilter } from '../../../allocator/constraints.ts';
import { validateId } from '../../../base/ids.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { ANY_ROLE, validateRole } from '../../../resources/roles.ts';
import type { FrameworkInfo, OfferFilters } from '../../../wire/v1.ts';
import type { OfferConstraints } from '../../../wire/v1_scheduler.ts';

const VALID: Result<void> = ok(undefined);

/** Durations upstream are 64-bit nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** Doubles below are not kept exactly. */
const MIN_NORMAL = 2 ** -1022;

/** Whether a framework's info makes sense by itself. */
export function validateFrameworkInfo(info: FrameworkInfo): Result<void> {
  const roles = validateRoles(info);
  if (!roles.ok) return roles;
  if (info.id !== undefined && info.id.value !== '') {
    const id = validateId(info.id.value, 'framework id');
    if (!id.ok) return id;
  }
  for (const [role, filter] of Object.entries(info.offer_filters ?? {})) {
    const valid = validateOfferFilter(filter);
    if (!valid.ok) return err(`'FrameworkInfo.offer_filters' for role '${role}': ${valid.error}`);
  }
  const timeout = info.failover_timeout ?? 0;
  if (!(Math.abs(timeout) < MAX_SECONDS)) {
    return err(`'FrameworkInfo.failover_timeout' (${timeout}) is invalid: at most ${MAX_SECONDS} seconds can be said`);
  }
  return VALID;
}

function validateRoles(info: FrameworkInfo): Result<void> {
  if (!info.capabilities?.some(({ type }) => type === 'MULTI_ROLE')) {
    if ((info.roles?.length ?? 0) > 0) {
      return err("'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable; set 'role'");
    }
    const role = validateRole(info.role ?? ANY_ROLE);
    return role.ok ? VALID : err(`'FrameworkInfo.role' is not a valid role: ${role.error}`);
  }
  if (info.role !== undefined) {
    return err("'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable; set 'roles'");
  }
  const seen = new Set<string>();
  for (const name of info.roles ?? []) {
    if (seen.has(name)) return err(`'FrameworkInfo.roles' contains '${name}' twice`);
    seen.add(name);
    const role = validateRole(name);
    if (!role.ok) return err(`'FrameworkInfo.roles' contains invalid role: ${role.error}`);
  }
  return VALID;
}

function validateOfferFilter(filter: OfferFilters): Result<void> {
  for (const { quantities = {} } of filter.min_allocatable_resources?.quantities ?? []) {
    const entries = Object.entries(quantities);
    if (entries.length === 0) return err("each entry of 'min_allocatable_resources' needs at least one quantity");
    for (const [name, { value }] of entries) {
      if (!(value >= 0) || !Number.isFinite(value) || (value > 0 && value < MIN_NORMAL)) {
        return err(`the quantity of '${name}' must be a number that is not negative, not ${value}`);
      }
    }
  }
  return VALID;
}

/** What may change while a framework is known: not who it is, nor as whom and how its tasks run. */
export function validateUpdate(before: FrameworkInfo, after: FrameworkInfo): Result<void> {
  if (before.principal !== after.principal) {
    const [was, is] = [before.principal, after.principal].map((name) => (name === undefined ? 'none' : `'${name}'`));
    return err(`Changing framework's principal is not allowed: 'FrameworkInfo.principal' was ${was} and is ${is} now`);
  }
  if (before.user !== after.user) {
    return err(`'FrameworkInfo.user' cannot be changed from '${before.user}' to '${after.user}'; leave it as it was`);
  }
  const [old, now] = [before.checkpoint ?? false, after.checkpoint ?? false];
  return old === now
    ? VALID
    : err(`'FrameworkInfo.checkpoint' cannot be changed from '${old}' to '${now}'; leave it as it was`);
}

/** A subscription may name another user or checkpointing; what was so far is kept. */
export function preserveImmutable(before: FrameworkInfo, after: FrameworkInfo): FrameworkInfo {
  const { checkpoint: _, ...rest } = after;
  return { ...rest, user: before.user, ...(before.checkpoint !== undefined && { checkpoint: before.checkpoint }) };
}

export function validateSuppressedRoles(roles: ReadonlySet<string>, suppressed: ReadonlySet<string>): Result<void> {
  const foreign = [...suppressed].filter((role) => !roles.has(role));
  if (foreign.length === 0) return VALID;
  return err(
    `Suppressed roles { ${foreign.join(', ')} } are not contained in the set of roles { ${[...roles].join(', ')} }`,
  );
}

export function validateConstraints(
  roles: ReadonlySet<string>,
  constraints: OfferConstraints | undefined,
  maxPatternSize: number,
): Result<OfferConstraintsFilter | undefined> {
  if (constraints === undefined) return ok(undefined);
  for (const role of Object.keys(constraints.role_constraints ?? {})) {
    if (!roles.has(role)) {
      return err(
        `Offer constraints specify 'role_constraints' for the role '${role}', not one of the framework's roles`,
      );
    }
  }
  const filter = compileOfferConstraints(constraints, { maxPatternSize });
  return filter.ok ? filter : err(`Offer constraints are not valid: ${filter.error}`);
}
