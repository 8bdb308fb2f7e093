import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './harness.fixture.ts';
import { type RateLimits, Throttle } from './rate-limits.ts';

const PID = 'scheduler(1)@127.0.0.1:9000';

test('one passes at once, the next ones wait their turn, in order and at the pace', () => {
  const throttle = new Throttle<string>({ qps: 2 });
  const all = () => true;
  assert.equal(throttle.pass('a', true, 0), true);
  assert.equal(throttle.pass('b', true, 10), false);
  assert.equal(throttle.pass('c', true, 20), false);
  assert.equal(throttle.due, 500);
  assert.equal(throttle.take(499, all), undefined);
  assert.equal(throttle.take(510, all), 'b');
  assert.equal(throttle.due, 1000);
  assert.equal(throttle.pass('d', true, 1200), false, 'c is before it');
  assert.deepEqual(
    [throttle.take(1600, all), throttle.take(1600, all), throttle.take(1600, all)],
    ['c', 'd', undefined],
  );
  assert.equal(throttle.due, undefined);
  assert.equal(throttle.pass('e', true, 1700), false);
  assert.equal(throttle.pass('f', true, 9000), false);
});

test('only so many may wait, and what has no place to count is let in all the same', () => {
  const throttle = new Throttle<string>({ qps: 1, capacity: 1 });
  throttle.pass('a', true, 0);
  assert.equal(throttle.isFull, false);
  throttle.pass('b', true, 0);
  assert.equal(throttle.isFull, true);
  throttle.pass('exit', false, 0);
  const counts = (item: string) => item !== 'exit';
  assert.equal(throttle.take(1000, counts), 'b');
  assert.equal(throttle.isFull, false);
  assert.equal(throttle.take(2000, counts), 'exit');
  assert.equal(throttle.isFull, false);
});

function stand(rateLimits: RateLimits | undefined, principal?: string) {
  const world = new World({ rateLimits });
  const framework = { user: 'root', name: 'old', failover_timeout: 1000, ...(principal && { principal }) };
  world.message(PID, 'mesos.internal.RegisterFrameworkMessage', { framework });
  const [registered] = world.sent('mesos.internal.FrameworkRegisteredMessage');
  const framework_id = registered!.framework_id;
  const revive = () => world.message(PID, 'mesos.internal.ReviveOffersMessage', { framework_id });
  const revived = () => world.state.counters.messages_revive_offers;
  const counts = () => world.state.messageCounts.get(principal ?? '');
  return { world, framework_id, revive, revived, counts };
}

const limits = (own: Record<string, { qps: number; capacity?: number } | undefined>, others?: { qps: number }) => ({
  principals: new Map(Object.entries(own)),
  others,
});

test('messages of a limited principal are delayed, and dropped with an error beyond the capacity', () => {
  const { world, revive, revived, counts } = stand(limits({ slow: { qps: 1, capacity: 2 } }), 'slow');
  for (let i = 0; i < 3; i++) revive();
  assert.equal(revived(), 1);
  assert.deepEqual(counts(), { received: 3, processed: 1 });
  revive();
  assert.deepEqual(world.sent('mesos.internal.FrameworkErrorMessage'), [
    { message: 'Message mesos.internal.ReviveOffersMessage dropped: capacity(2) exceeded' },
  ]);
  world.sleep(1000);
  assert.equal(revived(), 2);
  world.sleep(1000);
  assert.equal(revived(), 3);
  world.sleep(5000);
  assert.equal(revived(), 3);
  assert.deepEqual(counts(), { received: 4, processed: 3 });
});

test('the end of the connection comes after what was said before it', () => {
  const { world, framework_id, revive, revived } = stand(limits({ slow: { qps: 1 } }), 'slow');
  revive();
  revive();
  world.step({ kind: 'exited', pid: PID });
  assert.equal(world.state.frameworks.get(framework_id.value)?.state, 'CONNECTED');
  world.sleep(1000);
  assert.equal(revived(), 2);
  assert.equal(world.state.frameworks.get(framework_id.value)?.state, 'CONNECTED');
  world.sleep(1000);
  assert.equal(world.state.frameworks.get(framework_id.value)?.state, 'DISCONNECTED');
});

test('who is not named shares the default, who is named without qps is not limited', () => {
  for (const principal of ['other', undefined]) {
    const { revive, revived } = stand(limits({ free: undefined }, { qps: 1 }), principal);
    revive();
    revive();
    assert.equal(revived(), 1, principal);
  }
  for (const given of [limits({ free: undefined }, { qps: 1 }), limits({ x: { qps: 1 } }), undefined]) {
    const { revive, revived } = stand(given, 'free');
    revive();
    revive();
    assert.equal(revived(), 2);
  }
});

test('calls over HTTP are not limited, and counting ends with the last framework of a principal', () => {
  const { world, framework_id, revive, counts } = stand(limits({ p: { qps: 100 } }), 'p');
  const scheduler = world.subscribe({ principal: 'p' });
  for (let i = 0; i < 3; i++) world.say(scheduler, { type: 'SUPPRESS' });
  assert.equal(world.state.counters.messages_suppress_offers, 3);
  revive();
  assert.deepEqual(counts(), { received: 1, processed: 1 });
  world.sleep(10);
  world.message(PID, 'mesos.internal.UnregisterFrameworkMessage', { framework_id });
  assert.deepEqual(counts(), { received: 2, processed: 1 });
  world.say(scheduler, { type: 'TEARDOWN' });
  assert.equal(counts(), undefined);
});
