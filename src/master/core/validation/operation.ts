import { err, ok, type Result } from '../../../base/result.ts';
import { formatResource } from '../../../resources/format.ts';
import { isDynamicallyReserved, validatePersistentVolumes, validateRequest } from '../../../resources/requests.ts';
import { Resources } from '../../../resources/resources.ts';
import type { Offer_Operation, Resource } from '../../../wire/v1.ts';
import type { Agent, Framework } from '../state.ts';

const VALID: Result<void> = ok(undefined);

/** Whether a framework may do this to resources of an agent. The operation is in stack form, and allocated. */
export function validateOperation(operation: Offer_Operation, framework: Framework, agent: Agent): Result<void> {
  switch (operation.type) {
    case 'RESERVE':
      return validateReserve(operation, framework, agent);
    case 'UNRESERVE':
      return validateUnreserve(operation);
    case 'CREATE':
      return validateCreate(operation, framework, agent);
    case 'DESTROY':
      return validateDestroy(operation, agent);
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return validateResize(operation, agent);
    default:
      return err(`operations of type ${operation.type} do not convert resources`);
  }
}

function validateReserve({ reserve }: Offer_Operation, framework: Framework, agent: Agent): Result<void> {
  if (reserve === undefined) return err("the field 'reserve' is missing");
  if ((reserve.source?.length ?? 0) > 0) return err("'reserve.source' may only be set by operators");
  const resources = reserve.resources ?? [];
  const wellFormed = validateRequest(resources);
  if (!wellFormed.ok) return wellFormed;
  if (resources.length === 0) return err('there is nothing to reserve');
  for (const resource of resources) {
    const valid = validateReservation(resource, framework, agent);
    if (!valid.ok) return err(`${formatResource(resource)}: ${valid.error}`);
  }
  return VALID;
}

function validateReservation(resource: Resource, framework: Framework, agent: Agent): Result<void> {
  const reservations = resource.reservations ?? [];
  const role = reservations.at(-1)?.role ?? '';
  if (!isDynamicallyReserved(resource)) return err('the reservation must be a dynamic one');
  if (!hasAmount(resource)) return err('nothing cannot be reserved');
  if (resource.allocation_info?.role !== role) {
    return err(`it is offered to the role '${resource.allocation_info?.role}' and cannot be reserved for '${role}'`);
  }
  if (!framework.roles.has(role)) return err(`'${role}' is not a role of the framework`);
  if (role.includes('/') && !agent.capabilities.has('HIERARCHICAL_ROLE')) {
    return err(`the agent does not support hierarchical roles such as '${role}'`);
  }
  if (reservations.length > 1 && !agent.capabilities.has('RESERVATION_REFINEMENT')) {
    return err('the agent does not support refined reservations');
  }
  return validatePrincipal(reservations.at(-1)?.principal, framework);
}

function hasAmount(resource: Resource): boolean {
  return !Resources.of([resource]).isEmpty;
}

/** Who reserves must say so, if the framework is authenticated; nobody may reserve in another's name. */
function validatePrincipal(principal: string | undefined, framework: Framework): Result<void> {
  if (principal === framework.principal || framework.principal === undefined) return VALID;
  return err(`its principal '${principal ?? ''}' must be that of the framework, '${framework.principal}'`);
}

function validateUnreserve({ unreserve }: Offer_Operation): Result<void> {
  if (unreserve === undefined) return err("the field 'unreserve' is missing");
  const resources = unreserve.resources ?? [];
  const wellFormed = validateRequest(resources);
  if (!wellFormed.ok) return wellFormed;
  for (const resource of resources) {
    if (!isDynamicallyReserved(resource)) return err(`${formatResource(resource)} is not dynamically reserved`);
    if (resource.disk?.persistence !== undefined) {
      return err(`${formatResource(resource)} is a persistent volume; destroy it before unreserving the disk`);
    }
  }
  return VALID;
}

function validateCreate({ create }: Offer_Operation, framework: Framework, agent: Agent): Result<void> {
  if (create === undefined) return err("the field 'create' is missing");
  const volumes = create.volumes ?? [];
  const wellFormed = validateRequest(volumes);
  if (!wellFormed.ok) return wellFormed;
  const persistent = validatePersistentVolumes(volumes);
  if (!persistent.ok) return persistent;
  const taken = new Set([...agent.total].map(persistenceKey));
  for (const volume of volumes) {
    const key = persistenceKey(volume);
    if (key !== undefined && taken.has(key)) return err(`${formatResource(volume)}: this id is used already`);
    taken.add(key);
    if (volume.shared !== undefined && !framework.capabilities.has('SHARED_RESOURCES')) {
      return err(`${formatResource(volume)}: the framework lacks the capability SHARED_RESOURCES`);
    }
    const principal = validatePrincipal(volume.disk?.persistence?.principal, framework);
    if (!principal.ok) return err(`${formatResource(volume)}: ${principal.error}`);
  }
  return VALID;
}

function persistenceKey(resource: Resource): string | undefined {
  const id = resource.disk?.persistence?.id;
  return id === undefined ? undefined : `${resource.reservations?.at(-1)?.role}/${id}`;
}

function validateDestroy({ destroy }: Offer_Operation, agent: Agent): Result<void> {
  if (destroy === undefined) return err("the field 'destroy' is missing");
  const volumes = destroy.volumes ?? [];
  const wellFormed = validateRequest(volumes);
  if (!wellFormed.ok) return wellFormed;
  const persistent = validatePersistentVolumes(volumes);
  if (!persistent.ok) return persistent;
  const own = Resources.of(volumes).unallocate();
  if (!agent.total.contains(own)) return err(`${own} is not on the agent`);
  const used = agent.used.unallocate();
  for (const volume of own) {
    if (used.contains(volume)) return err(`${formatResource(volume)} is in use by a task or an executor`);
  }
  return VALID;
}

function validateResize({ type, grow_volume, shrink_volume }: Offer_Operation, agent: Agent): Result<void> {
  const volume = grow_volume?.volume ?? shrink_volume?.volume;
  if (volume === undefined)
    return err(`the field '${type === 'GROW_VOLUME' ? 'grow_volume' : 'shrink_volume'}' is missing`);
  if (!agent.capabilities.has('RESIZE_VOLUME')) return err('the agent does not support the resizing of volumes');
  const wellFormed = validateRequest(grow_volume === undefined ? [volume] : [volume, grow_volume.addition]);
  if (!wellFormed.ok) return wellFormed;
  const persistent = validatePersistentVolumes([volume]);
  if (!persistent.ok) return persistent;
  if (volume.shared !== undefined) return err('a shared volume cannot be resized');
  if (volume.provider_id !== undefined) return err('a volume of a resource provider cannot be resized');
  const size = volume.scalar?.value ?? 0;
  if (grow_volume !== undefined) {
    return (grow_volume.addition.scalar?.value ?? 0) > 0 ? VALID : err("'addition' must be more than nothing");
  }
  const subtract = shrink_volume?.subtract.value ?? 0;
  if (!(subtract > 0 && subtract < size))
    return err(`'subtract' must be more than 0 and less than the volume's ${size}`);
  return volume.disk?.source?.type === 'MOUNT' ? err('a volume on a MOUNT disk cannot be shrunk') : VALID;
}
