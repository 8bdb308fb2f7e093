import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer_Operation, Resource } from '../wire/v1.ts';
import { applyCheckpointed, needsCheckpoint } from './checkpointed.ts';
import { Resources } from './resources.ts';

const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const dynamic = { reservations: [{ type: 'DYNAMIC', role: 'a', principal: 'p' }] } as const;
const fixed = { reservations: [{ type: 'STATIC', role: 'a' }] } as const;
const mount = { source: { type: 'MOUNT', mount: { root: '/m' } } } as const;
const volumeOf = (id: string) => ({ persistence: { id }, volume: { container_path: 'data', mode: 'RW' } }) as const;
const volume = (id: string, value: number, more: Partial<Resource> = {}) =>
  scalar('disk', value, { ...dynamic, disk: volumeOf(id), ...more });

function applied(before: readonly Resource[], operation: Offer_Operation, after: readonly Resource[]): void {
  const result = Resources.of(before).apply(operation);
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(result.value.equals(Resources.of(after)), `${result.value} equals ${Resources.of(after)}`);
}

function refused(before: readonly Resource[], operation: Offer_Operation, error: RegExp): void {
  const result = Resources.of(before).apply(operation);
  assert.ok(!result.ok, `${operation.type} is refused`);
  assert.match(result.error, error);
}

test('RESERVE takes what is unreserved and gives it to the role', () => {
  const operation: Offer_Operation = { type: 'RESERVE', reserve: { resources: [scalar('cpus', 2, dynamic)] } };
  applied([scalar('cpus', 3)], operation, [scalar('cpus', 1), scalar('cpus', 2, dynamic)]);
  refused([scalar('cpus', 1)], operation, /^cpus:1 does not contain cpus:2$/);
});

test('RESERVE refines a reservation by one step', () => {
  const refined = { reservations: [...fixed.reservations, { type: 'DYNAMIC', role: 'a/b' } as const] };
  applied([scalar('cpus', 2, fixed)], { type: 'RESERVE', reserve: { resources: [scalar('cpus', 1, refined)] } }, [
    scalar('cpus', 1, fixed),
    scalar('cpus', 1, refined),
  ]);
});

test('RESERVE with a source changes one reservation for another', () => {
  const other = { reservations: [{ type: 'DYNAMIC', role: 'b' }] } as const;
  applied(
    [scalar('cpus', 2, dynamic)],
    { type: 'RESERVE', reserve: { source: [scalar('cpus', 2, dynamic)], resources: [scalar('cpus', 2, other)] } },
    [scalar('cpus', 2, other)],
  );
  refused(
    [scalar('cpus', 2, dynamic)],
    { type: 'RESERVE', reserve: { source: [scalar('cpus', 1, dynamic)], resources: [scalar('cpus', 2, other)] } },
    /would turn cpus:2 into cpus:3/,
  );
});

test('UNRESERVE undoes RESERVE', () => {
  applied(
    [scalar('cpus', 1), scalar('cpus', 2, dynamic)],
    { type: 'UNRESERVE', unreserve: { resources: [scalar('cpus', 2, dynamic)] } },
    [scalar('cpus', 3)],
  );
});

test('nothing can be reserved or unreserved without naming a reservation', () => {
  refused([scalar('cpus', 1)], { type: 'RESERVE', reserve: { resources: [scalar('cpus', 1)] } }, /has no reservation/);
  refused(
    [scalar('cpus', 1)],
    { type: 'UNRESERVE', unreserve: { resources: [scalar('cpus', 1)] } },
    /has no reservation/,
  );
});

test('CREATE makes a volume of reserved disk, and DESTROY gives the disk back', () => {
  const before = [scalar('disk', 10, dynamic)];
  const after = [scalar('disk', 6, dynamic), volume('v', 4)];
  applied(before, { type: 'CREATE', create: { volumes: [volume('v', 4)] } }, after);
  applied(after, { type: 'DESTROY', destroy: { volumes: [volume('v', 4)] } }, before);
  refused(before, { type: 'DESTROY', destroy: { volumes: [volume('v', 4)] } }, /does not contain/);
  refused(after, { type: 'CREATE', create: { volumes: [volume('w', 7)] } }, /does not contain/);
});

test('a MOUNT disk becomes a volume as a whole', () => {
  const bare = scalar('disk', 10, { ...dynamic, disk: mount });
  const made = volume('v', 10, { disk: { ...mount, ...volumeOf('v') } });
  applied([bare], { type: 'CREATE', create: { volumes: [made] } }, [made]);
  applied([made], { type: 'DESTROY', destroy: { volumes: [made] } }, [bare]);
  const part = volume('v', 4, { disk: { ...mount, ...volumeOf('v') } });
  refused([bare], { type: 'CREATE', create: { volumes: [part] } }, /does not contain/);
});

test('a shared volume is made of disk that is not shared, and is destroyed only when nobody else holds it', () => {
  const shared = volume('v', 4, { shared: {} });
  const bare = [scalar('disk', 4, dynamic)];
  applied(bare, { type: 'CREATE', create: { volumes: [shared] } }, [shared]);
  applied([shared], { type: 'DESTROY', destroy: { volumes: [shared] } }, bare);
  refused([shared, shared], { type: 'DESTROY', destroy: { volumes: [shared] } }, /still held elsewhere/);
});

test('a volume grows by disk of the same reservation and shrinks back', () => {
  const small = [volume('v', 4), scalar('disk', 6, dynamic)];
  const large = [volume('v', 5), scalar('disk', 5, dynamic)];
  applied(
    small,
    { type: 'GROW_VOLUME', grow_volume: { volume: volume('v', 4), addition: scalar('disk', 1, dynamic) } },
    large,
  );
  applied(large, { type: 'SHRINK_VOLUME', shrink_volume: { volume: volume('v', 5), subtract: { value: 1 } } }, small);
  refused(
    small,
    { type: 'GROW_VOLUME', grow_volume: { volume: volume('v', 4), addition: scalar('disk', 7, dynamic) } },
    /does not contain/,
  );
});

test('the size of a provider’s volume cannot be changed', () => {
  const theirs = volume('v', 4, { provider_id: { value: 'x' } });
  refused([theirs], { type: 'GROW_VOLUME', grow_volume: { volume: theirs, addition: scalar('disk', 1) } }, /provider/);
  refused([theirs], { type: 'SHRINK_VOLUME', shrink_volume: { volume: theirs, subtract: { value: 1 } } }, /provider/);
});

test('operations that do not convert resources, or lack their field, are refused', () => {
  for (const type of ['LAUNCH', 'LAUNCH_GROUP', 'CREATE_DISK', 'DESTROY_DISK', 'UNKNOWN'] as const) {
    refused([], { type }, /does not convert resources/);
  }
  refused([], {}, /\(none\)/);
  refused([], { type: 'GROW_VOLUME' }, /'grow_volume'/);
  refused([], { type: 'SHRINK_VOLUME' }, /'shrink_volume'/);
});

test('an agent gets its dynamic reservations and volumes back from what its flags say', () => {
  const onMount = volume('m', 10, { ...fixed, disk: { ...mount, ...volumeOf('m') } });
  const total = Resources.of([
    scalar('cpus', 4),
    scalar('disk', 8),
    scalar('mem', 5, fixed),
    scalar('disk', 10, { ...fixed, disk: mount }),
  ]);
  const refinedMem = scalar('mem', 2, {
    reservations: [...fixed.reservations, { type: 'DYNAMIC', role: 'a/b' }],
  });
  const result = applyCheckpointed(total, [
    scalar('cpus', 1, dynamic),
    volume('v', 3, { shared: {} }),
    refinedMem,
    onMount,
  ]);
  assert.ok(result.ok, JSON.stringify(result));
  const expected = Resources.of([
    scalar('cpus', 3),
    scalar('cpus', 1, dynamic),
    scalar('disk', 5),
    volume('v', 3, { shared: {} }),
    scalar('mem', 3, fixed),
    refinedMem,
    onMount,
  ]);
  assert.ok(result.value.equals(expected), `${result.value} equals ${expected}`);
});

test('what was checkpointed must still fit', () => {
  const less = applyCheckpointed(Resources.of([scalar('cpus', 1)]), [scalar('cpus', 2, dynamic)]);
  assert.ok(!less.ok);
  assert.match(less.error, /does not fit/);
  const odd = applyCheckpointed(Resources.of([scalar('cpus', 1)]), [scalar('cpus', 1)]);
  assert.ok(!odd.ok);
  assert.match(odd.error, /neither dynamically reserved nor a volume/);
});

test('only an agent’s own dynamic reservations and volumes are checkpointed', () => {
  assert.ok(needsCheckpoint(scalar('cpus', 1, dynamic)));
  assert.ok(needsCheckpoint(volume('v', 1, fixed)));
  assert.ok(needsCheckpoint(scalar('cpus', 1, { role: 'a', reservation: {} })));
  assert.ok(!needsCheckpoint(scalar('cpus', 1, fixed)));
  assert.ok(!needsCheckpoint(scalar('cpus', 1)));
  assert.ok(!needsCheckpoint(volume('v', 1, { provider_id: { value: 'x' } })));
});
