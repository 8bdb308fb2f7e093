import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byProvider, labelsOf, reservedInstance } from './reserved.ts';

const UUID = '11111111-2222-1333-8444-555555555555';

test('for whom something is reserved is read from labels of all times, and only from those of this framework', () => {
  const cases: readonly [label: string, instance: string][] = [
    [`a_b.instance-${UUID}`, `a_b.instance-${UUID}`],
    [`a_b.marathon-${UUID}`, `a_b.marathon-${UUID}`],
    [`a_b.${UUID}`, `a_b.marathon-${UUID}`],
    [`a_b.instance-${UUID}._app.3`, `a_b.instance-${UUID}`],
    ['nonsense', 'nonsense'],
    ['', ''],
  ];
  for (const [label, instance] of cases) {
    const labels = { marathon_framework_id: 'f', marathon_task_id: label };
    assert.equal(reservedInstance(labels, 'f'), instance);
    assert.equal(reservedInstance(labels, 'g'), undefined);
  }
  assert.equal(reservedInstance({ marathon_framework_id: 'f' }, 'f'), undefined);
  assert.equal(reservedInstance({}, 'f'), undefined);
});

test('labels are read in both spellings of a reservation, the innermost one', () => {
  const labels = { labels: [{ key: 'a', value: '1' }, { key: 'b' }] };
  assert.deepEqual(labelsOf({ name: 'cpus', type: 'SCALAR', role: 'r', reservation: { labels } }), { a: '1', b: '' });
  const reservations = [{ role: 'r' }, { role: 'r/s', labels }];
  assert.deepEqual(labelsOf({ name: 'cpus', type: 'SCALAR', reservations }), { a: '1', b: '' });
});

test('resources of different providers go into operations of their own', () => {
  const disk = (id: number, provider?: string) =>
    ({
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: id },
      ...(provider && { provider_id: { value: provider } }),
    }) as const;
  const operations = byProvider([disk(1), disk(2, 'p'), disk(3), disk(4, 'p')], (resources) => ({
    type: 'RESERVE',
    reserve: { resources },
  }));
  assert.deepEqual(
    operations.map(({ reserve }) => reserve?.resources?.map(({ scalar }) => scalar?.value)),
    [
      [1, 3],
      [2, 4],
    ],
  );
});
