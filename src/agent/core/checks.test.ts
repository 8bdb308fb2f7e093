import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskInfo } from '../../wire/v1.ts';
import type { AgentEffect, CheckKind } from './effects.ts';
import type { ProbeOutcome } from './events.ts';
import { task, World } from './fake-world.ts';

type ProbeEffect = Extract<AgentEffect, { kind: 'probe' }>;

function running(more: Partial<TaskInfo>): World {
  const world = new World().register();
  world.run(task('t', { value: 'sleep 100' }, more));
  world.start();
  world.acknowledgeAll();
  return world;
}

const probes = (world: World): ProbeEffect[] => world.effects.filter((effect) => effect.kind === 'probe');

function found(world: World, check: CheckKind, outcome: ProbeOutcome): void {
  world.step({ kind: 'probeDone', containerId: world.launched().containerId, check, outcome });
  world.acknowledgeAll();
}

const healthUpdates = (world: World): (boolean | undefined)[] =>
  world
    .updates()
    .filter((update) => update.status.reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED')
    .map((update) => update.status.healthy);

test('a health check tells the first success, and says nothing while all stays well', () => {
  const world = running({
    health_check: { type: 'COMMAND', command: { value: 'true' }, delay_seconds: 0, interval_seconds: 0.5 },
  });
  world.advance(0);
  const [probe] = probes(world);
  assert.ok(probe?.probe.type === 'command');
  assert.deepEqual(probe.probe.argv, ['sh', '-c', 'true']);
  assert.equal(probe.probe.directory, world.launched().sandbox);
  assert.equal(probe.timeout, 20_000);
  found(world, 'health', { type: 'command', exitCode: 0 });
  found(world, 'health', { type: 'command', exitCode: 0 });
  assert.deepEqual(healthUpdates(world), [true]);
  world.advance(499);
  assert.equal(probes(world).length, 1);
  world.advance(1);
  assert.equal(probes(world).length, 2);
});

test('failures in a row end the task, which says that it was unhealthy', () => {
  const world = running({
    health_check: { type: 'TCP', tcp: { port: 1 }, delay_seconds: 0, grace_period_seconds: 0, consecutive_failures: 2 },
  });
  world.advance(0);
  assert.deepEqual(probes(world)[0]?.probe, { type: 'tcp', ip: '127.0.0.1', port: 1 });
  found(world, 'health', { type: 'tcp', connected: false });
  found(world, 'health', { type: 'tcp', connected: true });
  found(world, 'health', { type: 'tcp', connected: false });
  assert.ok(!world.effects.some((effect) => effect.kind === 'killContainer'));
  found(world, 'health', { type: 'failed', reason: 'timed out' });
  assert.deepEqual(healthUpdates(world), [false, true, false, false]);
  assert.ok(world.effects.some((effect) => effect.kind === 'killContainer' && effect.signal === 15));
  found(world, 'health', { type: 'tcp', connected: false });
  assert.equal(healthUpdates(world).length, 4);
  world.exit(15);
  world.acknowledgeAll();
  const { status } = world.updates().at(-1) ?? assert.fail();
  assert.deepEqual([status.state, status.healthy], ['TASK_KILLED', false]);
  assert.ok(![...world.timers.keys()].some((key) => key.startsWith('check/')));
});

test('failures before the first success do not count in the grace period', () => {
  const world = running({
    health_check: {
      type: 'HTTP',
      http: { port: 8080, path: '/ok', scheme: 'https' },
      delay_seconds: 0,
      grace_period_seconds: 5,
    },
  });
  world.advance(0);
  assert.deepEqual(probes(world)[0]?.probe, { type: 'http', url: 'https://127.0.0.1:8080/ok' });
  found(world, 'health', { type: 'http', status: 503 });
  assert.deepEqual(healthUpdates(world), []);
  world.advance(5001);
  found(world, 'health', { type: 'http', status: 503 });
  found(world, 'health', { type: 'http', status: 302 });
  assert.deepEqual(healthUpdates(world), [false, true]);
});

test('a check reports what it found whenever that changes, and nothing is known of it before', () => {
  const world = running({
    check: { type: 'COMMAND', command: { command: { value: 'exit 7' } }, delay_seconds: 0, timeout_seconds: 0 },
  });
  assert.deepEqual(world.updates()[0]?.status.check_status, { type: 'COMMAND', command: {} });
  world.advance(0);
  assert.equal(probes(world)[0]?.timeout, undefined);
  found(world, 'check', { type: 'command', exitCode: 7 });
  found(world, 'check', { type: 'command', exitCode: 7 });
  found(world, 'check', { type: 'failed', reason: 'no such file' });
  assert.deepEqual(
    world
      .updates()
      .filter((update) => update.status.reason === 'REASON_TASK_CHECK_STATUS_UPDATED')
      .map((update) => update.status.check_status?.command),
    [{ exit_code: 7 }, {}],
  );
});

test('a check that lacks what it is to look at is left out, and the task runs', () => {
  const world = running({ check: { type: 'HTTP' }, health_check: { type: 'TCP' } });
  world.advance(60_000);
  assert.deepEqual(probes(world), []);
  assert.equal(world.states('t').at(-1), 'TASK_RUNNING');
});
