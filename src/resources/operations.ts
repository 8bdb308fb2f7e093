import { err, ok, type Result } from '../base/result.ts';
import type { Offer_Operation, Resource } from '../wire/v1.ts';
import { formatResource } from './format.ts';
import { upgrade } from './refinement.ts';
import { fromMilli, toMilli } from './scalars.ts';

/** What an operation turns into what. */
export interface Conversion {
  readonly consumed: readonly Resource[];
  readonly converted: readonly Resource[];
  /** What must not be left afterwards: a volume that is destroyed while other copies of it are held. */
  readonly gone?: Resource;
}

const SPECULATIVE: ReadonlySet<string | undefined> = new Set([
  'RESERVE',
  'UNRESERVE',
  'CREATE',
  'DESTROY',
  'GROW_VOLUME',
  'SHRINK_VOLUME',
]);

/** Whether the outcome is known beforehand, so that masters need not wait for the agent to convert the resources. */
export function isSpeculative({ type }: Offer_Operation): boolean {
  return SPECULATIVE.has(type);
}

/**
 * The conversions that make up a RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME. Other operations do not
 * convert resources by themselves and are refused. The operation must have been validated.
 */
export function conversionsOf(operation: Offer_Operation): Result<readonly Conversion[]> {
  switch (operation.type) {
    case 'RESERVE':
      return reserve(operation);
    case 'UNRESERVE':
      return unreserve(operation);
    case 'CREATE':
      return ok(
        (operation.create?.volumes ?? []).map((volume) => ({ consumed: [withoutVolume(volume)], converted: [volume] })),
      );
    case 'DESTROY':
      return ok(
        (operation.destroy?.volumes ?? []).map((volume) => ({
          consumed: [volume],
          converted: [withoutVolume(volume)],
          gone: volume,
        })),
      );
    case 'GROW_VOLUME':
      return growVolume(operation);
    case 'SHRINK_VOLUME':
      return shrinkVolume(operation);
    default:
      return err(
        `an operation of type ${operation.type ?? '(none)'} does not convert resources; RESERVE, UNRESERVE, CREATE, ` +
          'DESTROY, GROW_VOLUME and SHRINK_VOLUME do',
      );
  }
}

function reserve({ reserve: { source = [], resources = [] } = {} }: Offer_Operation): Result<readonly Conversion[]> {
  if (source.length > 0) return ok([{ consumed: source, converted: resources }]);
  const consumed: Resource[] = [];
  for (const resource of resources) {
    const below = withoutInnermostReservation(resource);
    if (!below.ok) return below;
    consumed.push(below.value);
  }
  return ok([{ consumed, converted: resources }]);
}

function unreserve({ unreserve: { resources = [] } = {} }: Offer_Operation): Result<readonly Conversion[]> {
  const conversions: Conversion[] = [];
  for (const resource of resources) {
    const below = withoutInnermostReservation(resource);
    if (!below.ok) return below;
    conversions.push({ consumed: [resource], converted: [below.value] });
  }
  return ok(conversions);
}

function growVolume({ grow_volume: grow }: Offer_Operation): Result<readonly Conversion[]> {
  if (grow === undefined) return err("a GROW_VOLUME operation needs the field 'grow_volume'");
  if (grow.volume.provider_id !== undefined) return err('a volume of a resource provider cannot be grown');
  const converted = withScalar(grow.volume, scalarOf(grow.volume) + scalarOf(grow.addition));
  return ok([{ consumed: [grow.volume, grow.addition], converted: [converted] }]);
}

function shrinkVolume({ shrink_volume: shrink }: Offer_Operation): Result<readonly Conversion[]> {
  if (shrink === undefined) return err("a SHRINK_VOLUME operation needs the field 'shrink_volume'");
  if (shrink.volume.provider_id !== undefined) return err('a volume of a resource provider cannot be shrunk');
  const subtract = toMilli(shrink.subtract.value);
  const shrunk = withScalar(shrink.volume, scalarOf(shrink.volume) - subtract);
  const freed = withScalar(withoutVolume(shrink.volume), subtract);
  return ok([{ consumed: [shrink.volume], converted: [shrunk, freed] }]);
}

function scalarOf(resource: Resource): number {
  return toMilli(resource.scalar?.value ?? 0);
}

function withScalar(resource: Resource, milli: number): Resource {
  return { ...resource, scalar: { value: fromMilli(milli) } };
}

/** The disk that a persistent volume lies on. */
export function withoutVolume(resource: Resource): Resource {
  const { disk, shared: _, ...rest } = resource;
  return disk?.source === undefined ? rest : { ...rest, disk: { source: disk.source } };
}

/** The resource as it was before its last reservation. */
function withoutInnermostReservation(resource: Resource): Result<Resource> {
  const { reservations = [], ...rest } = upgrade(resource);
  if (reservations.length === 0) {
    return err(`${formatResource(resource)} has no reservation; set 'reservations' to what it is to have, or has`);
  }
  return ok(reservations.length === 1 ? rest : { ...rest, reservations: reservations.slice(0, -1) });
}
