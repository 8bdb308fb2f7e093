/** What constraints compare: names and attributes of agents as text. */
import type { Placement } from '../model.ts';

export function constraintValue(placement: Placement | undefined, field: string): string | undefined {
  if (placement === undefined) return undefined;
  switch (field) {
    case 'hostname':
    case '@hostname':
      return placement.host;
    case '@region':
      return placement.region;
    case '@zone':
      return placement.zone;
    default:
      return placement.attributes[field];
  }
}

/** With three decimals at most. What lies exactly between two goes to the even one; almost no fraction does, in binary. */
export function scalarText(value: number): string {
  const thousandths = value * 1000;
  const isBetween = Number.isInteger(value * 16) && Math.abs(thousandths % 1) === 0.5;
  return String(isBetween ? (2 * Math.round(thousandths / 2)) / 1000 : Number(value.toFixed(3)));
}
