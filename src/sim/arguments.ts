/** What `node src/sim/main.ts` was asked for. */
export interface Wish {
  readonly first: number;
  readonly last: number;
  /** Print everything that happens. */
  readonly verbose: boolean;
  /** Print nothing but failures and the sums. */
  readonly quiet: boolean;
}

export const USAGE =
  'usage: node src/sim/main.ts [--seed N | --seeds A..B | --seeds COUNT [--first N]] [--verbose | --quiet]';

const DEFAULT_COUNT = 20;
/** Of the worlds in which everything takes part that can. */
const DEFAULT_FIRST = 1_000_001;

/** @returns undefined if the arguments make no sense */
export function readArguments(args: readonly string[]): Wish | undefined {
  let range: { first: number; last: number } | undefined;
  let count = DEFAULT_COUNT;
  let first = DEFAULT_FIRST;
  let verbose = false;
  let quiet = false;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? '';
    if (argument === '--verbose') verbose = true;
    else if (argument === '--quiet') quiet = true;
    else {
      const value = args[++i] ?? '';
      const span = /^(\d+)\.\.(\d+)$/.exec(value);
      const number = /^\d+$/.test(value) ? Number(value) : undefined;
      if (argument === '--seeds' && span !== null) range = { first: Number(span[1]), last: Number(span[2]) };
      else if (number === undefined) return undefined;
      else if (argument === '--seed') range = { first: number, last: number };
      else if (argument === '--seeds') count = number;
      else if (argument === '--first') first = number;
      else return undefined;
    }
  }
  range ??= { first, last: first + count - 1 };
  if (range.last < range.first || (verbose && quiet)) return undefined;
  return { ...range, verbose, quiet };
}
