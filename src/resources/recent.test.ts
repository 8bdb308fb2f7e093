import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseResources } from './parse.ts';
import { recentLists, recentRests, recentSums, recentUnallocated } from './recent.ts';
import { Resources } from './resources.ts';

function parsed(text: string): Resources {
  const resources = parseResources(text);
  assert.ok(resources.ok);
  return resources.value;
}

test('what is made of the same things is the same thing', () => {
  const sums = recentSums();
  const parts = [parsed('cpus:1;mem:5'), parsed('cpus:2')];
  const first = sums.of(parts);
  assert.equal(sums.of([...parts]), first);
  assert.equal(`${first}`, 'cpus:3; mem:5');

  const lists = recentLists();
  const list = parsed('cpus:1;ports:[1-2]').toProto();
  assert.equal(lists.of([list, list]), lists.of([list, list]));
  assert.equal(`${lists.of([list, list])}`, 'cpus:2; ports:[1-2]');
});

test('what is made of other things is right, though it looks alike', () => {
  const sums = recentSums();
  const one = parsed('cpus:1;mem:5');
  assert.equal(`${sums.of([one, parsed('cpus:2')])}`, 'cpus:3; mem:5');
  assert.equal(`${sums.of([one, parsed('mem:2')])}`, 'cpus:1; mem:7');
  assert.equal(`${sums.of([one])}`, 'cpus:1; mem:5');
  assert.equal(sums.of([]), Resources.EMPTY);

  const lists = recentLists();
  const [a, b] = [parsed('cpus:1;mem:5').toProto(), parsed('cpus:1;mem:6').toProto()];
  assert.equal(`${lists.of([a, b])}`, 'cpus:2; mem:11');
  assert.equal(`${lists.of([b, b])}`, 'cpus:2; mem:12');
  assert.equal(lists.of([]), Resources.EMPTY);

  const rests = recentRests();
  assert.equal(`${rests.of([one, parsed('cpus:0.5')])}`, 'cpus:0.5; mem:5');
  assert.equal(`${rests.of([one, parsed('cpus:0.6')])}`, 'cpus:0.4; mem:5');
  assert.equal(`${recentUnallocated().of([one.allocate('a')])}`, `${one}`);
});

test('a list of parts may be used for something else afterwards', () => {
  const sums = recentSums();
  const parts = [parsed('cpus:1'), parsed('cpus:2')];
  const before = sums.of(parts);
  parts[1] = parsed('cpus:3');
  assert.equal(`${sums.of(parts)}`, 'cpus:4');
  assert.equal(`${before}`, 'cpus:3');
});

test('a long list is added up as well', () => {
  const parts = Array.from({ length: 200 }, () => parsed('cpus:1'));
  assert.equal(`${recentSums().of(parts)}`, 'cpus:200');
});

test('what was worked out of resources on the way is forgotten, however long the first of them live', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const total = parsed('cpus:64;mem:65536');
  const results: WeakRef<Resources>[] = [];
  let free = total;
  for (let round = 0; round < 1_000; round++) {
    const part = parsed('cpus:1;mem:128');
    free = free.minus(part).plus(part);
    results.push(new WeakRef(free));
  }
  // What a weak reference was asked for lives until this turn is over.
  await setImmediate();
  collect();
  const alive = results.filter((result) => result.deref() !== undefined).length;
  assert.ok(alive < 100, `${alive} of ${results.length} are still there`);
  assert.ok(total.equals(free));
});
