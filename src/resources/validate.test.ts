import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource, Resource_DiskInfo_Source } from '../wire/v1.ts';
import { validateResource, validateResources } from './validate.ts';

const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
const disk: Resource = { ...cpus, name: 'disk' };
const dynamic = (role: string) => ({ type: 'DYNAMIC', role }) as const;
const fixed = (role: string) => ({ type: 'STATIC', role }) as const;
const ranges = (...list: [number, number][]): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: list.map(([begin, end]) => ({ begin, end })) },
});
const source = (value: Resource_DiskInfo_Source): Resource => ({ ...disk, disk: { source: value } });

const accepted: readonly [what: string, resource: Resource][] = [
  ['a scalar', cpus],
  ['a zero', { ...cpus, scalar: { value: 0 } }],
  ['no ranges at all', { name: 'ports', type: 'RANGES', ranges: {} }],
  ['ranges that touch and come in any order', ranges([5, 9], [1, 4])],
  ['a set', { name: 's', type: 'SET', set: { item: ['a', 'b'] } }],
  ['the old spelling of a static reservation', { ...cpus, role: 'a' }],
  ['the old spelling of a dynamic reservation', { ...cpus, role: 'a', reservation: { principal: 'p' } }],
  ['a stack of refinements', { ...cpus, reservations: [fixed('a'), dynamic('a/b'), dynamic('a/b/c/d')] }],
  ['both spellings of one static reservation', { ...cpus, role: 'a', reservations: [fixed('a')] }],
  [
    'both spellings of one dynamic reservation',
    { ...cpus, role: 'a', reservation: { principal: 'p' }, reservations: [{ ...dynamic('a'), principal: 'p' }] },
  ],
  ['a MOUNT disk', source({ type: 'MOUNT', mount: { root: '/m' } })],
  ['a RAW disk', source({ type: 'RAW', id: 'x' })],
  ['a shared volume', { ...disk, disk: { persistence: { id: 'x' } }, shared: {} }],
];
for (const [what, resource] of accepted) {
  test(`${what} is well formed`, () => assert.deepEqual(validateResource(resource), { ok: true, value: undefined }));
}

const refused: readonly [what: string, resource: Resource, error: RegExp][] = [
  ['an empty name', { ...cpus, name: '' }, /'name'/],
  ['the type TEXT', { ...cpus, type: 'TEXT' }, /SCALAR, RANGES or SET, not TEXT/],
  ['a scalar without its value', { name: 'cpus', type: 'SCALAR' }, /it has: none/],
  ['two amounts', { ...cpus, set: { item: ['a'] } }, /it has: scalar, set/],
  ['ranges in a scalar', { ...ranges([1, 2]), type: 'SCALAR' }, /must have the field 'scalar'/],
  ['a negative scalar', { ...cpus, scalar: { value: -1 } }, /negative/],
  ['not a number', { ...cpus, scalar: { value: Number.NaN } }, /finite/],
  ['an infinite scalar', { ...cpus, scalar: { value: Number.POSITIVE_INFINITY } }, /finite/],
  ['a reversed range', ranges([5, 1]), /write 1-5/],
  ['overlapping ranges', ranges([7, 12], [1, 8]), /1-8 and 7-12, which overlap; write 1-12/],
  ['an item twice', { name: 's', type: 'SET', set: { item: ['a', 'b', 'a'] } }, /'a' more than once/],
  ['disk information on cpus', { ...cpus, disk: {} }, /only for the resource named disk/],
  ['a BLOCK disk with a mount', source({ type: 'BLOCK', mount: {} }), /BLOCK/],
  ['a RAW disk with a path', source({ type: 'RAW', path: {} }), /RAW/],
  ['a disk source of an unknown type', source({ type: 'UNKNOWN' }), /PATH, MOUNT, BLOCK or RAW, not UNKNOWN/],
  ['a bad role', { ...cpus, role: 'a//b' }, /two slashes/],
  ['a dynamic reservation for anyone', { ...cpus, reservation: {} }, /other than "\*"/],
  ['a type in the old spelling', { ...cpus, role: 'a', reservation: { type: 'DYNAMIC' } }, /'reservation.type'/],
  ['a role in the old spelling', { ...cpus, role: 'a', reservation: { role: 'a' } }, /'reservation.role'/],
  ['a reservation without a type', { ...cpus, reservations: [{ role: 'a' }] }, /STATIC or DYNAMIC, not absent/],
  ['a reservation without a role', { ...cpus, reservations: [{ type: 'STATIC' }] }, /'role' must be set/],
  ['a reservation for anyone', { ...cpus, reservations: [fixed('*')] }, /nothing can be reserved/],
  ['a static refinement', { ...cpus, reservations: [fixed('a'), fixed('a/b')] }, /reservations\[1\].*DYNAMIC/],
  ['a refinement for a stranger', { ...cpus, reservations: [fixed('a'), dynamic('b/c')] }, /does not refine 'a'/],
  ['a refinement for the same role', { ...cpus, reservations: [dynamic('a'), dynamic('a')] }, /does not refine/],
  ['two spellings with different roles', { ...cpus, role: 'b', reservations: [fixed('a')] }, /'b'.*'a'/],
  [
    'a static reservation that is dynamic in the old spelling',
    { ...cpus, role: 'a', reservation: {}, reservations: [fixed('a')] },
    /must be absent when the reservation is STATIC/,
  ],
  ['half of the old spelling', { ...cpus, role: 'a', reservations: [dynamic('a')] }, /both be set or both be absent/],
  [
    'two spellings with different principals',
    { ...cpus, role: 'a', reservation: { principal: 'p' }, reservations: [dynamic('a')] },
    /principal/,
  ],
  [
    'two spellings with different labels',
    { ...cpus, role: 'a', reservation: { labels: { labels: [{ key: 'k' }] } }, reservations: [dynamic('a')] },
    /labels/,
  ],
  ['a role beside a refined stack', { ...cpus, role: 'a', reservations: [fixed('a'), dynamic('a/b')] }, /'role'/],
  [
    'an old reservation beside a refined stack',
    { ...cpus, reservation: {}, reservations: [fixed('a'), dynamic('a/b')] },
    /'reservation'/,
  ],
  ['shared cpus', { ...cpus, shared: {} }, /only for persistent volumes/],
  ['a shared disk that is no volume', { ...disk, shared: {} }, /disk.persistence/],
];
for (const [what, resource, error] of refused) {
  test(`${what} is refused`, () => {
    const valid = validateResource(resource);
    assert.ok(!valid.ok);
    assert.match(valid.error, error);
  });
}

test('the error of a list says which entry is wrong', () => {
  const valid = validateResources([cpus, { ...cpus, name: 'mem', scalar: { value: -2 } }]);
  assert.ok(!valid.ok);
  assert.match(valid.error, /^resources\[1\] \('mem'\): /);
});
