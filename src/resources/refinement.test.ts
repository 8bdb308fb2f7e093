import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutorInfo, Offer_Operation, Resource, TaskInfo } from '../wire/v1.ts';
import { mapOperation, mapTask, resourcesIn, upgradeOperation } from './carriers.ts';
import { downgrade, endpointForm, upgrade } from './refinement.ts';

const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };

/** The same resource in the stack form, in the old form, and as endpoints show it. */
const spellings: readonly (readonly [what: string, stack: Resource, old: Resource, endpoint: Resource])[] = [
  ['an unreserved resource', cpus, { ...cpus, role: '*' }, { ...cpus, role: '*' }],
  [
    'a static reservation',
    { ...cpus, reservations: [{ type: 'STATIC', role: 'a' }] },
    { ...cpus, role: 'a' },
    { ...cpus, role: 'a', reservations: [{ type: 'STATIC', role: 'a' }] },
  ],
  [
    'a dynamic reservation',
    { ...cpus, reservations: [{ type: 'DYNAMIC', role: 'a', principal: 'p', labels: { labels: [{ key: 'k' }] } }] },
    { ...cpus, role: 'a', reservation: { principal: 'p', labels: { labels: [{ key: 'k' }] } } },
    {
      ...cpus,
      role: 'a',
      reservation: { principal: 'p', labels: { labels: [{ key: 'k' }] } },
      reservations: [{ type: 'DYNAMIC', role: 'a', principal: 'p', labels: { labels: [{ key: 'k' }] } }],
    },
  ],
];
for (const [what, stack, old, endpoint] of spellings) {
  test(`${what} has three spellings`, () => {
    assert.deepEqual(upgrade(old), stack);
    assert.deepEqual(upgrade(endpoint), stack);
    assert.equal(upgrade(stack), stack);
    assert.deepEqual(downgrade(stack), { ok: true, value: old });
    assert.deepEqual(downgrade(old), { ok: true, value: old });
    assert.deepEqual(endpointForm(stack), endpoint);
    assert.deepEqual(endpointForm(old), endpoint);
  });
}

test('a refined reservation has no old spelling', () => {
  const refined: Resource = {
    ...cpus,
    reservations: [
      { type: 'STATIC', role: 'a' },
      { type: 'DYNAMIC', role: 'a/b' },
    ],
  };
  assert.equal(endpointForm(refined), refined);
  const old = downgrade(refined);
  assert.ok(!old.ok);
  assert.match(old.error, /'cpus'.*a, a\/b/);
});

const named = (name: string): Resource => ({ ...cpus, name, role: 'a' });
const executor: ExecutorInfo = { executor_id: { value: 'e' }, resources: [named('executor')] };
const task: TaskInfo = {
  name: 't',
  task_id: { value: 't' },
  agent_id: { value: 's' },
  resources: [named('task')],
  executor,
};
const everything: Offer_Operation = {
  type: 'LAUNCH',
  launch: { task_infos: [task] },
  launch_group: { executor, task_group: { tasks: [task] } },
  reserve: { source: [named('source')], resources: [named('reserve')] },
  unreserve: { resources: [named('unreserve')] },
  create: { volumes: [named('create')] },
  destroy: { volumes: [named('destroy')] },
  grow_volume: { volume: named('grow'), addition: named('addition') },
  shrink_volume: { volume: named('shrink'), subtract: { value: 1 } },
  create_disk: { source: named('create_disk'), target_type: 'MOUNT' },
  destroy_disk: { source: named('destroy_disk') },
};

test('every resource of an operation is reached, those of tasks and executors too', () => {
  assert.deepEqual(
    resourcesIn(everything).map(({ name }) => name),
    [
      ...['task', 'executor', 'executor', 'task', 'executor', 'source', 'reserve', 'unreserve', 'create', 'destroy'],
      ...['grow', 'addition', 'shrink', 'create_disk', 'destroy_disk'],
    ],
  );
  const upgraded = upgradeOperation(everything);
  assert.ok(upgraded.ok);
  for (const resource of resourcesIn(upgraded.value)) {
    assert.deepEqual(resource.reservations, [{ type: 'STATIC', role: 'a' }]);
    assert.equal(resource.role, undefined);
  }
});

test('an operation with a resource that is not well formed is not upgraded', () => {
  const bad: Offer_Operation = {
    type: 'LAUNCH',
    launch: { task_infos: [{ ...task, resources: [{ ...cpus, name: '' }] }] },
  };
  const upgraded = upgradeOperation(bad);
  assert.ok(!upgraded.ok);
  assert.match(upgraded.error, /LAUNCH.*'name'/);
});

test('what carries no resources stays as it is', () => {
  const bare: TaskInfo = { name: 't', task_id: { value: 't' }, agent_id: { value: 's' } };
  assert.deepEqual(mapTask(bare, upgrade), bare);
  assert.deepEqual(mapOperation({ type: 'UNKNOWN' }, upgrade), { type: 'UNKNOWN' });
});
