import type {
  Labels,
  Resource,
  Resource_DiskInfo,
  Resource_DiskInfo_Source,
  Resource_ReservationInfo,
  Volume,
} from '../wire/v1.ts';
import { type AmountType, amountOf, formatAmount, hasAmount } from './amount.ts';
import { upgrade } from './refinement.ts';

/**
 * One resource as upstream prints it: `cpus(allocated: a)(reservations: [(STATIC,a)]):4`.
 * @param copies how often a shared resource is held; printed for shared resources when given
 */
export function formatResource(resource: Resource, copies?: number): string {
  const { name, type, allocation_info, reservations = [], disk, revocable, shared } = upgrade(resource);
  const parts = [name];
  if (allocation_info !== undefined) parts.push(`(allocated: ${allocation_info.role ?? ''})`);
  if (reservations.length > 0) {
    const stack = reservations.map((reservation) => `(${formatReservation(reservation)})`);
    parts.push(`(reservations: [${stack.join(', ')}])`);
  }
  if (disk !== undefined) parts.push(`[${formatDisk(disk)}]`);
  if (revocable !== undefined) parts.push('{REV}');
  if (shared !== undefined) parts.push('<SHARED>');
  parts.push(':');
  if (hasAmount(resource)) parts.push(formatAmount(type as AmountType, amountOf(resource)));
  if (shared !== undefined && copies !== undefined) parts.push(`<${copies}>`);
  return parts.join('');
}

/** `DYNAMIC,role,principal,{key: value}` */
function formatReservation({ type, role, principal, labels }: Resource_ReservationInfo): string {
  let text = `${type ?? 'UNKNOWN'},${role ?? '*'}`;
  if (principal !== undefined) text += `,${principal}`;
  if (labels !== undefined) text += `,${formatLabels(labels)}`;
  return text;
}

function formatLabels(labels: Labels): string {
  const parts = (labels.labels ?? []).map(({ key, value }) => (value === undefined ? key : `${key}: ${value}`));
  return `{${parts.join(', ')}}`;
}

/** `MOUNT:/mnt/a,id1:path1` */
function formatDisk({ source, persistence, volume }: Resource_DiskInfo): string {
  const parts: string[] = [];
  if (source !== undefined) parts.push(formatSource(source));
  if (persistence !== undefined) parts.push(persistence.id);
  return parts.join(',') + (volume === undefined ? '' : `:${formatVolume(volume)}`);
}

function formatSource({ type, vendor, id, profile, mount, path }: Resource_DiskInfo_Source): string {
  if (id !== undefined || profile !== undefined) return `${type}(${vendor ?? ''},${id ?? ''},${profile ?? ''})`;
  const root = type === 'MOUNT' ? mount?.root : type === 'PATH' ? path?.root : undefined;
  return root === undefined ? type : `${type}:${root}`;
}

function formatVolume({ host_path, container_path, mode }: Volume): string {
  if (host_path === undefined) return container_path;
  return `${host_path}:${container_path}${mode === undefined ? '' : `:${mode.toLowerCase()}`}`;
}
