import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from './pattern.ts';

function matches(source: string, text: string): boolean {
  const pattern = compilePattern(source, 1000);
  assert.ok(pattern.ok, pattern.ok ? '' : pattern.error);
  return pattern.value(text);
}

test('the whole text must match, not a part of it', () => {
  assert.equal(matches('rack-\\d+', 'rack-12'), true);
  assert.equal(matches('rack-\\d+', 'my rack-12'), false);
  assert.equal(matches('a|b', 'ab'), false);
  assert.equal(matches('', ''), true);
  assert.equal(matches('', 'a'), false);
});

test('the syntax is that of RE2', () => {
  const cases: [string, string[], string[]][] = [
    ['(?i)Rack[a-c]', ['RACKB', 'racka'], ['rackd']],
    ['(?:ab|cd)*', ['', 'abcd'], ['abc']],
    ['(?P<name>x)(?<other>y)', ['xy'], ['x']],
    ['a{2}b{1,}c{0,2}', ['aab', 'aabbcc'], ['ab', 'aabccc']],
    ['a{x}', ['a{x}'], ['a']],
    ['x{,3}', ['x{,3}'], ['xx']],
    ['[^\\]a-]+', ['bc'], ['a', '-', ']']],
    ['[]a]+', [']a'], ['b']],
    ['[a-]+', ['a-a'], ['b']],
    ['[[:alpha:]_]+[[:^digit:]]', ['ab_!'], ['ab1']],
    ['\\Qa.b*\\E+', ['a.b*+'.slice(0, 4), 'a.b**'], ['axb*']],
    ['\\x41\\x{1F600}', ['A😀'], ['A']],
    ['.', ['😀', 'é'], ['\n', '']],
    ['(?s).', ['\n'], []],
    ['\\pL+', ['aéλ'], ['a1']],
    ['\\p{Greek}', ['λ'], ['l']],
    ['\\P{Lu}', ['a'], ['A']],
    ['^a$', ['a'], ['aa']],
    ['(?m)a$\\n^b', ['a\nb'], ['ab']],
    ['\\bfoo\\b.*', ['foo bar'], ['foobar']],
    ['a\\Bb', ['ab'], ['a b']],
    ['a??b+?c*?', ['b', 'abbcc'], ['ac']],
    ['(a*)*', ['', 'aaa'], ['b']],
    ['a(?i:b)c', ['aBc', 'abc'], ['ABc']],
    ['()|a', ['', 'a'], ['b']],
  ];
  for (const [source, yes, no] of cases) {
    for (const text of yes) assert.equal(matches(source, text), true, `${source} matches ${JSON.stringify(text)}`);
    for (const text of no)
      assert.equal(matches(source, text), false, `${source} does not match ${JSON.stringify(text)}`);
  }
});

test('what RE2 does not know is refused, with a reason', () => {
  const wrong = [
    '(',
    ')',
    '[a',
    '[z-a]',
    '*',
    'a**',
    'a?{2}',
    'a{1001}',
    'a{2,1}',
    '(a{100}){100}',
    '(?=a)',
    '(?<=a)',
    '(?<!a)b',
    '(a)\\1',
    '\\',
    '\\p{Nonsense}',
    '[[:nonsense:]]',
    `${'('.repeat(300)}${')'.repeat(300)}`,
  ];
  for (const source of wrong) {
    const pattern = compilePattern(source, 1000);
    assert.equal(pattern.ok, false, source);
    assert.match(pattern.ok ? '' : pattern.error, /cannot be read: ./);
  }
});

test('an expression of too many steps is refused', () => {
  const pattern = compilePattern('[a-z]{60}[0-9]{60}', 100);
  assert.match(pattern.ok ? '' : pattern.error, /too complex: it has more than 100 steps/);
  assert.equal(compilePattern('[a-z]{60}', 100).ok, true);
});

test('no expression takes long', () => {
  assert.equal(matches('(a+)+b', 'a'.repeat(10_000)), false);
  assert.equal(matches('(a|a)*(a|aa)+c', 'a'.repeat(10_000)), false);
  assert.equal(compilePattern('((((a{10}){10}){10}){10}){10}', 100).ok, false);
  assert.equal(compilePattern('(((){1000}))', 100).ok, true);
});

test('it agrees with the expressions of JavaScript where both mean the same', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '(?:a|b)', '(?:(?:ab)?)', '(?:a*b)', 'c');
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}')).map(([a, b]) => a + b);
  const branch = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''));
  const source = fc.array(branch, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|'));
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(source, text, (source, text) => {
      assert.equal(matches(source, text), new RegExp(`^(?:${source})$`, 'u').test(text), `${source} on ${text}`);
    }),
    { numRuns: 2000 },
  );
});

test('no input makes it throw', () => {
  const char = fc.constantFrom(...'ab()[]{}*+?|\\^$.-,:<>=!PQEpix0129 \u{1F600}');
  const source = fc.array(char, { maxLength: 20, size: 'max' }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(source, fc.string({ maxLength: 10 }), (source, text) => {
      const pattern = compilePattern(source, 100);
      if (pattern.ok) pattern.value(text);
    }),
    { numRuns: 3000 },
  );
});
