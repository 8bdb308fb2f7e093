import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusUpdateRecord } from '../../wire/internal.ts';
import type { ExecutorInfo, FrameworkInfo, TaskState } from '../../wire/v1.ts';
import { FRAMEWORK, MASTER, task, World } from './fake-world.ts';
import type { Recovered, RecoveredRun, RecoveredTask } from './recovered.ts';

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

function world(runs: readonly RecoveredRun[], containers: readonly string[], framework = CAREFUL): World {
  const recovered: Recovered = {
    info: { hostname: 'host', id: AGENT },
    drain: undefined,
    frameworks: [{ info: framework, pid: undefined, runs }],
    resources: {},
    containers: new Set(containers),
    leftovers: [],
    errors: 0,
  };
  return new World({}, 1, recovered);
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
