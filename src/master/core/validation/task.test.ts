/** What a LAUNCH may not say, input by input, and what upstream lets pass though it looks odd. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutorInfo, TaskInfo } from '../../../wire/v1.ts';
import { amount, type Launchpad, launchpad, ports, validTask, volume } from './launchpad.fixture.ts';
import { validateTask } from './task.ts';

function refusal(more: Partial<TaskInfo>, pad: Launchpad = launchpad()): string {
  const result = validateTask(validTask(more), pad);
  return result.ok ? 'accepted' : result.error;
}

function refuses(cases: readonly (readonly [Partial<TaskInfo>, RegExp])[]): void {
  for (const [more, reason] of cases) assert.match(refusal(more), reason, JSON.stringify(more));
}

function accepts(cases: readonly Partial<TaskInfo>[], pad: Launchpad = launchpad()): void {
  for (const more of cases) assert.equal(refusal(more, pad), 'accepted', JSON.stringify(more));
}

const CUSTOM: ExecutorInfo = {
  executor_id: { value: 'e' },
  framework_id: { value: 'f' },
  command: { value: 'run' },
  resources: [amount('cpus', 0.1), amount('mem', 32)],
};
const custom = (more: Partial<ExecutorInfo> = {}): Partial<TaskInfo> => ({
  command: undefined,
  executor: { ...CUSTOM, ...more },
});

test('ids that could not be folders are refused', () => {
  for (const id of ['', '.', '..', 'a/b', 'a\\b', 'a\nb', 'a\u0000b', '\u007f', 'x'.repeat(256)]) {
    assert.match(refusal({ task_id: { value: id } }), /task id/, JSON.stringify(id));
    assert.match(refusal(custom({ executor_id: { value: id } })), /executor id/, JSON.stringify(id));
  }
  accepts(['a b', 'ünï', 'x'.repeat(255), '...', '-'].map((value) => ({ task_id: { value } })));
});

test('the id of a task that is there, or that is unreachable, cannot be used again', () => {
  const pad = launchpad();
  const task = { name: 't', task_id: { value: 't' }, framework_id: { value: 'f' }, agent_id: { value: 'm-S0' } };
  pad.framework.tasks.set('t', { ...task, state: 'TASK_FINISHED' });
  assert.match(refusal({}, pad), /duplicate ID: t/);
  pad.framework.tasks.clear();
  pad.framework.unreachableTasks.set('t', { ...task, state: 'TASK_UNREACHABLE' });
  assert.match(refusal({}, pad), /unreachable task: t/);
  pad.framework.unreachableTasks.delete('t');
  pad.framework.completedTasks.push({ ...task, state: 'TASK_FINISHED' });
  assert.equal(refusal({}, pad), 'accepted', 'the past does not count');
});

test('a task is for the agent of the offers', () => {
  refuses([[{ agent_id: { value: 'm-S9' } }, /invalid agent m-S9 while agent m-S0 is expected/]]);
});

test('durations are not negative', () => {
  const past = { nanoseconds: -1 };
  refuses([
    [{ kill_policy: { grace_period: past } }, /'kill_policy.grace_period' must be non-negative/],
    [{ max_completion_time: past }, /'max_completion_time' must be non-negative/],
    [custom({ shutdown_grace_period: past }), /'shutdown_grace_period' must be non-negative/],
  ]);
  const none = { nanoseconds: 0 };
  accepts([
    { kill_policy: { grace_period: none }, max_completion_time: none },
    custom({ shutdown_grace_period: none }),
  ]);
});

test('resources are there, well formed, and of one role', () => {
  refuses([
    [{ resources: [] }, /uses no resources/],
    [{ resources: undefined }, /uses no resources/],
    [{ resources: [amount('cpus', -1)] }, /invalid resources/],
    [{ resources: [amount('cpus', Number.NaN)] }, /invalid resources/],
    [{ resources: [{ ...amount('cpus', 1), scalar: undefined }] }, /invalid resources/],
    [{ resources: [{ ...amount('cpus', 1), name: '' }] }, /invalid resources/],
    [{ resources: [{ ...amount('cpus', 1), type: 'TEXT' }] }, /invalid resources/],
    [{ resources: [amount('gpus', 0.5)] }, /gpus come whole; 0.5/],
    [{ resources: [ports(2, 1)] }, /invalid resources/],
    [{ resources: [amount('cpus', 1, 'a'), amount('mem', 1, 'b')] }, /two roles, 'a' and 'b'/],
    [{ resources: [{ ...amount('cpus', 1), allocation_info: undefined }] }, /is not allocated to a role/],
    [{ resources: [amount('cpus', 1, 'a'), amount('cpus', 1)] }, /two roles/],
    [{ resources: [amount('cpus', 1), { ...amount('cpus', 1), revocable: {} }] }, /mixes revocable/],
    [
      { resources: [{ ...amount('cpus', 1), revocable: {}, reservations: [{ type: 'DYNAMIC', role: 'r' }] }] },
      /revocable/,
    ],
    [{ resources: [{ ...amount('disk', 1), disk: {} }] }, /'disk' is empty/],
    [{ resources: [{ ...amount('disk', 1), disk: { volume: { container_path: 'p', mode: 'RW' } } }] }, /persistence/],
    [{ resources: [{ ...volume('v'), reservations: undefined }] }, /unreserved resources/],
    [{ resources: [volume('v', { revocable: {} })] }, /revocable/],
    [{ resources: [volume('v', { disk: { persistence: { id: 'v' } } })] }, /'disk.volume' must be set/],
    [{ resources: [volume('a/b')] }, /disk.persistence.id/],
    [{ resources: [volume('v'), volume('v')] }, /persistence id 'v' is used twice/i],
    [{ resources: [{ ...amount('cpus', 1), shared: {} }] }, /'shared' is only for persistent volumes/],
  ]);
  const hostPath = { persistence: { id: 'v' }, volume: { container_path: 'p', mode: 'RW', host_path: '/h' } } as const;
  assert.match(refusal({ resources: [volume('v', { disk: hostPath })] }), /host_path' must be absent/);
});

test('more than the offers hold is refused, with what is asked and what is there', () => {
  refuses([
    [{ resources: [amount('cpus', 5)] }, /cpus.*:5 required.*more than available .*cpus.*:4/],
    [{ resources: [amount('unknown', 1)] }, /unknown.*more than available/],
    [{ resources: [ports(500, 600)] }, /more than available/],
    [custom({ resources: [amount('cpus', 3.5), amount('mem', 32)] }), /more than available/],
  ]);
});

test('little is enough: upstream launches what asks for next to nothing', () => {
  accepts([
    { resources: [amount('cpus', 0.001)] },
    { resources: [amount('mem', 1)] },
    { resources: [amount('disk', 1)] },
    { resources: [{ ...amount('cpus', 1), revocable: {} }, amount('mem', 1)] },
    { command: {} },
    custom({ resources: [] }),
    custom({ resources: [amount('cpus', 0.001), amount('mem', 1)] }),
  ]);
});

test('limits are of cpus and mem, not below the request, and known to the agent', () => {
  const one = { value: 1 };
  refuses([
    [{ limits: { disk: one } }, /Only cpus and mem .* not 'disk'/],
    [{ limits: { cpus: { value: 0.5 } } }, /limit of cpus must be greater than or equal/],
    [{ limits: { mem: { value: 63 } } }, /limit of mem must be greater than or equal/],
    [{ limits: { cpus: { value: Number.NaN } } }, /limit of cpus/],
    [{ limits: { cpus: one }, resources: [amount('mem', 1)] }, /limit of cpus is specified, a request/],
    [{ limits: { mem: one }, resources: [amount('cpus', 1)] }, /limit of mem is specified, a request/],
  ]);
  accepts([{ limits: { cpus: one, mem: { value: Number.POSITIVE_INFINITY } } }]);
  assert.match(refusal({ limits: { cpus: one } }, launchpad([])), /not capable of handling task resource limits/);
});

test('a task has a command or an executor', () => {
  refuses([
    [{ command: undefined }, /at least one \(but not both\)/],
    [{ executor: CUSTOM }, /at least one \(but not both\)/],
  ]);
});

test('only tasks in groups may have limits of their own in their executor', () => {
  const share = (share_cgroups: boolean) => ({ type: 'MESOS', linux_info: { share_cgroups } }) as const;
  refuses([
    [{ container: share(false) }, /Only tasks in a task group/],
    [custom({ container: share(true) }), /cannot be set to 'true' on executor containers/],
  ]);
  accepts([{ container: share(true) }, custom({ container: share(false) })]);
});

test('an executor of a LAUNCH is custom, has a command, and is the framework’s own', () => {
  refuses([
    [custom({ type: 'DEFAULT', command: undefined }), /'ExecutorInfo.type' must be 'CUSTOM'/],
    [custom({ type: 'DEFAULT' }), /command' must not be set for 'DEFAULT'/],
    [custom({ type: 'CUSTOM', command: undefined }), /command' must be set/],
    [custom({ command: undefined }), /command' must be set/],
    [custom({ framework_id: undefined }), /framework_id' must be set/],
    [custom({ framework_id: { value: 'g' } }), /Actual: g vs Expected: f/],
    [custom({ resources: [amount('cpus', -1)] }), /Executor uses invalid resources/],
    [custom({ resources: [amount('cpus', 1, 'a'), amount('mem', 1)] }), /Invalid executor resources: .*two roles/],
    [custom({ resources: [amount('cpus', 1), { ...amount('cpus', 1), revocable: {} }] }), /Executor mixes revocable/],
    [custom({ resources: [volume('v'), volume('v')] }), /Executor uses duplicate persistence ID/],
    [custom({ resources: [volume('v', { shared: {} })] }), /should not contain shared resources/],
    [custom({ command: { environment: { variables: [{ name: 'A' }] } } }), /Executor's 'CommandInfo' is invalid/],
    [custom({ container: { type: 'DOCKER' } }), /Executor's 'ContainerInfo' is invalid/],
  ]);
});

test('an executor id that is in use on the agent comes with the same info', () => {
  const pad = launchpad();
  pad.framework.executors.set('m-S0', new Map([['e', CUSTOM]]));
  assert.match(refusal(custom({ name: 'other' }), pad), /'e' runs on the agent already with a different ExecutorInfo/);
  assert.equal(refusal(custom(), pad), 'accepted');
  const large = { resources: [amount('cpus', 4)] };
  assert.equal(refusal({ ...custom(), ...large }, pad), 'accepted', 'what runs already is not asked for again');
});

test('a task and its executor can hold what they ask for side by side', () => {
  const revocable = { ...amount('cpus', 1), revocable: {} };
  refuses([
    [{ ...custom({ resources: [revocable] }), resources: [amount('cpus', 1)] }, /mix revocable/],
    [{ ...custom({ resources: [ports(1000, 1001)] }), resources: [ports(1001, 1002)] }, /overlapping ports/],
    [{ ...custom({ resources: [volume('v')] }), resources: [volume('v')] }, /duplicate persistence ID/],
    [{ ...custom({ resources: [amount('gpus', 0.5)] }), resources: [amount('gpus', 0.5)] }, /gpus come whole/],
  ]);
  accepts([{ ...custom({ resources: [ports(1000, 1001)] }), resources: [ports(1002, 1003)] }]);
});
