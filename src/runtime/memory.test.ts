import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBackMemoryWhenIdle } from './memory.ts';

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

test('garbage of a burst is collected once the program is idle, and only once', async () => {
  const memory = giveBackMemoryWhenIdle({ every: 20, growth: 1024 * 1024, idle: 1 });
  const burst = (): number => Array.from({ length: 200_000 }, (_, index) => ({ index })).length;
  assert.equal(burst(), 200_000);
  while (memory.collections === 0) await pause(10);
  const after = memory.collections;
  await pause(100);
  assert.equal(memory.collections, after, 'a heap that has not grown is left alone');
  memory.stop();
});

test('a heap that is too large is left to V8', async () => {
  const memory = giveBackMemoryWhenIdle({ every: 5, growth: 0, largest: 1, idle: 1 });
  await pause(50);
  assert.equal(memory.collections, 0);
  memory.stop();
});
