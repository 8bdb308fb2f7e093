import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBytes, parseBytes } from './bytes.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { Heap } from './heap.ts';
import { validateId } from './ids.ts';
import { InvariantError, invariant } from './invariant.ts';
import { formatUuid, randomUuid, randomUuidBytes, seededRandom, shuffle } from './random.ts';

test('a duration is read in every unit of upstream', () => {
  const cases: [string, number][] = [
    ['1ns', 1e-6],
    ['1us', 1e-3],
    ['1ms', 1],
    ['10secs', 10_000],
    ['1.5mins', 90_000],
    ['2hrs', 7_200_000],
    ['1days', 86_400_000],
    ['2weeks', 1_209_600_000],
    ['-3ms', -3],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseDuration(text), { ok: true, value: expected }, text);
});

test('a duration without a unit, with a strange unit or too long is refused with advice', () => {
  for (const text of ['5', '', 'secs', '5 fortnights', '1e400secs', '400000000000secs', 'Infinitysecs']) {
    const result = parseDuration(text);
    assert.equal(result.ok, false, text);
    assert.match(result.ok ? '' : result.error, /10secs|292 years/);
  }
});

test('a duration is written in the largest unit that fits without a rest', () => {
  assert.equal(formatDuration(0), '0ns');
  assert.equal(formatDuration(1000), '1secs');
  assert.equal(formatDuration(90_000), '90secs');
  assert.equal(formatDuration(900_000), '15mins');
  assert.equal(formatDuration(1_209_600_000), '2weeks');
});

test('a written duration reads back as itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (milliseconds) => {
      assert.deepEqual(parseDuration(formatDuration(milliseconds)), { ok: true, value: milliseconds });
    }),
  );
});

test('a written size reads back as itself, and a bad one is refused with advice', () => {
  fc.assert(
    fc.property(fc.nat(), (bytes) => assert.deepEqual(parseBytes(formatBytes(bytes)), { ok: true, value: bytes })),
  );
  assert.deepEqual(parseBytes('2GB'), { ok: true, value: 2 * 1024 ** 3 });
  for (const text of ['2', '1.5GB', '-1B', '2gb', '99999999TB']) assert.equal(parseBytes(text).ok, false, text);
});

test('a heap gives back what it was given, smallest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const n of numbers) heap.push(n);
      assert.equal(heap.size, numbers.length);
      assert.equal(heap.peek(), numbers.length === 0 ? undefined : Math.min(...numbers));
      assert.deepEqual(
        numbers.map(() => heap.pop()),
        [...numbers].sort((a, b) => a - b),
      );
      assert.equal(heap.pop(), undefined);
    }),
  );
});

test('one seed gives one sequence, in [0, 1)', () => {
  const [a, b, c] = [seededRandom(7), seededRandom(7), seededRandom(8)];
  const first = Array.from({ length: 1000 }, a);
  assert.deepEqual(first, Array.from({ length: 1000 }, b));
  assert.notDeepEqual(first, Array.from({ length: 1000 }, c));
  assert.ok(first.every((x) => x >= 0 && x < 1));
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
});

test('a random uuid has version 4, its variant, and both forms agree', () => {
  const random = seededRandom(1);
  assert.match(randomUuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const bytes = randomUuidBytes(random);
  assert.equal(formatUuid(bytes).replaceAll('-', ''), Buffer.from(bytes).toString('hex'));
});

test('shuffling keeps every item', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      assert.deepEqual([...shuffle([...items], seededRandom(seed))].sort(), [...items].sort());
    }),
  );
});

test('an id that could not be a folder name is refused, and the error says why', () => {
  for (const id of ['', '.', '..', 'a/b', 'a\\b', 'tab\there', '\u007f', 'x'.repeat(256)]) {
    const result = validateId(id, 'task id');
    assert.equal(result.ok, false, JSON.stringify(id));
    assert.match(result.ok ? '' : result.error, /^task id /);
  }
  for (const id of ['a', '...', 'a b', 'tâche', 'x'.repeat(255)])
    assert.deepEqual(validateId(id, 'task id'), { ok: true, value: id });
});

test('a broken invariant throws with its sentence', () => {
  invariant(true, 'never seen');
  assert.throws(
    () => invariant(false, 'two and two are four'),
    new InvariantError('invariant broken: two and two are four'),
  );
});
