/** RECONCILE, row by row: what is answered about a task, judging by it and by its agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskState } from '../../wire/v1.ts';
import { type Host, type Scheduler, task, World } from './harness.fixture.ts';
import { EMPTY_REGISTRY } from './registry.ts';

interface Setting {
  readonly world: World;
  readonly aware: Scheduler;
  readonly plain: Scheduler;
}

function setUp(world = new World()): Setting {
  const aware = world.subscribe({ capabilities: [{ type: 'PARTITION_AWARE' }], checkpoint: true });
  return { world, aware, plain: world.subscribe() };
}

/** What both frameworks are told of a task that neither has: the state, or nothing. */
function verdicts({ world, aware, plain }: Setting, agentId?: string): (TaskState | undefined)[] {
  return [aware, plain].map((scheduler) => {
    const agent_id = agentId === undefined ? {} : { agent_id: { value: agentId } };
    world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 'x' }, ...agent_id }] } });
    const [update] = world.events(scheduler.stream, 'UPDATE');
    const status = update?.update?.status;
    if (status === undefined) return undefined;
    assert.equal(status.source, 'SOURCE_MASTER');
    assert.equal(status.reason, 'REASON_RECONCILIATION');
    assert.equal(status.uuid, undefined, 'nobody acknowledges it');
    assert.deepEqual(status.agent_id?.value, agentId);
    return status.state;
  });
}

function launch(world: World, scheduler: Scheduler): void {
  const [offer] = world.offers(scheduler, 1000);
  assert.ok(offer);
  world.launch(scheduler, offer, [task('t', offer.agent_id)]);
}

test('a known task: the state that the scheduler was told last, though the task may be further', () => {
  const { world, aware } = setUp();
  const host = world.register();
  launch(world, aware);
  const ask = (agentId?: string) => {
    const tasks = [{ task_id: { value: 't' }, ...(agentId !== undefined && { agent_id: { value: agentId } }) }];
    world.say(aware, { type: 'RECONCILE', reconcile: { tasks } });
    return world.states(aware).map(([, state]) => state);
  };
  assert.deepEqual(ask(), ['TASK_STAGING']);
  world.update(aware, host, 't', 'TASK_RUNNING', 'TASK_FINISHED');
  assert.deepEqual(ask(), ['TASK_RUNNING']);
  assert.deepEqual(ask('another agent'), ['TASK_RUNNING'], 'what is known of the task comes first');
  world.say(aware, { type: 'RECONCILE', reconcile: {} });
  assert.deepEqual(world.states(aware), [['t', 'TASK_RUNNING', 'REASON_RECONCILIATION']]);
});

test('an update that came while nobody listened was not told: the state before it is', () => {
  const { world, aware } = setUp();
  const host = world.register();
  launch(world, aware);
  world.update(aware, host, 't', 'TASK_RUNNING');
  const id = { value: aware.id };
  const { info } = world.state.frameworks.get(aware.id)!;
  const timeout = { ...info, failover_timeout: 60 };
  world.say(aware, { type: 'UPDATE_FRAMEWORK', update_framework: { framework_info: timeout } });
  world.step({ kind: 'streamClosed', stream: aware.stream });
  world.update(aware, host, 't', 'TASK_FINISHED');
  assert.equal(world.state.frameworks.get(aware.id)?.tasks.get('t')?.state, 'TASK_FINISHED');
  const next = world.subscribe({ ...timeout, id });
  world.say(next, { type: 'RECONCILE', reconcile: {} });
  assert.deepEqual(world.states(next), [['t', 'TASK_RUNNING', 'REASON_RECONCILIATION']]);
});

test('an agent that is expected back may know: no answer until it is here or given up', () => {
  const info = { id: { value: 'old-S1' }, hostname: 'h', port: 5051 };
  const registry = { ...EMPTY_REGISTRY, agents: [{ info }] };
  const setting = setUp(new World({ registry }));
  assert.deepEqual(verdicts(setting, 'old-S1'), [undefined, undefined]);
  assert.deepEqual(verdicts(setting), [undefined, undefined], 'any agent may have it');
  assert.deepEqual(verdicts(setting, 'other'), ['TASK_UNKNOWN', 'TASK_LOST'], 'but not one that nobody expects');
});

test('a registered agent does not have it: gone', () => {
  const setting = setUp();
  const host = setting.world.register();
  assert.deepEqual(verdicts(setting, host.id), ['TASK_GONE', 'TASK_LOST']);
});

test('an unreachable agent may have it: unreachable, since when', () => {
  const setting = setUp();
  const { world, aware } = setting;
  const host: Host = world.register();
  world.sleep(120_000);
  assert.equal(world.state.unreachable.has(host.id), true);
  assert.deepEqual(verdicts(setting, host.id), ['TASK_UNREACHABLE', 'TASK_LOST']);
  const tasks = [{ task_id: { value: 'x' }, agent_id: { value: host.id } }];
  world.say(aware, { type: 'RECONCILE', reconcile: { tasks } });
  const since = world.events(aware.stream, 'UPDATE')[0]?.update?.status.unreachable_time?.nanoseconds;
  assert.equal(since, Math.round(world.state.unreachable.get(host.id)!.time * 1e6));
});

test('an agent that an operator gave up: gone by operator', () => {
  const setting = setUp();
  const host = setting.world.register();
  setting.world.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } });
  assert.deepEqual(verdicts(setting, host.id), ['TASK_GONE_BY_OPERATOR', 'TASK_LOST']);
});

test('an agent that nobody knows, or none named: unknown', () => {
  const setting = setUp();
  setting.world.register();
  assert.deepEqual(verdicts(setting, 'never-S0'), ['TASK_UNKNOWN', 'TASK_LOST']);
  assert.deepEqual(verdicts(setting), ['TASK_UNKNOWN', 'TASK_LOST']);
});

test('an unreachable task is unknown unless its agent is named, and is not among all tasks', () => {
  const { world, aware } = setUp();
  const host = world.register();
  launch(world, aware);
  world.sleep(120_000);
  const ask = (agent: object): (TaskState | undefined)[] => {
    world.say(aware, { type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 't' }, ...agent }] } });
    return world.states(aware).map(([, state]) => state);
  };
  assert.deepEqual(ask({}), ['TASK_UNKNOWN']);
  assert.deepEqual(ask({ agent_id: { value: host.id } }), ['TASK_UNREACHABLE']);
  world.say(aware, { type: 'RECONCILE', reconcile: { tasks: [] } });
  assert.deepEqual(world.states(aware), []);
});

test('a KILL of a task that is not known is answered likewise', () => {
  const { world, aware } = setUp();
  const host = world.register();
  const kill = (agent: object): (TaskState | undefined)[] => {
    world.say(aware, { type: 'KILL', kill: { task_id: { value: 'x' }, ...agent } });
    return world.states(aware).map(([, state]) => state);
  };
  assert.deepEqual(kill({ agent_id: { value: host.id } }), ['TASK_GONE']);
  assert.deepEqual(kill({}), ['TASK_UNKNOWN']);
});

test('many answers come in slices, as the scheduler takes them, and in the order in which it asked', () => {
  const world = new World();
  const scheduler = world.subscribe({ capabilities: [{ type: 'PARTITION_AWARE' }] });
  const asked = Array.from({ length: 2_500 }, (_, at) => ({ task_id: { value: `t${at}` } }));
  const told: string[] = [];
  const slices: number[] = [];
  const take = (): boolean => {
    const updates = world.events(scheduler.stream, 'UPDATE');
    slices.push(updates.length);
    told.push(...updates.map((event) => event.update?.status.task_id.value ?? ''));
    return world.effects.some((effect) => effect.kind === 'awaitReader');
  };
  world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: asked } });
  assert.ok(take());
  world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 'last' } }] } });
  for (let more = true; more; more = take()) world.step({ kind: 'readerReady', stream: scheduler.stream });
  assert.deepEqual(told, [...asked.map(({ task_id }) => task_id.value), 'last']);
  assert.ok(Math.max(...slices) <= 1_000, `at most 1,000 at once, not ${slices}`);
});

test('a scheduler that breaks off is told nothing more', () => {
  const world = new World();
  const scheduler = world.subscribe({ failover_timeout: 60 });
  const tasks = Array.from({ length: 1_500 }, (_, at) => ({ task_id: { value: `t${at}` } }));
  world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks } });
  world.step({ kind: 'streamClosed', stream: scheduler.stream });
  const effects = world.step({ kind: 'readerReady', stream: scheduler.stream });
  assert.deepEqual(effects, []);
});
