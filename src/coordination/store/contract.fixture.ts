/** What every store must do. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Store } from './store.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function contents(store: Store): Promise<Record<string, string>> {
  const loaded = await store.load();
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.message);
  return Object.fromEntries([...loaded.value].map(([key, value]) => [key, Buffer.from(value).toString()]));
}

/** A store in the place given, which is empty at first; each time a new one, as after a restart. */
type Open = (place: string) => Promise<Store>;

/** @param fences whether a store that was opened later shuts out an earlier one */
export function storeSuite(open: Open, fences: boolean): void {
  startsEmpty(open);
  survivesRestarts(open);
  carriesNames(open);
  keepsOrder(open);
  carriesMany(open);
  canBeRead(open);
  if (fences) fencesOff(open);
}

function startsEmpty(open: Open): void {
  it('is empty at first', async () => {
    const store = await open('empty');
    assert.deepEqual(await contents(store), {});
    await store.close();
  });
}

function survivesRestarts(open: Open): void {
  it('gives back after a restart what was stored, changed and taken away', async () => {
    const store = await open('restart');
    await contents(store);
    assert.ok((await store.apply([{ key: 'agents/a', value: bytes('1') }])).ok);
    assert.ok(
      (
        await store.apply([
          { key: 'agents/b', value: bytes('2') },
          { key: 'quotas/x', value: bytes('q') },
        ])
      ).ok,
    );
    const change = [
      { key: 'agents/a', value: bytes('3') },
      { key: 'agents/b', value: undefined },
      { key: 'agents/none', value: undefined },
    ];
    assert.ok((await store.apply(change)).ok);
    await store.close();
    const again = await open('restart');
    assert.deepEqual(await contents(again), { 'agents/a': '3', 'quotas/x': 'q' });
    assert.ok(
      (
        await again.apply([
          { key: 'agents/a', value: undefined },
          { key: 'agents/b', value: bytes('4') },
        ])
      ).ok,
    );
    await again.close();
    const third = await open('restart');
    assert.deepEqual(await contents(third), { 'agents/b': '4', 'quotas/x': 'q' });
    await third.close();
  });
}

function carriesNames(open: Open): void {
  it('carries names of any kind and values without content', async () => {
    const store = await open('names');
    await contents(store);
    const long = 'a very long name '.repeat(300);
    const names = ['a/b/c', '.', '..', 'ü €', '100%', 'a\\b', ' ', long, `${long}!`];
    assert.ok((await store.apply(names.map((name) => ({ key: `roles/${name}`, value: bytes(name) })))).ok);
    assert.ok((await store.apply([{ key: 'roles/empty', value: bytes('') }])).ok);
    assert.ok((await store.apply([{ key: `roles/${names.pop()}`, value: undefined }])).ok);
    await store.close();
    const again = await open('names');
    const expected = Object.fromEntries(names.map((name) => [`roles/${name}`, name]));
    assert.deepEqual(await contents(again), { ...expected, 'roles/empty': '' });
    await again.close();
  });
}

function keepsOrder(open: Open): void {
  it('carries out calls in order, the last change of a key being the one that counts', async () => {
    const store = await open('order');
    await contents(store);
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, i) => store.apply([{ key: `n/${i % 7}`, value: bytes(String(i)) }])),
    );
    assert.ok(outcomes.every(({ ok }) => ok));
    const twice = [
      { key: 'n/0', value: bytes('first') },
      { key: 'n/0', value: bytes('last') },
    ];
    assert.ok((await store.apply(twice)).ok);
    await store.close();
    const again = await open('order');
    const expected = {
      'n/0': 'last',
      'n/1': '498',
      'n/2': '499',
      'n/3': '493',
      'n/4': '494',
      'n/5': '495',
      'n/6': '496',
    };
    assert.deepEqual(await contents(again), expected);
    await again.close();
  });
}

function carriesMany(open: Open): void {
  it('carries many entities', async () => {
    const store = await open('many');
    await contents(store);
    const value = Buffer.alloc(500, 'v');
    const calls = Array.from({ length: 5_000 }, (_, i) => store.apply([{ key: `agents/S${i}`, value }]));
    assert.ok((await Promise.all(calls)).every(({ ok }) => ok));
    await store.close();
    const again = await open('many');
    assert.equal(Object.keys(await contents(again)).length, 5_000);
    await again.close();
  });
}

function canBeRead(open: Open): void {
  it('can be read without being taken over', async () => {
    const store = await open('read');
    await contents(store);
    assert.ok((await store.apply([{ key: 'a/1', value: bytes('x') }])).ok);
    const reader = await open('read');
    const read = await reader.read();
    assert.deepEqual(read.ok && [...read.value.keys()], ['a/1']);
    assert.ok((await store.apply([{ key: 'a/2', value: bytes('y') }])).ok);
    await store.close();
    await reader.close();
  });
}

function fencesOff(open: Open): void {
  it('lets nothing through of a writer after whom another has taken over', async () => {
    const deposed = await open('fence');
    await contents(deposed);
    assert.ok((await deposed.apply([{ key: 'a/1', value: bytes('old') }])).ok);
    const leader = await open('fence');
    await contents(leader);
    const outcome = await deposed.apply([{ key: 'a/1', value: bytes('late') }]);
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.kind, 'fenced');
    assert.ok((await leader.apply([{ key: 'a/2', value: bytes('new') }])).ok);
    const later = await deposed.apply([{ key: 'a/2', value: undefined }]);
    assert.ok(!later.ok);
    await leader.close();
    const third = await open('fence');
    assert.deepEqual(await contents(third), { 'a/1': 'old', 'a/2': 'new' });
    await third.close();
    await deposed.close();
  });
}
