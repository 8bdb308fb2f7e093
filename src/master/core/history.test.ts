/** What agents that register again with a new master tell of the past. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Archive_Framework, ReregisterSlaveMessage } from '../../wire/internal.ts';
import { Pool } from '../../wire/pool.ts';
import type { AgentInfo, FrameworkInfo, Task } from '../../wire/v1.ts';
import { World } from './harness.fixture.ts';
import { EMPTY_REGISTRY } from './registry.ts';
import { readReregistration } from './reregistration.ts';

const FRAMEWORK: FrameworkInfo = {
  user: 'root',
  name: 'f',
  id: { value: 'f' },
  roles: ['*'],
  capabilities: [{ type: 'MULTI_ROLE' }],
};

function agent(name: string): AgentInfo {
  return { id: { value: name }, hostname: name, resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 4 } }] };
}

function ended(id: string, framework = 'f'): Task {
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: framework },
    agent_id: { value: 'a' },
    state: 'TASK_FINISHED',
    resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, role: '*', allocation_info: { role: '*' } }],
  };
}

/** A master that knows the agents `a` and `b` from its registry. */
function elected(maxCompletedTasksPerFramework = 1000): World {
  const agents = ['a', 'b'].map((name) => ({ info: agent(name) }));
  return new World({ registry: { ...EMPTY_REGISTRY, agents }, maxCompletedTasksPerFramework });
}

/** The agent comes back, over the wire. */
function comeBack(world: World, name: string, ...completed_frameworks: Archive_Framework[]): void {
  const bytes = ReregisterSlaveMessage.encode({
    slave: agent(name),
    version: '1.12.0',
    agent_capabilities: [{ type: 'MULTI_ROLE' }],
    frameworks: [FRAMEWORK],
    completed_frameworks,
  });
  const body = readReregistration(bytes, new Pool());
  assert.ok(body.ok);
  const from = `slave(1)@127.0.0.1:${name === 'a' ? 1000 : 1001}`;
  world.step({ kind: 'message', from, to: 'master', name: 'mesos.internal.ReregisterSlaveMessage', body: body.value });
}

function remembered(world: World): string[] {
  return [...(world.state.frameworks.get('f')?.completedTasks ?? [])].map((task) => task.task_id.value);
}

test('ended tasks of a framework that lives on are remembered, in the form that this master keeps', () => {
  const world = elected();
  comeBack(world, 'a', { framework_info: FRAMEWORK, tasks: [ended('1'), ended('2')] });
  assert.deepEqual(remembered(world), ['1', '2']);
  const [task] = world.state.frameworks.get('f')?.completedTasks ?? [];
  assert.deepEqual(task?.resources?.[0], {
    name: 'cpus',
    type: 'SCALAR',
    scalar: { value: 1 },
    allocation_info: { role: '*' },
  });
});

test('they do not push out what is remembered already', () => {
  const world = elected(3);
  comeBack(world, 'a', { framework_info: FRAMEWORK, tasks: [ended('1'), ended('2')] });
  comeBack(world, 'b', { framework_info: FRAMEWORK, tasks: [ended('3'), ended('4')] });
  assert.deepEqual(remembered(world), ['1', '2', '3']);
});

test('of frameworks that nobody knows, and of strangers among the tasks, nothing is kept', () => {
  const world = elected();
  const unknown = { ...FRAMEWORK, id: { value: 'g' } };
  comeBack(
    world,
    'a',
    { framework_info: unknown, tasks: [ended('1', 'g')] },
    { framework_info: FRAMEWORK, tasks: [ended('2', 'g')] },
  );
  assert.deepEqual([remembered(world), world.state.frameworks.size, world.state.agents.size], [[], 1, 1]);
});

test('an agent that this master had before does not tell its past twice', () => {
  const world = elected();
  comeBack(world, 'a', { framework_info: FRAMEWORK, tasks: [ended('1')] });
  comeBack(world, 'a', { framework_info: FRAMEWORK, tasks: [ended('1')] });
  assert.deepEqual(remembered(world), ['1']);
});

test('history that makes no sense is passed over', () => {
  const world = elected();
  const archives = [Uint8Array.from([0]), Uint8Array.from([26, 200])];
  const body = { slave: agent('a'), version: '1.12.0', frameworks: [FRAMEWORK], archives };
  world.step({
    kind: 'message',
    from: 'slave(1)@127.0.0.1:1000',
    to: 'master',
    name: 'mesos.internal.ReregisterSlaveMessage',
    body,
  });
  assert.deepEqual([world.state.agents.size, remembered(world)], [1, []]);
});

test('the registry is written for agents that come back only when it says something else of them', () => {
  const world = elected();
  world.autoCommit = false;
  comeBack(world, 'a');
  assert.deepEqual([world.state.agents.size, world.state.recovered.size], [1, 1], 'at once');
  const body = { slave: { ...agent('b'), hostname: 'c' }, version: '1.12.0' };
  const from = 'slave(1)@127.0.0.1:1001';
  const effects = world.step({
    kind: 'message',
    from,
    to: 'master',
    name: 'mesos.internal.ReregisterSlaveMessage',
    body,
  });
  assert.deepEqual(
    effects.flatMap((effect) => (effect.kind === 'commit' ? [effect.operation.type] : [])),
    ['UPDATE_AGENT'],
  );
  assert.equal(world.state.agents.size, 1);
  world.commitAll();
  assert.equal(world.state.agents.get('b')?.info.hostname, 'c');
});
