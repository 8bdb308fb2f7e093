/** Each checker is shown a world that breaks its promise, or a core that was broken on purpose. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MasterEffect } from '../../master/core/effects.ts';
import type { MasterEvent } from '../../master/core/events.ts';
import { createMaster } from '../../master/core/machine.ts';
import { masterOptions } from '../../master/core/options.ts';
import { noEntities } from '../../master/core/registry-entities.ts';
import { Resources } from '../../resources/resources.ts';
import { Dice } from '../dice.ts';
import type { SeenAgent, SeenMaster } from '../observer.ts';
import { Registrar } from '../registry.ts';
import { simulate } from '../simulation.ts';
import { SimulatedStore } from '../store.ts';
import { Violation } from '../violation.ts';
import { CALM } from '../weather.ts';
import { createWorld } from '../world.ts';
import { BooksChecker } from './books.ts';
import { InstancesChecker } from './instances.ts';
import { RegistryChecker } from './registry.ts';
import { UpdatesChecker } from './updates.ts';

const TIMER: MasterEvent = { kind: 'timer', key: 'wake' };
const agent: SeenAgent = { name: 'agent0.0', id: 'S0', total: Resources.of([]) };

function seen(more: Partial<SeenMaster> = {}): SeenMaster {
  const core = createMaster(masterOptions({ info: { id: 'm', ip: 0, port: 5050, hostname: 'm' } }));
  return { name: 'm', core, reigning: true, informed: true, ...more };
}

function admits(id: string): MasterEffect {
  const name = 'mesos.internal.SlaveRegisteredMessage';
  return { kind: 'send', from: 'master', to: 'slave(1)@h:1', name, message: { slave_id: { value: id } } };
}

test('without the fence a deposed leader writes on, and the checker sees it', () => {
  const world = createWorld(new Dice(1), undefined, undefined);
  Object.assign(world.weather, CALM);
  world.observers.push(new RegistryChecker(world.store));
  const old = new Registrar(world, new Dice(2), 'old');
  const next = new Registrar(world, new Dice(3), 'next');
  let refusal: string | undefined;
  const write = (registrar: Registrar, role: string): void => {
    registrar.commit({ type: 'UPDATE_WEIGHTS', weights: [{ role, weight: 2 }] }, (error) => {
      refusal = error;
    });
    world.loop.runUntil(world.loop.now + 1000);
  };
  for (const registrar of [old, next]) {
    registrar.recover((read) => assert.ok(read.ok));
    world.loop.runUntil(world.loop.now + 1000);
  }
  write(next, 'a');
  assert.equal(refusal, undefined);
  write(old, 'b');
  assert.match(refusal ?? '', /another leader/);
  assert.equal(world.store.fenced, 1);
  assert.equal(world.store.values.has('weights/b'), false);
  const third = new Registrar(world, new Dice(4), 'third');
  third.recover((read) => assert.ok(read.ok));
  world.loop.runUntil(world.loop.now + 1000);
  world.store.fence = false;
  write(third, 'c');
  assert.throws(() => write(next, 'd'), /leader 2 wrote the registry after leader 3 had/);
});

test('what is told before it is durable is seen', () => {
  const checker = new RegistryChecker(new SimulatedStore());
  assert.throws(() => checker.masterStepped(seen(), TIMER, [admits('S0')]), /not durable/);
  checker.registryWritten(1, [{ key: 'agents/S0', value: new Uint8Array(1) }]);
  checker.masterStepped(seen(), TIMER, [admits('S0')]);
  const gone = { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: 'S0' } } } as const;
  assert.throws(() => checker.operatorAnswered(gone, 200), /not durable/);
  checker.registryWritten(1, [{ key: 'gone/S0', value: new Uint8Array(1) }]);
  checker.operatorAnswered(gone, 200);
  assert.throws(() => checker.masterStepped(seen(), TIMER, [admits('S0')]), /gone for good/);
  const quota = { type: 'UPDATE_QUOTA', update_quota: { quota_configs: [{ role: 'r', limits: {} }] } } as const;
  assert.throws(() => checker.operatorAnswered(quota, 200), /quota of r/);
  const weights = { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos: [{ role: 'r', weight: 1 }] } } as const;
  assert.throws(() => checker.operatorAnswered(weights, 200), /weight of r/);
});

test('a leader that begins without what the registry holds is seen', () => {
  const entities = noEntities();
  entities.gone.set('S9', { id: { value: 'S9' }, timestamp: { nanoseconds: 1 } });
  const checker = new RegistryChecker({ values: new Map(), entities: () => entities });
  assert.throws(() => checker.masterStarted(seen()), /without gone agent S9/);
  checker.masterStarted(seen({ reigning: false }));
});

test('books that do not add up are seen', () => {
  const world = createWorld(new Dice(1), undefined, undefined);
  const checker = new BooksChecker(world);
  const master = seen();
  checker.check(master);
  (master.core.state.agents as Map<string, unknown>).set('S0', {
    id: 'S0',
    tasks: new Map(),
    executors: new Map(),
    offers: new Set(),
    operations: new Map(),
    total: Resources.of([]),
    used: Resources.of([]),
    offered: Resources.of([]),
    info: { hostname: 'h' },
    capabilities: new Set(),
  });
  assert.throws(() => checker.check(master));
});

test('a task that is said to have finished, and did not, is seen', () => {
  const checker = new InstancesChecker();
  const resources = { cpus: 1, mem: 1, disk: 0, gpus: 0 };
  const container = { containerId: 'c', frameworkId: 'f', taskId: 't', resources };
  const status = { task_id: { value: 't' }, state: 'TASK_FINISHED' } as const;
  const update: MasterEffect = { kind: 'event', stream: 's', event: { type: 'UPDATE', update: { status } } };
  checker.containerStarted(agent, container);
  checker.containerEnded(agent, container, 1 << 8);
  assert.throws(() => checker.masterStepped(seen(), TIMER, [update]), /ended with status 256/);
});

test('an agent that forgets what it had written down is seen, and one that had not is forgiven', () => {
  const send = (checker: UpdatesChecker, by: SeenAgent, uuid: number): void => {
    const status = { task_id: { value: 't' }, state: 'TASK_RUNNING' } as const;
    const body = {
      update: { framework_id: { value: 'f' }, status, timestamp: 0, uuid: new Uint8Array(16).fill(uuid) },
    };
    checker.agentPerforms(by, { kind: 'send', to: 'm', name: 'mesos.internal.StatusUpdateMessage', message: body });
  };
  const next = { ...agent, name: 'agent0.1' };
  for (const keeps of [true, false]) {
    const checker = new UpdatesChecker();
    send(checker, { ...agent, keeps: () => keeps }, 1);
    checker.agentEnded({ ...agent, keeps: () => keeps }, false);
    if (keeps) assert.throws(() => send(checker, next, 2), Violation);
    else send(checker, next, 2);
  }
});

test('a cluster that never comes to rest is a failure, with what it lacks', () => {
  // The last word of the transcript is that faults end: from there on nothing more is let through.
  let isOver = false;
  const run = (): unknown =>
    simulate(4, (line) => {
      if (line.includes('phase two')) isOver = true;
      else if (isOver) throw new Violation('no rest');
    });
  assert.throws(run, /seed 4: .*no rest/s);
});
