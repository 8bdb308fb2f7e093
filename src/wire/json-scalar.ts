import { fromBase64 } from './base64.ts';
import { WireFault } from './fault.ts';
import type { Scalar } from './message-type.ts';

/** Both bounds belong to the range: 2^64 and 2^63 are what the largest numbers are rounded to when JSON is parsed. */
const RANGES = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
} as const;

const NUMBER = /^\s*-?\d+(\.\d+)?([eE][+-]?\d+)?\s*$/;

/** Reads one JSON value as a scalar. Numbers and booleans may come as strings, as upstream allows. */
export function readScalar(type: Scalar, value: unknown): string | number | boolean | Uint8Array {
  switch (type) {
    case 'string':
      if (typeof value === 'string') return value;
      throw new WireFault(`a string belongs here, not ${describe(value)}`);
    case 'bytes':
      return readBytes(value);
    case 'bool':
      if (typeof value === 'boolean') return value;
      if (value === 'true') return true;
      if (value === 'false') return false;
      throw new WireFault(`true or false belongs here, not ${describe(value)}`);
    case 'double':
      if (value === 'Infinity') return Infinity;
      if (value === '-Infinity') return -Infinity;
      return readNumber(value);
    default:
      return readInteger(type, value);
  }
}

function readBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new WireFault(`a base64 string belongs here, not ${describe(value)}`);
  const bytes = fromBase64(value);
  if (bytes === undefined) throw new WireFault(`${describe(value)} is not base64`);
  return bytes;
}

function readNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && NUMBER.test(value)) return Number(value);
  throw new WireFault(`a number belongs here, not ${describe(value)}`);
}

/** A fraction is cut off, as upstream does. */
function readInteger(type: keyof typeof RANGES, value: unknown): number {
  const number = Math.trunc(readNumber(value)) + 0;
  const [least, most] = RANGES[type];
  if (number >= least && number <= most) return number;
  throw new WireFault(`${number} is out of range: ${type} goes from ${least} to ${most}`);
}

/** Names a JSON value for an error: short, whatever it is. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return `the ${typeof value} ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}
