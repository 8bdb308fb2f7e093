import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';

test('seeds are asked for one by one, from one to another, or as a number of them', () => {
  const range = (...args: string[]): readonly (number | undefined)[] => {
    const wish = readArguments(args);
    return [wish?.first, wish?.last];
  };
  assert.deepEqual(range(), [1_000_001, 1_000_020]);
  assert.deepEqual(range('--seed', '7'), [7, 7]);
  assert.deepEqual(range('--seeds', '5..9'), [5, 9]);
  assert.deepEqual(range('--seeds', '1000'), [1_000_001, 1_001_000]);
  assert.deepEqual(range('--seeds', '10', '--first', '41'), [41, 50]);
  assert.equal(readArguments(['--seed', '7', '--verbose'])?.verbose, true);
});

test('what makes no sense is refused', () => {
  for (const args of [
    ['--seed'],
    ['--seed', 'x'],
    ['--seeds', '9..5'],
    ['--seeds', '0'],
    ['--what', '1'],
    ['--verbose', '--quiet'],
  ]) {
    assert.equal(readArguments(args), undefined, args.join(' '));
  }
});
