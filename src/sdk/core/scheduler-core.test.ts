import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, Event } from '../../wire/v1_scheduler.ts';
import type { Address } from './address.ts';
import { SchedulerCore, type SchedulerEffect, type SchedulerEvent, type SubscribeOutcome } from './scheduler-core.ts';

const A: Address = { host: 'a', port: 5050 };
const B: Address = { host: 'b', port: 5050 };
const C: Address = { host: 'c', port: 5050 };

type Kind = SchedulerEffect['kind'];
type Of<K extends Kind> = Extract<SchedulerEffect, { kind: K }>;

/** A core in a world in which nothing happens but what the test says. */
class Rig {
  readonly core: SchedulerCore;
  readonly timers = new Map<string, number>();
  now = 1_000;
  effects: SchedulerEffect[] = [];

  constructor(options: Partial<ConstructorParameters<typeof SchedulerCore>[0]> = {}) {
    const reconnect = { minimum: 100, maximum: 1_000 };
    this.core = new SchedulerCore({ framework: { user: 'u', name: 'n' }, reconnect, ...options });
  }

  step(event: SchedulerEvent): this {
    this.effects = [];
    const env = { now: this.now, wall: this.now, random: () => 1, chance: () => false };
    this.core.step(event, env, (effect) => {
      this.effects.push(effect);
      if (effect.kind === 'arm') this.timers.set(effect.key, this.now + effect.after);
      if (effect.kind === 'disarm') this.timers.delete(effect.key);
    });
    return this;
  }

  /** Of the last step. */
  all<K extends Kind>(kind: K): Of<K>[] {
    return this.effects.filter((effect): effect is Of<K> => effect.kind === kind);
  }

  only<K extends Kind>(kind: K): Of<K> {
    const found = this.all(kind);
    assert.equal(found.length, 1, `${kind} among ${JSON.stringify(this.effects)}`);
    return found[0]!;
  }

  /** The next timer fires. */
  fire(): this {
    const [key, at] = [...this.timers].sort((a, b) => a[1] - b[1])[0] ?? assert.fail('no timer');
    this.timers.delete(key);
    this.now = Math.max(this.now, at);
    return this.step({ kind: 'timer', key });
  }

  locate(...masters: readonly Address[]): this {
    return this.step({ kind: 'located', result: { ok: true, value: masters } });
  }

  answer(attempt: number, outcome: SubscribeOutcome): this {
    return this.step({ kind: 'answered', attempt, outcome });
  }

  hear(attempt: number, event: Event): this {
    return this.step({ kind: 'event', attempt, event });
  }

  call(token: number, call: Call): this {
    return this.step({ kind: 'call', token, call });
  }
}

function subscribed(id = 'F', heartbeat_interval_seconds = 15): Event {
  return { type: 'SUBSCRIBED', subscribed: { framework_id: { value: id }, heartbeat_interval_seconds } };
}

/** @returns a rig whose stream with A stands, and the number of its attempt */
function connected(options?: ConstructorParameters<typeof Rig>[0]): { readonly rig: Rig; readonly attempt: number } {
  const rig = new Rig(options);
  const { attempt } = rig.step({ kind: 'start' }).locate(A, B).only('subscribe');
  rig.answer(attempt, { kind: 'open', streamId: 's1' }).hear(attempt, subscribed());
  return { rig, attempt };
}

test('masters are tried in turn, with pauses that double, until one leads; the next pause is short again', () => {
  const rig = new Rig();
  rig.step({ kind: 'start' });
  const tried: string[] = [];
  const pauses: number[] = [];
  for (let at = 0; at < 6; at++) {
    const { attempt, address } = rig.locate(A, B, C).only('subscribe');
    tried.push(address.host);
    rig.answer(attempt, { kind: 'unavailable', reason: 'no' });
    assert.match(rig.only('disconnected').reason, /^[abc]:5050: no$/);
    pauses.push(rig.only('arm').after);
    rig.fire();
  }
  assert.deepEqual(tried, ['a', 'b', 'c', 'a', 'b', 'c']);
  assert.deepEqual(pauses, [100, 200, 400, 800, 1_000, 1_000]);
  const { attempt } = rig.locate(A).only('subscribe');
  rig.answer(attempt, { kind: 'open', streamId: 's' }).hear(attempt, subscribed());
  rig.step({ kind: 'ended', attempt, reason: 'it broke' });
  assert.equal(rig.only('arm').after, 100);
  assert.deepEqual(rig.fire().only('subscribe').address, A, 'who has led is asked first');
});

test('a redirect is followed at once; one that leads nowhere, or in a circle, is left to the back-off', () => {
  const rig = new Rig();
  let { attempt } = rig.step({ kind: 'start' }).locate(A).only('subscribe');
  const to = rig.answer(attempt, { kind: 'redirect', leader: B }).only('subscribe');
  assert.deepEqual(to.address, B);
  rig.answer(to.attempt, { kind: 'redirect', leader: B });
  assert.match(rig.only('disconnected').reason, /b:5050 does not lead and names no other leader/);
  ({ attempt } = rig.fire().locate(A).only('subscribe'));
  let hops = 0;
  for (let next = attempt; ; hops++) {
    rig.answer(next, { kind: 'redirect', leader: hops % 2 === 0 ? B : A });
    const [again] = rig.all('subscribe');
    if (again === undefined) break;
    next = again.attempt;
  }
  assert.equal(hops, 5);
  assert.equal(rig.all('disconnected').length, 1);
});

test('the framework comes back under the id that it was given', () => {
  const { rig, attempt } = connected({ suppressedRoles: ['x'] });
  assert.equal(rig.core.frameworkId, 'F');
  rig.step({ kind: 'ended', attempt, reason: 'it broke' });
  const { call } = rig.fire().only('subscribe');
  assert.deepEqual(call, {
    type: 'SUBSCRIBE',
    framework_id: { value: 'F' },
    subscribe: { framework_info: { user: 'u', name: 'n', id: { value: 'F' } }, suppressed_roles: ['x'] },
  });
});

test('who is not told of another leader by its old one goes there when ZooKeeper names it', () => {
  const { rig, attempt } = connected();
  rig.step({ kind: 'leader', address: A });
  assert.deepEqual(rig.effects, [], 'it is there already');
  rig.step({ kind: 'leader', address: B });
  assert.equal(rig.only('hangUp').attempt, attempt);
  assert.match(rig.only('disconnected').reason, /b:5050 leads now/);
  const second = rig.only('subscribe');
  assert.deepEqual(second.address, B);
  // B is as dead as A before it has answered.
  rig.step({ kind: 'leader', address: C });
  assert.equal(rig.only('hangUp').attempt, second.attempt);
  assert.equal(rig.all('disconnected').length, 0, 'there was no connection');
  assert.deepEqual(rig.only('subscribe').address, C);
});

test('a pause ends when a leader is named', () => {
  const { rig, attempt } = connected();
  rig.step({ kind: 'ended', attempt, reason: 'it broke' });
  assert.ok(rig.timers.has('retry'));
  assert.deepEqual(rig.step({ kind: 'leader', address: B }).only('subscribe').address, B);
  assert.ok(!rig.timers.has('retry'));
});

test('what is said of an earlier attempt does not count', () => {
  const { rig, attempt } = connected();
  rig.step({ kind: 'leader', address: B });
  const { attempt: second } = rig.only('subscribe');
  rig.hear(attempt, { type: 'OFFERS', offers: { offers: [] } });
  assert.deepEqual(rig.effects, []);
  rig.step({ kind: 'ended', attempt, reason: 'late' });
  assert.deepEqual(rig.effects, []);
  rig.answer(second, { kind: 'open', streamId: 's2' });
  assert.equal(rig.only('channel').streamId, 's2');
  rig.answer(attempt, { kind: 'unavailable', reason: 'late' });
  assert.deepEqual(rig.effects, []);
});

test('a stream is given up after three heartbeats of silence, also before it has said anything', () => {
  const rig = new Rig();
  const { attempt } = rig.step({ kind: 'start' }).locate(A).only('subscribe');
  rig.answer(attempt, { kind: 'open', streamId: 's' });
  rig.fire();
  assert.match(rig.only('disconnected').reason, /nothing was heard for 45 s/);
  assert.equal(rig.now, 46_000);
  const { attempt: second } = rig.fire().only('subscribe');
  rig.answer(second, { kind: 'open', streamId: 's2' }).hear(second, subscribed('F', 5));
  const since = rig.now;
  rig.now += 10_000;
  rig.hear(second, { type: 'HEARTBEAT' });
  rig.fire();
  assert.deepEqual(
    rig.effects.map(({ kind }) => kind),
    ['arm'],
    'it was heard of meanwhile',
  );
  rig.fire();
  assert.equal(rig.now, since + 25_000);
  assert.match(rig.only('disconnected').reason, /nothing was heard for 15 s/);
});

test('a master that takes the question and never answers is given up, and the next one is asked', () => {
  const rig = new Rig();
  const { attempt } = rig.step({ kind: 'start' }).locate(A, B).only('subscribe');
  rig.fire();
  assert.equal(rig.only('hangUp').attempt, attempt);
  assert.match(rig.only('disconnected').reason, /a:5050: no answer within 30 s/);
  assert.deepEqual(rig.fire().locate(A, B).only('subscribe').address, B);
});

test('calls carry the id of the framework, and are settled by their answers', () => {
  const { rig } = connected();
  assert.deepEqual(rig.call(1, { type: 'REVIVE' }).only('send'), {
    kind: 'send',
    token: 1,
    call: { type: 'REVIVE', framework_id: { value: 'F' } },
  });
  rig.step({ kind: 'callAnswered', token: 1, status: 202, text: '' });
  assert.deepEqual(rig.only('settled').result, { kind: 'accepted' });
  rig.call(2, { type: 'DECLINE', decline: { offer_ids: [] } });
  rig.step({ kind: 'callAnswered', token: 2, status: 400, text: 'no such offer' });
  assert.deepEqual(rig.only('settled').result, { kind: 'refused', status: 400, text: 'no such offer' });
  rig.call(3, { type: 'REVIVE' });
  rig.step({ kind: 'callAnswered', token: 3, status: 307, text: '' });
  assert.equal(rig.only('settled').result.kind, 'notConnected');
  rig.step({ kind: 'callAnswered', token: 3, status: 202, text: '' });
  assert.deepEqual(rig.effects, [], 'once');
});

test('without a subscription a call is settled at once; one that is lost ends its stream, and no later one', () => {
  const rig = new Rig();
  assert.equal(rig.call(1, { type: 'REVIVE' }).only('settled').result.kind, 'notConnected');
  const { rig: other, attempt } = connected();
  other.call(1, { type: 'REVIVE' }).call(2, { type: 'REVIVE' });
  other.step({ kind: 'callLost', token: 1, reason: 'it broke' });
  assert.deepEqual(other.only('settled').result, { kind: 'notConnected', reason: 'it broke' });
  assert.equal(other.only('hangUp').attempt, attempt);
  const { attempt: second } = other.fire().only('subscribe');
  other.answer(second, { kind: 'open', streamId: 's2' }).hear(second, subscribed());
  other.step({ kind: 'callLost', token: 2, reason: 'it broke' });
  assert.equal(other.only('settled').token, 2);
  assert.deepEqual(other.all('hangUp'), []);
  assert.deepEqual(other.core.master, A);
});

test('what UPDATE_FRAMEWORK has changed stays so with the next leader, unless it was refused', () => {
  const { rig } = connected();
  const update = (name: string): Call => ({
    type: 'UPDATE_FRAMEWORK',
    update_framework: { framework_info: { user: 'u', name }, suppressed_roles: ['r'] },
  });
  rig.call(1, update('renamed')).step({ kind: 'callAnswered', token: 1, status: 202, text: '' });
  rig.call(2, update('refused')).step({ kind: 'callAnswered', token: 2, status: 400, text: 'no' });
  rig.call(3, update('unknown')).step({ kind: 'leader', address: B });
  assert.deepEqual(rig.only('subscribe').call.subscribe, {
    framework_info: { user: 'u', name: 'unknown', id: { value: 'F' } },
    suppressed_roles: ['r'],
  });
  rig.step({ kind: 'callAnswered', token: 3, status: 400, text: 'no' }).step({ kind: 'leader', address: C });
  assert.equal(rig.only('subscribe').call.subscribe?.framework_info.name, 'renamed');
});

test('TEARDOWN: the stream may end before its answer, which ends it all; without one it goes on', () => {
  const { rig, attempt } = connected();
  rig.call(1, { type: 'TEARDOWN' }).step({ kind: 'ended', attempt, reason: 'the master closed the stream' });
  assert.deepEqual(rig.all('disconnected'), []);
  rig.step({ kind: 'callAnswered', token: 1, status: 202, text: '' });
  assert.deepEqual(rig.only('over').why, { kind: 'stopped' });
  assert.equal(rig.timers.size, 0);

  const { rig: unlucky, attempt: first } = connected();
  unlucky.call(1, { type: 'TEARDOWN' }).step({ kind: 'ended', attempt: first, reason: 'it broke' });
  assert.deepEqual(unlucky.fire().only('subscribe').address, A);
});

test('a refused subscription, an ERROR and a stop end it, with nothing after that', () => {
  const refused = new Rig();
  const { attempt } = refused.step({ kind: 'start' }).locate(A).only('subscribe');
  refused.answer(attempt, { kind: 'refused', status: 401, text: 'who?' });
  assert.deepEqual(refused.only('over').why, { kind: 'refused', status: 401, text: 'who?' });

  const { rig: told, attempt: its } = connected();
  told.hear(its, { type: 'ERROR', error: { message: 'Framework failed over' } });
  assert.deepEqual(
    told.effects.map(({ kind }) => kind).filter((kind) => kind !== 'disarm'),
    ['deliver', 'hangUp', 'over'],
  );

  const { rig: stopped } = connected();
  stopped.step({ kind: 'stop' });
  assert.equal(stopped.timers.size, 0);
  for (const rig of [refused, told, stopped]) {
    rig.step({ kind: 'leader', address: C }).step({ kind: 'timer', key: 'retry' });
    assert.deepEqual(rig.effects, []);
    assert.equal(rig.call(9, { type: 'REVIVE' }).only('settled').result.kind, 'notConnected');
  }
});
