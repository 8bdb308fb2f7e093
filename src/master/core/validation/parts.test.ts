/** Checks, commands and containers: what of them is refused, and what upstream lets pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../../base/result.ts';
import type { CheckInfo, ContainerInfo, Environment_Variable, HealthCheck, Volume } from '../../../wire/v1.ts';
import { validateCheck, validateHealthCheck } from './checks.ts';
import { validateCommand } from './command.ts';
import { validateContainer } from './container.ts';
import { launchpad, validTask } from './launchpad.fixture.ts';
import { validateTask } from './task.ts';

function answer(result: Result<void>): string {
  return result.ok ? 'accepted' : result.error;
}

test('a health check says its type, and what that type needs', () => {
  const cases: [HealthCheck, RegExp][] = [
    [{}, /must specify 'type'/],
    [{ type: 'UNKNOWN' }, /'UNKNOWN' is not a valid health check type; use COMMAND, HTTP or TCP/],
    [{ type: 'COMMAND' }, /'command' to be set/],
    [{ type: 'COMMAND', command: {} }, /must contain 'shell command'/],
    [{ type: 'COMMAND', command: { shell: false } }, /must contain 'executable path'/],
    [
      { type: 'COMMAND', command: { value: 'x', environment: { variables: [{ name: 'A' }] } } },
      /'CommandInfo' is invalid/,
    ],
    [{ type: 'HTTP' }, /'http' to be set/],
    [{ type: 'HTTP', http: { port: 1, path: 'a' } }, /path 'a' .*must start with '\/'/],
    [{ type: 'HTTP', http: { port: 1, scheme: 'ftp' } }, /scheme: 'ftp'; use http or https/],
    [{ type: 'TCP' }, /'tcp' to be set/],
  ];
  for (const [check, reason] of cases) assert.match(answer(validateHealthCheck(check)), reason);
  const good: HealthCheck[] = [
    { type: 'COMMAND', command: { value: 'x' } },
    { type: 'HTTP', http: { port: 1, path: '/a', scheme: 'https' } },
    { type: 'TCP', tcp: { port: 1 } },
    { type: 'TCP', tcp: { port: 1 }, timeout_seconds: 0, interval_seconds: 0 },
  ];
  for (const check of good) assert.equal(answer(validateHealthCheck(check)), 'accepted');
});

test('a check says its type, and what that type needs', () => {
  const cases: [CheckInfo, RegExp][] = [
    [{}, /must specify 'type'/],
    [{ type: 'UNKNOWN' }, /'UNKNOWN' is not a valid check type/],
    [{ type: 'COMMAND' }, /'command' to be set/],
    [{ type: 'COMMAND', command: { command: {} } }, /must contain 'shell command'/],
    [{ type: 'COMMAND', command: { command: { shell: false } } }, /must contain 'executable path'/],
    [{ type: 'HTTP' }, /'http' to be set/],
    [{ type: 'HTTP', http: { port: 1, path: 'a' } }, /path 'a' .*must start with '\/'/],
    [{ type: 'TCP' }, /'tcp' to be set/],
  ];
  for (const [check, reason] of cases) assert.match(answer(validateCheck(check)), reason);
  assert.equal(answer(validateCheck({ type: 'HTTP', http: { port: 1 } })), 'accepted');
});

test('the times of checks are not negative', () => {
  const tcp = { type: 'TCP', tcp: { port: 1 } } as const;
  for (const name of ['delay_seconds', 'interval_seconds', 'timeout_seconds'] as const) {
    const reason = new RegExp(`'${name}' to be non-negative, not -0.5`);
    assert.match(answer(validateCheck({ ...tcp, [name]: -0.5 })), reason);
    assert.match(answer(validateHealthCheck({ ...tcp, [name]: -0.5 })), reason);
  }
  assert.match(answer(validateHealthCheck({ ...tcp, grace_period_seconds: -1 })), /'grace_period_seconds'/);
});

test('a variable has a value or a secret, as its type says', () => {
  const data = (text: string) => ({ type: 'VALUE', value: { data: new TextEncoder().encode(text) } }) as const;
  const reference = { type: 'REFERENCE', reference: { name: 'n' } } as const;
  const cases: [Environment_Variable, RegExp][] = [
    [{ name: 'A' }, /'A' of type 'VALUE' must have a value/],
    [{ name: 'A', type: 'VALUE' }, /must have a value/],
    [{ name: 'A', value: 'b', secret: reference }, /must not have a secret/],
    [{ name: 'A', type: 'SECRET' }, /must have a secret/],
    [{ name: 'A', type: 'SECRET', secret: reference, value: 'b' }, /must not have a value/],
    [{ name: 'A', type: 'SECRET', secret: { type: 'REFERENCE' } }, /'reference' field set/],
    [{ name: 'A', type: 'SECRET', secret: { type: 'VALUE' } }, /'value' field set/],
    [{ name: 'A', type: 'SECRET', secret: { ...data('x'), ...reference } }, /must not have the 'value'/],
    [{ name: 'A', type: 'SECRET', secret: { ...reference, ...data('x') } }, /must not have 'reference'/],
    [{ name: 'A', type: 'SECRET', secret: data('x\0y') }, /null bytes/],
    [{ name: 'A', type: 'UNKNOWN', value: 'b' }, /type 'UNKNOWN' is not allowed; use VALUE or SECRET/],
  ];
  const check = (variable: Environment_Variable): string =>
    answer(validateCommand({ environment: { variables: [variable] } }));
  for (const [variable, reason] of cases) assert.match(check(variable), reason, JSON.stringify(variable));
  for (const secret of [data('x'), reference]) assert.equal(check({ name: 'A', type: 'SECRET', secret }), 'accepted');
  assert.equal(check({ name: '', value: '' }), 'accepted');
});

test('a volume comes from one place, and says what that place needs', () => {
  const at = { container_path: 'p', mode: 'RW' } as const;
  const cases: [Partial<Volume>, RegExp][] = [
    [{}, /Exactly one of 'host_path', 'image' and 'source'/],
    [{ host_path: '/h', source: { type: 'HOST_PATH', host_path: { path: '/h' } } }, /Exactly one/],
    [{ host_path: '/h', image: { type: 'DOCKER', docker: { name: 'i' } } }, /Exactly one/],
    [{ source: {} }, /'source.type' is unknown/],
    [{ source: { type: 'UNKNOWN' } }, /'source.type' is unknown/],
    [{ source: { type: 'DOCKER_VOLUME' } }, /'source.docker_volume' is not set/],
    [{ source: { type: 'HOST_PATH' } }, /'source.host_path' is not set/],
    [{ source: { type: 'SANDBOX_PATH' } }, /'source.sandbox_path' is not set/],
    [{ source: { type: 'SECRET' } }, /'source.secret' is not set/],
    [{ source: { type: 'CSI_VOLUME' } }, /'source.csi_volume' is not set/],
    [{ source: { type: 'CSI_VOLUME', csi_volume: { plugin_name: 'p' } } }, /static_provisioning' is not set/],
  ];
  const check = (volume: Partial<Volume>): string =>
    answer(validateContainer({ type: 'MESOS', volumes: [{ ...at, ...volume }] }));
  for (const [volume, reason] of cases) assert.match(check(volume), reason, JSON.stringify(volume));
  assert.equal(check({ host_path: '/h' }), 'accepted');
  assert.equal(check({ source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'SELF', path: 'q' } } }), 'accepted');
});

test('a Docker container has Docker’s part, and leaves its name to the agent', () => {
  const cases: [ContainerInfo, RegExp][] = [
    [{ type: 'DOCKER' }, /'docker' is not set/],
    [{ type: 'DOCKER', docker: { image: 'i', parameters: [{ key: 'name', value: 'n' }] } }, /must not be 'name'/],
  ];
  for (const [container, reason] of cases) assert.match(answer(validateContainer(container)), reason);
  const parameters = [{ key: 'label', value: 'n' }];
  assert.equal(answer(validateContainer({ type: 'DOCKER', docker: { image: 'i', parameters } })), 'accepted');
  assert.equal(answer(validateContainer({ type: 'MESOS' })), 'accepted');
});

test('of a task with a bad part, the part is named', () => {
  const task = (more: object): string => answer(validateTask(validTask(more), launchpad()));
  assert.match(task({ check: {} }), /Task uses invalid check/);
  assert.match(task({ health_check: {} }), /Task uses invalid health check/);
  assert.match(task({ command: { environment: { variables: [{ name: 'A' }] } } }), /Task's 'CommandInfo' is invalid/);
  assert.match(task({ container: { type: 'DOCKER' } }), /Task's 'ContainerInfo' is invalid/);
});
