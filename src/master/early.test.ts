import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EarlyMessages } from './early.ts';

const REGISTER = 'mesos.internal.RegisterSlaveMessage';
const REREGISTER = 'mesos.internal.ReregisterSlaveMessage';

const message = (from: string, text: string, name = REREGISTER) => ({
  from,
  name,
  body: Buffer.from(text),
  to: 'master',
});

function released(early: EarlyMessages): string[] {
  const texts: string[] = [];
  early.release(({ from, body }) => texts.push(`${from}: ${Buffer.from(body)}`));
  return texts;
}

test('the newest registration of each agent waits, in the order in which they came, and once', () => {
  const early = new EarlyMessages();
  assert.ok(early.keep(message('a', 'one', REGISTER)));
  assert.ok(early.keep(message('b', 'two')));
  assert.ok(early.keep(message('a', 'three')));
  assert.equal(early.keep(message('c', 'x', 'mesos.internal.StatusUpdateMessage')), false);
  assert.deepEqual(released(early), ['b: two', 'a: three']);
  assert.deepEqual(released(early), []);
});

test('what is kept does not change with the buffer that it came in', () => {
  const early = new EarlyMessages();
  const one = message('a', 'one');
  early.keep(one);
  one.body.fill(0);
  assert.deepEqual(released(early), ['a: one']);
});

test('who said something newer, or went away, is not spoken for', () => {
  const early = new EarlyMessages();
  for (const from of ['a', 'b', 'c']) early.keep(message(from, 'old'));
  early.supersede({ from: 'a', name: REREGISTER });
  early.supersede({ from: 'b', name: 'mesos.internal.PongSlaveMessage' });
  early.forget('c');
  assert.deepEqual(released(early), ['b: old']);
  early.keep(message('d', 'old'));
  early.clear();
  assert.deepEqual(released(early), []);
});

test('no more than so many bytes wait, and those of a message that was replaced are free again', () => {
  const early = new EarlyMessages(10);
  assert.ok(early.keep(message('a', '12345678')));
  assert.equal(early.keep(message('b', '123')), false);
  assert.ok(early.keep(message('a', '12')));
  assert.ok(early.keep(message('b', '123')));
  assert.deepEqual(released(early), ['a: 12', 'b: 123']);
});

test('many are handed out in several turns, and what is said meanwhile counts instead', async () => {
  const early = new EarlyMessages();
  for (let at = 0; at < 50; at++) early.keep(message(`agent-${at}`, 'old'));
  const taken: string[] = [];
  const slowly = ({ from }: { from: string }): void => {
    taken.push(from);
    const until = performance.now() + 1;
    while (performance.now() < until);
  };
  early.release(slowly);
  const first = taken.length;
  assert.ok(first < 50, 'others have their turn');
  early.supersede({ from: 'agent-49', name: REREGISTER });
  while (taken.length < 49) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    taken,
    Array.from({ length: 49 }, (_, at) => `agent-${at}`),
  );
});
