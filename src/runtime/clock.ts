import { randomFillSync } from 'node:crypto';
import type { Millis } from '../base/machine.ts';

/** How far the wall clock may run away from the monotonic one before somebody must have set it. */
const STEP: Millis = 5;

/** Monotonic time since some moment before the program started; carries a fraction. */
export function monotonicTime(): Millis {
  return performance.now();
}

let offset = Date.now() - performance.now();

/**
 * Wall-clock time since the Unix epoch, with a fraction: `Date.now()` counts whole milliseconds, and timestamps of
 * things that happen in one millisecond should still be in order. Follows when the clock of the machine is set.
 */
export function wallTime(): Millis {
  const now = performance.now();
  const wall = Date.now();
  if (Math.abs(now + offset - wall) > STEP) offset = wall - now;
  return now + offset;
}

const pool = new Uint8Array(6 * 1024);
const view = new DataView(pool.buffer);
let used = pool.length;

/** Uniform in [0, 1) with 48 random bits, from the system's generator: ids made with it cannot be guessed. */
export function secureRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const value = view.getUint16(used) * 0x1_0000_0000 + view.getUint32(used + 2);
  used += 6;
  return value / 0x1_0000_0000_0000;
}
