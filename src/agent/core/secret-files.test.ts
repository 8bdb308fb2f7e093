/** A secret that is to be a file goes from the master's message to whoever starts the container, and nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerInfo } from '../../wire/v1.ts';
import type { LaunchContainer } from './effects.ts';
import { FRAMEWORK, task, World } from './fake-world.ts';
import { getState } from './views/operator.ts';
import { stateJson } from './views/state.ts';

const VALUE = 'hunter2-in-a-file';
const data = Buffer.from(VALUE);
const container: ContainerInfo = {
  type: 'MESOS',
  volumes: [
    {
      mode: 'RO',
      container_path: 'etc/password',
      source: { type: 'SECRET', secret: { type: 'VALUE', value: { data } } },
    },
  ],
};

/** Bytes as the text that may be in them. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    each?.type === 'Buffer' ? Buffer.from(each.data).toString('latin1') : bytes(each),
  );
}

function bytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return value instanceof Map ? [...value] : value;
}

test('what is started has the value; what is checkpointed, sent and shown of it has not', () => {
  const world = new World().register();
  const framework = { ...FRAMEWORK, checkpoint: true };
  world.run(task('t', { value: 'cat etc/password' }, { container }), framework);
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework,
    executor: { type: 'DEFAULT', executor_id: { value: 'e' }, framework_id: { value: 'f1' } },
    task_group: { tasks: [task('g', { value: 'cat etc/password' }, { container })] },
    launch_executor: true,
  });
  const launched = world.effects.filter((effect): effect is LaunchContainer => effect.kind === 'launchContainer');
  assert.equal(launched.length, 2);
  for (const { sandbox, secretFiles } of launched) {
    assert.deepEqual(secretFiles, [{ link: `${sandbox}/etc/password`, data }]);
  }
  const others = world.effects.filter(({ kind }) => kind !== 'launchContainer');
  assert.ok(others.some((effect) => effect.kind === 'persist' && textOf(effect).includes('etc/password')));
  const { state } = world.agent;
  const shown = textOf([others, getState(state), stateJson(state, { flags: {} } as Parameters<typeof stateJson>[1])]);
  assert.ok(shown.includes('etc/password'));
  assert.ok(!shown.includes(VALUE) && !shown.includes(data.toString('base64')));
});

test('how a command task is started is shown without the values of secrets in its environment', () => {
  const world = new World().register();
  const variables = [
    { name: 'A', type: 'SECRET', secret: { type: 'VALUE', value: { data } } },
    { name: 'B', value: 'plain' },
  ] as const;
  world.run(task('t', { value: 'true', environment: { variables } }));
  const shown = textOf(getState(world.agent.state));
  assert.ok(shown.includes('plain'));
  assert.ok(!shown.includes(VALUE));
  const launch = world.effects.find((effect): effect is LaunchContainer => effect.kind === 'launchContainer');
  assert.equal(launch?.environment.A, VALUE);
});
