/** The framework capabilities that decide about offers, one bit each. */
export const GPU_RESOURCES = 1;
export const REGION_AWARE = 2;
export const MULTI_ROLE = 4;
export const SHARED_RESOURCES = 8;
export const REVOCABLE_RESOURCES = 16;
export const RESERVATION_REFINEMENT = 32;

const BITS: Readonly<Record<string, number>> = {
  GPU_RESOURCES,
  REGION_AWARE,
  MULTI_ROLE,
  SHARED_RESOURCES,
  REVOCABLE_RESOURCES,
  RESERVATION_REFINEMENT,
};

/** @param names of `FrameworkInfo.Capability.Type` values; others do not matter here */
export function capabilityBits(names: Iterable<string>): number {
  let bits = 0;
  for (const name of names) bits |= BITS[name] ?? 0;
  return bits;
}

export const EVERY_CAPABILITY = 63;
