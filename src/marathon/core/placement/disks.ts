/** Disks for the persistent volumes of an instance that is to get them. */
import type { Resource } from '../../../wire/v1.ts';
import type { Constraint, PersistentInfo } from '../../definition/types.ts';
import type { RunSpec } from '../model.ts';
import { matches } from './constraints.ts';
import { type Left, type OpenOffer, takeScalar } from './open-offer.ts';
import { type Lack, milli, type Selector } from './resources.ts';

/** A persistent volume as a definition asks for it. */
export interface WantedVolume {
  /** The app's container path, or the name of the pod's volume. */
  readonly name: string;
  readonly info: PersistentInfo;
}

/** Where there is room for a volume, in thousandths of a MiB. */
interface Found {
  readonly volume: WantedVolume;
  readonly from: Left;
  readonly amount: number;
}

export interface TakenVolume {
  readonly volume: WantedVolume;
  /** The disk that it will lie on. */
  readonly resource: Resource;
}

/** The persistent volumes of an app or a pod. */
export function wantedVolumes(spec: RunSpec): readonly WantedVolume[] {
  if (spec.kind === 'pod') {
    return spec.volumes.flatMap((volume) =>
      volume.kind === 'persistent' ? [{ name: volume.name, info: volume.persistent }] : [],
    );
  }
  return (spec.container?.volumes ?? []).flatMap((volume) =>
    volume.kind === 'persistent' ? [{ name: volume.containerPath, info: volume.persistent }] : [],
  );
}

/**
 * Room for all volumes; large ones choose first. Nothing is taken yet.
 * @param scratch thousandths of the root disk that have to be left over
 */
export function findDisks(
  { left }: OpenOffer,
  volumes: readonly WantedVolume[],
  scratch: number,
  mayUse: Selector,
): { readonly found: readonly Found[]; readonly lacks: readonly Lack[] } {
  const disks = left.filter(
    (each) => each.name === 'disk' && each.resource.disk?.persistence === undefined && mayUse(each),
  );
  const free = new Map(disks.map((each) => [each, each.amount]));
  const found: Found[] = [];
  const lacks: Lack[] = [];
  for (const volume of [...volumes].sort((a, b) => b.info.size - a.info.size)) {
    const fitting = disks.filter((each) => fits(each, free.get(each) ?? 0, volume.info));
    const from = best(fitting, free, volume.info);
    if (from === undefined) {
      lacks.push({ reason: 'InsufficientDisk', detail: `${wish(volume)}, offered are ${shown(disks, free)}` });
      continue;
    }
    // A mounted disk cannot be shared: the volume is as large as the disk is.
    const amount = volume.info.type === 'mount' ? from.amount : milli(volume.info.size);
    free.set(from, (free.get(from) ?? 0) - amount);
    found.push({ volume, from, amount });
  }
  const root = disks.filter((each) => typeOf(each) === 'root').reduce((sum, each) => sum + (free.get(each) ?? 0), 0);
  if (lacks.length === 0 && root < scratch) {
    const besides = volumes.some(({ info }) => info.type === 'root') ? ' beside its volumes' : '';
    lacks.push({
      reason: 'InsufficientDisk',
      detail: `needs ${scratch / 1000} disk${besides}, ${Math.max(0, root) / 1000} are offered`,
    });
  }
  return { found, lacks };
}

/** Takes what was found. */
export function takeDisks(found: readonly Found[]): readonly TakenVolume[] {
  return found.map(({ volume, from, amount }) => ({ volume, resource: takeScalar(from, amount) }));
}

/** What disks are by their source; what no volume can lie on has no type. */
function typeOf({ resource }: Left): PersistentInfo['type'] | undefined {
  switch (resource.disk?.source?.type) {
    case undefined:
      return 'root';
    case 'PATH':
      return 'path';
    case 'MOUNT':
      return 'mount';
    default:
      return undefined;
  }
}

function fits(left: Left, free: number, { type, size, maxSize, profileName, constraints }: PersistentInfo): boolean {
  if (typeOf(left) !== type || free < milli(size)) return false;
  if (type === 'mount' && (free < left.amount || left.amount > milli(maxSize ?? Number.MAX_SAFE_INTEGER / 1000))) {
    return false;
  }
  // Disks with a profile are for those who ask for it.
  if ((left.resource.disk?.source?.profile || undefined) !== profileName) return false;
  return constraints.every((constraint) => meets(pathOf(left), constraint));
}

function pathOf({ resource }: Left): string {
  const source = resource.disk?.source;
  return source?.path?.root ?? source?.mount?.root ?? '';
}

function meets(path: string, { field, operator, value }: Constraint): boolean {
  if (field !== 'path') return false;
  if (operator === 'LIKE') return matches(path, value);
  return operator === 'UNLIKE' && !matches(path, value);
}

/** Of mounted disks the smallest, since all of it is used up; of others the one with the most room, so that they fill evenly. */
function best(fitting: readonly Left[], free: ReadonlyMap<Left, number>, { type }: PersistentInfo): Left | undefined {
  const sign = type === 'mount' ? 1 : -1;
  return [...fitting].sort((a, b) => sign * ((free.get(a) ?? 0) - (free.get(b) ?? 0)))[0];
}

function wish({ name, info }: WantedVolume): string {
  const { type, size, maxSize, profileName, constraints } = info;
  const rules = constraints.map(({ field, operator, value }) => `${field} ${operator} ${value}`);
  const details = [
    `a ${type} disk of ${maxSize === undefined ? `${size} MiB` : `${size} to ${maxSize} MiB`}`,
    ...(profileName === undefined ? [] : [`of profile '${profileName}'`]),
    ...(rules.length === 0 ? [] : [`with ${rules.join(' and ')}`]),
  ];
  return `needs ${details.join(' ')} for the volume '${name}'`;
}

function shown(disks: readonly Left[], free: ReadonlyMap<Left, number>): string {
  const all = disks.flatMap((each) => {
    const type = typeOf(each);
    const profile = each.resource.disk?.source?.profile;
    const path = pathOf(each);
    const room = (free.get(each) ?? 0) / 1000;
    if (type === undefined || room <= 0) return [];
    return [`${type} ${room} MiB${path === '' ? '' : ` at ${path}`}${profile ? ` of profile '${profile}'` : ''}`];
  });
  if (all.length === 0) return 'none';
  return `${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''}`;
}
