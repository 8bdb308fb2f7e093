import type { Millis } from './machine.ts';
import { err, ok, type Result } from './result.ts';

/** Upstream's duration units (stout's Duration), largest first: milliseconds are `value * multiply / divide`. */
const UNITS: readonly (readonly [name: string, multiply: number, divide: number])[] = [
  ['weeks', 7 * 24 * 3600e3, 1],
  ['days', 24 * 3600e3, 1],
  ['hrs', 3600e3, 1],
  ['mins', 60e3, 1],
  ['secs', 1e3, 1],
  ['ms', 1, 1],
  ['us', 1, 1e3],
  ['ns', 1, 1e6],
];

/** Durations are signed 64-bit nanosecond counts upstream, so nothing beyond about 292 years can be said. */
const MAX_MILLISECONDS = 2 ** 63 / 1e6;

/**
 * Reads `10secs`, `1.5mins`, `-3ms`. A unit is required, as upstream requires it.
 * @returns milliseconds, or a sentence naming what would be right
 */
export function parseDuration(text: string): Result<Millis> {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-z]+)$/.exec(text.trim());
  const unit = match && UNITS.find(([name]) => name === match[2]);
  if (!match || !unit) {
    return err(
      `'${text}' is not a duration: write a number and a unit (ns, us, ms, secs, mins, hrs, days, weeks), as in 10secs`,
    );
  }
  const duration = (Number(match[1]) * unit[1]) / unit[2];
  if (Math.abs(duration) >= MAX_MILLISECONDS) {
    return err(`'${text}' is out of range: durations are at most about 292 years`);
  }
  return ok(duration);
}

/** Writes a duration as upstream prints it: in the largest unit in which the value is a whole number. */
export function formatDuration(duration: Millis): string {
  if (duration === 0) return '0ns';
  for (const [name, multiply, divide] of UNITS) {
    const value = (duration * divide) / multiply;
    if (Number.isInteger(value)) return `${value}${name}`;
  }
  return `${Math.round(duration * 1e6)}ns`;
}
