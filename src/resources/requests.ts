import { validateId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Resource } from '../wire/v1.ts';
import { formatResource } from './format.ts';
import { Quantities } from './quantities.ts';
import { upgrade } from './refinement.ts';
import { Resources } from './resources.ts';
import { validateResources } from './validate.ts';

/*
 * What the master demands of resources that frameworks and operators name, beyond being well formed. Lists may be in either
 * spelling of reservations.
 */

const VALID: Result<void> = ok(undefined);

/** Well formed, whole gpus, disks with a purpose, and no reservation or volume made from revocable resources. */
export function validateRequest(list: readonly Resource[]): Result<void> {
  const valid = validateResources(list);
  if (!valid.ok) return valid;
  const gpus = Resources.of(list).scalar('gpus');
  if (gpus % 1000 !== 0) return err(`gpus come whole; ${gpus / 1000} is not a whole number`);
  for (const resource of list.map(upgrade)) {
    const disk = validateDiskPurpose(resource);
    if (!disk.ok) return err(`${formatResource(resource)}: ${disk.error}`);
    if (isDynamicallyReserved(resource) && resource.revocable !== undefined) {
      return err(`${formatResource(resource)}: revocable resources cannot be dynamically reserved`);
    }
  }
  return VALID;
}

function validateDiskPurpose(resource: Resource): Result<void> {
  const { disk, revocable } = resource;
  if (disk === undefined) return VALID;
  if (disk.persistence === undefined) {
    if (disk.volume !== undefined)
      return err("'disk.volume' needs 'disk.persistence': only persistent volumes are supported");
    return disk.source === undefined ? err("'disk' is empty; set 'source' or 'persistence', or leave it out") : VALID;
  }
  if (revocable !== undefined) return err('a persistent volume cannot be made from revocable resources');
  if ((resource.reservations ?? []).length === 0) {
    return err('a persistent volume cannot be made from unreserved resources; reserve the disk first');
  }
  if (disk.volume === undefined) return err("'disk.volume' must be set for a persistent volume");
  if (disk.volume.host_path !== undefined) return err("'disk.volume.host_path' must be absent for a persistent volume");
  const id = validateId(disk.persistence.id, "'disk.persistence.id'");
  return id.ok ? VALID : id;
}

/** Every one is a persistent volume that can be written. */
export function validatePersistentVolumes(list: readonly Resource[]): Result<void> {
  for (const resource of list) {
    const { disk } = resource;
    const shown = formatResource(resource);
    if (disk?.persistence === undefined) return err(`${shown} is not a persistent volume; set 'disk.persistence'`);
    if (disk.volume === undefined) return err(`${shown}: 'disk.volume' must be set for a persistent volume`);
    if (disk.volume.mode === 'RO') return err(`${shown}: a persistent volume must have the mode RW, not RO`);
  }
  return VALID;
}

/** No id is used twice within a role. */
export function validateUniquePersistenceIds(resources: Resources): Result<void> {
  const seen = new Set<string>();
  for (const { reservations, disk } of resources.persistentVolumes()) {
    const role = reservations?.at(-1)?.role ?? '*';
    const id = disk?.persistence?.id ?? '';
    const both = JSON.stringify([role, id]);
    if (seen.has(both))
      return err(`the persistence id '${id}' is used twice in the role '${role}'; give each volume its own`);
    seen.add(both);
  }
  return VALID;
}

/** No name is there both revocable and not. */
export function validateRevocability(resources: Resources): Result<void> {
  const firm = resources.nonRevocable().types();
  for (const name of resources.revocable().types().keys()) {
    if (firm.has(name))
      return err(`'${name}' is asked for both revocable and not revocable; use one kind for one task`);
  }
  return VALID;
}

/** All allocated, and to the same role. */
export function validateSingleAllocation(list: Iterable<Resource>): Result<void> {
  let first: string | undefined;
  for (const resource of list) {
    const role = resource.allocation_info?.role;
    if (role === undefined) return err(`${formatResource(resource)} is not allocated to a role`);
    first ??= role;
    if (role !== first)
      return err(`the resources are allocated to two roles, '${first}' and '${role}'; use those of one role`);
  }
  return VALID;
}

/** All of one resource provider, or all of the agent itself. */
export function validateSingleProvider(list: Iterable<Resource>): Result<void> {
  const providers = new Set([...list].map((resource) => resource.provider_id?.value));
  if (providers.size === 1) return VALID;
  if (providers.size === 0) return err('there are no resources; name at least one');
  const named = [...providers].map((id) => (id === undefined ? 'the agent itself' : id)).join(', ');
  return err(`the resources come from several providers (${named}); use one operation for each`);
}

/** Whether a port or an item of a set is in more than one of the parts. */
export function partsOverlap(parts: readonly Resources[]): boolean {
  const discrete = parts.map((part) => part.filter((resource) => resource.type !== 'SCALAR'));
  const apart = discrete.reduce((sum, part) => sum.plus(part.quantities()), Quantities.EMPTY);
  return !apart.equals(Resources.sum(discrete).quantities());
}

/** Whether the innermost reservation was made at run time. In stack form. */
export function isDynamicallyReserved(resource: Resource): boolean {
  return resource.reservations?.at(-1)?.type === 'DYNAMIC';
}
