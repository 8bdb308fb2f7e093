/** After a failover: what the log and the metrics tell while agents of before come back, and when they do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsOf } from '../views/metrics.ts';
import type { MasterEffect } from './effects.ts';
import { scalar, World } from './harness.fixture.ts';
import type { MasterOptions } from './options.ts';
import { EMPTY_REGISTRY, type RegistrySnapshot } from './registry.ts';

const QUOTA = { role: 'ads', guarantees: { cpus: 1000 }, limits: { cpus: 3000 } };

/** A master that was elected just now, and of whose registry so many agents are known. */
function elected(count: number, options: Partial<MasterOptions> = {}, registry: Partial<RegistrySnapshot> = {}): World {
  const agents = Array.from({ length: count }, (_, i) => ({
    info: {
      hostname: `host-${6000 + i}`,
      port: 6000 + i,
      resources: [scalar('cpus', 4), scalar('mem', 4096)],
      id: { value: `old-S${i}` },
    },
  }));
  return new World({ registry: { ...EMPTY_REGISTRY, agents, ...registry }, ...options });
}

function comeBack(world: World, i: number): MasterEffect[] {
  world.reregister({ id: `old-S${i}`, pid: `slave(1)@127.0.0.1:${6000 + i}` });
  return world.effects;
}

/** What the log says of the recovery. */
function told(effects: readonly MasterEffect[]): string[] {
  const about = /agents? of before|Recovery/;
  return effects.flatMap((effect) =>
    effect.kind === 'log' && about.test(effect.text) ? [`${effect.level}: ${effect.text}`] : [],
  );
}

/** `recovery_…` of the metrics. */
function figures({ state, now }: World): Record<string, number | undefined> {
  const queued = { messages: 0, dispatches: 0, httpRequests: 0 };
  const outside = { elected: true, queued, uptimeSeconds: 0, operatorStreams: 0, perFramework: false, more: {} };
  const metrics = metricsOf(state, { ...outside, now });
  const names = ['agents_expected', 'agents_reregistered', 'agents_awaited', 'secs_left', 'agents_until_offers'];
  return Object.fromEntries(names.map((name) => [name, metrics[`master/recovery_${name}`]]));
}

test('the log tells at the start, at every tenth and at the end how many agents are back', () => {
  const world = elected(40);
  assert.deepEqual(told(world.effects), ['info: Waiting 10mins for 40 agents of before to register again']);
  world.now = 1500;
  const lines = Array.from({ length: 40 }, (_, i) => told(comeBack(world, i))).flat();
  assert.equal(lines.length, 10);
  assert.equal(lines[0], 'info: 4 of 40 agents of before are back (10%); waiting for 36, 599secs left');
  assert.equal(lines[8], 'info: 36 of 40 agents of before are back (90%); waiting for 4, 599secs left');
  assert.equal(lines[9], 'info: Recovery of 40 agents of before is over after 1.500secs: all of them came back');
  assert.deepEqual(told(world.sleep(3_600_000)), []);
});

test('while some are away the log names them every half minute, and tells at the end how many were given up', () => {
  const world = elected(8);
  comeBack(world, 0);
  const [first, ...others] = told(world.sleep(599_000));
  assert.match(first ?? '', /^warning: Still waiting for 7 of 8 agents of before, 570secs left; away are /);
  assert.match(first ?? '', /away are old-S1 \(host-6001\), .*old-S5 \(host-6005\) and 2 more$/);
  assert.equal(others.length, 18);
  assert.deepEqual(
    told(world.sleep(2_000)).at(-1),
    ['warning: Recovery of 8 agents of before is over after 600.000secs: 1 came back, 7 given up'][0],
  );
  assert.deepEqual(told(world.sleep(3_600_000)), []);
});

test('a master with an empty registry waits for nobody and says nothing of it', () => {
  const world = elected(0);
  assert.deepEqual(told(world.effects), []);
  world.register();
  assert.deepEqual(told(world.sleep(1_000_000)), []);
  assert.deepEqual(new Set(Object.values(figures(world))), new Set([0]));
});

test('the metrics tell the same at any time', () => {
  const world = elected(10, {}, { quotas: [QUOTA] });
  const at = (reregistered: number, secs_left: number, agents_until_offers: number) => ({
    agents_expected: 10,
    agents_reregistered: reregistered,
    agents_awaited: 10 - reregistered,
    secs_left,
    agents_until_offers,
  });
  assert.deepEqual(figures(world), at(0, 600, 8));
  world.sleep(1_000);
  for (let i = 0; i < 7; i++) comeBack(world, i);
  assert.deepEqual(figures(world), at(7, 599, 1));
  comeBack(world, 7);
  world.sleep(1_000);
  assert.deepEqual(figures(world), at(8, 598, 0));
  comeBack(world, 8);
  comeBack(world, 9);
  assert.deepEqual(figures(world), at(10, 0, 0));
});

test('a new agent is none of those who are awaited; one that is marked gone is not awaited any more', () => {
  const world = elected(2);
  world.register(7000);
  assert.equal(figures(world).agents_awaited, 2);
  comeBack(world, 0);
  world.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: 'old-S1' } } });
  assert.deepEqual(told(world.effects), [
    'warning: Recovery of 2 agents of before is over after 0.000secs: 1 came back, 1 given up',
  ]);
  assert.deepEqual([figures(world).agents_awaited, figures(world).agents_reregistered], [0, 1]);
});

test('an agent that registers again twice counts once', () => {
  const world = elected(3);
  comeBack(world, 0);
  comeBack(world, 0);
  assert.deepEqual([figures(world).agents_reregistered, figures(world).agents_awaited], [1, 2]);
});

test('--agent_reregister_timeout is when those who are away are given up, not before', () => {
  const world = elected(2, { agentReregisterTimeout: 900_000 });
  world.sleep(899_999);
  assert.deepEqual([figures(world).agents_awaited, world.state.unreachable.size], [2, 0]);
  world.sleep(1);
  assert.deepEqual([...world.state.unreachable.keys()], ['old-S0', 'old-S1']);
  assert.equal(world.state.counters.recovery_slave_removals, 2);
});

test('--recovery_agent_removal_limit: exactly so many may be missing; one more ends the master before it marks any', () => {
  const outcome = (missing: number): { ended: boolean; lost: number } => {
    const world = elected(10, { recoveryAgentRemovalLimit: 0.2 });
    for (let i = missing; i < 10; i++) comeBack(world, i);
    const effects = world.sleep(600_000);
    const ended = effects.some((effect) => effect.kind === 'shutdown');
    return { ended, lost: world.state.counters.recovery_slave_removals };
  };
  assert.deepEqual(outcome(2), { ended: false, lost: 2 });
  assert.deepEqual(outcome(3), { ended: true, lost: 0 });
});

test('under --agent_removal_rate_limit those who are given up in turn are still awaited', () => {
  const world = elected(3, { agentRemovalRateLimit: { count: 1, interval: 60_000 } });
  const said = told(world.sleep(660_000));
  assert.deepEqual(figures(world), {
    agents_expected: 3,
    agents_reregistered: 0,
    agents_awaited: 1,
    secs_left: 0,
    agents_until_offers: 0,
  });
  assert.match(said.at(-1) ?? '', /Still waiting for \d of 3 agents of before, time is over: they are being given up/);
  comeBack(world, 2);
  assert.deepEqual(told(world.effects).length, 1);
  assert.equal(world.state.counters.recovery_slave_removals, 2);
});
