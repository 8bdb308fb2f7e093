import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResourceList, parseResources } from './parse.ts';
import { Quantities } from './quantities.ts';
import { parseValue } from './value-text.ts';

test('the text form names scalars, ranges, sets and roles', () => {
  const parsed = parseResources(' cpus : 4 ;mem:2048;ports:[31000-32000, 1-2];disks:{a, b};cpus( role ):2;;');
  assert.ok(parsed.ok);
  assert.equal(
    `${parsed.value}`,
    'cpus:4; mem:2048; ports:[1-2, 31000-32000]; disks:{a, b}; cpus(reservations: [(STATIC,role)]):2',
  );
});

test('nothing is no resources', () => {
  const parsed = parseResources('');
  assert.ok(parsed.ok && parsed.value.isEmpty);
});

test('what has no role gets the default role', () => {
  const text = parseResources('cpus:1;mem(*):2;disk(b):3', 'a');
  assert.ok(text.ok);
  assert.equal(`${text.value}`, 'cpus(reservations: [(STATIC,a)]):1; mem:2; disk(reservations: [(STATIC,b)]):3');
  const json = parseResources('[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]', 'a');
  assert.ok(json.ok);
  assert.equal(`${json.value}`, 'cpus(reservations: [(STATIC,a)]):1');
});

test('the same thing twice is added up', () => {
  const parsed = parseResources('cpus:1;cpus:2;ports:[1-3];ports:[3-5]');
  assert.ok(parsed.ok);
  assert.equal(`${parsed.value}`, 'cpus:3; ports:[1-5]');
});

test('the list form keeps zeros, which say that there is none of a thing', () => {
  const list = parseResourceList('gpus:0;cpus:1');
  assert.ok(list.ok);
  assert.deepEqual(list.value[0], { name: 'gpus', type: 'SCALAR', scalar: { value: 0 } });
});

test('JSON is an array of resources in either spelling', () => {
  const parsed = parseResources(`[
    {"name":"cpus","type":"SCALAR","scalar":{"value":2},"role":"a"},
    {"name":"disk","type":"SCALAR","scalar":{"value":9},"disk":{"source":{"type":"MOUNT","mount":{"root":"/m"}}}},
    {"name":"mem","type":"SCALAR","scalar":{"value":3},"reservations":[{"type":"STATIC","role":"b"}]}
  ]`);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.equal(
    `${parsed.value}`,
    'cpus(reservations: [(STATIC,a)]):2; disk[MOUNT:/m]:9; mem(reservations: [(STATIC,b)]):3',
  );
});

const scalar = '"type":"SCALAR","scalar":{"value":1}';
const refused: readonly [text: string, error: RegExp][] = [
  ['cpus', /'cpus' is not a resource; write name:value/],
  ['cpus:1:2', /not a resource/],
  ['cpus:', /not a resource/],
  [':4', /not a resource/],
  ['cpus(a:4', /parentheses/],
  ['cpus)a(:4', /parentheses/],
  ['cpus():4', /role must not be empty/],
  ['cpus(a b):4', /whitespace/],
  ['cpus:four', /'four' in 'cpus:four' is text/],
  ['cpus:-4', /number that is not negative/],
  ['cpus:nan', /is text/],
  ['ports:[1-2', /brackets/],
  ['ports:x[1-2]', /must be the first character/],
  ['ports:[1-2]x', /end with/],
  ['ports:[5-1]', /reversed; write 1-5/],
  ['ports:[1,2]', /'1' is not a range/],
  ['ports:[0-99999999999999999999]', /too large/],
  ['disks:{a,a}', /'a' more than once/],
  ['cpus:1;cpus:[1-2]', /given both as SCALAR and as RANGES/],
  ['[{', /not a JSON array/],
  ['[1]', /position 0/],
  ['[{"name":"cpus"}]', /position 0/],
  [`[{"name":"","type":"SCALAR","scalar":{"value":1}}]`, /'name'/],
  [`[{"name":"cpus",${scalar},"revocable":{}}]`, /must not be revocable/],
  [`[{"name":"cpus",${scalar},"reservations":[{"type":"DYNAMIC","role":"a"}]}]`, /DYNAMIC/],
  [`[{"name":"disk",${scalar},"role":"a","disk":{"persistence":{"id":"x"}}}]`, /persistent volume/],
];
for (const [text, error] of refused) {
  test(`the resources ${text} are refused with what would be right`, () => {
    const parsed = parseResources(text);
    assert.ok(!parsed.ok, `${text} is refused`);
    assert.match(parsed.error, error);
  });
}

test('a value is a number, ranges, a set, or else text', () => {
  assert.deepEqual(parseValue(' 1 000.5 '), { ok: true, value: { type: 'SCALAR', scalar: 1000.5 } });
  assert.deepEqual(parseValue('0x10'), { ok: true, value: { type: 'SCALAR', scalar: 16 } });
  assert.deepEqual(parseValue('1e3'), { ok: true, value: { type: 'SCALAR', scalar: 1000 } });
  assert.deepEqual(parseValue('-1'), { ok: true, value: { type: 'TEXT', text: '-1' } });
  assert.deepEqual(parseValue('inf'), { ok: true, value: { type: 'TEXT', text: 'inf' } });
  assert.deepEqual(parseValue('a b'), { ok: true, value: { type: 'TEXT', text: 'ab' } });
  assert.deepEqual(parseValue('{}'), { ok: true, value: { type: 'SET', items: [] } });
  assert.deepEqual(parseValue('[2-3,1-1]'), { ok: true, value: { type: 'RANGES', ranges: [1, 3] } });
  for (const bad of ['', ' ', '1e-310', 'a{b}', ')(']) assert.ok(!parseValue(bad).ok, bad);
});

test('quantities are numbers by name', () => {
  const parsed = Quantities.fromText('cpus:0.01; mem : 32;gpus:0');
  assert.ok(parsed.ok);
  assert.deepEqual(
    [...parsed.value],
    [
      ['cpus', 10],
      ['mem', 32000],
    ],
  );
  assert.ok(!parsed.value.contains(Quantities.of([['gpus', 1]])));
  for (const bad of ['cpus', 'cpus:1:2', 'cpus:x', 'cpus:-1', 'ports:[1-2]', 'cpus: ']) {
    assert.ok(!Quantities.fromText(bad).ok, bad);
  }
});
