import { err, ok, type Result } from '../../../base/result.ts';
import { formatResource } from '../../../resources/format.ts';
import { withoutVolume } from '../../../resources/operations.ts';
import {
  isDynamicallyReserved,
  validatePersistentVolumes,
  validateRequest,
  validateSingleAllocation,
  validateSingleProvider,
} from '../../../resources/requests.ts';
import { Resources } from '../../../resources/resources.ts';
import { toMilli } from '../../../resources/scalars.ts';
import type { Offer_Operation, Resource } from '../../../wire/v1.ts';
import type { Agent, Framework } from '../state.ts';

const VALID: Result<void> = ok(undefined);

/** Who wants it done: a framework; or an operator, who has no roles and may reserve for any. */
export type Requester = Pick<Framework, 'principal'> & Partial<Pick<Framework, 'roles' | 'capabilities'>>;

/**
 * Whether somebody may do this to resources of an agent. The operation is in stack form; that of a framework is allocated,
 * that of an operator is not.
 */
export function validateOperation(operation: Offer_Operation, requester: Requester, agent: Agent): Result<void> {
  switch (operation.type) {
    case 'RESERVE':
      return validateReserve(operation, requester, agent);
    case 'UNRESERVE':
      return validateUnreserve(operation);
    case 'CREATE':
      return validateCreate(operation, requester, agent);
    case 'DESTROY':
      return validateDestroy(operation, agent);
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return validateResize(operation, agent);
    case 'CREATE_DISK':
      return validateCreateDisk(operation);
    case 'DESTROY_DISK':
      return validateDestroyDisk(operation);
    default:
      return err(`operations of type ${operation.type} do not convert resources`);
  }
}

/** Resources that a request is about: well formed, of one provider, at least one, and some of each. */
function validateList(list: readonly Resource[]): Result<void> {
  const wellFormed = validateRequest(list);
  if (!wellFormed.ok) return wellFormed;
  const empty = list.find((resource) => !hasAmount(resource));
  if (empty !== undefined) return err(`${formatResource(empty)} is none at all; name an amount above nothing`);
  return validateSingleProvider(list);
}

function validateReserve({ reserve }: Offer_Operation, requester: Requester, agent: Agent): Result<void> {
  if (reserve === undefined) return err("the field 'reserve' is missing");
  const { resources = [], source = [] } = reserve;
  const wellFormed = validateList(resources);
  if (!wellFormed.ok) return wellFormed;
  if (source.length > 0) {
    if (requester.roles !== undefined) return err("'reserve.source' may only be set by operators");
    const fits = validateSource(source, resources);
    if (!fits.ok) return fits;
  }
  for (const resource of resources) {
    const valid = validateReservation(resource, requester, agent);
    if (!valid.ok) return err(`${formatResource(resource)}: ${valid.error}`);
  }
  return VALID;
}

/** The same resources are to be reserved otherwise: all from one stack of reservations to one other. */
function validateSource(source: readonly Resource[], resources: readonly Resource[]): Result<void> {
  const wellFormed = validateList(source);
  if (!wellFormed.ok) return err(`'source': ${wellFormed.error}`);
  for (const [field, list] of [
    ['source', source],
    ['resources', resources],
  ] as const) {
    const stacks = new Set(list.map(({ reservations = [] }) => JSON.stringify(reservations)));
    if (stacks.size > 1) return err(`'${field}' has different reservations; change those of one kind at a time`);
  }
  const from = Resources.of(source);
  const to = Resources.of(resources);
  if (from.toUnreserved().equals(to.toUnreserved())) return VALID;
  return err(`'source' (${from}) and 'resources' (${to}) must be the same but for the reservations`);
}

function validateReservation(resource: Resource, requester: Requester, agent: Agent): Result<void> {
  const reservations = resource.reservations ?? [];
  const role = reservations.at(-1)?.role ?? '';
  if (!isDynamicallyReserved(resource)) return err('the reservation must be a dynamic one');
  const matches = validateRole(resource, role, requester);
  if (!matches.ok) return matches;
  const known = validateCapabilities(resource, agent);
  return known.ok ? validatePrincipal(reservations.at(-1)?.principal, requester) : known;
}

/** Frameworks reserve what is offered to a role of theirs, for that role; operators what is free. */
function validateRole({ allocation_info: allocation }: Resource, role: string, { roles }: Requester): Result<void> {
  if (roles === undefined) return VALID;
  if (allocation?.role !== role) {
    return err(`it is offered to the role '${allocation?.role}' and cannot be reserved for '${role}'`);
  }
  return roles.has(role) ? VALID : err(`'${role}' is not a role of the framework`);
}

function validateCapabilities({ reservations = [] }: Resource, { capabilities }: Agent): Result<void> {
  const role = reservations.at(-1)?.role ?? '';
  if (role.includes('/') && !capabilities.has('HIERARCHICAL_ROLE')) {
    return err(`the agent does not support hierarchical roles such as '${role}'`);
  }
  if (reservations.length > 1 && !capabilities.has('RESERVATION_REFINEMENT')) {
    return err('the agent does not support refined reservations');
  }
  return VALID;
}

function hasAmount(resource: Resource): boolean {
  return !Resources.of([resource]).isEmpty;
}

/** Who reserves must say so, if they are authenticated; nobody may reserve in another's name. */
function validatePrincipal(principal: string | undefined, requester: Requester): Result<void> {
  if (principal === requester.principal || requester.principal === undefined) return VALID;
  const who = requester.roles === undefined ? 'who asks' : 'the framework';
  return err(`its principal '${principal ?? ''}' must be that of ${who}, '${requester.principal}'`);
}

function validateUnreserve({ unreserve }: Offer_Operation): Result<void> {
  if (unreserve === undefined) return err("the field 'unreserve' is missing");
  const resources = unreserve.resources ?? [];
  const wellFormed = validateList(resources);
  if (!wellFormed.ok) return wellFormed;
  for (const resource of resources) {
    if (!isDynamicallyReserved(resource)) return err(`${formatResource(resource)} is not dynamically reserved`);
    if (resource.disk?.persistence !== undefined) {
      return err(`${formatResource(resource)} is a persistent volume; destroy it before unreserving the disk`);
    }
  }
  return VALID;
}

function validateCreate({ create }: Offer_Operation, requester: Requester, agent: Agent): Result<void> {
  if (create === undefined) return err("the field 'create' is missing");
  const volumes = create.volumes ?? [];
  const wellFormed = validateList(volumes);
  if (!wellFormed.ok) return wellFormed;
  const persistent = validatePersistentVolumes(volumes);
  if (!persistent.ok) return persistent;
  if (requester.roles !== undefined) {
    const single = validateSingleAllocation(volumes);
    if (!single.ok) return single;
  }
  const taken = new Set([...agent.total].map(persistenceKey));
  for (const volume of volumes) {
    const key = persistenceKey(volume);
    if (key !== undefined && taken.has(key)) return err(`${formatResource(volume)}: this id is used already`);
    taken.add(key);
    if (volume.shared !== undefined && requester.capabilities?.has('SHARED_RESOURCES') === false) {
      return err(`${formatResource(volume)}: the framework lacks the capability SHARED_RESOURCES`);
    }
    const known = validateCapabilities(volume, agent);
    const principal = known.ok ? validatePrincipal(volume.disk?.persistence?.principal, requester) : known;
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
  const wellFormed = validateList(volumes);
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
  if (volume.provider_id !== undefined) return err('a volume of a resource provider cannot be resized');
  if (!agent.capabilities.has('RESIZE_VOLUME')) return err('the agent does not support the resizing of volumes');
  const wellFormed = validateList(grow_volume === undefined ? [volume] : [volume, grow_volume.addition]);
  if (!wellFormed.ok) return wellFormed;
  const persistent = validatePersistentVolumes([volume]);
  if (!persistent.ok) return persistent;
  if (volume.shared !== undefined) return err('a shared volume cannot be resized');
  return grow_volume === undefined
    ? validateShrink(volume, shrink_volume?.subtract.value ?? 0)
    : validateGrow(volume, grow_volume.addition);
}

function validateGrow(volume: Resource, addition: Resource): Result<void> {
  if (Resources.of([withoutVolume(volume), addition]).size === 1) return VALID;
  return err(`${formatResource(addition)} is not of the kind that the volume ${formatResource(volume)} is made of`);
}

function validateShrink(volume: Resource, subtract: number): Result<void> {
  const size = volume.scalar?.value ?? 0;
  if (!(toMilli(subtract) > 0 && toMilli(subtract) < toMilli(size)))
    return err(`'subtract' must be more than 0 and less than the volume's ${size}, not ${subtract}`);
  return volume.disk?.source?.type === 'MOUNT' ? err('a volume on a MOUNT disk cannot be shrunk') : VALID;
}

function validateCreateDisk({ create_disk: create }: Offer_Operation): Result<void> {
  if (create === undefined) return err("the field 'create_disk' is missing");
  const { source, target_type: target, target_profile: profile } = create;
  const provided = validateProvided(source);
  if (!provided.ok) return provided;
  const { type = 'UNKNOWN', profile: own } = source.disk?.source ?? {};
  if (type !== 'RAW') return err(`'source' must be a disk of type RAW, not ${formatResource(source)}`);
  if (target !== 'MOUNT' && target !== 'BLOCK') return err(`'target_type' must be MOUNT or BLOCK, not ${target}`);
  if (own !== undefined && profile !== undefined) {
    return err(`'target_profile' ('${profile}') must be absent, since 'source' has the profile '${own}' already`);
  }
  if (own === undefined && profile === undefined) {
    return err("'target_profile' must be set, since 'source' has no profile");
  }
  return VALID;
}

function validateDestroyDisk({ destroy_disk: destroy }: Offer_Operation): Result<void> {
  if (destroy === undefined) return err("the field 'destroy_disk' is missing");
  const { source } = destroy;
  const provided = validateProvided(source);
  if (!provided.ok) return provided;
  const { type = 'UNKNOWN', id } = source.disk?.source ?? {};
  if (!['MOUNT', 'BLOCK', 'RAW'].includes(type)) {
    return err(`'source' must be a disk of type MOUNT, BLOCK or RAW, not ${formatResource(source)}`);
  }
  if (id === undefined) return err("'source' has no 'disk.source.id', so there is no disk to be destroyed");
  if (source.disk?.persistence === undefined) return VALID;
  return err(`'source' is the persistent volume ${formatResource(source)}; destroy the volume first`);
}

/** Disks are made and destroyed by who provides them. */
function validateProvided(source: Resource): Result<void> {
  const wellFormed = validateRequest([source]);
  if (!wellFormed.ok) return err(`'source': ${wellFormed.error}`);
  if (source.provider_id !== undefined) return VALID;
  return err(`'source' is ${formatResource(source)}, which has no resource provider ('provider_id')`);
}
