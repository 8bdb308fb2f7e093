import { WireFault } from './fault.ts';
import { Reader } from './reader.ts';

export interface Split {
  /** The message without the field. */
  readonly rest: Uint8Array;
  /** What the field holds, once for each time that it is there. Not a copy. */
  readonly parts: readonly Uint8Array[];
}

/**
 * Takes a field with messages out of a message, without reading either. Of bytes that are no message all is left as it is, for
 * whoever reads it to complain.
 */
export function splitField(bytes: Uint8Array, number: number): Split {
  const parts: Uint8Array[] = [];
  const kept: Uint8Array[] = [];
  const reader = new Reader(bytes);
  let from = 0;
  try {
    while (reader.pos < reader.end) {
      const start = reader.pos;
      const tag = reader.tag();
      if (tag !== number * 8 + 2) {
        reader.skip(tag, undefined, start);
        continue;
      }
      const outer = reader.open();
      parts.push(bytes.subarray(reader.pos, reader.end));
      reader.pos = reader.end;
      reader.close(outer);
      kept.push(bytes.subarray(from, start));
      from = reader.pos;
    }
  } catch (fault) {
    if (fault instanceof WireFault) return { rest: bytes, parts: [] };
    throw fault;
  }
  if (parts.length === 0) return { rest: bytes, parts };
  kept.push(bytes.subarray(from));
  return { rest: join(kept), parts };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
