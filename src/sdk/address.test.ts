import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOfLocation, parseAddresses } from './address.ts';
import { formatAddress } from './core/address.ts';

test('addresses are read with and without port, scheme and brackets', () => {
  assert.deepEqual(parseAddresses('a, http://b:1/,[::1]:2', 5050), {
    ok: true,
    value: [
      { host: 'a', port: 5050 },
      { host: 'b', port: 1 },
      { host: '::1', port: 2 },
    ],
  });
});

test('what is no address is refused with an example', () => {
  for (const text of ['', 'a:b', 'a:0', 'a:70000', 'http://a/path', 'a b']) {
    const result = parseAddresses(text, 5050);
    assert.match(result.ok ? 'accepted' : result.error, /127\.0\.0\.1:5050/, text);
  }
});

test("upstream's scheme-relative locations are understood", () => {
  assert.deepEqual(addressOfLocation('//leader:5050/master/api/v1'), { host: 'leader', port: 5050 });
  assert.deepEqual(addressOfLocation('http://leader:1/x'), { host: 'leader', port: 1 });
  assert.equal(addressOfLocation('/only/a/path'), undefined);
  assert.equal(addressOfLocation('//['), undefined);
});

test('an IPv6 address is written with brackets', () => {
  assert.equal(formatAddress({ host: '::1', port: 1 }), '[::1]:1');
  assert.equal(formatAddress({ host: 'h', port: 1 }), 'h:1');
});
