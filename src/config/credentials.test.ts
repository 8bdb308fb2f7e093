import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { readCredential, readCredentials } from './credentials.ts';

const from = (text: string | undefined) => () => (text === undefined ? err('cannot read it') : ok(text));

test('a credentials file is a list of principals and secrets', () => {
  const text = '{"credentials":[{"principal":"a","secret":"s"},{"principal":"b"}]}';
  assert.deepEqual(readCredentials('/c', 'credentials', from(text)), {
    ok: true,
    value: [
      { principal: 'a', secret: 's' },
      { principal: 'b', secret: '' },
    ],
  });
});

test('what is wrong with a credentials file is said, with the flag to look at', () => {
  for (const [text, expected] of [
    [undefined, /cannot read it/],
    ['a s', /not JSON/],
    ['[]', /no credentials file/],
    ['{"credentials":[]}', /at least one/],
    ['{"credentials":[{"principal":"a"},{"secret":"s"}]}', /credentials\[1\]/],
    ['null', /no credentials file/],
  ] as const) {
    const result = readCredentials('/c', 'credentials', from(text));
    assert.match(result.ok ? '' : result.error, expected, String(text));
    assert.match(result.ok ? '' : result.error, /see --credentials/);
  }
});

test('an agent has one credential', () => {
  assert.equal(readCredential('/c', 'credential', from('{"principal":"a","secret":"s"}')).ok, true);
  assert.equal(readCredential('/c', 'credential', from('{"secret":"s"}')).ok, false);
});
