/** Runs the parts of an answer to their end, for tests. */
import { Kept } from './kept.ts';
import { type Parts, write } from './parts.ts';

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** Keeps what is made in the ordinary way. */
export const newKept = (): Kept => new Kept((made) => (typeof made === 'string' ? encode(made) : made));

/** All at once, with nothing kept from before unless it is given. */
export function bytesOf(parts: (kept: Kept) => Parts, kept = newKept()): Buffer {
  const work = write(parts(kept), encode);
  for (;;) {
    const { done, value } = work.next();
    if (done) return Buffer.concat(value.pieces, value.size);
  }
}

export function textOf(parts: (kept: Kept) => Parts, kept?: Kept): string {
  return bytesOf(parts, kept).toString('utf8');
}
