import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../../wire/v1_scheduler.ts';
import type { CoreOptions } from '../context.ts';
import { Rig } from '../rig.fixture.ts';

const AGENTS = ['a', 'b', 'c', 'd'];

/** A Marathon whose master is only listened to: offers come when the test says so. */
function rigOf(options: Partial<CoreOptions>): Rig {
  const rig = new Rig({ launchTokenRefreshInterval: 1_000_000, ...options });
  rig.isAway = true;
  for (const host of AGENTS) rig.addAgent(host);
  return rig;
}

function offerAll(rig: Rig): readonly string[] {
  const offers = AGENTS.map((host) => rig.offerOf(host));
  rig.step({ kind: 'offers', offers });
  return offers.map(({ id }) => id.value);
}

function deploy(rig: Rig, id: string, instances: number): void {
  const outcome = rig.change({ kind: 'createApp', document: { id, cmd: 'sleep 1', cpus: 1, instances } });
  assert.ok(outcome.ok);
}

/** What was said of offers since the last time: accepted, or refused for so many seconds. */
function said(rig: Rig): readonly string[] {
  return rig.calls.splice(0).flatMap((call: Call) => {
    const accepted = (call.accept?.offer_ids ?? []).map(({ value }) => `${value} used`);
    const seconds = call.decline?.filters?.refuse_seconds;
    return [...accepted, ...(call.decline?.offer_ids ?? []).map(({ value }) => `${value} ${seconds}`)];
  });
}

function runAll(rig: Rig): void {
  for (const { tasks, condition } of rig.core.state.instances.values()) {
    if (condition === 'Provisioned') rig.report(tasks[0]!.id, 'TASK_RUNNING');
  }
}

test('an offer that too many launches leave unused is kept, and used when one of them runs', () => {
  const rig = rigOf({ launchTokens: 1, maxInstancesPerOffer: 1 });
  deploy(rig, '/web', 3);
  const [a, b, c, d] = offerAll(rig);
  assert.deepEqual(said(rig), [`${a} used`]);
  runAll(rig);
  rig.advance(1);
  assert.deepEqual(said(rig), [`${b} used`]);
  runAll(rig);
  rig.advance(1);
  // Nothing waits any more: the rest goes back, for as long as usual.
  assert.deepEqual(said(rig), [`${c} used`, `${d} 120`]);
});

test('kept offers go back for a short while when they were of no use for too long, or are too many', () => {
  const rig = rigOf({ launchTokens: 1, maxInstancesPerOffer: 1, maxQueuedOffers: 2, offerMatchingTimeout: 3_000 });
  deploy(rig, '/web', 3);
  const [a, b, c, d] = offerAll(rig);
  assert.deepEqual(said(rig), [`${a} used`, `${d} 5`]);
  rig.advance(2_999);
  assert.deepEqual(said(rig), []);
  rig.advance(1);
  assert.deepEqual(said(rig), [`${b} 5`, `${c} 5`]);
  runAll(rig);
  rig.advance(1);
  assert.deepEqual(said(rig), [], 'what was given back is not used');
});

test('an offer that was taken back, or came with a subscription that is over, is not used', () => {
  const rig = rigOf({ launchTokens: 1, maxInstancesPerOffer: 1 });
  deploy(rig, '/web', 4);
  const [a, b, c] = offerAll(rig);
  rig.step({ kind: 'rescind', offerId: b! });
  runAll(rig);
  rig.advance(1);
  assert.deepEqual(said(rig), [`${a} used`, `${c} used`]);
  rig.step({ kind: 'disconnected', reason: 'test' });
  rig.step({ kind: 'subscribed', frameworkId: 'f' });
  runAll(rig);
  rig.advance(10_000);
  assert.deepEqual(said(rig), []);
});

test('a few offers that nothing waits for are kept for a second, in case something comes', () => {
  const rig = rigOf({ spareOffers: 3 });
  const [a, b, c, d] = offerAll(rig);
  assert.deepEqual(said(rig), [`${d} 120`]);
  rig.advance(500);
  deploy(rig, '/web', 1);
  rig.advance(1);
  assert.deepEqual(said(rig), [`${a} used`]);
  rig.advance(498);
  assert.deepEqual(said(rig), []);
  rig.advance(1);
  assert.deepEqual(said(rig), [`${b} 120`, `${c} 120`]);
});

test('offers are asked for while some are kept, and not any more after that', () => {
  const rig = rigOf({ spareOffers: 2 });
  deploy(rig, '/web', 1);
  rig.advance(1);
  offerAll(rig);
  runAll(rig);
  const asked = (type: Call['type']): number => rig.calls.splice(0).filter((call) => call.type === type).length;
  rig.advance(998);
  assert.equal(asked('SUPPRESS'), 0);
  rig.advance(10);
  assert.equal(asked('SUPPRESS'), 1);
});

test('many instances are made in slices, and all of them in the end', () => {
  const rig = rigOf({});
  deploy(rig, '/web', 1_700);
  assert.equal(rig.instancesOf('/web').length, 500);
  rig.advance(1);
  assert.equal(rig.instancesOf('/web').length, 1_700);
  assert.ok(rig.change({ kind: 'updateApp', id: '/web', document: { instances: 4_000 }, mode: 'merge' }, true).ok);
  assert.ok(rig.change({ kind: 'updateApp', id: '/web', document: { instances: 10 }, mode: 'merge' }, true).ok);
  rig.advance(1);
  assert.equal(rig.instancesOf('/web').length, 10, 'what is not wanted any more is not made');
});
