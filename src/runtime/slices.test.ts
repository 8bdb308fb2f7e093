import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSlices } from './slices.ts';

function* counting(to: number, at: (count: number) => void): Generator<void, string> {
  for (let count = 1; count <= to; count++) {
    const begun = performance.now();
    while (performance.now() - begun < 1);
    at(count);
    yield;
  }
  return `counted to ${to}`;
}

test('others have their turn while long work is done, and what comes of it is handed on', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  assert.equal(await inSlices(counting(50, (count) => order.push(`${count}`))), 'counted to 50');
  const other = order.indexOf('other');
  assert.ok(other > 0 && other < order.length - 1, `in between, and not as number ${other}`);
});

test('work that fails fails for who asked for it', async () => {
  const failing = counting(3, (count) => {
    if (count === 2) throw new Error('two is too many');
  });
  await assert.rejects(inSlices(failing), /two is too many/);
});
