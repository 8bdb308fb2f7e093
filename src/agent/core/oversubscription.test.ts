import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../../wire/v1.ts';
import { MASTER, task, World } from './fake-world.ts';
import { agentMetrics } from './views/metrics.ts';

const REVOCABLE: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, revocable: {} };
const oversubscription = { resources: [REVOCABLE], interval: 15_000 };

test('an agent with an estimator tells what can be oversubscribed when it is admitted', () => {
  const world = new World({ oversubscription }).register();
  const [update] = world.sent('mesos.internal.UpdateSlaveMessage');
  assert.equal(update?.update_oversubscribed_resources, true);
  assert.deepEqual(
    update?.oversubscribed_resources?.map(({ name, scalar, revocable }) => [name, scalar?.value, revocable]),
    [['cpus', 2, {}]],
  );
  const metrics = agentMetrics(world.agent.state, 0);
  assert.deepEqual([metrics['slave/cpus_revocable_total'], metrics['slave/cpus_total']], [2, 4]);
});

test('one without an estimator says nothing of it', () => {
  const world = new World().register();
  const [update] = world.sent('mesos.internal.UpdateSlaveMessage');
  assert.equal(update?.update_oversubscribed_resources, false);
  assert.equal(update?.oversubscribed_resources, undefined);
  world.advance(60_000);
  assert.equal(world.sent('mesos.internal.UpdateSlaveMessage').length, 1);
});

test('an estimate that has not changed is not repeated, but told to the next master', () => {
  const world = new World({ oversubscription }).register();
  const allocated = { ...REVOCABLE, scalar: { value: 0.5 }, allocation_info: { role: '*' } };
  const mem = { name: 'mem', type: 'SCALAR' as const, scalar: { value: 32 }, allocation_info: { role: '*' } };
  world.run(task('t', { value: 'sleep 9' }, { resources: [allocated, mem] }));
  world.start();
  world.advance(60_000);
  assert.equal(world.sent('mesos.internal.UpdateSlaveMessage').length, 1);
  assert.equal(agentMetrics(world.agent.state, 0)['slave/cpus_revocable_used'], 0.5);
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.advance(1000);
  world.step({
    kind: 'message',
    from: MASTER,
    name: 'mesos.internal.SlaveReregisteredMessage',
    body: { slave_id: { value: 'm-S0' } },
  });
  const updates = world.sent('mesos.internal.UpdateSlaveMessage');
  assert.equal(updates.length, 2);
  assert.deepEqual(updates[1]?.oversubscribed_resources?.[0]?.scalar, { value: 2 });
});
