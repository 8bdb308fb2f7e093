import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortedOrder } from './tasks.ts';

function order(keys: readonly number[]): { readonly places: number[]; readonly pauses: number } {
  const work = sortedOrder(Float64Array.from(keys));
  for (let pauses = 0; ; pauses++) {
    const { done, value } = work.next();
    if (done) return { places: [...value], pauses };
  }
}

const expected = (keys: readonly number[]): number[] =>
  keys.map((_, at) => at).sort((one, other) => (keys[one] === keys[other] ? one - other : keys[one]! - keys[other]!));

test('the order of numbers is ascending, and equal ones stay as they stand', () => {
  const key = fc.oneof(fc.nat(3), fc.constant(Number.NEGATIVE_INFINITY), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 70 }), (keys) => assert.deepEqual(order(keys).places, expected(keys))),
  );
});

test('a long sort pauses again and again, whatever the order was before', () => {
  const size = 300_000;
  const mixed = Array.from({ length: size }, (_, at) => (at * 7919) % 100_003);
  const { places, pauses } = order(mixed);
  assert.deepEqual(places, expected(mixed));
  assert.ok(pauses > (size * 17) / 70_000, `only ${pauses} pauses`);
  const falling = Array.from({ length: size }, (_, at) => -at);
  assert.deepEqual(order(falling).places, expected(falling));
});
