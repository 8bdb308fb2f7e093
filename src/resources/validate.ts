import { err, ok, type Result } from '../base/result.ts';
import type { Label, Labels, Resource, Resource_DiskInfo, Resource_ReservationInfo } from '../wire/v1.ts';
import { rangesOf } from './ranges.ts';
import { ANY_ROLE, isStrictSubrole, validateRole } from './roles.ts';

const VALID: Result<void> = ok(undefined);

/** Whether a list of resources is well formed, in either spelling of reservations. The error names the entry. */
export function validateResources(list: readonly Resource[]): Result<void> {
  for (const [at, resource] of list.entries()) {
    const valid = validateResource(resource);
    if (!valid.ok) return err(`resources[${at}] ('${resource.name}'): ${valid.error}`);
  }
  return VALID;
}

export function validateResource(resource: Resource): Result<void> {
  if (isPlainScalar(resource)) return validateScalar(resource.scalar?.value ?? 0);
  if (resource.name === '' || resource.name === undefined) return err("'name' must not be empty");
  for (const check of [validateAmount, validateDisk, validateReservations, validateShared]) {
    const valid = check(resource);
    if (!valid.ok) return valid;
  }
  return VALID;
}

/** Most are: a name and a number. Nothing but the number can be wrong with these. */
function isPlainScalar(resource: Resource): boolean {
  return (
    resource.type === 'SCALAR' &&
    resource.name !== '' &&
    resource.name !== undefined &&
    resource.scalar !== undefined &&
    resource.ranges === undefined &&
    resource.set === undefined &&
    resource.role === undefined &&
    resource.reservation === undefined &&
    resource.reservations === undefined &&
    resource.disk === undefined &&
    resource.shared === undefined
  );
}

function validateAmount(resource: Resource): Result<void> {
  const { type, scalar, ranges, set } = resource;
  if (type !== 'SCALAR' && type !== 'RANGES' && type !== 'SET') {
    return err(`'type' must be SCALAR, RANGES or SET, not ${type}`);
  }
  const field = type.toLowerCase();
  const given = Object.entries({ scalar, ranges, set }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length !== 1 || given[0] !== field) {
    const seen = given.length === 0 ? 'none' : given.join(', ');
    return err(`a resource of type ${type} must have the field '${field}' and no other amount; it has: ${seen}`);
  }
  if (scalar !== undefined) return validateScalar(scalar.value);
  if (ranges !== undefined) return validateRanges(ranges.range ?? []);
  const items = set?.item ?? [];
  const twice = items.find((item, at) => items.indexOf(item) !== at);
  return twice === undefined ? VALID : err(`'set' has the item '${twice}' more than once`);
}

function validateScalar(value: number): Result<void> {
  if (!Number.isFinite(value)) return err(`'scalar' must be a finite number, not ${value}`);
  return value < 0 ? err(`'scalar' must not be negative, as ${value} is`) : VALID;
}

function validateRanges(list: readonly { readonly begin: number; readonly end: number }[]): Result<void> {
  for (const { begin, end } of list) {
    if (begin > end) return err(`'ranges' has ${begin}-${end}, which is reversed; write ${end}-${begin}`);
  }
  const ordered = [...list].sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < ordered.length; i++) {
    const [before, after] = [ordered[i - 1]!, ordered[i]!];
    if (after.begin <= before.end) {
      const merged = rangesOf([before, after]);
      return err(
        `'ranges' has ${before.begin}-${before.end} and ${after.begin}-${after.end}, which overlap; ` +
          `write ${merged[0]}-${merged[1]}`,
      );
    }
  }
  return VALID;
}

function validateDisk({ name, disk }: Resource): Result<void> {
  if (disk === undefined) return VALID;
  if (name !== 'disk') return err(`'disk' is only for the resource named disk, not for '${name}'`);
  return validateSource(disk);
}

function validateSource({ source }: Resource_DiskInfo): Result<void> {
  switch (source?.type) {
    case undefined:
      return source === undefined ? VALID : err("'disk.source.type' must be set");
    case 'PATH':
    case 'MOUNT':
      return VALID;
    case 'BLOCK':
    case 'RAW':
      if (source.mount !== undefined) return err(`'disk.source.mount' is not for a ${source.type} disk`);
      if (source.path !== undefined) return err(`'disk.source.path' is not for a ${source.type} disk`);
      return VALID;
    default:
      return err(`'disk.source.type' must be PATH, MOUNT, BLOCK or RAW, not ${source?.type}`);
  }
}

function validateReservations(resource: Resource): Result<void> {
  const stack = resource.reservations ?? [];
  if (stack.length === 0) return validateOldReservation(resource);
  for (const [at, reservation] of stack.entries()) {
    const valid = validateReservation(reservation, stack[at - 1]);
    if (!valid.ok) return err(`reservations[${at}]: ${valid.error}`);
  }
  return stack.length === 1 ? validateBothForms(resource, stack[0]!) : validateNoOldForm(resource);
}

function validateReservation(
  { type, role }: Resource_ReservationInfo,
  below: Resource_ReservationInfo | undefined,
): Result<void> {
  if (type !== 'STATIC' && type !== 'DYNAMIC') return err(`'type' must be STATIC or DYNAMIC, not ${type ?? 'absent'}`);
  if (role === undefined) return err("'role' must be set");
  const valid = validateRole(role);
  if (!valid.ok) return valid;
  if (role === ANY_ROLE) return err('nothing can be reserved for the role "*"; leave the reservation out');
  if (below === undefined) return VALID;
  if (type === 'STATIC') return err('only the first reservation may be STATIC; a refinement is DYNAMIC');
  const ancestor = below.role ?? '';
  return isStrictSubrole(role, ancestor)
    ? VALID
    : err(`the role '${role}' does not refine '${ancestor}'; use a role below it, such as '${ancestor}/sub'`);
}

/** The spelling before reservation refinement. */
function validateOldReservation({ role = ANY_ROLE, reservation }: Resource): Result<void> {
  const valid = validateRole(role);
  if (!valid.ok) return err(`'role': ${valid.error}`);
  if (reservation === undefined) return VALID;
  if (reservation.type !== undefined) return err("'reservation.type' must be absent; it is for 'reservations' only");
  if (reservation.role !== undefined) return err("'reservation.role' must be absent; 'role' of the resource says it");
  return role === ANY_ROLE ? err("'reservation' needs a 'role' other than \"*\" to be reserved for") : VALID;
}

/** A single reservation may be said in both spellings, as endpoints do, if they agree. */
function validateBothForms({ role, reservation: old }: Resource, reservation: Resource_ReservationInfo): Result<void> {
  if (role !== undefined && role !== reservation.role) {
    return err(`'role' says '${role}' but 'reservations' says '${reservation.role}'; leave 'role' out`);
  }
  if (reservation.type === 'STATIC') {
    return old === undefined ? VALID : err("'reservation' must be absent when the reservation is STATIC");
  }
  if ((role === undefined) !== (old === undefined)) {
    return err(
      "'role' and 'reservation' must both be set or both be absent when 'reservations' is set; leave them out",
    );
  }
  if (old === undefined) return VALID;
  if ((old.principal ?? '') !== (reservation.principal ?? '')) {
    return err(
      `'reservation.principal' says '${old.principal ?? ''}' but 'reservations' says '${reservation.principal ?? ''}'`,
    );
  }
  return sameLabels(old.labels, reservation.labels)
    ? VALID
    : err("'reservation.labels' and the labels in 'reservations' differ; leave 'reservation' out");
}

function validateNoOldForm({ role, reservation }: Resource): Result<void> {
  if (role !== undefined) return err("'role' must be absent when there is more than one reservation");
  return reservation === undefined
    ? VALID
    : err("'reservation' must be absent when there is more than one reservation");
}

function sameLabels(a: Labels | undefined, b: Labels | undefined): boolean {
  const text = (labels: Labels | undefined) =>
    (labels?.labels ?? []).map(({ key, value }: Label) => JSON.stringify([key, value ?? null])).sort();
  return text(a).join() === text(b).join();
}

function validateShared({ name, disk, shared }: Resource): Result<void> {
  if (shared === undefined) return VALID;
  if (name !== 'disk') return err(`'shared' is only for persistent volumes, not for '${name}'`);
  return disk?.persistence === undefined
    ? err("'shared' is only for persistent volumes; set 'disk.persistence'")
    : VALID;
}
