import type { Labels, Resource, Resource_DiskInfo, Resource_ReservationInfo } from '../wire/v1.ts';
import type { AmountType } from './amount.ts';

/**
 * How equal things combine.
 * - `divisible`: amounts add up and may be taken apart (cpus, ports, root disk, PATH disks, RAW disks without an id).
 * - `exclusive`: only ever whole (MOUNT and BLOCK disks, RAW disks with an id, persistent volumes).
 * - `shared`: whole, and one thing may be held several times over: copies are counted.
 */
export type Combining = 'divisible' | 'exclusive' | 'shared';

/** Everything about a resource but its amount, worked out once and then shared by all resources that have it. */
export interface Kind {
  /** Equal exactly when two resources are of the same kind. */
  readonly key: string;
  /** Of the key: kinds that differ mostly differ in it, which is quicker to compare. */
  readonly hash: number;
  readonly name: string;
  readonly type: AmountType;
  readonly combining: Combining;
  /** The role of the innermost reservation. */
  readonly reservationRole: string | undefined;
  readonly allocationRole: string | undefined;
  readonly revocable: boolean;
  readonly persistent: boolean;
  /** The wire form without an amount. */
  readonly template: Resource;
  /** The same kind allocated to a role, filled as asked for. */
  readonly allocated: Map<string, Kind>;
  /** The same kind, not allocated: once asked for. */
  unallocated: Kind | undefined;
}

/** How many kinds, or roles of one kind, are remembered before the memory is emptied: a bound, seldom reached. */
const REMEMBERED = 10_000;

/**
 * Kinds are interned so that the common comparison is one of pointers; this is speed only, `key` decides. Kinds with a
 * disk are not kept: volume ids come and go without end, and the parts of a volume that do not take part in comparisons
 * (its path, its principal) must stay those of the resource at hand.
 */
const plain: Record<AmountType, Map<string, Kind>> = { SCALAR: new Map(), RANGES: new Map(), SET: new Map() };
const special = new Map<string, Kind>();

/** The kind of a resource in stack form (see `upgrade`) whose type is not TEXT. */
export function kindOf(resource: Resource): Kind {
  if (isPlain(resource)) {
    const base = plainKind(resource.name, resource.type as AmountType);
    const role = resource.allocation_info?.role;
    return role === undefined && resource.allocation_info === undefined ? base : allocatedKind(base, role ?? '');
  }
  const { scalar: _scalar, ranges: _ranges, set: _set, ...template } = resource;
  const key = keyOf(resource);
  if (resource.disk !== undefined || resource.$unknown !== undefined) return build(key, template);
  return remember(special, key, () => build(key, template));
}

/** The kind that differs by being allocated to `role`. */
export function allocatedKind(kind: Kind, role: string): Kind {
  if (kind.allocationRole === role) return kind;
  return remember(kind.allocated, role, () => {
    const template: Resource = { ...kind.template, allocation_info: { role } };
    const made = build(keyOf(template), template);
    if (kind.allocationRole === undefined) made.unallocated = kind;
    return made;
  });
}

/** The kind that differs by not being allocated. */
export function unallocatedKind(kind: Kind): Kind {
  if (kind.allocationRole === undefined) return kind;
  if (kind.unallocated === undefined) {
    const { allocation_info: _, ...template } = kind.template;
    kind.unallocated = kindOf(template);
  }
  return kind.unallocated;
}

/** The kind that differs by its stack of reservations. */
export function reservedKind(kind: Kind, reservations: readonly Resource_ReservationInfo[]): Kind {
  const { reservations: _, ...template } = kind.template;
  return kindOf(reservations.length === 0 ? template : { ...template, reservations });
}

function plainKind(name: string, type: AmountType): Kind {
  return remember(plain[type], name, () => {
    const template: Resource = { name, type };
    return build(keyOf(template), template);
  });
}

function isPlain(resource: Resource): boolean {
  return (
    (resource.reservations === undefined || resource.reservations.length === 0) &&
    resource.disk === undefined &&
    resource.revocable === undefined &&
    resource.shared === undefined &&
    resource.provider_id === undefined &&
    resource.$unknown === undefined
  );
}

function remember(memory: Map<string, Kind>, key: string, make: () => Kind): Kind {
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size >= REMEMBERED) memory.clear();
  const made = make();
  memory.set(key, made);
  return made;
}

function build(key: string, template: Resource): Kind {
  const reservations = template.reservations ?? [];
  const { source, persistence } = template.disk ?? {};
  const exclusive =
    persistence !== undefined ||
    source?.type === 'MOUNT' ||
    source?.type === 'BLOCK' ||
    (source?.type === 'RAW' && source.id !== undefined);
  return {
    key,
    hash: hashOf(key),
    name: template.name,
    type: template.type as AmountType,
    combining: template.shared !== undefined ? 'shared' : exclusive ? 'exclusive' : 'divisible',
    reservationRole: reservations[reservations.length - 1]?.role,
    allocationRole: template.allocation_info === undefined ? undefined : (template.allocation_info.role ?? ''),
    revocable: template.revocable !== undefined,
    persistent: persistence !== undefined,
    template,
    allocated: new Map(),
    unallocated: undefined,
  };
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Unambiguous text of all that upstream compares: not a volume's path, nor who made it. */
function keyOf(resource: Resource): string {
  return JSON.stringify([
    resource.name,
    resource.type,
    resource.allocation_info === undefined ? null : (resource.allocation_info.role ?? ''),
    (resource.reservations ?? []).map(reservationKey),
    resource.disk === undefined ? null : diskKey(resource.disk),
    resource.revocable === undefined ? 0 : 1,
    resource.shared === undefined ? 0 : 1,
    resource.provider_id?.value ?? null,
  ]);
}

function reservationKey(reservation: Resource_ReservationInfo): unknown {
  const { type, role, principal, labels } = reservation;
  return [type ?? null, role ?? null, principal ?? null, labelsKey(labels)];
}

function diskKey(disk: Resource_DiskInfo): unknown {
  const { source, persistence } = disk;
  const where =
    source === undefined
      ? null
      : [
          source.type,
          source.path === undefined ? null : [source.path.root ?? null],
          source.mount === undefined ? null : [source.mount.root ?? null],
          source.vendor ?? null,
          source.id ?? null,
          labelsKey(source.metadata),
          source.profile ?? null,
        ];
  return [where, persistence?.id ?? null];
}

/** The order of labels does not matter. */
function labelsKey(labels: Labels | undefined): unknown {
  if (labels === undefined) return null;
  return (labels.labels ?? []).map(({ key, value }) => JSON.stringify([key, value ?? null])).sort();
}

/** Whether two resources are of the same kind. */
export function sameKind(a: Kind, b: Kind): boolean {
  return a === b || (a.hash === b.hash && a.key === b.key);
}
