/** An offer of which parts are taken one after another. Amounts are whole thousandths, so that sums are exact. */
import type { Attribute, Offer, Resource } from '../../../wire/v1.ts';
import type { Placement } from '../model.ts';
import { labelsOf, reservationRole, reservedInstance } from './reserved.ts';
import { scalarText } from './values.ts';

/** What is left of one resource of the offer. */
export interface Left {
  readonly resource: Resource;
  readonly name: string;
  /** The role it is reserved for; `*` if it is not. */
  readonly role: string;
  /** Of a dynamic reservation. */
  readonly labels: Readonly<Record<string, string>>;
  readonly isDynamic: boolean;
  /** Thousandths, of a scalar. */
  amount: number;
  /** Of ranges: both ends are in. */
  ranges: readonly PortRange[];
}

export interface PortRange {
  readonly begin: number;
  readonly end: number;
}

export interface OpenOffer {
  readonly offer: Offer;
  /** The role that it was made to. */
  readonly role: string;
  readonly agentId: string;
  readonly placement: Placement;
  readonly left: readonly Left[];
  /** By instance: what this framework has reserved for it. */
  readonly reserved: ReadonlyMap<string, readonly Left[]>;
}

/** A new offer, all of which is left. */
export function openOffer(offer: Offer): OpenOffer {
  const agentId = offer.agent_id.value;
  const left = (offer.resources ?? []).map(leftOf);
  const region = offer.domain?.fault_domain?.region.name;
  const zone = offer.domain?.fault_domain?.zone.name;
  return {
    offer,
    role: offer.allocation_info?.role ?? '*',
    agentId,
    placement: {
      agentId,
      host: offer.hostname,
      ...(region !== undefined && { region }),
      ...(zone !== undefined && { zone }),
      attributes: Object.fromEntries((offer.attributes ?? []).map((each) => [each.name, attributeText(each)])),
    },
    left,
    reserved: reservedParts(left, offer.framework_id.value),
  };
}

function reservedParts(left: readonly Left[], frameworkId: string): ReadonlyMap<string, readonly Left[]> {
  const parts = new Map<string, Left[]>();
  for (const each of left) {
    const id = each.isDynamic ? reservedInstance(each.labels, frameworkId) : undefined;
    if (id === undefined) continue;
    const known = parts.get(id);
    if (known === undefined) parts.set(id, [each]);
    else known.push(each);
  }
  return parts;
}

function leftOf(resource: Resource): Left {
  return {
    resource,
    name: resource.name ?? '',
    role: reservationRole(resource),
    labels: labelsOf(resource),
    isDynamic:
      resource.reservation !== undefined || (resource.reservations ?? []).some(({ type }) => type === 'DYNAMIC'),
    amount: Math.round((resource.scalar?.value ?? 0) * 1000),
    ranges: (resource.ranges?.range ?? []).map(({ begin, end }) => ({ begin: Number(begin), end: Number(end) })),
  };
}

/** Attributes as constraints compare them: numbers with three decimals at most, ranges `[a-b,c-d]`, sets `{a,b}` in order. */
export function attributeText({ type, text, scalar, ranges, set }: Attribute): string {
  switch (type) {
    case 'SCALAR':
      return scalarText(scalar?.value ?? 0);
    case 'RANGES':
      return `[${[...(ranges?.range ?? [])]
        .sort((a, b) => Number(a.begin) - Number(b.begin))
        .map(({ begin, end }) => `${begin}-${end}`)
        .join(',')}]`;
    case 'SET':
      return `{${[...(set?.item ?? [])].sort().join(',')}}`;
    default:
      return text?.value ?? '';
  }
}

/** Takes so much of this resource. @returns what was taken, as the master wants it named */
export function takeScalar(left: Left, amount: number): Resource {
  left.amount -= amount;
  return { ...left.resource, scalar: { value: amount / 1000 } };
}

/** Takes all of it. */
export function takeAll(left: Left): Resource {
  left.amount = 0;
  left.ranges = [];
  return left.resource;
}

/** Takes one port. */
export function takePort(left: Left, port: number): void {
  left.ranges = left.ranges.flatMap(({ begin, end }) => {
    if (port < begin || port > end) return [{ begin, end }];
    return [...(begin < port ? [{ begin, end: port - 1 }] : []), ...(port < end ? [{ begin: port + 1, end }] : [])];
  });
}
