import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer, Offer_Operation, TaskInfo } from '../../wire/v1.ts';
import { executor, type Host, type Scheduler, scalar, task, World } from './harness.fixture.ts';

function setUp(): { world: World; host: Host; scheduler: Scheduler; offer: Offer } {
  const world = new World();
  const resources = [scalar('cpus', 4), scalar('mem', 4096), scalar('disk', 1000)];
  const host = world.register(5051, resources);
  const scheduler = world.subscribe();
  const [offer] = world.offers(scheduler, 1);
  assert.ok(offer);
  return { world, host, scheduler, offer };
}

function own(id: string, offer: Offer, executorId = 'e'): TaskInfo {
  return task(id, offer.agent_id, { command: undefined, executor: executor(executorId) });
}

test('two tasks of one executor hold its resources once', () => {
  const { world, host, scheduler, offer } = setUp();
  world.launch(scheduler, offer, [own('a', offer), own('b', offer)]);
  const runs = world.sent('mesos.internal.RunTaskMessage');
  assert.deepEqual(
    runs.map((run) => run.launch_executor),
    [true, false],
  );
  assert.equal(runs[0]?.task.executor?.framework_id?.value, scheduler.id, 'the master says whose the executor is');
  assert.equal(world.state.agents.get(host.id)?.used.scalar('cpus'), 2500);
  const next = world.offers(scheduler, 1000)[0];
  assert.deepEqual(next?.executor_ids, [{ value: 'e' }]);
});

test('an executor id that runs already must come with the same ExecutorInfo', () => {
  const { world, scheduler, offer } = setUp();
  const other = { ...own('b', offer), executor: executor('e', { command: { value: 'other' } }) };
  world.launch(scheduler, offer, [own('a', offer), other]);
  assert.deepEqual(world.states(scheduler), [['b', 'TASK_ERROR', 'REASON_TASK_INVALID']]);
});

test('when an executor exits its resources are free and the scheduler hears of it', () => {
  const { world, host, scheduler, offer } = setUp();
  world.launch(scheduler, offer, [own('a', offer)]);
  const exit = {
    slave_id: { value: host.id },
    framework_id: { value: scheduler.id },
    executor_id: { value: 'e' },
    status: 9,
  };
  world.message(host.pid, 'mesos.internal.ExitedExecutorMessage', exit);
  const [failure] = world.events(scheduler.stream, 'FAILURE');
  assert.deepEqual(failure?.failure, { agent_id: { value: host.id }, executor_id: { value: 'e' }, status: 9 });
  assert.equal(world.state.agents.get(host.id)?.used.scalar('cpus'), 1000, 'the task is not over yet');
});

test('messages travel between scheduler and executor, and are dropped where nobody is', () => {
  const { world, host, scheduler } = setUp();
  const data = new Uint8Array([1, 2]);
  const to = { executor_id: { value: 'e' }, data };
  world.say(scheduler, { type: 'MESSAGE', message: { ...to, agent_id: { value: host.id } } });
  assert.deepEqual(world.sent('mesos.internal.FrameworkToExecutorMessage', host.pid)[0]?.data, data);
  world.say(scheduler, { type: 'MESSAGE', message: { ...to, agent_id: { value: 'none' } } });
  assert.equal(world.state.counters.invalid_framework_to_executor_messages, 1);
  const back = { slave_id: { value: host.id }, framework_id: { value: scheduler.id }, ...to };
  world.message(host.pid, 'mesos.internal.ExecutorToFrameworkMessage', back);
  assert.deepEqual(world.events(scheduler.stream, 'MESSAGE')[0]?.message?.data, data);
  world.message(host.pid, 'mesos.internal.ExecutorToFrameworkMessage', { ...back, framework_id: { value: 'none' } });
  assert.equal(world.state.counters.invalid_executor_to_framework_messages, 1);
});

test('SHUTDOWN goes to the agent of the executor, if there is one', () => {
  const { world, host, scheduler } = setUp();
  const shutdown = { executor_id: { value: 'e' }, agent_id: { value: host.id } };
  world.say(scheduler, { type: 'SHUTDOWN', shutdown });
  assert.equal(world.sent('mesos.internal.ShutdownExecutorMessage', host.pid).length, 1);
  assert.equal(world.say(scheduler, { type: 'SHUTDOWN', shutdown: { ...shutdown, agent_id: { value: 'x' } } }), 202);
});

function group(scheduler: Scheduler, tasks: readonly TaskInfo[], more: object = {}): Offer_Operation {
  const resources = [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 10)];
  const runner = {
    type: 'DEFAULT' as const,
    executor_id: { value: 'd' },
    framework_id: { value: scheduler.id },
    resources,
    ...more,
  };
  return { type: 'LAUNCH_GROUP', launch_group: { executor: runner, task_group: { tasks } } };
}

test('a task group is launched as a whole under its executor', () => {
  const { world, host, scheduler, offer } = setUp();
  const operations = [group(scheduler, [task('a', offer.agent_id), task('b', offer.agent_id)])];
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [offer.id], operations } });
  const [run] = world.sent('mesos.internal.RunTaskGroupMessage', host.pid);
  assert.equal(run?.task_group.tasks?.length, 2);
  assert.equal(run?.launch_executor, true);
  assert.equal(run?.task_group.tasks?.[0]?.executor?.executor_id.value, 'd');
  assert.equal(world.state.agents.get(host.id)?.used.scalar('cpus'), 2100);
});

test('one bad task, or a bad executor, refuses the whole group', () => {
  const { world, scheduler, offer } = setUp();
  const good = task('g', offer.agent_id);
  const tooSmall = [scalar('cpus', 0.001), scalar('mem', 1)];
  const docker = { container: { type: 'DOCKER', docker: { image: 'x' } } } as const;
  const bad: Offer_Operation[] = [
    group(scheduler, [good, task('g/2', offer.agent_id)]),
    group(scheduler, [good, good]),
    group(scheduler, [{ ...good, ...docker }]),
    group(scheduler, [good], { framework_id: undefined }),
    group(scheduler, [good], { resources: tooSmall }),
    group(scheduler, [good], docker),
    group(scheduler, [good], { command: { value: 'x' } }),
    group(scheduler, [{ ...good, limits: { cpus: { value: 2 } } }]),
    group(scheduler, [{ ...good, resources: [scalar('cpus', 100)] }]),
  ];
  world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [offer.id], operations: bad } });
  assert.equal(world.sent('mesos.internal.RunTaskGroupMessage').length, 0);
  const reasons = new Set(world.states(scheduler).map(([, state, reason]) => `${state} ${reason}`));
  assert.deepEqual([...reasons], ['TASK_ERROR REASON_TASK_GROUP_INVALID']);
  assert.equal(world.states(scheduler).length, bad.length + 2);
});
