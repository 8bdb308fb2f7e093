import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource, Resource_DiskInfo, Resource_ReservationInfo } from '../wire/v1.ts';
import { parseResources } from './parse.ts';
import { Quantities } from './quantities.ts';
import { downgrade, endpointForm, upgrade } from './refinement.ts';
import { Resources } from './resources.ts';
import { validateResources } from './validate.ts';

/** How far apart the parts of two operands lie that must not overlap. */
type Side = 0 | 1;

const amount = (side: Side): fc.Arbitrary<Partial<Resource> & Pick<Resource, 'name' | 'type'>> =>
  fc.oneof(
    fc.record({
      name: fc.constantFrom('cpus', 'mem', 'disk'),
      type: fc.constant('SCALAR' as const),
      scalar: fc.integer({ min: 1, max: 9000 }).map((milli) => ({ value: milli / 1000 })),
    }),
    fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 5 }).map((starts) => ({
      name: 'ports',
      type: 'RANGES' as const,
      ranges: { range: starts.map((at) => ({ begin: at * 8 + side * 4, end: at * 8 + side * 4 + 3 })) },
    })),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }).map((items) => ({
      name: 'zones',
      type: 'SET' as const,
      set: { item: items.map((item) => `${item}${side}`) },
    })),
  );

const labels = fc.option(fc.constantFrom({ labels: [{ key: 'k', value: 'v' }] }, { labels: [{ key: 'k' }] }), {
  nil: undefined,
});

const stack: fc.Arbitrary<readonly Resource_ReservationInfo[] | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.record({ type: fc.constant('STATIC' as const), role: fc.constantFrom('eng', 'ops') }).map((one) => [one]),
  fc
    .record({ principal: fc.option(fc.constantFrom('p', 'q'), { nil: undefined }), labels })
    .map((rest) => [{ type: 'DYNAMIC' as const, role: 'eng', ...rest }]),
  fc.constant([
    { type: 'STATIC' as const, role: 'eng' },
    { type: 'DYNAMIC' as const, role: 'eng/build' },
  ]),
);

const disk: fc.Arbitrary<Resource_DiskInfo | undefined> = fc.constantFrom<(Resource_DiskInfo | undefined)[]>(
  undefined,
  { source: { type: 'PATH', path: { root: '/p' } } },
  { source: { type: 'MOUNT', mount: { root: '/m' } } },
  { source: { type: 'BLOCK', id: 'b' } },
  { source: { type: 'RAW', profile: 'fast' } },
  { source: { type: 'RAW', id: 'r', profile: 'fast' } },
  { persistence: { id: 'v1' }, volume: { container_path: 'data', mode: 'RW' } },
);

const resource = (side: Side): fc.Arbitrary<Resource> =>
  fc
    .record({
      base: amount(side),
      reservations: stack,
      disk,
      shared: fc.boolean(),
      revocable: fc.boolean(),
      role: fc.constantFrom(undefined, 'eng', 'ops'),
    })
    .map(({ base, reservations, disk, shared, revocable, role }) => ({
      ...base,
      ...(reservations && { reservations }),
      ...(base.name === 'disk' && disk && { disk }),
      ...(base.name === 'disk' && disk?.persistence && shared && { shared: {} }),
      ...(revocable && { revocable: {} }),
      ...(role && { allocation_info: { role } }),
    }));

const list = (side: Side) => fc.array(resource(side), { maxLength: 6 });
const bag = (side: Side = 0) => list(side).map((resources) => Resources.of(resources));

function assertEqual(a: Resources, b: Resources): void {
  assert.ok(a.equals(b), `${a} equals ${b}`);
}

test('the generated resources are valid', () => {
  fc.assert(
    fc.property(list(0), (resources) => assert.deepEqual(validateResources(resources), { ok: true, value: undefined })),
  );
});

test('adding is commutative and associative, and nothing is its neutral element', () => {
  fc.assert(
    fc.property(bag(), bag(), bag(), (a, b, c) => {
      assertEqual(a.plus(b), b.plus(a));
      assertEqual(a.plus(b).plus(c), a.plus(b.plus(c)));
      assertEqual(Resources.sum([a, b, c]), a.plus(b).plus(c));
      assertEqual(a.plus(Resources.EMPTY), a);
    }),
  );
});

test('what is added and taken away again leaves what there was, if no port or item was there twice', () => {
  fc.assert(fc.property(bag(0), bag(1), (a, b) => assertEqual(a.plus(b).minus(b), a)));
});

test('what is contained can be taken away and put back', () => {
  fc.assert(
    fc.property(bag(0), bag(1), (a, b) => {
      const whole = a.plus(b);
      assert.ok(whole.contains(a) && whole.contains(b));
      assertEqual(whole.minus(a).plus(a), whole);
    }),
  );
});

test('the order in which resources come does not matter', () => {
  fc.assert(
    fc.property(list(0), (resources) => assertEqual(Resources.of(resources), Resources.of([...resources].reverse()))),
  );
});

test('containment is a partial order', () => {
  const small = fc.array(resource(0), { maxLength: 2 }).map((resources) => Resources.of(resources));
  fc.assert(
    fc.property(small, small, small, (a, b, c) => {
      assert.ok(a.contains(a), 'reflexive');
      if (a.contains(b) && b.contains(a)) assertEqual(a, b);
      if (a.contains(b) && b.contains(c)) assert.ok(a.contains(c), 'transitive');
      const [ab, abc] = [a.plus(b), a.plus(b).plus(c)];
      assert.ok(abc.contains(ab) && ab.contains(a) && abc.contains(a), 'a chain');
    }),
    { numRuns: 1000 },
  );
});

test('equal resources have equal quantities, and quantities add up with the resources', () => {
  const unshared = (side: Side) => bag(side).map((resources) => resources.nonShared());
  fc.assert(
    fc.property(unshared(0), unshared(1), (a, b) => {
      assert.ok(a.plus(b).quantities().equals(a.quantities().plus(b.quantities())));
      assert.ok(a.plus(b).containsQuantities(a.quantities()));
    }),
  );
});

test('the wire form of resources makes the same resources again, but for the copies of what is shared', () => {
  fc.assert(
    fc.property(bag(), (a) => {
      const firm = a.nonShared();
      assertEqual(Resources.of(firm.toProto()), firm);
      assert.equal([...a].length, a.size);
    }),
  );
});

test('a part and its complement make the whole', () => {
  fc.assert(
    fc.property(bag(), (a) => {
      assertEqual(a.reserved().plus(a.unreserved()), a);
      assertEqual(a.revocable().plus(a.nonRevocable()), a);
      assertEqual(a.shared().plus(a.nonShared()), a);
      assertEqual(Resources.sum([a.unreserved(), ...a.reservations().values()]), a);
    }),
  );
});

test('allocating is undone by unallocating, and grouping by role gives back the whole', () => {
  fc.assert(
    fc.property(bag(), (a) => {
      const free = a.unallocate();
      assertEqual(free.allocate('eng').unallocate(), free);
      const both = free.allocate('eng').plus(free.allocate('ops'));
      assert.deepEqual([...both.allocations().keys()].sort(), free.isEmpty ? [] : ['eng', 'ops']);
      assertEqual(Resources.sum(both.allocations().values()), both);
    }),
  );
});

test('a reservation that is pushed can be popped', () => {
  const reservation = { type: 'DYNAMIC', role: 'eng/build/ci' } as const;
  fc.assert(
    fc.property(bag(), (a) => {
      const mine = a.allocatableTo('eng/build/ci').nonRevocable();
      assertEqual(mine.pushReservation(reservation).popReservation(), mine);
      assert.ok(mine.pushReservation(reservation).reserved('eng/build/ci').size === mine.size);
    }),
  );
});

test('what find finds is there, and is as much as was asked for', () => {
  fc.assert(
    fc.property(bag(), bag(), (a, target) => {
      const found = a.find(target);
      if (found === undefined) return;
      assert.ok(a.contains(found));
      assertEqual(found.toUnreserved(), target.toUnreserved());
    }),
  );
});

test('what is shrunk is contained in what there was, and within the limit', () => {
  fc.assert(
    fc.property(bag(), fc.nat(10000), (a, limit) => {
      const small = a.shrink((name) => (name === 'cpus' ? limit : undefined));
      assert.ok(a.contains(small));
      assert.equal(small.scalar('cpus'), Math.min(limit, a.scalar('cpus')));
      assert.equal(small.scalar('mem'), a.scalar('mem'));
    }),
  );
});

test('upgrading undoes downgrading, which only refined reservations forbid', () => {
  fc.assert(
    fc.property(resource(0), (one) => {
      const old = downgrade(one);
      assert.equal(old.ok, (one.reservations ?? []).length <= 1);
      if (old.ok) {
        assert.equal(old.value.reservations, undefined);
        assertEqual(Resources.of([upgrade(old.value)]), Resources.of([one]));
        assert.deepEqual(validateResources([old.value]), { ok: true, value: undefined });
      }
      assertEqual(Resources.of([endpointForm(one)]), Resources.of([one]));
      assert.deepEqual(validateResources([endpointForm(one)]), { ok: true, value: undefined });
    }),
  );
});

test('text says unreserved plain resources exactly', () => {
  const plain = fc.array(amount(0), { minLength: 1, maxLength: 5 }).map((resources) => Resources.of(resources));
  fc.assert(
    fc.property(plain, (a) => {
      const again = parseResources(a.toString());
      assert.ok(again.ok);
      assertEqual(again.value, a);
    }),
  );
});

test('the JSON of resources reads as the same resources', () => {
  fc.assert(
    fc.property(bag(), (a) => {
      const sayable = a.filter(
        (one) => one.reservations?.at(-1)?.type !== 'DYNAMIC' && !one.revocable && !one.disk?.persistence,
      );
      const again = parseResources(JSON.stringify(sayable.toProto()));
      assert.ok(again.ok, JSON.stringify(again));
      assertEqual(again.value, sayable);
    }),
  );
});

test('hundreds of volumes are found by an index as they are by a scan', () => {
  const volume = (id: number): Resource => ({
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 10 },
    reservations: [{ type: 'DYNAMIC', role: 'eng' }],
    disk: { persistence: { id: `v${id}` }, volume: { container_path: 'data', mode: 'RW' } },
  });
  const ids = Array.from({ length: 300 }, (_, id) => id);
  const all = Resources.of(ids.map(volume));
  const even = Resources.of(ids.filter((id) => id % 2 === 0).map(volume));
  assert.equal(all.size, 300);
  assert.ok(all.contains(even) && !even.contains(all));
  assertEqual(all.minus(even).plus(even), all);
  assert.equal(all.minus(even).contains(even), false);
  assert.ok(all.minus(all).isEmpty);
});

const quantities = fc
  .array(fc.tuple(fc.constantFrom('cpus', 'disk', 'mem', 'gpus'), fc.nat(5000)))
  .map((pairs) => Quantities.of(pairs));

test('quantities add, subtract and contain as sums do', () => {
  fc.assert(
    fc.property(quantities, quantities, quantities, (a, b, c) => {
      assert.ok(a.plus(b).equals(b.plus(a)));
      assert.ok(a.plus(b).minus(b).equals(a));
      assert.ok(a.plus(b).contains(a));
      assert.ok(a.contains(a.minus(b)));
      assert.ok(
        a
          .plus(b)
          .plus(c)
          .equals(a.plus(b.plus(c))),
      );
      if (a.contains(b) && b.contains(a)) assert.ok(a.equals(b));
      for (const name of ['cpus', 'disk', 'mem', 'gpus', 'none']) {
        assert.equal(a.minus(b).get(name), Math.max(0, a.get(name) - b.get(name)));
      }
      const read = Quantities.fromText(a.toString());
      assert.ok(read.ok && read.value.equals(a));
      assert.ok(Quantities.fromWire(a.toWire()).equals(a));
    }),
  );
});
