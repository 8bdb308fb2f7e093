/**
 * Scalars are held in whole thousandths: the precision at which upstream compares and adds them. Sums of integers are
 * exact, so a thousand tasks of 0.1 cpus give back exactly what they took.
 */
export type Milli = number;

/** Thousandths from a wire value; halves round away from zero, as upstream rounds them. */
export function toMilli(value: number): Milli {
  const scaled = value * 1000;
  // Adding 0 turns a negative zero into zero.
  return (scaled < 0 ? -Math.round(-scaled) : Math.round(scaled)) + 0;
}

/** The wire value of thousandths. The nearest double of n/1000, so it prints with at most three decimals. */
export function fromMilli(milli: Milli): number {
  return milli / 1000;
}

/** `4`, `0.5`, `1024.001`. */
export function formatMilli(milli: Milli): string {
  return String(milli / 1000);
}
