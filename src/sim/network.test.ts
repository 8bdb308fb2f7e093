import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Dice } from './dice.ts';
import { Loop } from './loop.ts';
import { type Arrival, type Host, Network } from './network.ts';
import { CALM } from './weather.ts';

const PING = 'mesos.internal.ShutdownMessage';

class Listener implements Host {
  readonly heard: string[] = [];
  readonly lost: string[] = [];

  receive({ body }: Arrival): void {
    this.heard.push((body as { message: string }).message);
  }

  exited(pid: string): void {
    this.lost.push(pid);
  }
}

function pair(seed = 1): { loop: Loop; network: Network; a: Listener; b: Listener; say: (text: string) => void } {
  const loop = new Loop();
  const network = new Network(loop, new Dice(seed), { ...CALM, slowShare: 0.5, slowest: 1000 });
  const [a, b] = [new Listener(), new Listener()];
  network.attach('1.1.1.1:1', a);
  network.attach('2.2.2.2:2', b);
  return { loop, network, a, b, say: (message) => network.send('a@1.1.1.1:1', 'b@2.2.2.2:2', PING, { message }) };
}

test('what is planned happens in the order of time, and at one instant in the order of planning', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5 })), (delays) => {
      const loop = new Loop();
      const happened: (readonly [number, number])[] = [];
      for (const [i, delay] of delays.entries()) loop.after(delay, () => happened.push([loop.now, i]));
      loop.runUntil(10);
      const planned = delays.map((delay, i) => [delay, i] as const);
      assert.deepEqual(
        happened,
        planned.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
      );
    }),
  );
});

test('messages arrive in the order in which they were sent, however slow some are', () => {
  const { loop, b, say } = pair();
  const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
  for (const text of texts) loop.after(Number(text) * 10, () => say(text));
  loop.runUntil(100_000);
  assert.deepEqual(b.heard, texts);
});

test('a connection that breaks loses what is on its way, and tells who linked it once', () => {
  const { loop, network, a, b, say } = pair();
  network.link('1.1.1.1:1', 'b@2.2.2.2:2', false);
  say('lost');
  network.breakAny();
  say('into the void');
  loop.runUntil(1000);
  assert.deepEqual(a.lost, ['b@2.2.2.2:2']);
  say('heard');
  loop.runUntil(10_000);
  assert.deepEqual(b.heard, ['heard']);
  assert.equal(a.lost.length, 1);
});

test('a program that is started at the address of a dead one hears nothing that was meant for that one', () => {
  const { loop, network, a, b, say } = pair();
  network.link('1.1.1.1:1', 'b@2.2.2.2:2', false);
  say('too late');
  network.detach('2.2.2.2:2');
  const next = new Listener();
  network.attach('2.2.2.2:2', next);
  loop.runUntil(1000);
  assert.deepEqual([b.heard, next.heard, a.lost], [[], [], ['b@2.2.2.2:2']]);
});

test('nothing passes through a cut; what survives it arrives afterwards, in order', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { loop, network, b, say } = pair(seed);
      say('1');
      network.cut('2.2.2.2:2', 5000);
      for (const text of ['2', '3']) loop.after(100, () => say(text));
      loop.runUntil(4999);
      assert.deepEqual(b.heard, []);
      loop.runUntil(20_000);
      assert.deepEqual(b.heard, [...b.heard].sort());
    }),
  );
});
