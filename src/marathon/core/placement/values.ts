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
