/** Time-based UUIDs, as upstream's instance ids have them: tools read the age of an instance from its id. */
import { formatUuid } from '../../base/random.ts';

/** From the beginning of the Gregorian calendar to the epoch, in units of 100 ns. */
const GREGORIAN = 0x01b21dd213814000n;

/** A version 1 UUID of this instant, with random bits where others have a clock sequence and a network address. */
export function timeUuid(wall: number, random: () => number): string {
  const bytes = new Uint8Array(16);
  for (let at = 0; at < 16; at++) bytes[at] = Math.floor(random() * 256);
  const millis = Math.floor(wall);
  // What is finer than a millisecond is chance: many instances are made in one.
  const ticks = BigInt(millis) * 10_000n + BigInt(Math.floor(random() * 10_000)) + GREGORIAN;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(ticks & 0xffffffffn));
  view.setUint16(4, Number((ticks >> 32n) & 0xffffn));
  view.setUint16(6, Number((ticks >> 48n) & 0x0fffn) | 0x1000);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  // Says that the address is made up.
  bytes[10] = bytes[10]! | 0x01;
  return formatUuid(bytes);
}
