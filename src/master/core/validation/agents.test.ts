/** What an agent may not say when it registers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../../resources/resources.ts';
import type { RegisterSlaveMessage, ReregisterSlaveMessage } from '../../../wire/internal.ts';
import type { FrameworkInfo, Task } from '../../../wire/v1.ts';
import { validateFit, validateRegistration, validateReregistration } from './agents.ts';
import { AGENT_ID, amount } from './launchpad.fixture.ts';

const { allocation_info: _, ...CPUS } = amount('cpus', 4);
const FIRST: RegisterSlaveMessage = { slave: { hostname: 'h', resources: [CPUS] }, version: '1.12.0' };
const FRAMEWORK: FrameworkInfo = { user: 'u', name: 'n', id: { value: 'f' } };
const TASK: Task = {
  name: 't',
  task_id: { value: 't' },
  framework_id: { value: 'f' },
  agent_id: AGENT_ID,
  state: 'TASK_RUNNING',
  resources: [amount('cpus', 1)],
};
const EXECUTOR = { executor_id: { value: 'e' }, framework_id: { value: 'f' } };

function first(more: Partial<RegisterSlaveMessage>): string {
  const result = validateRegistration({ ...FIRST, ...more });
  return result.ok ? 'accepted' : result.error;
}

function again(more: Partial<ReregisterSlaveMessage>): string {
  const result = validateReregistration({
    ...FIRST,
    slave: { ...FIRST.slave, id: AGENT_ID },
    frameworks: [FRAMEWORK],
    ...more,
  });
  return result.ok ? 'accepted' : result.error;
}

test('an agent is of version 1.0.0 or newer', () => {
  for (const version of [undefined, '', 'x', '1.2']) assert.match(first({ version }), /not of the form 1.2.3/);
  assert.match(first({ version: '0.28.3' }), /0.28.3 is older than 1.0.0; upgrade it/);
  for (const version of ['1.0.0', '1.12.0-rc1', '2.0.0', '10.1.0']) assert.equal(first({ version }), 'accepted');
});

test('an agent’s own resources are well formed and not allocated', () => {
  const slave = (resources: RegisterSlaveMessage['slave']['resources']) => ({ slave: { hostname: 'h', resources } });
  assert.match(first(slave([{ ...CPUS, scalar: { value: -1 } }])), /cpus/);
  assert.match(first(slave([{ ...CPUS, name: '' }])), /name/);
  assert.match(first(slave([amount('cpus', 1)])), /must not carry 'allocation_info'/);
  const checkpointed_resources = [{ ...CPUS, reservations: [{ type: 'DYNAMIC', role: 'r' }] }] as const;
  assert.match(first({ checkpointed_resources }), /'checkpointed_resources' must be empty unless/);
  assert.equal(first({ checkpointed_resources, slave: { ...FIRST.slave, checkpoint: true } }), 'accepted');
  assert.match(first({ slave: { ...FIRST.slave, id: { value: 'a/b' } } }), /agent id/);
});

test('what an agent brings back belongs together', () => {
  assert.match(again({ slave: FIRST.slave }), /'slave.id' must be set/);
  assert.equal(again({ tasks: [TASK], executor_infos: [EXECUTOR] }), 'accepted');
  assert.match(again({ frameworks: [{ ...FRAMEWORK, id: undefined }] }), /'n' has no id/);
  assert.match(again({ frameworks: [FRAMEWORK, FRAMEWORK] }), /framework f is reported twice/);
  assert.match(again({ frameworks: [{ ...FRAMEWORK, role: '/' }] }), /role/);
  assert.match(again({ executor_infos: [EXECUTOR, EXECUTOR] }), /executor f\/e is reported twice/);
  assert.match(
    again({ executor_infos: [{ ...EXECUTOR, framework_id: { value: 'g' } }] }),
    /framework that is not reported/,
  );
  assert.match(again({ executor_infos: [{ ...EXECUTOR, executor_id: { value: '' } }] }), /executor id/);
  const tasks: [Partial<Task>, RegExp][] = [
    [{ task_id: { value: '..' } }, /task id/],
    [{ agent_id: { value: 'x' } }, /belongs to another agent/],
    [{ framework_id: { value: 'g' } }, /framework that is not reported/],
    [{ executor_id: { value: 'e' } }, /runs in the executor 'e', which is not reported/],
    [{ resources: [amount('cpus', -1)] }, /task f\/t: /],
  ];
  for (const [more, reason] of tasks) assert.match(again({ tasks: [{ ...TASK, ...more }] }), reason);
  assert.match(again({ tasks: [TASK, TASK] }), /task f\/t is reported twice/);
  const ended = { ...TASK, executor_id: { value: 'e' }, state: 'TASK_FINISHED' } as const;
  assert.equal(again({ tasks: [ended] }), 'accepted', 'the executor may be gone when the task has ended');
});

test('tasks of a framework with several roles say whose share they use', () => {
  const frameworks = [{ ...FRAMEWORK, roles: ['a', 'b'], capabilities: [{ type: 'MULTI_ROLE' }] }] as const;
  assert.match(again({ frameworks, tasks: [{ ...TASK, resources: [CPUS] }] }), /need 'allocation_info.role'/);
  assert.equal(again({ tasks: [{ ...TASK, resources: [CPUS] }] }), 'accepted', 'of one role there is no doubt');
});

test('what is held there is no more than the agent has', () => {
  const held = (value: number) => Resources.of([amount('cpus', value)]);
  const fits = (value: number) => validateFit(Resources.of([CPUS]), held(value)).ok;
  assert.deepEqual([fits(4), fits(4.001)], [true, false]);
});
