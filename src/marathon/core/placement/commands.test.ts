import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskInfo } from '../../../wire/v1.ts';
import { Rig } from '../rig.fixture.ts';

/** The tasks that one pod with these containers is launched as. */
function launched(...containers: readonly object[]): readonly TaskInfo[] {
  const rig = new Rig();
  rig.addAgent('host0');
  const named = containers.map((each, at) => ({ name: `c${at}`, resources: { cpus: 0.1, mem: 32 }, ...each }));
  const made = rig.change({ kind: 'createPod', document: { id: '/pod', containers: named } });
  assert.ok(made.ok, JSON.stringify(made));
  rig.advance(1_000);
  const groups = rig.calls.flatMap(
    ({ accept }) => accept?.operations?.flatMap((each) => each.launch_group ?? []) ?? [],
  );
  assert.equal(groups.length, 1);
  return groups[0]!.task_group.tasks ?? [];
}

test('arguments start the first of them without an image, and go to what an image starts', () => {
  const image = { kind: 'DOCKER', id: 'i' };
  const argv = ['sleep', '1'];
  const tasks = launched(
    { exec: { command: { shell: 'sleep 1' } } },
    { exec: { command: { argv } } },
    { exec: { command: { argv } }, image },
    { exec: { command: { argv }, overrideEntrypoint: true }, image },
    { image },
  );
  assert.deepEqual(
    tasks.map(({ command }) => [command?.shell, command?.value, command?.arguments]),
    [
      [true, 'sleep 1', undefined],
      [false, 'sleep', argv],
      [false, undefined, argv],
      [false, 'sleep', argv],
      [false, undefined, undefined],
    ],
  );
});

test('a grace period that is no whole number is told in whole nanoseconds', () => {
  const lifecycle = { killGracePeriodSeconds: 1.000000001 * 4.35 };
  const [task] = launched({ exec: { command: { shell: 'sleep 1' } }, lifecycle });
  assert.ok(Number.isInteger(task?.kill_policy?.grace_period?.nanoseconds));
});

test('arguments of an app start the first of them, unless they go to what an image starts', () => {
  const commandOf = (document: object): readonly unknown[] => {
    const rig = new Rig();
    rig.addAgent('host0');
    const made = rig.change({ kind: 'createApp', document: { id: '/app', cpus: 0.1, mem: 32, ...document } });
    assert.ok(made.ok, JSON.stringify(made));
    rig.advance(1_000);
    const [task] = rig.calls.flatMap(
      ({ accept }) => accept?.operations?.flatMap((each) => each.launch?.task_infos ?? []) ?? [],
    );
    return [task?.command?.shell, task?.command?.value, task?.command?.arguments];
  };
  const args = ['sleep', '1'];
  const image = { image: 'i' };
  assert.deepEqual(commandOf({ cmd: 'sleep 1' }), [true, 'sleep 1', undefined]);
  assert.deepEqual(commandOf({ args }), [false, 'sleep', args]);
  assert.deepEqual(commandOf({ args, container: { type: 'MESOS' } }), [false, 'sleep', args]);
  assert.deepEqual(commandOf({ args, networks: [{ mode: 'container/bridge' }] }), [false, 'sleep', args]);
  assert.deepEqual(commandOf({ args, container: { type: 'MESOS', docker: image } }), [false, undefined, args]);
  assert.deepEqual(commandOf({ args, container: { docker: image } }), [false, undefined, args]);
  assert.deepEqual(commandOf({ container: { docker: image } }), [false, undefined, undefined]);
});
