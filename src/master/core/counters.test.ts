import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COUNTERS, type CounterName, type Counters } from './counters.ts';
import { type Host, type Scheduler, task, uuidOf, World } from './harness.fixture.ts';

interface Stage {
  readonly world: World;
  readonly host: Host;
  readonly scheduler: Scheduler;
}

function stage(): Stage {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe({
    failover_timeout: 1e6,
    checkpoint: true,
    capabilities: [{ type: 'PARTITION_AWARE' }],
  });
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  world.launch(scheduler, offer, [task('t', offer.agent_id)]);
  return { world, host, scheduler };
}

const id = (value: string) => ({ value });
const PID = 'scheduler(1)@127.0.0.1:9000';

/** What happens, and the counters that it moves by one. */
const CASES: readonly (readonly [what: string, happens: (stage: Stage) => void, ...counters: CounterName[]])[] = [
  ['a framework comes', ({ world }) => world.subscribe(), 'messages_register_framework'],
  [
    'a framework comes back',
    ({ world, scheduler }) => world.subscribe({ id: id(scheduler.id), failover_timeout: 1e6 }),
    'messages_reregister_framework',
  ],
  ['a call for nothing', ({ world, scheduler }) => world.say(scheduler, { type: 'REVIVE' }), 'messages_revive_offers'],
  [
    'offers are suppressed',
    ({ world, scheduler }) => world.say(scheduler, { type: 'SUPPRESS' }),
    'messages_suppress_offers',
  ],
  [
    'resources are asked for',
    ({ world, scheduler }) => world.say(scheduler, { type: 'REQUEST', request: { requests: [] } }),
    'messages_resource_request',
  ],
  [
    'an offer is declined',
    ({ world, scheduler }) => world.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [] } }),
    'messages_decline_offers',
  ],
  [
    'an offer is accepted for nothing',
    ({ world, scheduler }) => world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [] } }),
    'messages_decline_offers',
  ],
  [
    'a task is killed',
    ({ world, scheduler }) => world.say(scheduler, { type: 'KILL', kill: { task_id: id('t') } }),
    'messages_kill_task',
  ],
  [
    'tasks are reconciled',
    ({ world, scheduler }) => world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [] } }),
    'messages_reconcile_tasks',
  ],
  [
    'operations are reconciled',
    ({ world, scheduler }) => world.say(scheduler, { type: 'RECONCILE_OPERATIONS', reconcile_operations: {} }),
    'messages_reconcile_operations',
  ],
  [
    'a message reaches an agent',
    ({ world, host, scheduler }) =>
      world.say(scheduler, {
        type: 'MESSAGE',
        message: { agent_id: id(host.id), executor_id: id('e'), data: new Uint8Array() },
      }),
    'messages_framework_to_executor',
    'valid_framework_to_executor_messages',
  ],
  [
    'a message reaches nobody',
    ({ world, scheduler }) =>
      world.say(scheduler, {
        type: 'MESSAGE',
        message: { agent_id: id('none'), executor_id: id('e'), data: new Uint8Array() },
      }),
    'messages_framework_to_executor',
    'invalid_framework_to_executor_messages',
  ],
  [
    'an executor speaks',
    ({ world, host, scheduler }) => executorSays(world, host.id, scheduler.id),
    'messages_executor_to_framework',
    'valid_executor_to_framework_messages',
  ],
  [
    'an executor speaks to nobody',
    ({ world, host }) => executorSays(world, host.id, 'none'),
    'messages_executor_to_framework',
    'invalid_executor_to_framework_messages',
  ],
  [
    'an executor exits',
    ({ world, host, scheduler }) =>
      world.message(host.pid, 'mesos.internal.ExitedExecutorMessage', {
        slave_id: id(host.id),
        framework_id: id(scheduler.id),
        executor_id: id('e'),
        status: 0,
      }),
    'messages_exited_executor',
  ],
  [
    'a status is told',
    ({ world, host, scheduler }) => world.update(scheduler, host, 't', 'TASK_RUNNING'),
    'messages_status_update',
    'valid_status_updates',
  ],
  [
    'a task ends',
    ({ world, host, scheduler }) => world.update(scheduler, host, 't', 'TASK_FAILED'),
    'messages_status_update',
    'valid_status_updates',
    'tasks_failed',
  ],
  [
    'a status of an unknown task is told',
    ({ world, host, scheduler }) => world.update(scheduler, host, 'none', 'TASK_RUNNING'),
    'messages_status_update',
    'invalid_status_updates',
  ],
  [
    'a status is acknowledged that nobody told',
    ({ world, host, scheduler }) => world.acknowledge(scheduler, host, 't', uuidOf('x')),
    'messages_status_update_acknowledgement',
    'invalid_status_update_acknowledgements',
  ],
  [
    'an operation is acknowledged that nobody knows',
    ({ world, host, scheduler }) =>
      world.say(scheduler, {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: { agent_id: id(host.id), uuid: uuidOf('x'), operation_id: id('o') },
      }),
    'messages_operation_status_update_acknowledgement',
    'invalid_operation_status_update_acknowledgements',
  ],
  ['an agent comes', ({ world }) => world.register(5052), 'messages_register_slave', 'slave_registrations'],
  [
    'an agent leaves',
    ({ world, host }) => world.message(host.pid, 'mesos.internal.UnregisterSlaveMessage', { slave_id: id(host.id) }),
    'messages_unregister_slave',
    'slave_removals',
    'slave_removals/reason_unregistered',
    'tasks_lost',
  ],
  [
    'an agent tells what it has',
    ({ world, host }) => world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', { slave_id: id(host.id) }),
    'messages_update_slave',
  ],
  [
    'an old driver leaves',
    ({ world }) => world.message(PID, 'mesos.internal.DeactivateFrameworkMessage', { framework_id: id('none') }),
    'messages_deactivate_framework',
  ],
];

function executorSays(world: World, agentId: string, frameworkId: string): void {
  world.message('slave(1)@127.0.0.1:5051', 'mesos.internal.ExecutorToFrameworkMessage', {
    slave_id: id(agentId),
    framework_id: id(frameworkId),
    executor_id: id('e'),
    data: new Uint8Array(),
  });
}

for (const [what, happens, ...counters] of CASES) {
  test(`counted: ${what}`, () => {
    const at = stage();
    const before: Counters = { ...at.world.state.counters };
    happens(at);
    const moved = COUNTERS.filter((name) => at.world.state.counters[name] !== before[name]);
    assert.deepEqual([...moved].sort(), [...counters].sort());
    for (const name of counters) assert.equal(at.world.state.counters[name], before[name] + 1, name);
  });
}

test('counted: an agent that cannot be reached, with its tasks', () => {
  const { world } = stage();
  world.sleep(120_000);
  const { counters, taskCounters } = world.state;
  assert.equal(counters.slave_removals, 1);
  assert.equal(counters['slave_removals/reason_unhealthy'], 1);
  assert.deepEqual([counters.slave_unreachable_scheduled, counters.slave_unreachable_completed], [1, 1]);
  assert.equal(taskCounters.get('task_unreachable/source_master/reason_agent_removed'), 1);
  assert.equal(counters.tasks_lost, 0);
});
