import { unreachable } from '../base/invariant.ts';
import type { Resource } from '../wire/v1.ts';
import {
  containsRanges,
  countRanges,
  equalRanges,
  formatRanges,
  type Ranges,
  rangesOf,
  rangesToWire,
  subtractRanges,
  unionRanges,
} from './ranges.ts';
import { formatMilli, fromMilli, type Milli, toMilli } from './scalars.ts';
import { containsItems, equalItems, formatItems, type Items, itemsOf, subtractItems, unionItems } from './sets.ts';

/** How much of a resource there is: thousandths, intervals or words, as its type says. */
export type Amount = Milli | Ranges | Items;

export type AmountType = 'SCALAR' | 'RANGES' | 'SET';

/** Whether the resource is of a type that resources may have: TEXT is for attributes. */
export function hasAmount(resource: Resource): boolean {
  return resource.type === 'SCALAR' || resource.type === 'RANGES' || resource.type === 'SET';
}

/** The amount that a resource carries; what is missing counts as none. */
export function amountOf(resource: Resource): Amount {
  const type = resource.type as AmountType;
  switch (type) {
    case 'SCALAR':
      return toMilli(resource.scalar?.value ?? 0);
    case 'RANGES':
      return rangesOf(resource.ranges?.range ?? []);
    case 'SET':
      return itemsOf(resource.set?.item ?? []);
    default:
      return unreachable(type, `type of the resource ${resource.name}`);
  }
}

/** The wire fields that carry an amount. */
export function amountToWire(type: AmountType, amount: Amount): Pick<Resource, 'scalar' | 'ranges' | 'set'> {
  switch (type) {
    case 'SCALAR':
      return { scalar: { value: fromMilli(amount as Milli) } };
    case 'RANGES':
      return { ranges: { range: rangesToWire(amount as Ranges) } };
    case 'SET':
      return { set: { item: amount as Items } };
  }
}

export function addAmounts(type: AmountType, a: Amount, b: Amount): Amount {
  switch (type) {
    case 'SCALAR':
      return (a as Milli) + (b as Milli);
    case 'RANGES':
      return unionRanges(a as Ranges, b as Ranges);
    case 'SET':
      return unionItems(a as Items, b as Items);
  }
}

/** A scalar may go below zero here; ranges and sets only lose what they have. */
export function subtractAmounts(type: AmountType, a: Amount, b: Amount): Amount {
  switch (type) {
    case 'SCALAR':
      return (a as Milli) - (b as Milli);
    case 'RANGES':
      return subtractRanges(a as Ranges, b as Ranges);
    case 'SET':
      return subtractItems(a as Items, b as Items);
  }
}

export function containsAmount(type: AmountType, a: Amount, b: Amount): boolean {
  switch (type) {
    case 'SCALAR':
      return (b as Milli) <= (a as Milli);
    case 'RANGES':
      return containsRanges(a as Ranges, b as Ranges);
    case 'SET':
      return containsItems(a as Items, b as Items);
  }
}

export function equalAmounts(type: AmountType, a: Amount, b: Amount): boolean {
  switch (type) {
    case 'SCALAR':
      return a === b;
    case 'RANGES':
      return equalRanges(a as Ranges, b as Ranges);
    case 'SET':
      return equalItems(a as Items, b as Items);
  }
}

/** Nothing, or less than nothing. */
export function isNone(amount: Amount): boolean {
  return typeof amount === 'number' ? amount <= 0 : amount.length === 0;
}

/** The quantity in thousandths: a port or a word of a set counts as one. */
export function quantityOf(type: AmountType, amount: Amount): Milli {
  switch (type) {
    case 'SCALAR':
      return amount as Milli;
    case 'RANGES':
      return countRanges(amount as Ranges) * 1000;
    case 'SET':
      return (amount as Items).length * 1000;
  }
}

/** As upstream prints: `4`, `[1-2, 4-5]`, `{a, b}`. */
export function formatAmount(type: AmountType, amount: Amount): string {
  switch (type) {
    case 'SCALAR':
      return formatMilli(amount as Milli);
    case 'RANGES':
      return formatRanges(amount as Ranges);
    case 'SET':
      return formatItems(amount as Items);
  }
}
