import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** Smaller pieces are put together: each piece costs a place in a system call. */
const SMALL = 16 * 1024;
/** And not beyond this. */
const LARGE = 64 * 1024;

/** A piece as it stands in a gzip stream. */
interface Packed {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** What pieces were compressed to, as long as the pieces are there: most of a long answer is the same the next time. */
const packed = new WeakMap<Uint8Array, Promise<Packed>>();

/** A body in pieces that many answers may share. */
export class Pieces {
  readonly list: readonly Uint8Array[];
  readonly size: number;
  #gzip: Promise<Pieces> | undefined;

  constructor(pieces: readonly Uint8Array[]) {
    this.list = joined(pieces);
    this.size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** The same as gzip, made once for all who ask. Pieces are compressed each by itself, away from the event loop. */
  gzip(): Promise<Pieces> {
    this.#gzip ??= gzipOf(this);
    return this.#gzip;
  }
}

/** Puts runs of small pieces together. */
function joined(pieces: readonly Uint8Array[]): Uint8Array[] {
  const result: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    if (run.length > 0) result.push(run.length === 1 ? run[0]! : Buffer.concat(run, size));
    run = [];
    size = 0;
  };
  for (const piece of pieces) {
    if (piece.length >= SMALL || size + piece.length > LARGE) flush();
    if (piece.length >= SMALL) {
      result.push(piece);
    } else {
      run.push(piece);
      size += piece.length;
    }
  }
  flush();
  return result;
}

const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
/** A last block with nothing in it. */
const DEFLATE_END = Uint8Array.of(3, 0);
/** Compressed at the same time: what there are threads for, so that other work gets its turn. */
const AT_ONCE = 4;

async function gzipOf({ list, size }: Pieces): Promise<Pieces> {
  const parts: Uint8Array[] = [GZIP_HEAD];
  let crc = 0;
  for (let from = 0; from < list.length; from += AT_ONCE) {
    const group = list.slice(from, from + AT_ONCE);
    for (const [at, { bytes, crc: own }] of (await Promise.all(group.map(pack))).entries()) {
      parts.push(bytes);
      crc = combineCrc(crc, own, group[at]!.length);
    }
  }
  const tail = new Uint8Array(8);
  const view = new DataView(tail.buffer);
  view.setUint32(0, crc, true);
  view.setUint32(4, size % 2 ** 32, true);
  parts.push(DEFLATE_END, tail);
  return new Pieces(parts);
}

function pack(piece: Uint8Array): Promise<Packed> {
  let result = packed.get(piece);
  if (result === undefined) {
    // Ends on a byte and refers to nothing before it: such blocks can stand one after the other.
    const finishFlush = constants.Z_FULL_FLUSH;
    const crc = crc32(piece);
    result = deflate(piece, { finishFlush, level: 3 }).then((bytes) => ({ bytes, crc }));
    packed.set(piece, result);
  }
  return result;
}

/** CRC-32 of two texts one after the other, from those of each: the first is shifted by the length of the second, in GF(2). */
function combineCrc(first: number, second: number, length: number): number {
  let shifted = first;
  let power = BYTE_SHIFT;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shifted = times(power, shifted);
    if (rest > 1) power = square(power);
  }
  return (shifted ^ second) >>> 0;
}

/** A matrix over GF(2): what each bit becomes. */
type Matrix = readonly number[];

function times(matrix: Matrix, vector: number): number {
  let sum = 0;
  let rest = vector >>> 0;
  for (let bit = 0; rest !== 0; bit++, rest >>>= 1) if (rest & 1) sum ^= matrix[bit]!;
  return sum >>> 0;
}

const squares = new WeakMap<Matrix, Matrix>();

function square(matrix: Matrix): Matrix {
  let result = squares.get(matrix);
  if (result === undefined) {
    result = matrix.map((row) => times(matrix, row));
    squares.set(matrix, result);
  }
  return result;
}

const POLYNOMIAL = 0xedb88320;
const BIT_SHIFT: Matrix = Array.from({ length: 32 }, (_, bit) => (bit === 0 ? POLYNOMIAL : 2 ** (bit - 1)));
/** Shifts by one byte of zeros. */
const BYTE_SHIFT: Matrix = square(square(square(BIT_SHIFT)));
