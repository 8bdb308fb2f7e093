import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readInstant, writeInstant } from './instant.ts';
import { canonicalPath, fromSafePath, isChildOf, parentPath, pathProblems, safePath, taskName } from './path-id.ts';
import { compilePattern } from './pattern.ts';
import { pathId } from './shared-fields.ts';
import { instanceId, readInstanceId, readTaskId, taskId } from './task-id.ts';

const UUID = 'f3c2a4d0-90b9-11ee-b9d1-0242ac120002';

test('paths are followed from the group they stand in', () => {
  assert.equal(canonicalPath('b', '/a'), '/a/b');
  assert.equal(canonicalPath('/b', '/a'), '/b');
  assert.equal(canonicalPath('../b/./c', '/a/x'), '/a/b/c');
  assert.equal(canonicalPath('../../..', '/a'), '/');
  assert.equal(canonicalPath('//a//b/'), '/a/b');
  assert.equal(parentPath('/a/b'), '/a');
  assert.equal(parentPath('/a'), '/');
  assert.ok(isChildOf('/a/b', '/a') && !isChildOf('/a/b/c', '/a') && !isChildOf('/', '/'));
});

test('paths have a form for ids and one for names', () => {
  assert.equal(safePath('/a/b.c/d'), 'a_b.c_d');
  assert.equal(fromSafePath('a_b.c_d'), '/a/b.c/d');
  assert.equal(taskName('/a/b/c'), 'c.b.a');
});

test('a path id needs parts of lower case letters, digits, dots and inner hyphens', () => {
  for (const good of ['/a', '/a-b/c.d', '/0/1', '/restart/a']) assert.deepEqual(pathProblems(good), [], good);
  for (const bad of ['/', '/-a', '/a-', '/a_b', '/a..b', '/A', '/a b', '/tasks', '/a/..']) {
    assert.ok(pathProblems(bad).length > 0, bad);
  }
  assert.match(pathProblems('a')[0]!.error, /^Path needs to be absolute/);
});

test('ids in documents are taken as upstream takes them, and refused without trying every way to read them', () => {
  const upstream =
    /^(\/?((\.\.)|(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))?($|\/))+$/;
  const id = fc.array(fc.constantFrom('/', '.', '..', '-', 'a', 'b1', 'A', '_'), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(id, (parts) => {
      const text = parts.join('');
      assert.equal(pathId.read(text, '/id', []) === text, upstream.test(text), text);
    }),
    { numRuns: 3000 },
  );
  assert.equal(pathId.read(`${'/'.repeat(500)}!`, '/id', []), undefined);
  assert.equal(pathId.read(`${'a.-'.repeat(5000)}!`, '/id', []), undefined);
});

test('task ids of all versions are understood, in the order of their formats', () => {
  const cases: readonly (readonly [text: string, parts: object])[] = [
    [`a_b.instance-${UUID}._app.2`, { specId: '/a/b', instanceId: `a_b.instance-${UUID}`, incarnation: 2 }],
    [`a.instance-${UUID}.web.1`, { specId: '/a', instanceId: `a.instance-${UUID}`, container: 'web', incarnation: 1 }],
    [`a_b.instance-${UUID}._app`, { specId: '/a/b', instanceId: `a_b.instance-${UUID}` }],
    [`a.marathon-${UUID}.web`, { specId: '/a', instanceId: `a.marathon-${UUID}`, container: 'web' }],
    [`a_b.${UUID}.3`, { specId: '/a/b', instanceId: `a_b.marathon-${UUID}`, incarnation: 3 }],
    [`a_b.${UUID}`, { specId: '/a/b', instanceId: `a_b.marathon-${UUID}` }],
    [`a_b_${UUID}`, { specId: '/a/b', instanceId: `a_b.marathon-${UUID}` }],
  ];
  for (const [text, parts] of cases) assert.deepEqual(readTaskId(text), { ok: true, value: parts }, text);
  for (const bad of ['', 'a', 'a.b', `a.instance-x._app.1`, `.instance-${UUID}`])
    assert.equal(readTaskId(bad).ok, false, bad);
});

test('what is made of a spec and a uuid is read back', () => {
  const segment = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(
      path,
      fc.uuid(),
      fc.integer({ min: 1, max: 1e6 }),
      fc.option(segment),
      (specId, uuid, incarnation, container) => {
        const instance = instanceId(specId, uuid);
        assert.deepEqual(readInstanceId(instance), { ok: true, value: { specId, prefix: 'instance', uuid } });
        const read = readTaskId(taskId(instance, incarnation, container ?? undefined));
        const expected = { specId, instanceId: instance, ...(container !== null && { container }), incarnation };
        assert.deepEqual(read, { ok: true, value: expected });
      },
    ),
  );
});

test('instants are written and read as the clock of the machine would', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(-8.64e15), max: new Date(8.64e15), noInvalidDate: true }), (date) => {
      assert.equal(writeInstant(date.getTime()), date.toISOString());
      assert.equal(readInstant(date.toISOString()), date.getTime());
    }),
  );
  assert.equal(readInstant('2015-09-25T17:13:48.343999+02:00'), Date.parse('2015-09-25T15:13:48.343Z'));
  for (const bad of ['', '2015', '2015-02-29T00:00:00Z', '2015-01-01T24:00:00Z', '2015-13-01T00:00:00Z', 'x']) {
    assert.equal(readInstant(bad), undefined, bad);
  }
});

test('patterns match whole values, as in Java', () => {
  const matches = (pattern: string, value: string): boolean => {
    const compiled = compilePattern(pattern);
    assert.ok(compiled.ok, compiled.ok ? '' : compiled.error);
    return compiled.value(value);
  };
  assert.ok(matches('rack-[1-3]', 'rack-2') && !matches('rack-[1-3]', 'rack-22'));
  assert.ok(matches('a|b', 'b') && !matches('a|b', 'ab'));
  assert.ok(matches('(?i)AB', 'ab') && matches('a++', 'aa') && matches('\\Aa\\z', 'a') && matches('a\\\\A', 'a\\A'));
  assert.ok(matches('(?iu)AB', 'ab') && matches('(?u)a', 'a') && matches('x(?i:Y)', 'xy') && matches('a\\Z', 'a'));
  assert.ok(matches('[*+]++', '+*+') && matches('a{2}+b', 'aab') && matches('a\\++', 'a++') && matches('[]a]', ']'));
  assert.ok(matches('\\u0041', 'A') && matches('[\\u0041-\\u0043]', 'B') && matches('\\Qa.b\\E+', 'a.bb'));
  assert.ok(matches('[[:alpha:]]+', 'ab') && matches('[^\\]]+', 'ab') && matches('(?<n>a)', 'a'));
});

test('patterns that cannot be matched in linear time are refused, with what it is about them', () => {
  for (const [pattern, why] of [
    ['(', /a '\(' has no '\)'/],
    ['(a)\\1', /\\1 means nothing/],
    ['(?=a)a', /look-around/],
    ['(?<!a)b', /look-around/],
    ['[a-z&&[^b]]', /cannot be combined: '&&'/],
    ['[a[bc]]', /cannot be combined: '\['/],
    ['(?>a)', /none that RE2 knows/],
    ['((a{30}){30}){30}', /repeated more than 1000 times/],
    ['a'.repeat(30_000), /more than 20000 steps/],
  ] as const) {
    const compiled = compilePattern(pattern);
    assert.ok(!compiled.ok, pattern);
    assert.match(compiled.error, why);
    assert.ok(compiled.error.length < 300, compiled.error);
  }
});

test('a pattern that would take a backtracking engine for ever says no at once', () => {
  const compiled = compilePattern('(a+)+(b|a*)*c');
  assert.ok(compiled.ok);
  assert.equal(compiled.value('a'.repeat(5_000)), false);
});
