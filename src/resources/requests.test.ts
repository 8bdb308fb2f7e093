import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../base/result.ts';
import type { Resource } from '../wire/v1.ts';
import {
  partsOverlap,
  validatePersistentVolumes,
  validateRequest,
  validateRevocability,
  validateSingleAllocation,
  validateSingleProvider,
  validateUniquePersistenceIds,
} from './requests.ts';
import { Resources } from './resources.ts';

const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const reserved = { reservations: [{ type: 'DYNAMIC', role: 'a' }] } as const;
const volume = (more: Partial<Resource> = {}, id = 'v', mode: 'RW' | 'RO' = 'RW') =>
  scalar('disk', 1, { ...reserved, disk: { persistence: { id }, volume: { container_path: 'c', mode } }, ...more });

function accepted(valid: Result<void>): void {
  assert.deepEqual(valid, { ok: true, value: undefined });
}

function refused(valid: Result<void>, error: RegExp): void {
  assert.ok(!valid.ok);
  assert.match(valid.error, error);
}

test('a request has whole gpus', () => {
  accepted(validateRequest([scalar('gpus', 2), scalar('cpus', 0.5)]));
  accepted(validateRequest([scalar('gpus', 0.5), scalar('gpus', 1.5, reserved)]));
  refused(validateRequest([scalar('gpus', 0.5)]), /0.5 is not a whole number/);
});

test('a disk in a request has a source or is a volume on reserved disk that does not go away', () => {
  accepted(validateRequest([volume(), scalar('disk', 1, { disk: { source: { type: 'PATH' } } })]));
  accepted(validateRequest([volume({ reservations: undefined, role: 'a' })]));
  const { disk } = volume();
  const cases: [Partial<Resource>, RegExp][] = [
    [{ disk: {} }, /'disk' is empty/],
    [{ disk: { volume: { container_path: 'c', mode: 'RW' } } }, /needs 'disk.persistence'/],
    [{ disk: { persistence: { id: 'v' } } }, /'disk.volume' must be set/],
    [{ disk: { persistence: { id: 'v' }, volume: { container_path: 'c', host_path: '/h', mode: 'RW' } } }, /host_path/],
    [{ disk: { ...disk, persistence: { id: '' } } }, /must not be empty/],
    [{ disk: { ...disk, persistence: { id: 'a/b' } } }, /must not contain/],
    [{ reservations: [] }, /reserve the disk first/],
    [{ revocable: {} }, /revocable/],
  ];
  for (const [more, error] of cases) refused(validateRequest([volume(more)]), error);
});

test('what is revocable cannot be reserved at run time', () => {
  refused(validateRequest([scalar('cpus', 1, { ...reserved, revocable: {} })]), /cannot be dynamically reserved/);
});

test('a request that is not well formed is refused', () => {
  refused(validateRequest([scalar('cpus', -1)]), /negative/);
});

test('volumes can be written', () => {
  accepted(validatePersistentVolumes([volume()]));
  refused(validatePersistentVolumes([volume({}, 'v', 'RO')]), /RW, not RO/);
  refused(validatePersistentVolumes([scalar('disk', 1)]), /not a persistent volume/);
  refused(validatePersistentVolumes([volume({ disk: { persistence: { id: 'v' } } })]), /'disk.volume'/);
});

test('a persistence id is used once in a role', () => {
  const other = volume({ reservations: [{ type: 'DYNAMIC', role: 'b' }] });
  accepted(validateUniquePersistenceIds(Resources.of([volume(), other, volume({}, 'w')])));
  refused(
    validateUniquePersistenceIds(Resources.of([volume(), volume({ scalar: { value: 2 } })])),
    /'v' is used twice/,
  );
});

test('a name is revocable or not', () => {
  const gone = scalar('cpus', 1, { revocable: {} });
  accepted(validateRevocability(Resources.of([gone, scalar('mem', 1)])));
  refused(validateRevocability(Resources.of([gone, scalar('cpus', 1)])), /'cpus'/);
});

test('resources of one operation are allocated to one role', () => {
  const to = (role: string) => scalar('cpus', 1, { allocation_info: { role } });
  accepted(validateSingleAllocation([to('a'), to('a')]));
  refused(validateSingleAllocation([to('a'), to('b')]), /'a' and 'b'/);
  refused(validateSingleAllocation([scalar('cpus', 1)]), /not allocated/);
});

test('resources of one operation have one provider', () => {
  const of = (value: string) => scalar('disk', 1, { provider_id: { value } });
  accepted(validateSingleProvider([of('x'), of('x')]));
  accepted(validateSingleProvider([scalar('disk', 1)]));
  refused(validateSingleProvider([of('x'), of('y')]), /x, y/);
  refused(validateSingleProvider([of('x'), scalar('cpus', 1)]), /the agent itself/);
  refused(validateSingleProvider([]), /no resources/);
});

test('parts overlap where a port or an item is in two of them', () => {
  const ports = (begin: number, end: number) =>
    Resources.of([{ name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } }, scalar('cpus', 1)]);
  assert.ok(!partsOverlap([ports(1, 2), ports(3, 4)]));
  assert.ok(partsOverlap([ports(1, 3), ports(3, 4)]));
  const shared = Resources.of([volume({ shared: {} })]);
  assert.ok(!partsOverlap([shared, shared]), 'a shared volume is there for both');
});
