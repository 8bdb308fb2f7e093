import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timings } from './timings.ts';

test('nothing is told before the first value, and only the value itself before the second', () => {
  const timings = new Timings(1000);
  assert.deepEqual(timings.metrics('run_ms', 0), {});
  timings.record(3, 0);
  assert.deepEqual(timings.metrics('run_ms', 0), { run_ms: 3 });
});

test('percentiles lie between the two nearest values, in proportion', () => {
  const timings = new Timings(1000);
  for (const took of [30, 10, 50, 20, 40]) timings.record(took, 1);
  const metrics = timings.metrics('t', 1);
  assert.deepEqual([metrics.t, metrics['t/count'], metrics['t/min'], metrics['t/max']], [40, 5, 10, 50]);
  assert.equal(metrics['t/p50'], 30);
  assert.equal(metrics['t/p90'], 46);
  assert.equal(metrics['t/p95'], 48);
  assert.ok(Math.abs(metrics['t/p9999']! - 49.996) < 1e-9);
});

test('what is older than the window does not count, but the last value stays', () => {
  const timings = new Timings(1000);
  timings.record(1, 0);
  timings.record(2, 500);
  timings.record(4, 1200);
  assert.equal(timings.metrics('t', 1200)['t/count'], 2);
  assert.equal(timings.metrics('t', 1200)['t/min'], 2);
  assert.deepEqual(timings.metrics('t', 9000), { t: 4 });
});

test('of very many values the recent ones are kept, and the older ones thinned out', () => {
  const timings = new Timings(1e9);
  for (let i = 0; i < 100_000; i++) timings.record(i, i);
  const metrics = timings.metrics('t', 100_000);
  assert.ok(metrics['t/count']! <= 1000 && metrics['t/count']! >= 500, `${metrics['t/count']}`);
  assert.equal(metrics['t/max'], 99_999);
  assert.ok(metrics['t/p99']! > 99_900);
});
