/** Each of Marathon's checkers is shown a Marathon that breaks its promise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import { MarathonCore } from '../../marathon/core/machine.ts';
import { newState } from '../../marathon/core/state.ts';
import { instanceKey } from '../../marathon/core/stored.ts';
import { Resources } from '../../resources/resources.ts';
import type { Resource } from '../../wire/v1.ts';
import { Dice } from '../dice.ts';
import type { Marathon } from '../marathon/marathon.ts';
import { settingsFor } from '../marathon/settings.ts';
import type { SeenMarathon } from '../observer.ts';
import type { Cluster } from './agreement.ts';
import { lingering, unconverged } from './marathon-agreement.ts';
import { CapacityChecker } from './marathon-capacity.ts';
import { DeploymentsChecker } from './marathon-deployments.ts';
import { DurabilityChecker } from './marathon-durability.ts';

const WALL = 1_770_000_000_000;
const OFFERS: MarathonEvent = { kind: 'offers', offers: [] };

/** A Marathon that has begun, and does what the test says. */
class Stage implements SeenMarathon {
  readonly name = 'marathon.0';
  readonly core = new MarathonCore(settingsFor(new Dice(1)), newState(WALL));
  readonly stored = new Map<string, string>();
  private now = 0;

  constructor() {
    this.step({ kind: 'start' });
    this.step({ kind: 'subscribed', frameworkId: 'f' });
  }

  step(event: MarathonEvent): MarathonEffect[] {
    const effects: MarathonEffect[] = [];
    const { random } = new Dice(++this.now);
    const env = { now: this.now, wall: WALL + this.now, random, chance: () => false };
    this.core.step(event, env, (effect) => effects.push(effect));
    return effects;
  }

  create(request: number, id: string, more: object = {}): { event: MarathonEvent; effects: MarathonEffect[] } {
    const change = { kind: 'createApp', document: { id, cmd: 'sleep 1', cpus: 0.1, mem: 16, ...more } } as const;
    const event = { kind: 'change', request, change, force: false, caller: { clientIp: '', uri: '' } } as const;
    return { event, effects: this.step(event) };
  }

  /** Its only instance of an app. */
  instanceOf(id: string) {
    return [...(this.core.state.specs.get(id)?.instances.values() ?? [])][0]!;
  }
}

function launch(taskId: string): MarathonEffect {
  const task = { name: 't', task_id: { value: taskId }, agent_id: { value: 'S0' } };
  const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } } as const];
  return { kind: 'call', call: { type: 'ACCEPT', accept: { offer_ids: [], operations } } };
}

test('an app in two deployments is seen, and so is one that is cancelled though nobody insisted, or lost', () => {
  const stage = new Stage();
  const checker = new DeploymentsChecker();
  checker.marathonStarted(stage);
  const { event, effects } = stage.create(1, '/a');
  checker.marathonStepped(stage, event, effects);
  const { deployments } = stage.core.state;
  const [deployment] = [...deployments.values()];
  deployments.set('other', { ...deployment!, plan: { ...deployment!.plan, id: 'other' } });
  assert.throws(() => checker.marathonStepped(stage, OFFERS, []), /\/a in two deployments/);
  deployments.delete('other');
  const { plan } = deployment!;
  const failed: MarathonEffect = {
    kind: 'publish',
    event: { eventType: 'deployment_failed', timestamp: 0, fields: { id: plan.id, plan } },
  };
  assert.throws(() => checker.marathonStepped(stage, OFFERS, [failed]), /nobody insisted/);
  const begun: MarathonEffect = {
    kind: 'publish',
    event: { eventType: 'deployment_info', timestamp: 0, fields: { plan: { ...plan, id: 'next' }, currentStep: [] } },
  };
  assert.throws(() => checker.marathonStepped(stage, event, [begun, failed]), /before .* is over/);
  deployments.clear();
  stage.core.state.locks.clear();
  assert.throws(() => checker.marathonStepped(stage, OFFERS, []), /without a word/);
});

test('one launch too many is seen, and one in place of a task that was ordered killed is not', () => {
  const stage = new Stage();
  const checker = new CapacityChecker();
  checker.marathonStarted(stage);
  const upgradeStrategy = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  stage.create(1, '/a', { instances: 1, upgradeStrategy });
  const first = `${stage.instanceOf('/a').id}._app.1`;
  const second = first.replace(/.\._app/, (end) => `${end.startsWith('a') ? 'b' : 'a'}._app`);
  checker.marathonStepped(stage, OFFERS, [launch(first)]);
  assert.throws(() => checker.marathonStepped(stage, OFFERS, [launch(second)]), /2 instances live, at most 1 may/);
  const kill: MarathonEffect = { kind: 'call', call: { type: 'KILL', kill: { task_id: { value: first } } } };
  checker.marathonStepped(stage, OFFERS, [kill, launch(second)]);
});

test('what one decides whose place was taken counts from when it gets out', () => {
  const stage = new Stage();
  const checker = new CapacityChecker();
  checker.marathonStarted(stage);
  const upgradeStrategy = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  stage.create(1, '/a', { instances: 1, upgradeStrategy });
  const first = `${stage.instanceOf('/a').id}._app.1`;
  const second = first.replace(/.\._app/, (end) => `${end.startsWith('a') ? 'b' : 'a'}._app`);
  const deposed: SeenMarathon = { name: 'marathon.-1', core: stage.core, stored: stage.stored };
  checker.marathonStepped(deposed, OFFERS, [launch(second)]);
  checker.marathonStepped(stage, OFFERS, [launch(first)]);
  checker.marathonPerforms(deposed, launch(second));
  assert.throws(() => checker.marathonStepped(stage, OFFERS, [launch(first)]), /2 instances live, at most 1 may/);
});

test('a restart that ends the last well instance is seen', () => {
  const stage = new Stage();
  const checker = new CapacityChecker();
  const upgradeStrategy = { minimumHealthCapacity: 1, maximumOverCapacity: 1 };
  stage.create(1, '/a', { upgradeStrategy });
  const old = stage.instanceOf('/a');
  old.condition = 'Running';
  const [deployment] = [...stage.core.state.deployments.values()];
  stage.step({ kind: 'cancelDeployment', request: 2, id: deployment!.plan.id, force: true });
  checker.marathonStarted(stage);
  const change = { kind: 'restartApp', id: '/a' } as const;
  const event = { kind: 'change', request: 3, change, force: false, caller: { clientIp: '', uri: '' } } as const;
  checker.marathonStepped(stage, event, stage.step(event));
  old.goal = 'Decommissioned';
  const { spec, ...rest } = old;
  const value = { ...rest, specVersion: spec.version };
  const retired: MarathonEffect = { kind: 'store', key: instanceKey(old.id), value };
  assert.throws(() => checker.marathonStepped(stage, OFFERS, [retired]), /leaves 0 well of 1/);
});

test('what was answered and is not there after a restart is seen: a change, a deployment, and that volumes are given up', () => {
  const stage = new Stage();
  const checker = new DurabilityChecker();
  checker.marathonStarted(stage);
  const { event, effects } = stage.create(1, '/a');
  checker.marathonStepped(stage, event, effects);
  // Nobody was told yet: both are possible.
  checker.marathonStarted(stage);
  for (const effect of effects) if (effect.kind === 'answer') checker.marathonPerforms(stage, effect);
  checker.marathonStarted(stage);
  assert.throws(() => checker.marathonStarted(new Stage()), /lacks what people were told/);
  const [id] = stage.core.state.deployments.keys();
  const deployment = stage.core.state.deployments.get(id!)!;
  stage.core.state.deployments.delete(id!);
  assert.throws(() => checker.marathonStarted(stage), /begins without deployment/);
  stage.core.state.deployments.set(id!, deployment);
  const instance = stage.instanceOf('/a');
  const kill = { kind: 'kill', request: 2, instances: [instance.id], wipe: true } as const;
  const answer: MarathonEffect = { kind: 'answer', request: 2, outcome: { ok: true, killed: [instance.id] } };
  checker.marathonStepped(stage, kill, [answer]);
  checker.marathonPerforms(stage, answer);
  assert.throws(() => checker.marathonStarted(stage), /was to be wiped/);
});

test('a launch that the store does not know of is seen, and so is an end that is acknowledged before it is stored', () => {
  const stage = new Stage();
  const checker = new DurabilityChecker();
  stage.create(1, '/a');
  const { id } = stage.instanceOf('/a');
  const taskId = `${id}._app.1`;
  assert.throws(() => checker.marathonPerforms(stage, launch(taskId)), /not durable/);
  stage.stored.set(instanceKey(id), JSON.stringify({ tasks: [{ id: taskId, condition: 'Running' }] }));
  checker.marathonPerforms(stage, launch(taskId));
  const status = { task_id: { value: taskId }, agent_id: { value: 'S0' }, uuid: new Uint8Array(16).fill(1) };
  checker.statusSeen('f', { ...status, state: 'TASK_FAILED' });
  const acknowledge: MarathonEffect = { kind: 'call', call: { type: 'ACKNOWLEDGE', acknowledge: status } };
  assert.throws(() => checker.marathonPerforms(stage, acknowledge), /stored as Running/);
});

test("what does not run, what runs and is nobody's, and what is reserved for nobody stand between Marathon and its rest", () => {
  const stage = new Stage();
  const labels = { labels: [{ key: 'marathon_task_id', value: 'a.instance-gone' }] };
  const reserved: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 4 },
    reservations: [{ type: 'DYNAMIC', role: 'g', labels }],
  };
  const agents = new Map([['S0', { id: 'S0', total: Resources.of([reserved]) }]]);
  const task = { task_id: { value: 'b.instance-x._app.1' }, state: 'TASK_RUNNING' };
  const frameworks = new Map([['f', { tasks: new Map([['b', task]]) }]]);
  const running = new Map([['c.instance-x._app.1', 'agent0.0']]);
  const master = { reigning: true, core: { state: { agents, frameworks } } };
  const cluster = { masters: { leader: master }, instances: { running } } as unknown as Cluster;
  const marathon = { leader: { ...stage, core: stage.core, subscribed: true }, store: { values: stage.stored } };
  stage.create(1, '/a');
  stage.stored.set('instance/x', '{}');
  const converging = [...unconverged(cluster, marathon as unknown as Marathon)].join('\n');
  for (const text of [
    /deployment .* is at step/,
    /a\.instance-.* is Scheduled/,
    /Marathon has not/,
    /runs on agent0/,
  ]) {
    assert.match(converging, text);
  }
  const left = [...lingering(cluster, marathon as unknown as Marathon)].join('\n');
  for (const text of [
    /\/a is still wanted/,
    /the store has instance\/x/,
    /disk is reserved on S0 for a\.instance-gone/,
  ]) {
    assert.match(left, text);
  }
});
