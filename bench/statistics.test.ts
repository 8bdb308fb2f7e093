import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sample } from './scenario.ts';
import { median, percentile, summarize } from './statistics.ts';

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 });

test('the median of an even number of values is the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), RangeError);
});

test('a percentile is one of the values, and at least that share of all does not exceed it', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 100);
  assert.equal(percentile([5], 0.99), 5);
  assert.throws(() => percentile([], 0.5), RangeError);
  fc.assert(
    fc.property(values, fc.double({ noNaN: true, min: 0, max: 1 }), (list, share) => {
      const found = percentile(list, share);
      assert.ok(list.includes(found));
      assert.ok(list.filter((value) => value <= found).length >= share * list.length - 1e-9);
    }),
  );
});

test('minimum, median and maximum stand in order whatever was measured', () => {
  fc.assert(
    fc.property(values, (list) => {
      const [row] = summarize(
        's',
        list.map((value) => [{ metric: 'm', unit: 'ms', value }]),
        1,
      );
      assert.ok(row !== undefined && row.min <= row.median && row.median <= row.max);
      assert.equal(row.runs, list.length);
    }),
  );
});

test('one row comes for each metric and unit, in the order in which they were first measured', () => {
  const run = (offset: number): Sample[] => [
    { metric: 'cycle 10k x 1k', unit: 'ms', value: 10 + offset },
    { metric: 'rate', unit: 'tasks/s', value: 100 + offset },
    { metric: 'rate', unit: 'MB/s', value: offset },
  ];
  const rows = summarize('alloc', [run(0), run(2), run(1)], 1000);
  assert.deepEqual(
    rows.map(({ metric, unit, runs, min, median: middle, max }) => [metric, unit, runs, min, middle, max]),
    [
      ['cycle 10k x 1k', 'ms', 3, 10, 11, 12],
      ['rate', 'tasks/s', 3, 100, 101, 102],
      ['rate', 'MB/s', 3, 0, 1, 2],
    ],
  );
});

test('memory is that of the process that the sample names, else that of the process that ran the scenario', () => {
  const rows = summarize(
    's',
    [
      [
        { metric: 'here', unit: 'ms', value: 1 },
        { metric: 'elsewhere', unit: 'ms', value: 1, rssBytes: 5 },
      ],
      [{ metric: 'elsewhere', unit: 'ms', value: 1, rssBytes: 7 }],
    ],
    1000,
  );
  assert.deepEqual(
    rows.map((row) => [row.metric, row.rss_bytes]),
    [
      ['here', 1000],
      ['elsewhere', 7],
    ],
  );
});
