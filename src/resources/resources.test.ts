import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource, Resource_DiskInfo } from '../wire/v1.ts';
import { parseResources } from './parse.ts';
import { Quantities } from './quantities.ts';
import { formatResources, Resources } from './resources.ts';

function r(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function same(actual: Resources | undefined, expected: Resources | string): void {
  const wanted = typeof expected === 'string' ? r(expected) : expected;
  assert.ok(actual?.equals(wanted), `${actual} equals ${wanted}`);
}

function disk(value: number, info?: Resource_DiskInfo, more: Partial<Resource> = {}): Resource {
  return { name: 'disk', type: 'SCALAR', scalar: { value }, ...(info && { disk: info }), ...more };
}

const volume = (id: string, value = 10, more: Partial<Resource> = {}): Resource =>
  disk(
    value,
    { persistence: { id }, volume: { container_path: 'data', mode: 'RW' } },
    { reservations: [{ type: 'STATIC', role: 'role1' }], ...more },
  );

test('scalars of the same kind add up and others stay apart', () => {
  same(r('cpus:1;mem:5').plus(r('cpus:2;mem:10')), 'cpus:3;mem:15');
  assert.equal(r('cpus(role1):1').plus(r('cpus(role2):1')).size, 2);
  assert.equal(r('cpus(role1):1').plus(r('cpus:3')).scalar('cpus'), 4000);
});

test('taking away removes what comes to zero, and ignores what is not there', () => {
  same(r('cpus:50;mem:4096').minus(r('cpus:0.5;mem:1024')), 'cpus:49.5;mem:3072');
  assert.ok(r('cpus:1').minus(r('cpus:1')).isEmpty);
  assert.ok(r('cpus:1').minus(r('cpus:2')).isEmpty, 'never negative');
  same(r('cpus:1').minus(r('mem:2')), 'cpus:1');
});

test('a thousand small additions lose nothing', () => {
  const tenth = r('cpus:0.1');
  let sum = Resources.EMPTY;
  for (let i = 0; i < 1000; i++) sum = sum.plus(tenth);
  same(sum, 'cpus:100');
  for (let i = 0; i < 1000; i++) sum = sum.minus(tenth);
  assert.ok(sum.isEmpty);
});

test('scalars are compared to a thousandth, rounding halves up', () => {
  assert.ok(Resources.of([disk(0.0001)]).isEmpty);
  same(Resources.of([disk(1.0004)]), 'disk:1');
  same(Resources.of([disk(1.0005)]), 'disk:1.001');
});

test('ranges combine by interval, and touching ones merge', () => {
  same(r('ports:[1-2]').plus(r('ports:[3-4]')), 'ports:[1-4]');
  same(r('ports:[20000-40000]').minus(r('ports:[10000-20000, 30000-50000]')), 'ports:[20001-29999]');
  assert.ok(r('ports:[1-10]').contains(r('ports:[2-3, 5-7]')));
  assert.ok(!r('ports:[1-4, 6-10]').contains(r('ports:[4-6]')));
});

test('sets combine by item', () => {
  same(r('disks:{sda1,sda2}').plus(r('disks:{sda1,sda3}')), 'disks:{sda3,sda2,sda1}');
  same(r('disks:{sda1,sda2}').minus(r('disks:{sda2,sda3}')), 'disks:{sda1}');
  assert.ok(!r('disks:{sda1}').contains(r('disks:{sda1,sda2}')));
});

test('an unreserved and a reserved thing do not contain each other', () => {
  assert.ok(!r('cpus:4').contains(r('cpus(role1):1')));
  assert.ok(!r('cpus(role1):4').contains(r('cpus:1')));
});

test('the labels of a reservation count, their order does not', () => {
  const reserved = (...keys: string[]): Resource => ({
    name: 'cpus',
    type: 'SCALAR',
    scalar: { value: 1 },
    reservations: [{ type: 'DYNAMIC', role: 'a', labels: { labels: keys.map((key) => ({ key, value: 'v' })) } }],
  });
  assert.equal(Resources.of([reserved('x', 'y'), reserved('y', 'x')]).size, 1);
  assert.equal(Resources.of([reserved('x'), reserved('y')]).size, 2);
});

test('the old spelling of a reservation is understood', () => {
  const old = Resources.of([{ name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, role: 'role1' }]);
  same(old, 'cpus(role1):2');
  assert.deepEqual(old.toProto()[0]?.reservations, [{ type: 'STATIC', role: 'role1' }]);
  assert.equal(
    Resources.of([{ name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, role: '*' }]).toProto()[0]?.role,
    undefined,
  );
});

const sources: readonly [string, Resource_DiskInfo['source'], divisible: boolean][] = [
  ['PATH', { type: 'PATH', path: { root: '/p' } }, true],
  ['MOUNT', { type: 'MOUNT', mount: { root: '/m' } }, false],
  ['BLOCK', { type: 'BLOCK', id: 'b' }, false],
  ['RAW without an id', { type: 'RAW', profile: 'fast' }, true],
  ['RAW with an id', { type: 'RAW', id: 'x' }, false],
];
for (const [name, source, divisible] of sources) {
  test(`a ${name} disk ${divisible ? 'can be divided and merged' : 'is had whole or not at all'}`, () => {
    const [whole, part] = [Resources.of([disk(10, { source })]), Resources.of([disk(4, { source })])];
    assert.equal(whole.contains(part), divisible);
    assert.ok(whole.contains(whole));
    assert.equal(whole.plus(part).size, divisible ? 1 : 2);
    assert.equal(whole.minus(part).scalar('disk'), divisible ? 6000 : 10000);
    assert.ok(whole.minus(whole).isEmpty);
    assert.equal(whole.shrink(() => 4000).scalar('disk'), divisible ? 4000 : 0);
  });
}

test('disks with different sources, vendors, profiles or metadata are different things', () => {
  const variants: Resource_DiskInfo['source'][] = [
    { type: 'RAW' },
    { type: 'RAW', vendor: 'v' },
    { type: 'RAW', profile: 'p' },
    { type: 'RAW', metadata: { labels: [{ key: 'k' }] } },
    { type: 'PATH' },
    { type: 'PATH', path: {} },
    { type: 'PATH', path: { root: '/a' } },
  ];
  const all = Resources.of([...variants.map((source) => disk(1, { source })), disk(1)]);
  assert.equal(all.size, variants.length + 1);
});

test('two equal whole things are counted and each is shown', () => {
  const mount = disk(10, { source: { type: 'MOUNT', mount: {} } });
  const two = Resources.of([mount, mount]);
  assert.equal(two.size, 2);
  assert.equal(two.scalar('disk'), 20000);
  assert.ok(!Resources.of([mount]).contains(two));
});

test('where a volume is mounted and who made it do not make it another volume', () => {
  const other = volume('id1', 10, {
    disk: { persistence: { id: 'id1', principal: 'p' }, volume: { container_path: 'elsewhere', mode: 'RW' } },
  });
  assert.ok(Resources.of([volume('id1')]).contains(other));
  assert.equal(Resources.of([other]).toProto()[0]?.disk?.persistence?.principal, 'p');
});

test('a volume is had whole', () => {
  const all = Resources.of([volume('id1'), volume('id2', 20), disk(5)]);
  assert.ok(!all.contains(volume('id1', 5)));
  assert.equal(all.minus(volume('id1')).size, 2);
  assert.equal(all.persistentVolumes().size, 2);
});

test('copies of a shared volume are counted, and its size counts once', () => {
  const shared = volume('id1', 64, { shared: {} });
  const two = Resources.of([shared, shared]);
  assert.equal(two.size, 1);
  assert.equal(two.count(shared), 2);
  assert.equal(two.scalar('disk'), 64000);
  assert.ok(two.contains(Resources.of([shared, shared])));
  assert.ok(!two.contains(Resources.of([shared, shared, shared])));
  assert.equal(two.minus(shared).count(shared), 1);
  assert.ok(two.minus(shared).minus(shared).isEmpty);
  assert.ok(!two.contains(volume('id1', 64)), 'a volume that is not shared is another thing');
  assert.equal(`${two}`, 'disk(reservations: [(STATIC,role1)])[id1:data]<SHARED>:64<2>');
});

test('revocable things are kept apart', () => {
  const revocable: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, revocable: {} };
  const both = Resources.of([revocable]).plus(r('cpus:1'));
  assert.equal(both.size, 2);
  same(both.nonRevocable(), 'cpus:1');
  assert.equal(`${both.revocable()}`, 'cpus{REV}:1');
  assert.equal(r('cpus:1').find(revocable), undefined);
});

test('things of different resource providers are kept apart', () => {
  const of = (id?: string) => disk(1, undefined, id === undefined ? {} : { provider_id: { value: id } });
  assert.equal(Resources.of([of('a'), of('b'), of(), of('a')]).size, 3);
});

test('find takes from the same role, then from the unreserved, then from any role', () => {
  same(
    r('cpus(role1):2;mem(role1):10;cpus:4;mem:20').find(r('cpus(role1):3;mem(role1):15')),
    'cpus(role1):2;mem(role1):10;cpus:1;mem:5',
  );
  same(
    r('cpus(role1):1;mem(role1):5;cpus(role2):2;mem(role2):8;cpus:1;mem:7').find(r('cpus(role1):3;mem(role1):15')),
    'cpus(role1):1;mem(role1):5;cpus:1;mem:7;cpus(role2):1;mem(role2):3',
  );
  same(r('cpus(role1):5;mem(role1):5;cpus:5;mem:5').find(r('cpus:6;mem:6')), 'cpus:5;mem:5;cpus(role1):1;mem(role1):1');
  assert.equal(r('cpus(role1):1;mem(role1):1').find(r('cpus(role1):2;mem(role1):2')), undefined);
});

test('a role is given what is unreserved, its own, and what is reserved above it', () => {
  const all = r('cpus:1;cpus(a):2;cpus(a/b):4;cpus(a/b/c):8;cpus(ab):16');
  assert.equal(all.allocatableTo('a/b').scalar('cpus'), 7000);
  assert.equal(all.reservedToSubtree('a/b').scalar('cpus'), 12000);
  assert.equal(all.reserved('a').scalar('cpus'), 2000);
  assert.equal(all.unreserved().scalar('cpus'), 1000);
  assert.deepEqual([...all.reservations().keys()], ['a', 'a/b', 'a/b/c', 'ab']);
});

test('limits count over all kinds of a name', () => {
  const all = r('cpus:2;cpus(a):3;mem:100;ports:[1-5]');
  same(
    all.shrink((name) => (name === 'cpus' ? 4000 : undefined)),
    'cpus:2;cpus(a):2;mem:100;ports:[1-5]',
  );
  same(
    all.shrink((name) => ({ cpus: 1000, mem: 0 })[name]),
    'cpus:1;ports:[1-5]',
  );
  assert.equal(
    all.shrink(() => undefined),
    all,
  );
});

test('quantities forget everything but names', () => {
  const all = r('cpus:2;cpus(a):3;ports:[1-5, 8-8];zones:{x,y}');
  assert.equal(`${all.quantities()}`, 'cpus:5; ports:6; zones:2');
  assert.equal(`${all.scalarQuantities()}`, 'cpus:5');
  assert.equal(all.quantities(), all.quantities(), 'computed once');
  assert.ok(
    all.containsQuantities(
      Quantities.of([
        ['cpus', 5000],
        ['ports', 6000],
      ]),
    ),
  );
  assert.ok(!all.containsQuantities(Quantities.of([['cpus', 5001]])));
});

test('resources print as upstream prints them', () => {
  assert.equal(
    formatResources(r('cpus:45.55;ports:[10000-20000,30000-50000];disks:{sda1}')),
    'cpus:45.55; ports:[10000-20000, 30000-50000]; disks:{sda1}',
  );
  assert.equal(formatResources(Resources.EMPTY), '{}');
  assert.equal(`${r('cpus(other):0.1').allocate('a')}`, 'cpus(allocated: a)(reservations: [(STATIC,other)]):0.1');
  const full = disk(
    1,
    {
      source: { type: 'MOUNT', mount: { root: '/mnt' } },
      persistence: { id: 'i' },
      volume: { container_path: 'c', mode: 'RW' },
    },
    {
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'DYNAMIC', role: 'a/b', principal: 'p', labels: { labels: [{ key: 'k', value: 'v' }, { key: 'l' }] } },
      ],
    },
  );
  assert.equal(
    `${Resources.of([full])}`,
    'disk(reservations: [(STATIC,a), (DYNAMIC,a/b,p,{k: v, l})])[MOUNT:/mnt,i:c]:1',
  );
  const raw = disk(1, { source: { type: 'RAW', id: 'i', profile: 'p', vendor: 'v' } });
  assert.equal(`${Resources.of([raw])}`, 'disk[RAW(v,i,p)]:1');
  const host = disk(1, { volume: { host_path: '/h', container_path: '/c', mode: 'RO' } });
  assert.equal(`${Resources.of([host])}`, 'disk[:/h:/c:ro]:1');
});

test('the last one takes the place of what is removed', () => {
  assert.equal(`${r('cpus:1;mem:2;disk:3').minus(r('cpus:1'))}`, 'disk:3; mem:2');
});

test('allocating to another role replaces the allocation and merges what became equal', () => {
  const both = r('cpus:1').allocate('a').plus(r('cpus:2').allocate('b'));
  assert.equal(both.size, 2);
  same(both.unallocate(), 'cpus:3');
  assert.equal(`${both.allocate('c')}`, 'cpus(allocated: c):3');
  assert.equal(`${both.allocations().get('b')}`, 'cpus(allocated: b):2');
});

test('what is of type TEXT, negative or zero is dropped', () => {
  const junk: Resource[] = [{ name: 'x', type: 'TEXT' }, disk(-1), disk(0), { name: 'p', type: 'RANGES' }];
  assert.equal(Resources.of(junk), Resources.EMPTY);
});

test('an operand is never changed', () => {
  const a = r('cpus:1;mem:2');
  const before = `${a}`;
  a.plus(r('cpus:1'));
  a.minus(r('cpus:1'));
  a.allocate('x');
  assert.equal(`${a}`, before);
  assert.equal(a.plus(Resources.EMPTY), a);
});

test('what is read out gives the parts by name', () => {
  const all = r('cpus:2;ports:[1-5];ports(a):[7-8];zones:{x};zones(a):{y}');
  assert.deepEqual(all.ranges('ports'), [1, 5, 7, 8]);
  assert.deepEqual(all.items('zones'), ['x', 'y']);
  assert.equal(all.named('ports').size, 2);
  assert.equal(all.scalars().size, 1);
  assert.deepEqual(
    [...all.types()],
    [
      ['cpus', 'SCALAR'],
      ['ports', 'RANGES'],
      ['zones', 'SET'],
    ],
  );
});
