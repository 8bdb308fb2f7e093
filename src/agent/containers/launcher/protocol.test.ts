import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lines } from './protocol.ts';

test('lines come out as they went in, however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify({ text }));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (expected, sizes) => {
      const bytes = new TextEncoder().encode(expected.map((one) => `${one}\n`).join(''));
      const lines = new Lines();
      const found: string[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const size = sizes[cut % sizes.length]!;
        found.push(...lines.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(found, expected);
    }),
  );
});
