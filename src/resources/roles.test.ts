import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ancestorsOf, isStrictSubrole, validateRole } from './roles.ts';

test('a role is a star, or components joined by slashes', () => {
  for (const role of ['*', 'a', 'foo-123', 'foo.123', '$bar', 'a/b/c', '...', 'a/b-', '*a', 'café']) {
    assert.ok(validateRole(role).ok, role);
  }
});

test('what cannot be a role is refused', () => {
  const bad = [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/.',
    '../a',
    'a/*',
    '*/a',
    '-a',
    'a/-b',
    'a b',
    'a\tb',
    'a\x7f',
    'a/ ',
  ];
  for (const role of bad) assert.ok(!validateRole(role).ok, JSON.stringify(role));
});

test('the ancestors of a role are what it lies strictly below', () => {
  assert.deepEqual(ancestorsOf('a/b/c'), ['a/b', 'a']);
  assert.deepEqual(ancestorsOf('a'), []);
  const component = fc.constantFrom('a', 'b', 'ab', 'a.b');
  const role = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(role, role, (one, other) => {
      assert.ok(validateRole(one).ok);
      assert.equal(isStrictSubrole(one, other), ancestorsOf(one).includes(other));
    }),
  );
});

test('a role that merely begins alike is not below', () => {
  assert.ok(!isStrictSubrole('ab', 'a'));
  assert.ok(!isStrictSubrole('a', 'a'));
  assert.ok(isStrictSubrole('a/b', 'a'));
});
