import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64, toBase64 } from './base64.ts';

test('bytes become standard base64 and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      assert.deepEqual(fromBase64(Buffer.from(bytes).toString('base64url')), bytes);
    }),
  );
});

test('what is not base64 is told from what is', () => {
  for (const text of ['a', 'abcde', 'a b=', 'ab*d', 'ab=c', 'abc===', '====', 'äbcd', '\u2028bcd'])
    assert.equal(fromBase64(text), undefined, text);
  assert.deepEqual(fromBase64(''), new Uint8Array(0));
});
