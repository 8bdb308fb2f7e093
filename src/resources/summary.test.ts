import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribute, Resource } from '../wire/v1.ts';
import {
  attributesSummary,
  containsAttributes,
  formatAttribute,
  parseAttributes,
  sameAttribute,
  sameAttributes,
} from './attributes.ts';
import { parseResources } from './parse.ts';
import { Resources } from './resources.ts';
import { toSummary } from './summary.ts';

test('the resources object always has cpus, gpus, mem and disk', () => {
  assert.deepEqual(toSummary(Resources.EMPTY), { cpus: 0, gpus: 0, mem: 0, disk: 0 });
});

test('the resources object sums over roles and shows ranges and sets as text', () => {
  const parsed = parseResources('cpus:0.5;cpus(a):1;ports:[1-2, 5-6];ports(a):[3-3];zones:{x,y};mem:1024');
  assert.ok(parsed.ok);
  assert.deepEqual(toSummary(parsed.value), {
    cpus: 1.5,
    gpus: 0,
    mem: 1024,
    disk: 0,
    ports: '[1-3, 5-6]',
    zones: '{x, y}',
  });
});

test('what is revocable has a name of its own in the resources object', () => {
  const list: Resource[] = [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, revocable: {} },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } },
    { name: 'note', type: 'TEXT' },
  ];
  assert.deepEqual(toSummary(list), { cpus: 1, gpus: 0, mem: 0, disk: 0, cpus_revocable: 2 });
});

test('attributes are text, numbers or ranges', () => {
  const parsed = parseAttributes('rack:r1;zone:eu; slots:[1-3,7-8]\nload:0.5;url:http://h:80/ a;;neg:-1');
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value[0], { name: 'rack', type: 'TEXT', text: { value: 'r1' } });
  assert.deepEqual(attributesSummary(parsed.value), {
    rack: 'r1',
    zone: 'eu',
    slots: '[1-3, 7-8]',
    load: 0.5,
    url: 'http://h:80/a',
    neg: '-1',
  });
  assert.deepEqual(parsed.value.slice(0, 4).map(formatAttribute), [
    'rack=r1',
    'zone=eu',
    'slots=[1-3, 7-8]',
    'load=0.5',
  ]);
});

test('an attribute that cannot be read is refused with what would be right', () => {
  const cases: [string, RegExp][] = [
    ['rack', /'rack' is not an attribute; write name:value/],
    [':r1', /not an attribute/],
    ['rack: ', /not an attribute/],
    ['rack:{a,b}', /is a set, which attributes cannot be/],
    ['rack:[1-', /brackets/],
  ];
  for (const [text, error] of cases) {
    const parsed = parseAttributes(`zone:eu;${text}`);
    assert.ok(!parsed.ok, text);
    assert.match(parsed.error, error);
  }
});

test('attributes are the same by name, type and value, in whatever order', () => {
  const read = (text: string): readonly Attribute[] => {
    const parsed = parseAttributes(text);
    assert.ok(parsed.ok);
    return parsed.value;
  };
  assert.ok(sameAttributes(read('a:1;b:x;c:[1-2,3-4]'), read('c:[1-4];b:x;a:1.0001')));
  assert.ok(!sameAttributes(read('a:1'), read('a:2')));
  assert.ok(!sameAttributes(read('a:1'), read('a:1;b:2')));
  assert.ok(!sameAttributes(read('a:x'), read('a:1')));
  assert.ok(containsAttributes(read('a:1;b:x'), read('b:x')));
  assert.ok(!containsAttributes(read('a:1'), read('b:x')));
  const set: Attribute = { name: 's', type: 'SET', set: { item: ['a', 'b'] } };
  assert.ok(sameAttribute(set, { ...set, set: { item: ['b', 'a'] } }));
  assert.equal(formatAttribute(set), 's={a, b}');
});
