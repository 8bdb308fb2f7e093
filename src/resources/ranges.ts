import type { Value_Range } from '../wire/v1.ts';

/**
 * A set of integers as inclusive intervals, flat: [begin, end, begin, end, …]. Always sorted, disjoint and coalesced
 * (no two intervals touch), so that every operation is one linear merge and equal sets have equal arrays.
 */
export type Ranges = readonly number[];

export const NO_RANGES: Ranges = [];

/** Sorts and coalesces. Intervals may overlap; reversed ones (begin > end) must have been refused before. */
export function rangesOf(list: readonly Value_Range[]): Ranges {
  const flat: number[] = [];
  let sorted = true;
  for (const { begin, end } of list) {
    if (flat.length > 0 && begin <= flat[flat.length - 1]! + 1) sorted = false;
    flat.push(begin, end);
  }
  if (sorted) return flat;
  const ordered = [...list].sort((a, b) => a.begin - b.begin);
  const out: number[] = [];
  for (const { begin, end } of ordered) append(out, begin, end);
  return out;
}

export function rangesToWire(ranges: Ranges): readonly Value_Range[] {
  const out: Value_Range[] = [];
  for (let i = 0; i < ranges.length; i += 2) out.push({ begin: ranges[i]!, end: ranges[i + 1]! });
  return out;
}

/** Appends an interval that begins no earlier than the last one did. */
function append(out: number[], begin: number, end: number): void {
  const last = out.length - 1;
  if (last >= 0 && begin <= out[last]! + 1) {
    if (end > out[last]!) out[last] = end;
  } else {
    out.push(begin, end);
  }
}

export function unionRanges(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && a[i]! <= b[j]!)) {
      append(out, a[i]!, a[i + 1]!);
      i += 2;
    } else {
      append(out, b[j]!, b[j + 1]!);
      j += 2;
    }
  }
  return out;
}

/** The integers of `a` that are not in `b`; `b` need not be contained in `a`. */
export function subtractRanges(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0 || b.length === 0) return a;
  const out: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let begin = a[i]!;
    const end = a[i + 1]!;
    while (j < b.length && b[j + 1]! < begin) j += 2;
    while (j < b.length && b[j]! <= end) {
      if (b[j]! > begin) out.push(begin, b[j]! - 1);
      begin = b[j + 1]! + 1;
      if (begin > end) break;
      j += 2;
    }
    if (begin <= end) out.push(begin, end);
  }
  return out;
}

/** Whether every integer of `b` is in `a`. */
export function containsRanges(a: Ranges, b: Ranges): boolean {
  let i = 0;
  for (let j = 0; j < b.length; j += 2) {
    while (i < a.length && a[i + 1]! < b[j]!) i += 2;
    if (i >= a.length || a[i]! > b[j]! || a[i + 1]! < b[j + 1]!) return false;
  }
  return true;
}

export function equalRanges(a: Ranges, b: Ranges): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** How many integers there are. */
export function countRanges(ranges: Ranges): number {
  let total = 0;
  for (let i = 0; i < ranges.length; i += 2) total += ranges[i + 1]! - ranges[i]! + 1;
  return total;
}

/** `[31000-32000, 33000-33000]` */
export function formatRanges(ranges: Ranges): string {
  const parts: string[] = [];
  for (let i = 0; i < ranges.length; i += 2) parts.push(`${ranges[i]}-${ranges[i + 1]}`);
  return `[${parts.join(', ')}]`;
}
