import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusUpdateRecord } from '../../wire/internal.ts';
import type { ExecutorInfo, FrameworkInfo, TaskState } from '../../wire/v1.ts';
import { FRAMEWORK, MASTER, task, World } from './fake-world.ts';
import type { Recovered, RecoveredRun, RecoveredTask } from './recovered.ts';
import type { AgentOptions } from './state.ts';

const AGENT = { value: 'm-S0' };
const CAREFUL: FrameworkInfo = { ...FRAMEWORK, checkpoint: true, capabilities: [{ type: 'PARTITION_AWARE' }] };
const OWN: ExecutorInfo = { executor_id: { value: 'own' }, framework_id: { value: 'f1' }, type: 'CUSTOM' };

let number = 0;

function update(taskId: string, state: TaskState): StatusUpdateRecord {
  const uuid = new Uint8Array(16).fill(++number);
  const status = { task_id: { value: taskId }, state, uuid, timestamp: number, source: 'SOURCE_EXECUTOR' } as const;
  return {
    type: 'UPDATE',
    update: { framework_id: { value: 'f1' }, slave_id: AGENT, status, timestamp: number, uuid },
  };
}
const ACK: StatusUpdateRecord = { type: 'ACK' };

function recoveredTask(id: string, records: readonly StatusUpdateRecord[], container?: string): RecoveredTask {
  const info = task(id);
  return {
    info,
    task: { name: id, task_id: info.task_id, framework_id: { value: 'f1' }, agent_id: AGENT, state: 'TASK_STAGING' },
    launch: container === undefined ? {} : { container },
    kill: undefined,
    records,
  };
}

function run(id: string, tasks: readonly RecoveredTask[], more: Partial<RecoveredRun> = {}): RecoveredRun {
  return {
    info: { executor_id: { value: id } },
    kind: 'command',
    containerId: `c-${id}`,
    launchedAt: 0,
    modifiedAt: 0,
    isCompleted: false,
    processId: 100,
    pid: undefined,
    isHttp: false,
    tasks,
    ...more,
  };
}

function world(
  runs: readonly RecoveredRun[],
  containers: readonly string[],
  framework = CAREFUL,
  more: Partial<Recovered> = {},
  options: Partial<AgentOptions> = {},
): World {
  const recovered: Recovered = {
    info: { hostname: 'host', id: AGENT },
    drain: undefined,
    frameworks: [{ info: framework, pid: undefined, runs }],
    resources: {},
    containers: new Set(containers),
    leftovers: [],
    errors: 0,
    ...more,
  };
  return new World(options, 1, recovered);
}

function readmit(w: World): void {
  w.step({ kind: 'masterDetected', pid: MASTER });
  w.advance(1000);
  w.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: AGENT });
}

const RUNNING = (id: string) => [update(id, 'TASK_STARTING'), ACK, update(id, 'TASK_RUNNING'), ACK];

test('a task that still runs goes on without a word, and its end is told', () => {
  const w = world([run('t', [recoveredTask('t', RUNNING('t'), 'c-t')])], ['c-t']);
  w.start('c-t', 100);
  readmit(w);
  assert.deepEqual(w.states('t'), []);
  const told = w.sent('mesos.internal.ReregisterSlaveMessage').at(-1)?.tasks ?? [];
  assert.deepEqual(
    told.map(({ task_id, state }) => [task_id.value, state]),
    [['t', 'TASK_RUNNING']],
  );
  w.exit(3 << 8, 'c-t');
  assert.deepEqual(w.states('t'), ['TASK_FAILED']);
});

test('a task that was started just before the restart is told of as if there had been none', () => {
  const w = world([run('t', [recoveredTask('t', [], 'c-t')])], ['c-t']);
  readmit(w);
  w.start('c-t', 100);
  w.acknowledgeAll();
  assert.deepEqual(w.states('t'), ['TASK_STARTING', 'TASK_RUNNING']);
});

test('updates that nobody acknowledged are sent again, in their order', () => {
  const records = [update('t', 'TASK_STARTING'), update('t', 'TASK_RUNNING'), update('t', 'TASK_FINISHED')];
  const w = world([run('t', [recoveredTask('t', records, 'c-t')])], []);
  readmit(w);
  w.acknowledgeAll();
  assert.deepEqual(w.states('t'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  assert.equal(w.agent.state.frameworks.size, 0);
});

test('a task that nobody has any more is gone, one that never ran was dropped, and what is left of both is ended', () => {
  const ran = run('ran', [recoveredTask('ran', RUNNING('ran'), 'c-ran')]);
  const w = world([ran, run('new', [recoveredTask('new', [], 'c-new')])], []);
  readmit(w);
  assert.deepEqual(w.states('ran'), ['TASK_GONE']);
  assert.deepEqual(w.states('new'), ['TASK_DROPPED']);
  const reasons = w.updates().map(({ status }) => status.reason);
  assert.ok(reasons.includes('REASON_EXECUTOR_REREGISTRATION_TIMEOUT') && reasons.includes('REASON_AGENT_RESTARTED'));
  const cleared = w.effects.flatMap((effect) => (effect.kind === 'clearContainer' ? [effect.containerId] : []));
  assert.deepEqual(cleared.sort(), ['c-new', 'c-ran']);
  const kinds = w.effects.map(({ kind }) => kind);
  // What is written together is durable before what stands between is done: an agent that is killed then must not have
  // remembered the end of a container that it has not cleared.
  assert.ok(kinds.lastIndexOf('clearContainer') < kinds.indexOf('persist'), kinds.join());
});

test('a task of which the agent before had written down only a part was dropped', () => {
  const w = world([run('t', [recoveredTask('t', [])])], []);
  readmit(w);
  assert.deepEqual(w.states('t'), ['TASK_DROPPED']);
  w.acknowledgeAll();
  assert.equal(w.agent.state.frameworks.size, 0);
});

test('frameworks that know nothing of partitions hear that tasks are lost', () => {
  const w = world([run('t', [recoveredTask('t', RUNNING('t'), 'c-t')])], [], { ...CAREFUL, capabilities: [] });
  readmit(w);
  assert.deepEqual(w.states('t'), ['TASK_LOST']);
});

test('a kill that was under way is taken up again', () => {
  const records = [...RUNNING('t'), update('t', 'TASK_KILLING'), ACK];
  const w = world([run('t', [recoveredTask('t', records, 'c-t')])], ['c-t']);
  readmit(w);
  w.start('c-t', 100);
  assert.ok(w.effects.some((effect) => effect.kind === 'killContainer' && effect.containerId === 'c-t'));
  w.exit(15, 'c-t');
  w.acknowledgeAll();
  assert.equal(w.states('t').at(-1), 'TASK_KILLED');
});

const OLD_DRIVER = 'executor(1)@127.0.0.1:9000';
const custom = (records: readonly StatusUpdateRecord[], more: Partial<RecoveredRun>): RecoveredRun =>
  run('own', [recoveredTask('t', records)], { info: OWN, kind: 'custom', ...more });

test('an executor of version 0 is called, and nothing is registered before it has answered', () => {
  const w = world([custom(RUNNING('t'), { pid: OLD_DRIVER })], ['c-own']);
  assert.equal(w.sent('mesos.internal.ReconnectExecutorMessage').length, 1);
  w.step({ kind: 'masterDetected', pid: MASTER });
  w.advance(1500);
  assert.equal(w.sent('mesos.internal.ReregisterSlaveMessage').length, 0);
  const finished = update('t', 'TASK_FINISHED').update!;
  const message = { executor_id: OWN.executor_id, framework_id: { value: 'f1' }, updates: [finished] };
  w.receive('mesos.internal.ReregisterExecutorMessage', message, OLD_DRIVER);
  assert.equal(w.sent('mesos.internal.ExecutorReregisteredMessage').length, 1);
  w.advance(100);
  assert.ok(w.sent('mesos.internal.ReregisterSlaveMessage').length > 0);
  w.receive('mesos.internal.SlaveReregisteredMessage', { slave_id: AGENT });
  assert.deepEqual(w.states('t'), ['TASK_FINISHED']);
});

test('what an executor does not know of was lost on the way to it', () => {
  const w = world([custom([], { pid: OLD_DRIVER })], ['c-own']);
  const message = { executor_id: OWN.executor_id, framework_id: { value: 'f1' } };
  w.receive('mesos.internal.ReregisterExecutorMessage', message, OLD_DRIVER);
  readmit(w);
  assert.deepEqual(w.states('t'), ['TASK_DROPPED']);
});

test('an executor that does not come back in time is ended', () => {
  const w = world([custom(RUNNING('t'), { isHttp: true })], ['c-own']);
  w.advance(2000);
  assert.ok(w.effects.some((effect) => effect.kind === 'destroyContainer' && effect.containerId === 'c-own'));
  w.exit(9, 'c-own');
  readmit(w);
  assert.deepEqual(w.states('t'), ['TASK_GONE']);
  assert.match(w.updates().at(-1)?.status.message ?? '', /did not reregister within 2secs/);
});

test('an executor that ends before it has introduced itself again is not waited for', () => {
  for (const more of [{ isHttp: true }, { pid: OLD_DRIVER }]) {
    const w = world([custom(RUNNING('t'), more)], ['c-own']);
    w.exit(1 << 8, 'c-own');
    readmit(w);
    assert.equal(w.agent.state.phase, 'running');
    assert.deepEqual(w.states('t'), ['TASK_FAILED']);
    assert.match(w.updates().at(-1)?.status.message ?? '', /Executor/);
  }
});

const WALL = 1_700_000_000_000;
const killed = (id: string, kill: RecoveredTask['kill']): RecoveredRun =>
  run(id, [{ ...recoveredTask(id, RUNNING(id), `c-${id}`), kill }]);
const signals = (w: World): number[] =>
  w.effects.flatMap((effect) => (effect.kind === 'killContainer' ? [effect.signal] : []));

test('a kill is remembered before the first signal, and taken up where the agent before had left it', () => {
  const first = new World().register();
  first.run(task('t'), CAREFUL);
  first.start();
  first.fresh();
  first.kill('t');
  const kinds = first.fresh().map((effect) => (effect.kind === 'persist' ? effect.operation.path : effect.kind));
  const remembered = kinds.findIndex((kind) => kind.endsWith('/tasks/t/meseta.kill'));
  assert.ok(remembered >= 0 && remembered < kinds.indexOf('killContainer'), kinds.join());

  const w = world([killed('t', { startedAt: WALL - 2000, deadline: WALL + 1000 })], ['c-t']);
  w.start('c-t', 100);
  assert.deepEqual(signals(w), [15]);
  w.advance(1000);
  assert.deepEqual(signals(w), [15, 9]);
  readmit(w);
  w.exit(9, 'c-t');
  assert.deepEqual(w.states('t'), ['TASK_KILLED']);
});

test('a task that was being ended and has ended while the agent was away was killed, or what it was ended for', () => {
  const timedOut = { state: 'TASK_FAILED', reason: 'REASON_MAX_COMPLETION_TIME_REACHED' } as const;
  const kill = { startedAt: WALL - 2000, deadline: WALL - 1000 };
  const w = world([killed('a', kill), killed('b', { ...kill, verdict: timedOut })], ['c-a', 'c-b']);
  readmit(w);
  for (const id of ['c-a', 'c-b']) {
    w.start(id, 100);
    w.exit(15, id);
  }
  assert.deepEqual([w.states('a'), w.states('b')], [['TASK_KILLED'], ['TASK_FAILED']]);
  assert.equal(w.updates().at(-1)?.status.reason, timedOut.reason);
});

test('a drain goes on after a restart, for tasks of built-in executors and of those that come back', () => {
  const drain = { max_grace_period: { nanoseconds: 1e9 } };
  const runs = [run('t', [recoveredTask('t', RUNNING('t'), 'c-t')]), custom(RUNNING('u'), { pid: OLD_DRIVER })];
  const w = world(runs, ['c-t', 'c-own'], CAREFUL, { drain });
  w.start('c-t', 100);
  w.advance(1000);
  assert.deepEqual(signals(w), [15, 9]);
  const message = { executor_id: OWN.executor_id, framework_id: { value: 'f1' } };
  w.receive('mesos.internal.ReregisterExecutorMessage', message, OLD_DRIVER);
  assert.deepEqual(
    w.sent('mesos.internal.KillTaskMessage').map(({ task_id, kill_policy }) => [task_id.value, kill_policy]),
    [['t', { grace_period: { nanoseconds: 1e9 } }]],
  );
});

test('an executor of version 0 is called again and again if that is wanted, and may answer more than once', () => {
  const options = { executorReregistrationRetryInterval: 300 };
  const w = world([custom(RUNNING('t'), { pid: OLD_DRIVER })], ['c-own'], CAREFUL, {}, options);
  w.advance(1000);
  assert.equal(w.sent('mesos.internal.ReconnectExecutorMessage').length, 4);
  const message = { executor_id: OWN.executor_id, framework_id: { value: 'f1' } };
  for (let i = 0; i < 2; i++) w.receive('mesos.internal.ReregisterExecutorMessage', message, OLD_DRIVER);
  w.advance(1000);
  assert.equal(w.sent('mesos.internal.ReconnectExecutorMessage').length, 4);
  assert.equal(w.sent('mesos.internal.ExecutorReregisteredMessage').length, 1);
  assert.equal(w.sent('mesos.internal.ShutdownExecutorMessage').length, 0);
  const stranger = 'executor(1)@127.0.0.1:9001';
  w.receive('mesos.internal.ReregisterExecutorMessage', message, stranger);
  assert.equal(w.sent('mesos.internal.ShutdownExecutorMessage').length, 1);
});

test('an executor that had not introduced itself before the restart gets its tasks when it does', () => {
  const w = world([custom([], {})], ['c-own']);
  readmit(w);
  w.receive(
    'mesos.internal.RegisterExecutorMessage',
    { framework_id: { value: 'f1' }, executor_id: OWN.executor_id },
    OLD_DRIVER,
  );
  assert.deepEqual(
    w.sent('mesos.internal.RunTaskMessage').map((message) => message.task.task_id.value),
    ['t'],
  );
});

test('a version 1 executor tells what it could not tell before, once, and loses what it never got', () => {
  const w = world(
    [
      run('own', [recoveredTask('t', RUNNING('t')), recoveredTask('lost', [])], {
        info: OWN,
        kind: 'custom',
        isHttp: true,
      }),
    ],
    ['c-own'],
  );
  const finished = update('t', 'TASK_FINISHED').update!.status;
  const subscribe = (): unknown =>
    w.step({
      kind: 'executorCall',
      stream: 7,
      call: {
        type: 'SUBSCRIBE',
        framework_id: { value: 'f1' },
        executor_id: OWN.executor_id,
        subscribe: {
          unacknowledged_tasks: [task('t')],
          unacknowledged_updates: [{ status: finished }, { status: finished }],
        },
      },
    });
  subscribe();
  subscribe();
  readmit(w);
  w.acknowledgeAll();
  assert.deepEqual([w.states('t'), w.states('lost')], [['TASK_FINISHED'], ['TASK_DROPPED']]);
});

test('--recover=cleanup waits for executors that are to come back, and ends them and then itself', () => {
  const recovered: Recovered = {
    info: { hostname: 'host', id: AGENT },
    drain: undefined,
    frameworks: [{ info: CAREFUL, pid: undefined, runs: [custom(RUNNING('t'), { isHttp: true })] }],
    resources: {},
    containers: new Set(['c-own']),
    leftovers: [],
    errors: 0,
  };
  const w = new World({}, 1, recovered, true);
  const destroyed = (): boolean => w.effects.some((effect) => effect.kind === 'destroyContainer');
  assert.equal(destroyed(), false);
  w.step({
    kind: 'executorCall',
    stream: 7,
    call: { type: 'SUBSCRIBE', framework_id: { value: 'f1' }, executor_id: OWN.executor_id, subscribe: {} },
  });
  assert.ok(w.effects.some((effect) => effect.kind === 'executorEvent' && effect.event.type === 'SHUTDOWN'));
  w.advance(5000);
  assert.equal(destroyed(), true);
  w.exit(9, 'c-own');
  assert.ok(w.effects.some((effect) => effect.kind === 'terminate' && effect.status === 0));
});

test('--recover=cleanup without anything to clean up ends at once', () => {
  const recovered = { info: undefined, drain: undefined, frameworks: [], resources: {}, leftovers: [], errors: 0 };
  const w = new World({}, 1, { ...recovered, containers: new Set() }, true);
  assert.ok(w.effects.some((effect) => effect.kind === 'terminate' && effect.status === 0));
});

test('what was over before the restart is collected by its age, the oldest first, with what is around it', () => {
  const day = 86_400_000;
  const over = (id: string, days: number): RecoveredRun =>
    run(id, [recoveredTask(id, [...RUNNING(id), update(id, 'TASK_FINISHED'), ACK], `c-${id}`)], {
      isCompleted: true,
      modifiedAt: WALL - days * day,
    });
  const leftovers = [
    { path: '/w/slaves/old', modifiedAt: WALL },
    { path: '/w/slaves/older', modifiedAt: WALL - 3 * day },
  ];
  const living = run('t', [recoveredTask('t', RUNNING('t'), 'c-t')]);
  const w = world([over('a', 1), over('b', 5), living], ['c-t'], CAREFUL, { leftovers }, { gcDiskHeadroom: 0 });
  w.start('c-t', 100);
  const removed = (): string[] =>
    w.effects.flatMap((effect) =>
      effect.kind === 'removeDirectory' ? [effect.path.replace('/frameworks/f1', '')] : [],
    );
  const of = (id: string): string[] => [
    `/w/slaves/m-S0/executors/${id}/runs/c-${id}`,
    `/w/meta/slaves/m-S0/executors/${id}/runs/c-${id}`,
    `/w/slaves/m-S0/executors/${id}`,
    `/w/meta/slaves/m-S0/executors/${id}`,
  ];
  w.advance(2 * day - 1);
  assert.deepEqual(removed(), []);
  w.advance(1);
  assert.deepEqual(removed(), of('b'));
  w.advance(2 * day);
  assert.deepEqual(removed(), [...of('b'), '/w/slaves/older']);
  w.advance(2 * day);
  assert.deepEqual(removed(), [...of('b'), '/w/slaves/older', ...of('a')]);
  // A disk that fills up makes the rest go earlier.
  w.step({ kind: 'diskUsage', fraction: 1 });
  assert.equal(removed().at(-1), '/w/slaves/old');
  assert.equal(w.agent.state.garbage.size, 0);
});

test('a task that was over is history, and its end is told to whoever asks', () => {
  const end = run('t', [recoveredTask('t', [...RUNNING('t'), update('t', 'TASK_FAILED')], 'c-t')], {
    isCompleted: true,
  });
  const w = world([end], []);
  readmit(w);
  assert.deepEqual([w.states('t'), w.agent.state.streams.size, w.agent.state.frameworks.size], [[], 0, 0]);
  const ask = { framework_id: { value: 'f1' }, framework: CAREFUL, statuses: [{ task_id: { value: 't' } }] };
  const statuses = ask.statuses.map((status) => ({ ...status, state: 'TASK_RUNNING' as const }));
  w.receive('mesos.internal.SlaveReregisteredMessage', {
    slave_id: AGENT,
    reconciliations: [{ ...ask, statuses }],
  });
  assert.deepEqual(w.states('t'), ['TASK_FAILED']);
});

test('a new agent on a machine of before has its reservations, and nothing else of it', () => {
  const reservation = { type: 'DYNAMIC', role: 'ads', principal: 'p' } as const;
  const reserved = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, reservations: [reservation] } as const;
  const w = world([], [], CAREFUL, { info: undefined, frameworks: [], resources: { resources: [reserved] } });
  w.step({ kind: 'masterDetected', pid: MASTER });
  w.advance(1000);
  const [registration] = w.sent('mesos.internal.RegisterSlaveMessage');
  assert.deepEqual(
    registration?.checkpointed_resources?.map(({ reservations }) => reservations?.[0]?.role),
    ['ads'],
  );
  assert.equal(w.agent.state.info.id, undefined);
});

test('the launcher is not told to forget how a task ended before that is written down', () => {
  const w = new World().register();
  w.run(task('t'), CAREFUL);
  w.start();
  w.fresh();
  w.exit(0);
  const kinds = w.fresh().map((effect) => (effect.kind === 'persist' ? effect.operation.path : effect.kind));
  const written = kinds.findIndex((kind) => kind.endsWith('/task.updates'));
  assert.ok(written >= 0 && written < kinds.indexOf('destroyContainer'), kinds.join());
});

test('a task that was only half written down when the agent was killed was dropped', () => {
  const group = run('group', [recoveredTask('u', [])], { kind: 'default' });
  const w = world([run('t', [recoveredTask('t', [])]), group], []);
  readmit(w);
  w.acknowledgeAll();
  assert.deepEqual([w.states('t'), w.states('u')], [['TASK_DROPPED'], ['TASK_DROPPED']]);
  assert.equal(w.agent.state.frameworks.size, 0);
});
