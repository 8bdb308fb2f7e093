import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAMEWORK, task, World } from './fake-world.ts';

const exited = (code: number): number => code << 8;

test('a command task goes from STARTING to RUNNING to FINISHED, one acknowledgement at a time', () => {
  const world = new World().register();
  world.run(task('t'));
  assert.deepEqual(world.states('t'), []);
  world.start(undefined, 4711);
  assert.deepEqual(world.states('t'), ['TASK_STARTING']);
  world.acknowledge();
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING']);
  world.exit(exited(0));
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING']);
  world.acknowledge();
  world.acknowledge();
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  const { status, latest_state, executor_id } = world.updates().at(-1) ?? assert.fail();
  assert.equal(latest_state, 'TASK_FINISHED');
  assert.equal(executor_id?.value, 't');
  assert.equal(status.message, 'Command exited with status 0');
  assert.equal(status.source, 'SOURCE_EXECUTOR');
  assert.equal(status.reason, undefined);
  assert.deepEqual(status.container_status, {
    container_id: { value: world.launched().containerId },
    network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] }],
    executor_pid: 4711,
  });
  assert.equal(world.agent.state.frameworks.size, 0);
  const [framework] = world.agent.state.completedFrameworks;
  const [executor] = framework?.completedExecutors ?? [];
  assert.deepEqual(
    [...(executor?.completed ?? [])].map((record) => record.task.state),
    ['TASK_FINISHED'],
  );
});

test('an update carries the newest state even while the scheduler is behind', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  world.exit(exited(0));
  world.advance(10_000);
  assert.equal(world.updates().at(-1)?.status.state, 'TASK_STARTING');
  assert.equal(world.updates().at(-1)?.latest_state, 'TASK_FINISHED');
});

test('how a command ended is told in the words of upstream', () => {
  for (const [status, state, message] of [
    [exited(3), 'TASK_FAILED', 'Command exited with status 3'],
    [exited(127), 'TASK_FAILED', 'Command exited with status 127'],
    [9, 'TASK_FAILED', 'Command terminated with signal Killed'],
    [11 | 0x80, 'TASK_FAILED', 'Command terminated with signal Segmentation fault (core dumped)'],
    [exited(0), 'TASK_FINISHED', 'Command exited with status 0'],
  ] as const) {
    const world = new World().register();
    world.run(task('t'));
    world.start();
    world.exit(status);
    world.acknowledgeAll();
    assert.deepEqual([world.updates().at(-1)?.status.state, world.updates().at(-1)?.status.message], [state, message]);
  }
});

test('a container runs the command in its sandbox, as the right user, with the variables that upstream sets', () => {
  const world = new World().register();
  world.run(
    task('t', { value: 'echo $A', environment: { variables: [{ name: 'A', value: 'b c' }] }, uris: [{ value: '/x' }] }),
  );
  const launch = world.launched();
  const directory = `/w/slaves/m-S0/frameworks/f1/executors/t/runs/${launch.containerId}`;
  assert.equal(launch.sandbox, directory);
  assert.deepEqual(launch.argv, ['sh', '-c', 'echo $A']);
  assert.equal(launch.user, 'alice');
  assert.deepEqual(launch.uris, [{ value: '/x' }]);
  assert.deepEqual(launch.links, [
    { link: '/w/slaves/m-S0/frameworks/f1/executors/t/runs/latest', target: launch.containerId },
  ]);
  assert.deepEqual(launch.resources, { cpus: 0.1, mem: 32, disk: 0, gpus: 0 });
  const expected = {
    A: 'b c',
    MESOS_FRAMEWORK_ID: 'f1',
    MESOS_EXECUTOR_ID: 't',
    MESOS_SLAVE_ID: 'm-S0',
    MESOS_SLAVE_PID: 'slave(1)@127.0.0.1:5051',
    MESOS_AGENT_ENDPOINT: '127.0.0.1:5051',
    MESOS_DIRECTORY: directory,
    MESOS_SANDBOX: directory,
    MESOS_CHECKPOINT: '0',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5secs',
    MESOS_ALLOCATION_ROLE: '*',
    LIBPROCESS_PORT: '0',
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(launch.environment[name], value, name);
});

test('a sandbox is shown under its own path and as the latest run, once it exists', () => {
  const world = new World().register();
  world.run(task('t'));
  assert.ok(!world.effects.some((effect) => effect.kind === 'attachFiles'));
  world.start();
  const { sandbox } = world.launched();
  assert.deepEqual(
    world.effects.flatMap((effect) => (effect.kind === 'attachFiles' ? [[effect.virtual, effect.real]] : [])),
    [
      [sandbox, sandbox],
      ['/frameworks/f1/executors/t/runs/latest', sandbox],
    ],
  );
});

test('a command without a shell is executed with its arguments as they are', () => {
  const world = new World().register();
  world.run(task('t', { shell: false, value: '/bin/echo', arguments: ['echo', 'a b', '$HOME'], user: 'bob' }));
  assert.equal(world.launched().file, '/bin/echo');
  assert.deepEqual(world.launched().argv, ['echo', 'a b', '$HOME']);
  assert.equal(world.launched().user, 'bob');
});

test('an agent that may not switch users runs tasks as itself', () => {
  const world = new World({ switchUser: false }).register();
  world.run(task('t', { value: 'true', user: 'bob' }));
  assert.equal(world.launched().user, undefined);
});

test('a container that cannot be launched fails its task', () => {
  const world = new World().register();
  world.run(task('t'));
  const { containerId } = world.launched();
  world.step({ kind: 'containerFailed', containerId, stage: 'launch', message: 'Failed to fetch all URIs' });
  const { status } = world.updates()[0] ?? assert.fail();
  assert.equal(status.state, 'TASK_FAILED');
  assert.equal(status.source, 'SOURCE_AGENT');
  assert.equal(status.reason, 'REASON_CONTAINER_LAUNCH_FAILED');
  assert.equal(status.message, 'Failed to launch container: Failed to fetch all URIs');
  assert.equal(status.container_status, undefined);
  world.acknowledge();
  assert.equal(world.agent.state.frameworks.size, 0);
});

test('a sandbox that cannot be made loses its task, or drops it where partitions are known', () => {
  for (const [aware, state] of [
    [false, 'TASK_LOST'],
    [true, 'TASK_DROPPED'],
  ] as const) {
    const world = new World().register();
    world.run(task('t'), { ...FRAMEWORK, ...(aware && { capabilities: [{ type: 'PARTITION_AWARE' }] }) });
    const { containerId } = world.launched();
    world.step({ kind: 'containerFailed', containerId, stage: 'sandbox', message: "No such user 'x'" });
    assert.equal(world.updates()[0]?.status.state, state);
    assert.equal(world.updates()[0]?.status.reason, 'REASON_EXECUTOR_TERMINATED');
    assert.equal(world.updates()[0]?.status.message, "No such user 'x'");
  }
});

test('a command without a value fails its task instead of the agent', () => {
  const world = new World().register();
  world.run(task('t', {}));
  assert.equal(world.updates()[0]?.status.state, 'TASK_FAILED');
  assert.match(world.updates()[0]?.status.message ?? '', /no value/);
});

test('a task that assumes resources as they were before is dropped', () => {
  const world = new World().register();
  world.receive('mesos.internal.RunTaskMessage', {
    framework: FRAMEWORK,
    task: task('t'),
    resource_version_uuids: [{ uuid: { value: new Uint8Array(16) } }],
  });
  assert.deepEqual(world.states('t'), ['TASK_LOST']);
  assert.equal(world.updates()[0]?.status.reason, 'REASON_INVALID_OFFERS');
});

test('a task id that is running here already is not launched twice', () => {
  const world = new World().register();
  world.run(task('t'));
  world.run(task('t'));
  assert.equal(world.effects.filter((effect) => effect.kind === 'launchContainer').length, 1);
});

test('the end of a framework ends its tasks, and nobody is told', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  world.acknowledgeAll();
  const before = world.updates().length;
  world.receive('mesos.internal.ShutdownFrameworkMessage', { framework_id: { value: 'f1' } });
  assert.ok(world.effects.some((effect) => effect.kind === 'killContainer' && effect.signal === 15));
  world.exit(15);
  assert.equal(world.updates().length, before);
  assert.equal(world.agent.state.frameworks.size, 0);
  assert.equal(world.agent.state.completedFrameworks.size, 1);
  assert.equal(world.agent.state.streams.size, 0);
});

test('a task that will not end with its framework is destroyed after the grace period', () => {
  const world = new World().register();
  world.run(task('t'));
  world.start();
  world.receive('mesos.internal.ShutdownFrameworkMessage', { framework_id: { value: 'f1' } });
  world.advance(5000);
  const { containerId } = world.launched();
  assert.ok(world.effects.some((effect) => effect.kind === 'destroyContainer' && effect.containerId === containerId));
});

test('sandboxes are kept for the delay, sooner given up when the disk fills', () => {
  const world = new World({ gcDelay: 1000 }).register();
  const finish = (id: string): string => {
    world.run(task(id));
    world.start();
    world.exit(0);
    world.acknowledgeAll();
    return world.launched().sandbox;
  };
  const first = finish('a');
  world.advance(850);
  assert.ok(!world.effects.some((effect) => effect.kind === 'removeDirectory'));
  world.advance(100);
  assert.ok(world.effects.some((effect) => effect.kind === 'removeDirectory' && effect.path === first));
  const second = finish('b');
  world.step({ kind: 'diskUsage', fraction: 0.95 });
  assert.ok(world.effects.some((effect) => effect.kind === 'removeDirectory' && effect.path === second));
  assert.ok(world.effects.some((effect) => effect.kind === 'detachFiles' && effect.virtual === second));
});

test('a task out of its time is stopped and fails for that reason', () => {
  const world = new World().register();
  world.run(task('t', undefined, { max_completion_time: { nanoseconds: 2e9 } }));
  world.start();
  world.acknowledgeAll();
  world.advance(2000);
  world.exit(15);
  world.acknowledgeAll();
  assert.equal(world.updates().at(-1)?.status.state, 'TASK_FAILED');
  assert.equal(world.updates().at(-1)?.status.reason, 'REASON_MAX_COMPLETION_TIME_REACHED');
});
