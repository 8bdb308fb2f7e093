import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LmdbStore } from './lmdb.ts';

const folder = mkdtempSync(join(tmpdir(), 'lmdb-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const key = (i: number): string => `agents/${String(i).padStart(6, '0')}`;

/** Fills a store until it refuses. @returns how many changes it has acknowledged */
async function fill(store: LmdbStore, upTo: number): Promise<{ stored: number; message: string }> {
  for (let stored = 0; stored < upTo; stored++) {
    const outcome = await store.apply([{ key: key(stored), value: Buffer.alloc(1_000, stored) }]);
    if (!outcome.ok) return { stored, message: outcome.error.message };
  }
  return { stored: upTo, message: '' };
}

const damage: Readonly<Record<string, (file: string) => void>> = {
  'has nonsense at its beginning': (file) => {
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([Buffer.alloc(4_096, 'nonsense'), bytes.subarray(4_096)]));
  },
  'is nonsense': (file) => writeFileSync(file, Buffer.alloc(30_000, 'nonsense')),
  'lacks its end': (file) => truncateSync(file, 9_000),
  'has nonsense in its pages': (file) => {
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill('nonsense', 8_192));
  },
  'has zeros in its pages': (file) => {
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0, 8_192));
  },
};

for (const [what, spoil] of Object.entries(damage)) {
  test(`a file that ${what} is refused, with a way out, and does not end the process`, async () => {
    const path = mkdtempSync(join(folder, 'damaged-'));
    const store = LmdbStore.open(path);
    assert.ok(store.ok);
    await store.value.load();
    assert.equal((await fill(store.value, 30)).stored, 30);
    await store.value.close();
    spoil(join(path, 'data.mdb'));
    const refused = await LmdbStore.openSound(path);
    assert.ok(!refused.ok);
    assert.match(refused.error.message, /data\.mdb is damaged, move .* away and bring a backup back/);
    assert.ok(refused.error.message.startsWith(`the store in ${path} cannot be used: `));
  });
}

test('a sound file is opened, and so is a folder without one', async () => {
  const path = join(folder, 'sound');
  for (const expected of [0, 5]) {
    const store = await LmdbStore.openSound(path);
    assert.ok(store.ok, store.ok ? '' : store.error.message);
    const loaded = await store.value.load();
    assert.equal(loaded.ok && loaded.value.size, expected);
    await fill(store.value, 5);
    await store.value.close();
  }
});

const withoutRoot =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount a small disk';

test('on a full disk nothing is lost that was acknowledged, and the path is named', { skip: withoutRoot }, async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk]);
  try {
    const path = join(disk, 'registry');
    const store = await LmdbStore.openSound(path);
    assert.ok(store.ok);
    await store.value.load();
    const { stored, message } = await fill(store.value, 1_000);
    assert.ok(stored > 0 && stored < 1_000);
    assert.match(message, /the store in .*disk\/registry cannot be written: No space left on device/);
    const more = await store.value.apply([{ key: 'agents/more', value: Buffer.from('1') }]);
    assert.ok(!more.ok, 'nobody knows what is stored: it writes no more');
    await store.value.close();

    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    const again = await LmdbStore.openSound(path);
    assert.ok(again.ok);
    const loaded = await again.value.load();
    assert.ok(loaded.ok);
    const kept = [...loaded.value.keys()];
    assert.deepEqual(
      kept,
      Array.from({ length: stored }, (_, i) => key(i)),
    );
    assert.ok((await again.value.apply([{ key: 'agents/more', value: Buffer.from('1') }])).ok);
    await again.value.close();
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});
