import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { MemoryStore } from '../coordination/store/memory.ts';
import type { Change } from '../coordination/store/store.ts';
import { formatState, parseState, replacing } from './backup.ts';
import { backupPath } from './backup-path.ts';
import { MarathonCore } from './core/machine.ts';
import { Rig, START } from './core/rig.fixture.ts';
import { NEXT_LEADER_KEY, RESTORING_KEY } from './core/stored.ts';
import { loadState } from './load-state.ts';
import { encodeValue } from './store.ts';

const root = mkdtempSync(join(tmpdir(), 'marathon-state-'));
after(() => rmSync(root, { recursive: true, force: true }));

type Records = ReadonlyMap<string, unknown>;

/** Every kind of record: apps, a pod, groups, a deployment under way, a failure. */
function everyKind(): Map<string, unknown> {
  const rig = new Rig();
  rig.addAgent('h');
  rig.change({ kind: 'createApp', document: { id: '/prod/web', cmd: 'sleep 1', instances: 2 } });
  rig.change({
    kind: 'createPod',
    document: {
      id: '/prod/pod',
      containers: [{ name: 'c', resources: { cpus: 0.1, mem: 32 }, exec: { command: { shell: 'sleep 1' } } }],
    },
  });
  rig.advance(1_000);
  const [task] = [...rig.tasks.keys()];
  rig.report(task!, 'TASK_FAILED');
  rig.mesos.agents.clear();
  rig.change({ kind: 'createApp', document: { id: '/waiting', cmd: 'sleep 1' } });
  const values = new Map<string, unknown>([...rig.stored].map(([key, text]) => [key, JSON.parse(text)]));
  return values.set('meta/format', { version: 1 });
}

async function storeOf(records: Records): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.load();
  await store.apply([...records].map(([key, value]) => ({ key, value: encodeValue(value as object) })));
  return store;
}

async function keysOf(store: MemoryStore): Promise<readonly string[]> {
  const read = await store.read();
  return read.ok ? [...read.value.keys()].sort() : [];
}

const said: string[] = [];
const tell = (level: string, text: string): void => {
  said.push(`${level}: ${text}`);
};

function small(id: string): Map<string, unknown> {
  const rig = new Rig();
  rig.change({ kind: 'createApp', document: { id, cmd: 'sleep 1' } });
  const values = new Map<string, unknown>([...rig.stored].map(([key, text]) => [key, JSON.parse(text)]));
  return values.set('meta/format', { version: 1 });
}

const textOf = (records: Records): string =>
  formatState(new Map([...records].map(([key, value]) => [key, encodeValue(value as object)])));

test('the next leader backs up and restores before it leads, and only once', async () => {
  const [saved, old] = [join(root, 'saved.json'), join(root, 'old.json')];
  writeFileSync(old, textOf(small('/old')));
  const store = await storeOf(
    small('/now').set(NEXT_LEADER_KEY, { backup: `file://${saved}`, restore: `file://${old}` }),
  );
  const state = await loadState({ store, tell });
  assert.ok(state.ok, state.ok ? '' : state.error);
  assert.deepEqual([...state.value.current.keys()], ['/old']);
  assert.deepEqual(await keysOf(store), [...parsed(readFileSync(old, 'utf8')).keys()].sort());
  const backup = parsed(readFileSync(saved, 'utf8'));
  assert.ok(backup.has('spec//now'));
  assert.ok(!backup.has(NEXT_LEADER_KEY), 'orders are no part of the state');
  rmSync(saved);
  const again = await loadState({ store, tell });
  assert.ok(again.ok);
  assert.ok(!existsSync(saved));
});

function parsed(text: string): Map<string, unknown> {
  const values = parseState(text);
  assert.ok(values.ok, values.ok ? '' : values.error);
  return new Map([...values.value].map(([key, bytes]) => [key, JSON.parse(Buffer.from(bytes).toString()) as unknown]));
}

test('an order that cannot be carried out is told and given up, and the state stays as it is', async () => {
  const good = join(root, 'good.json');
  writeFileSync(good, textOf(small('/old')));
  const spoiled = join(root, 'spoiled.json');
  writeFileSync(spoiled, 'nonsense');
  for (const [order, complaint] of [
    [{ restore: `file://${root}/missing.json` }, /Nothing is restored: .*missing.json cannot be read: ENOENT/],
    [{ restore: `file://${spoiled}` }, /Nothing is restored: .*spoiled.json: this is no JSON/],
    [
      { backup: `file://${root}/no/such/folder`, restore: `file://${good}` },
      /There is no backup, and nothing is restored: /,
    ],
    ['nonsense', undefined],
  ] as const) {
    said.length = 0;
    const store = await storeOf(small('/now').set(NEXT_LEADER_KEY, order));
    const state = await loadState({ store, tell });
    assert.ok(state.ok, state.ok ? '' : state.error);
    assert.deepEqual([...state.value.current.keys()], ['/now']);
    assert.ok(!(await keysOf(store)).includes(NEXT_LEADER_KEY));
    if (complaint) assert.match(said.join('\n'), complaint);
  }
});

test('a restore that was cut short anywhere is finished by the next leader, or nobody leads', async () => {
  const [saved, old] = [join(root, 'cut-saved.json'), join(root, 'cut-old.json')];
  writeFileSync(old, textOf(small('/old')));
  const order = { backup: `file://${saved}`, restore: `file://${old}` };
  const before = small('/now');
  const values = parseState(readFileSync(old, 'utf8'));
  assert.ok(values.ok);
  const steps: readonly Change[] = [
    { key: NEXT_LEADER_KEY, value: encodeValue({ restore: order.restore }) },
    ...replacing(before.keys(), values.value, 'x'),
  ];
  for (let cut = 1; cut < steps.length; cut++) {
    const store = await storeOf(before);
    await store.apply(steps.slice(0, cut));
    const state = await loadState({ store, tell });
    assert.ok(state.ok, state.ok ? '' : state.error);
    assert.deepEqual([...state.value.current.keys()], ['/old']);
    assert.ok(!existsSync(saved), 'half a state is not backed up');
  }
  rmSync(old);
  const store = await storeOf(before);
  await store.apply(steps.slice(0, 4));
  const state = await loadState({ store, tell });
  assert.match(state.ok ? '' : state.error, /a restore was cut short.*restore --force`.*cannot be read/);
});

test('files are named by URIs with three slashes, and nothing else', () => {
  assert.deepEqual(backupPath('file:///var/backup%20of/x.json'), { ok: true, value: '/var/backup of/x.json' });
  for (const wrong of ['', 'x.json', 's3://bucket/key', 'file://host/x', 'file:///', 'file:///x/', 'file:///a%zz']) {
    const path = backupPath(wrong);
    assert.ok(!path.ok, wrong);
    assert.match(path.error, /cannot be used|is no URI|names no file/);
  }
});

test('a newer format is refused and nothing is changed; before an older one changes, a backup is written', async () => {
  const newer = await storeOf(small('/now').set('meta/format', { version: 7 }).set('future/x', { any: 1 }));
  const before = await keysOf(newer);
  const refused = await loadState({ store: newer, tell });
  assert.match(
    refused.ok ? '' : refused.error,
    /has format 7, and this Marathon reads formats up to 1 \(meta\/format\): start the newer version again/,
  );
  assert.deepEqual(await keysOf(newer), before);

  const older = small('/now');
  older.delete('meta/format');
  const file = join(root, 'before-change.json');
  const unwritable = await loadState({ store: await storeOf(older), backupLocation: `file://${root}/no/such/x`, tell });
  assert.match(unwritable.ok ? '' : unwritable.error, /--backup_location: .*Nothing was changed/);
  const store = await storeOf(older);
  const state = await loadState({ store, backupLocation: `file://${file}`, tell });
  assert.ok(state.ok);
  assert.ok((await keysOf(store)).includes('meta/format'));
  assert.ok(existsSync(file));
});

const KINDS = ['deployment', 'failure', 'group', 'instance', 'root', 'spec', 'version'];
const SPOILED: readonly unknown[] = [null, 5, 'text', [], {}, true];

/** All ways to take one field of a record away, or to make it something else, down to this depth. */
function* spoiledForms(value: unknown, depth: number): Generator<unknown> {
  yield* SPOILED;
  if (typeof value !== 'object' || value === null || depth === 0) return;
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(value)) {
      for (const spoiled of spoiledForms(inner, depth - 1))
        yield value.map((each, at) => (String(at) === name ? spoiled : each));
      continue;
    }
    const { [name]: _, ...rest } = value as Record<string, unknown>;
    yield rest;
    for (const spoiled of spoiledForms(inner, depth - 1)) yield { ...rest, [name]: spoiled };
  }
}

test('every kind of record, spoiled in any way, is refused by its key and with a way out, or does no harm', async () => {
  const sound = everyKind();
  const kinds = new Set([...sound.keys()].map((key) => key.slice(0, key.indexOf('/'))));
  for (const kind of KINDS) assert.ok(kinds.has(kind), `there is a record of kind ${kind}`);
  let refusals = 0;
  for (const [key, value] of sound) {
    for (const spoiled of spoiledForms(value, 3)) {
      const state = await loadState({ store: await storeOf(new Map(sound).set(key, spoiled)), tell });
      if (!state.ok) {
        refusals++;
        assert.ok(state.error.includes(key), `${key} := ${JSON.stringify(spoiled)}: ${state.error}`);
        assert.match(state.error, /restore a backup with|start the newer version/);
        continue;
      }
      const core = new MarathonCore(new Rig().options, state.value);
      const env = { now: 0, wall: START, random: seededRandom(1), chance: () => false };
      assert.doesNotThrow(() => core.step({ kind: 'start' }, env, () => {}), `${key} := ${JSON.stringify(spoiled)}`);
    }
  }
  assert.ok(refusals > 500, `${refusals} were refused`);
});

test('a record that is missing, unknown or no JSON is named, with the way out', async () => {
  const sound = everyKind();
  const version = [...sound.keys()].filter((key) => key.startsWith('version/'));
  for (const key of version) {
    const values = new Map(sound);
    values.delete(key);
    const state = await loadState({ store: await storeOf(values), tell });
    assert.match(state.ok ? '' : state.error, /of which there is no definition; restore a backup with/);
  }
  const unknown = await loadState({ store: await storeOf(new Map(sound).set('pets/cat', {})), tell });
  assert.match(
    unknown.ok ? '' : unknown.error,
    /there is 'pets\/cat', which is nothing that this Marathon knows: start the version/,
  );
  for (const bytes of [Buffer.from('{'), Buffer.from([0xff, 0xfe]), Buffer.from([0x1f, 0x8b, 1, 2]), Buffer.alloc(0)]) {
    const store = await storeOf(sound);
    await store.apply([{ key: 'spec//prod/web', value: bytes }]);
    const state = await loadState({ store, tell });
    assert.match(state.ok ? '' : state.error, /the value of 'spec\/\/prod\/web' is not JSON .*; restore a backup/);
  }
  const half = await loadState({ store: await storeOf(new Map(sound).set(RESTORING_KEY, {})), tell });
  assert.match(half.ok ? '' : half.error, /a restore was cut short/);
});
