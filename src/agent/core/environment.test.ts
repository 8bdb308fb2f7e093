import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandInfo } from '../../wire/v1.ts';
import { unsupported } from '../containers/unsupported.ts';
import type { LaunchContainer } from './effects.ts';
import { commandEnvironment, unresolvedSecret } from './environment.ts';

const command: CommandInfo = {
  value: 'true',
  environment: {
    variables: [
      { name: 'PLAIN', type: 'VALUE', value: 'x' },
      { name: 'GIVEN', type: 'SECRET', secret: { type: 'VALUE', value: { data: Buffer.from('größe') } } },
      { name: 'REFERRED', type: 'SECRET', secret: { type: 'REFERENCE', reference: { name: 'db/password' } } },
    ],
  },
};

test('a task gets a secret whose value came with it', () => {
  assert.deepEqual(commandEnvironment(command), { PLAIN: 'x', GIVEN: 'größe' });
});

test('a task whose secret would have to be looked up is not run without it', () => {
  assert.equal(unresolvedSecret(command), 'REFERRED');
  const variables = command.environment?.variables?.slice(0, 2) ?? [];
  assert.equal(unresolvedSecret({ ...command, environment: { variables } }), undefined);
  assert.equal(unresolvedSecret(undefined), undefined);
  const launch = { kind: 'launchContainer', unresolvedSecret: 'REFERRED' } as LaunchContainer;
  assert.match(
    unsupported(launch) ?? '',
    /the variable 'REFERRED' has a secret of type REFERENCE, and it must be VALUE/,
  );
});
