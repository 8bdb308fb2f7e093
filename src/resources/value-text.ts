import { err, ok, type Result } from '../base/result.ts';
import { type Ranges, rangesOf } from './ranges.ts';

/** A value as flags spell it. */
export type TextValue =
  | { readonly type: 'SCALAR'; readonly scalar: number }
  | { readonly type: 'RANGES'; readonly ranges: Ranges }
  | { readonly type: 'SET'; readonly items: readonly string[] }
  | { readonly type: 'TEXT'; readonly text: string };

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^0x[0-9a-f]+$/i;
const RANGE = /^(\d+)-(\d+)$/;
/** The smallest double with full precision; upstream refuses what is smaller. */
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/**
 * `4`, `0x10` and `1e3` are scalars, `[1-2,5-9]` are ranges, `{a,b}` is a set, anything else is text. Spaces do not count,
 * not even inside text; that is upstream's rule. A negative number is text.
 */
export function parseValue(text: string): Result<TextValue> {
  const packed = text.replaceAll(' ', '');
  if (packed === '') return err('the value is empty');
  for (const pair of ['{}', '[]', '()']) {
    if (!balanced(packed, pair[0]!, pair[1]!)) return err(`the brackets ${pair} in '${text.trim()}' do not match`);
  }
  if (packed.startsWith('[')) return parseRanges(packed);
  if (packed.includes('[')) return err(`'[' must be the first character of a value, unlike in '${text.trim()}'`);
  if (packed.startsWith('{')) return parseSet(packed);
  if (packed.includes('{')) return err(`'{' must be the first character of a value, unlike in '${text.trim()}'`);
  const scalar = NUMBER.test(packed) || HEXADECIMAL.test(packed) ? Number(packed) : Number.NaN;
  if (!Number.isFinite(scalar) || scalar < 0) return ok({ type: 'TEXT', text: packed });
  if (scalar > 0 && scalar < SMALLEST_NORMAL) return err(`the number ${packed} is too small to be held exactly`);
  return ok({ type: 'SCALAR', scalar });
}

function parseRanges(packed: string): Result<TextValue> {
  if (!packed.endsWith(']')) return err(`ranges end with ']', such as [1-10,20-30], unlike '${packed}'`);
  const list: { begin: number; end: number }[] = [];
  for (const token of words(packed)) {
    const match = RANGE.exec(token);
    if (match === null) {
      return err(`'${token}' is not a range; write two whole numbers that are not negative, such as [31000-32000]`);
    }
    const begin = Number(match[1]);
    const end = Number(match[2]);
    if (begin > end) return err(`the range ${token} is reversed; write ${end}-${begin}`);
    if (!Number.isSafeInteger(end)) return err(`the range ${token} is too large; numbers up to 2^53 - 1 are supported`);
    list.push({ begin, end });
  }
  return ok({ type: 'RANGES', ranges: rangesOf(list) });
}

function parseSet(packed: string): Result<TextValue> {
  if (!packed.endsWith('}')) return err(`a set ends with '}', such as {a,b}, unlike '${packed}'`);
  return ok({ type: 'SET', items: words(packed) });
}

/** What stands between the outer brackets, separated by commas or line ends. */
function words(packed: string): string[] {
  return packed
    .slice(1, -1)
    .split(/[,\n]/)
    .filter((word) => word !== '');
}

function balanced(text: string, open: string, close: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === open) depth++;
    else if (char === close && --depth < 0) return false;
  }
  return depth === 0;
}
