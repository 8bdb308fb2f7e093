import type { Millis } from './machine.ts';
import { err, ok, type Result } from './result.ts';

/** Upstream's duration units (stout's Duration), largest first, in nanoseconds. */
const UNITS: readonly (readonly [string, number])[] = [
  ['weeks', 7 * 24 * 3600e9],
  ['days', 24 * 3600e9],
  ['hrs', 3600e9],
  ['mins', 60e9],
  ['secs', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** Durations are signed 64-bit nanosecond counts upstream, so nothing beyond about 292 years can be said. */
const MAX_NANOSECONDS = 2 ** 63;

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
  const nanoseconds = Number(match[1]) * unit[1];
  if (Math.abs(nanoseconds) >= MAX_NANOSECONDS)
    return err(`'${text}' is out of range: durations are at most about 292 years`);
  return ok(nanoseconds / 1e6);
}

/** Writes a duration as upstream prints it: the largest unit in which the value is a whole number, else a fraction. */
export function formatDuration(duration: Millis): string {
  const nanoseconds = Math.round(duration * 1e6);
  if (nanoseconds === 0) return '0ns';
  for (const [name, size] of UNITS) {
    if (nanoseconds % size === 0) return `${nanoseconds / size}${name}`;
  }
  return `${nanoseconds}ns`;
}
