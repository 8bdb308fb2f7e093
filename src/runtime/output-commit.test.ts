import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputCommit } from './output-commit.ts';

interface Write {
  readonly path: string;
}
type Effect = { readonly say: string } | { readonly persist: Write };

const write = (name: string): Effect => ({ persist: { path: name } });
const say = (text: string): Effect => ({ say: text });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything that happened, in order; each batch becomes durable when `finish` is called. */
function stand() {
  const happened: string[] = [];
  const writes: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const failures: unknown[] = [];
  const commit = new OutputCommit<Effect, Write>({
    persistOf: (effect) => ('persist' in effect ? effect.persist : undefined),
    perform: (effect) => void happened.push('say' in effect ? effect.say : '?'),
    write: (operations) => {
      happened.push(`write ${operations.map(({ path }) => path).join('+')}`);
      return new Promise((resolve, reject) => writes.push({ resolve, reject }));
    },
    fail: (error) => void failures.push(error),
  });
  return {
    commit,
    happened,
    failures,
    finish: async () => {
      writes.shift()?.resolve();
      await turn();
    },
    break: async () => {
      writes.shift()?.reject(new Error('disk full'));
      await turn();
    },
  };
}

test('without anything to write, effects are performed at once', () => {
  const { commit, happened } = stand();
  commit.submit(say('a'));
  assert.deepEqual(happened, ['a']);
  assert.equal(commit.isBusy, false);
});

test('what follows a write waits for it, and what was said before does not', async () => {
  const { commit, happened, finish } = stand();
  for (const effect of [say('before'), write('one'), say('after'), write('two'), say('last')]) commit.submit(effect);
  assert.deepEqual(happened, ['before']);
  await turn();
  assert.deepEqual(happened, ['before', 'write one+two']);
  await finish();
  assert.deepEqual(happened, ['before', 'write one+two', 'after', 'last']);
  assert.equal(commit.isBusy, false);
});

test('what comes while a write is under way is written with the next one', async () => {
  const { commit, happened, finish } = stand();
  commit.submit(write('one'));
  await turn();
  for (const effect of [say('free'), write('two'), say('a'), write('three'), say('b')]) commit.submit(effect);
  assert.deepEqual(happened, ['write one']);
  await finish();
  assert.deepEqual(happened, ['write one', 'free', 'write two+three']);
  commit.submit(say('c'));
  await finish();
  assert.deepEqual(happened, ['write one', 'free', 'write two+three', 'a', 'b', 'c']);
});

test('after a write that failed nothing more gets out', async () => {
  const { commit, happened, failures, break: fail } = stand();
  commit.submit(write('one'));
  commit.submit(say('never'));
  await turn();
  commit.submit(say('neither'));
  await fail();
  commit.submit(say('nor this'));
  assert.deepEqual(happened, ['write one']);
  assert.equal((failures[0] as Error).message, 'disk full');
});
