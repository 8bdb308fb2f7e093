/** What a LAUNCH_GROUP may not say, input by input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutorInfo, TaskInfo } from '../../../wire/v1.ts';
import { validateGroup } from './group.ts';
import { AGENT_ID, amount, type Launchpad, launchpad, ports, validTask, volume } from './launchpad.fixture.ts';

const EXECUTOR: ExecutorInfo = {
  type: 'DEFAULT',
  executor_id: { value: 'e' },
  framework_id: { value: 'f' },
  resources: [amount('cpus', 0.1), amount('mem', 32), amount('disk', 10)],
};
const sharing = (share_cgroups: boolean) => ({ type: 'MESOS', linux_info: { share_cgroups } }) as const;

interface Group {
  /** Laid over each of the tasks; as many as there are here. */
  readonly tasks?: readonly Partial<TaskInfo>[];
  readonly executor?: Partial<ExecutorInfo>;
  readonly pad?: Launchpad;
}

function refusal({ tasks = [{}], executor = {}, pad = launchpad() }: Group): string {
  const runner = { ...EXECUTOR, ...executor };
  const list = tasks.map((more, i) => validTask({ task_id: { value: `t${i}` }, executor: runner, ...more }));
  const result = validateGroup(list, runner, pad);
  return result.ok ? 'accepted' : result.error;
}

test('every rule for a task holds for the members of a group, and the member is named', () => {
  const cases: [Partial<TaskInfo>, RegExp][] = [
    [{ task_id: { value: 'a/b' } }, /Task 'a\/b' is invalid: task id/],
    [{ agent_id: { value: 'x' } }, /Task 't1' is invalid: .*agent x/],
    [{ resources: [] }, /Task 't1' is invalid: Task uses no resources/],
    [{ kill_policy: { grace_period: { nanoseconds: -1 } } }, /kill_policy/],
    [{ task_id: { value: 't0' } }, /Task 't0' is in the group twice/],
    [{ executor: undefined }, /'TaskInfo.executor' must be set/],
    [{ executor: { ...EXECUTOR, name: 'x' } }, /different/],
    [{ container: { type: 'DOCKER', docker: { image: 'i' } } }, /Docker ContainerInfo is not supported on the task/],
    [{ limits: { cpus: { value: 2 } } }, /need 'share_cgroups' set to 'false'/],
  ];
  for (const [more, reason] of cases) assert.match(refusal({ tasks: [{}, more] }), reason, JSON.stringify(more));
});

test('a member on a network of its own cannot be probed over the parent’s', () => {
  const container = { type: 'MESOS', network_infos: [{}] } as const;
  const http = { type: 'HTTP', http: { port: 1 } } as const;
  const command = { type: 'COMMAND', command: { value: 'x' } } as const;
  assert.match(refusal({ tasks: [{ container, health_check: http }] }), /HTTP and TCP health checks/);
  assert.match(refusal({ tasks: [{ container, health_check: { type: 'TCP', tcp: { port: 1 } } }] }), /HTTP and TCP/);
  assert.equal(refusal({ tasks: [{ container, health_check: command }] }), 'accepted');
  assert.equal(refusal({ tasks: [{ health_check: http }] }), 'accepted');
});

test('the executor of a group says its type and whose it is, and runs no Docker container', () => {
  const cases: [Partial<ExecutorInfo>, RegExp][] = [
    [{ type: undefined }, /'ExecutorInfo.type' must be set/],
    [{ type: 'UNKNOWN' }, /Unknown executor type; use 'DEFAULT' or 'CUSTOM'/],
    [{ type: 'CUSTOM' }, /'ExecutorInfo.command' must be set for/],
    [{ command: { value: 'x' } }, /must not be set for 'DEFAULT'/],
    [{ container: { type: 'DOCKER', docker: { image: 'i' } } }, /'ExecutorInfo.container.type' must be 'MESOS'/],
    [
      { container: { type: 'MESOS', mesos: { image: { type: 'DOCKER', docker: { name: 'i' } } } } },
      /container.mesos.image' must not be set/,
    ],
    [
      { type: 'CUSTOM', command: { value: 'x' }, container: { type: 'DOCKER', docker: { image: 'i' } } },
      /Docker ContainerInfo is not supported on the executor/,
    ],
    [{ framework_id: undefined }, /framework_id' must be set/],
    [{ framework_id: { value: 'g' } }, /Actual: g vs Expected: f/],
    [{ executor_id: { value: '..' } }, /executor id/],
    [{ container: sharing(true) }, /cannot be set to 'true' on executor containers/],
  ];
  for (const [executor, reason] of cases) assert.match(refusal({ executor }), reason, JSON.stringify(executor));
  assert.equal(refusal({ executor: { type: 'CUSTOM', command: { value: 'x' } } }), 'accepted');
  assert.equal(refusal({ executor: { container: { type: 'MESOS' } } }), 'accepted');
});

test('the executor of a group needs a little cpu, 32 MB of memory and some disk', () => {
  const resources = (cpus: number, mem: number, disk: number) => ({
    resources: [amount('cpus', cpus), amount('mem', mem), amount('disk', disk)].filter((r) => r.scalar?.value !== 0),
  });
  assert.match(
    refusal({ executor: resources(0.009, 32, 1) }),
    /less CPUs \(0.009\) than the minimum required \(0.01\)/,
  );
  assert.match(
    refusal({ executor: resources(0.01, 31, 1) }),
    /less memory \(31MB\) than the minimum required \(32MB\)/,
  );
  assert.match(refusal({ executor: resources(0.01, 32, 0) }), /uses no disk/);
  assert.equal(refusal({ executor: resources(0.01, 32, 1) }), 'accepted');
});

test('what all of a group ask for is there, fits together, and is named once', () => {
  const cpus = (value: number) => ({ resources: [amount('cpus', value), amount('mem', 1)] });
  assert.match(refusal({ tasks: [cpus(2), cpus(2)] }), /required by task group .* more than available/);
  assert.equal(refusal({ tasks: [cpus(2), cpus(1.9)] }), 'accepted');
  const held = (...resources: TaskInfo['resources'] & object) => ({ resources });
  assert.match(refusal({ tasks: [held(ports(1000, 1001)), held(ports(1001, 1002))] }), /overlapping ports/);
  assert.match(refusal({ tasks: [held(volume('v')), held(volume('v'))] }), /duplicate persistence ID/);
  const revocable = { ...amount('cpus', 1), revocable: {} };
  assert.match(refusal({ tasks: [held(revocable), cpus(1)] }), /mix revocable/);
});

test('an executor that runs already takes more tasks without being asked for again, if it is the same', () => {
  const pad = launchpad();
  pad.framework.executors.set(AGENT_ID.value, new Map([['e', EXECUTOR]]));
  const all = [{ resources: [amount('cpus', 4), amount('mem', 4096)] }];
  assert.equal(refusal({ tasks: all, pad }), 'accepted');
  assert.match(refusal({ executor: { name: 'other' }, pad }), /different ExecutorInfo/);
});

test('all tasks under one executor share its limits, or none does', () => {
  const [yes, no] = [{ container: sharing(true) }, { container: sharing(false) }];
  assert.match(refusal({ tasks: [yes, no] }), /must be the same for all tasks/);
  assert.match(refusal({ tasks: [{}, no] }), /must be the same for all tasks/);
  assert.equal(refusal({ tasks: [no, { ...no, limits: { cpus: { value: 2 } } }] }), 'accepted');
  const pad = launchpad();
  pad.framework.executors.set(AGENT_ID.value, new Map([['e', EXECUTOR]]));
  const old = { name: 'o', task_id: { value: 'o' }, framework_id: { value: 'f' }, agent_id: AGENT_ID };
  pad.framework.tasks.set('o', { ...old, state: 'TASK_RUNNING', executor_id: { value: 'e' }, ...yes });
  pad.agent.tasks.set('f', new Set(['o']));
  assert.match(refusal({ tasks: [no], pad }), /must be the same for all tasks/);
  assert.equal(refusal({ tasks: [yes], pad }), 'accepted');
});

test('a group without tasks asks for no more than its executor', () => {
  assert.equal(refusal({ tasks: [] }), 'accepted');
});
