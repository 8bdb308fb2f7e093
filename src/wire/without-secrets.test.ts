import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerInfo, TaskInfo } from './v1.ts';
import { commandWithoutSecrets, taskWithoutSecrets, withoutSecrets } from './without-secrets.ts';

const value = { data: Buffer.from('hunter2') };

test('values of secrets are left out, and everything else stays as it is', () => {
  const sandbox = { mode: 'RW', container_path: 'b', source: { type: 'SANDBOX_PATH' } } as const;
  const reference = { type: 'SECRET', secret: { type: 'REFERENCE', reference: { name: 'n' } } } as const;
  const plain: ContainerInfo = {
    type: 'MESOS',
    volumes: [sandbox, { mode: 'RO', container_path: 'c', source: reference }],
  };
  const given = {
    mode: 'RO',
    container_path: 'a',
    source: { type: 'SECRET', secret: { type: 'VALUE', value } },
  } as const;
  const container: ContainerInfo = { ...plain, volumes: [given, ...plain.volumes!] };
  const emptied = { ...given, source: { type: 'SECRET', secret: { type: 'VALUE' } } };
  assert.deepEqual(withoutSecrets(container), { ...plain, volumes: [emptied, ...plain.volumes!] });
  assert.equal(withoutSecrets(plain), plain);
  assert.equal(withoutSecrets(undefined), undefined);
  const task: TaskInfo = { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, container };
  assert.deepEqual(taskWithoutSecrets(task), { ...task, container: withoutSecrets(container) });
});

test('the variables of a command keep their names', () => {
  const variables = [
    { name: 'A', value: 'x' },
    { name: 'B', type: 'SECRET', secret: { type: 'VALUE', value } },
  ] as const;
  const command = { value: 'true', environment: { variables } };
  assert.deepEqual(commandWithoutSecrets(command), {
    value: 'true',
    environment: {
      variables: [
        { name: 'A', value: 'x' },
        { name: 'B', type: 'SECRET', secret: { type: 'VALUE' } },
      ],
    },
  });
  assert.deepEqual(commandWithoutSecrets({ value: 'true' }), { value: 'true' });
});
