import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  containsRanges,
  countRanges,
  equalRanges,
  formatRanges,
  type Ranges,
  rangesOf,
  rangesToWire,
  subtractRanges,
  unionRanges,
} from './ranges.ts';

const wireRange = fc.tuple(fc.nat(60), fc.nat(12)).map(([begin, length]) => ({ begin, end: begin + length }));
const wireRanges = fc.array(wireRange, { maxLength: 8 });

/** The naive model: every integer by itself. */
function members(list: readonly { begin: number; end: number }[]): Set<number> {
  const out = new Set<number>();
  for (const { begin, end } of list) for (let i = begin; i <= end; i++) out.add(i);
  return out;
}

function expand(ranges: Ranges): number[] {
  return [...members(rangesToWire(ranges))];
}

function assertCanonical(ranges: Ranges): void {
  for (let i = 0; i < ranges.length; i += 2) {
    assert.ok(ranges[i]! <= ranges[i + 1]!, 'no interval is reversed');
    if (i > 0) assert.ok(ranges[i]! > ranges[i - 1]! + 1, 'intervals are sorted and do not touch');
  }
}

const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

test('union, difference and containment agree with sets of single integers', () => {
  fc.assert(
    fc.property(wireRanges, wireRanges, (left, right) => {
      const [a, b] = [rangesOf(left), rangesOf(right)];
      const [setA, setB] = [members(left), members(right)];
      assert.deepEqual(expand(unionRanges(a, b)), sorted(new Set([...setA, ...setB])));
      assert.deepEqual(expand(subtractRanges(a, b)), sorted([...setA].filter((one) => !setB.has(one))));
      assert.equal(
        containsRanges(a, b),
        [...setB].every((one) => setA.has(one)),
      );
      assert.equal(equalRanges(a, b), setA.size === setB.size && [...setB].every((one) => setA.has(one)));
      assert.equal(countRanges(a), setA.size);
      for (const ranges of [a, b, unionRanges(a, b), subtractRanges(a, b)]) assertCanonical(ranges);
    }),
    { numRuns: 2000 },
  );
});

test('intervals that overlap, touch or come out of order are coalesced', () => {
  assert.deepEqual(
    rangesOf([
      { begin: 5, end: 9 },
      { begin: 1, end: 2 },
      { begin: 3, end: 3 },
      { begin: 8, end: 12 },
    ]),
    [1, 3, 5, 12],
  );
});

test('taking the middle out of an interval leaves its two ends', () => {
  assert.deepEqual(subtractRanges([1, 10], [4, 6]), [1, 3, 7, 10]);
});

test('one interval may take parts of many', () => {
  assert.deepEqual(subtractRanges([1, 5, 10, 15, 20, 25], [3, 22]), [1, 2, 23, 25]);
});

test('ranges print as upstream prints them', () => {
  assert.equal(formatRanges([1, 3, 5, 5]), '[1-3, 5-5]');
  assert.equal(formatRanges([]), '[]');
});

test('a thousand operations on a thousand interleaved intervals are a linear merge each', () => {
  const count = 1000;
  const even = rangesOf(Array.from({ length: count }, (_, i) => ({ begin: i * 10, end: i * 10 + 2 })));
  const odd = rangesOf(Array.from({ length: count }, (_, i) => ({ begin: i * 10 + 5, end: i * 10 + 7 })));
  let a = even;
  for (let i = 0; i < count / 2; i++) {
    a = unionRanges(a, odd);
    assert.equal(a.length, 4 * count);
    a = subtractRanges(a, odd);
  }
  assert.ok(equalRanges(a, even));
});
