import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { World } from '../core/fake-world.ts';
import { readCheckpoints } from './reader.ts';

const root = mkdtempSync(join(tmpdir(), 'reader-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Checkpoints as an agent has left them. */
const SOURCES = ['checkpoints-1', 'checkpoints-1-every-kind'].map((name) =>
  fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url)),
);

function filesOf(source: string): string[] {
  const all = readdirSync(source, { recursive: true, encoding: 'utf8' });
  // Not once more what a link leads to.
  return all.filter((name) => !name.includes('/latest/') && !lstatSync(join(source, name)).isDirectory()).sort();
}

/** Makes a file what it was before. */
function restore(source: string, workDir: string, name: string): void {
  rmSync(join(workDir, name), { recursive: true, force: true });
  if (lstatSync(join(source, name)).isSymbolicLink()) {
    symlinkSync(readlinkSync(join(source, name)), join(workDir, name));
  } else cpSync(join(source, name), join(workDir, name));
}

let copies = 0;
function copyOf(source: string): string {
  const workDir = join(root, String(copies++));
  cpSync(source, workDir, { recursive: true, verbatimSymlinks: true });
  return workDir;
}

const spoils: Readonly<Record<string, (path: string) => void>> = {
  lost: (path) => rmSync(path),
  empty: (path) => writeFileSync(path, ''),
  'cut short': (path) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
  garbled: (path) => writeFileSync(path, Buffer.alloc(200, 'nonsense')),
  'a folder': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};

/** The core begins with what was read, and does so without stumbling. */
function recovers(workDir: string, strict: boolean): { error?: string; warnings: string[] } {
  const warnings: string[] = [];
  const read = readCheckpoints({ workDir, strict, warn: (text) => warnings.push(text) });
  if (!read.ok) return { error: read.error, warnings };
  if (read.value === undefined) return { warnings };
  const containers = new Set(read.value.frameworks.flatMap(({ runs }) => runs.map(({ containerId }) => containerId)));
  for (const alive of [containers, new Set<string>()]) {
    const world = new World({ workDir }, 1, { ...read.value, containers: alive });
    assert.equal(world.agent.state.info.id?.value, read.value.info.id?.value);
  }
  return { warnings };
}

for (const [what, spoil] of Object.entries(spoils)) {
  test(`whatever checkpoint is ${what}: an agent goes on, or says which one and what to do`, () => {
    for (const source of SOURCES) {
      const workDir = copyOf(source);
      for (const name of filesOf(source)) {
        const path = join(workDir, name);
        // A link that leads elsewhere is a case of its own.
        if (lstatSync(path).isSymbolicLink() && what !== 'lost') rmSync(path);
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined && what !== 'lost') writeFileSync(path, 'x');
        spoil(path);
        const { error } = recovers(workDir, true);
        restore(source, workDir, name);
        if (error === undefined) continue;
        assert.ok(error.includes(name.endsWith('meseta.format') ? `${workDir}/meta` : path), `${name}: ${error}`);
        const wayOut = new RegExp(
          `[Tt]o give up what ran here.*remove ${workDir}/meta/slaves/latest|run the version that wrote it`,
        );
        assert.match(error, wayOut, name);
      }
    }
  });
}

test('with --no-strict what cannot be read is passed over and named, and everything else goes on', () => {
  for (const source of SOURCES) {
    const workDir = copyOf(source);
    for (const name of filesOf(source).filter((file) => /\.(info|task|updates|launch|config|state)$/.test(file))) {
      for (const spoil of [spoils.garbled!, spoils['a folder']!]) {
        spoil(join(workDir, name));
        const { error, warnings } = recovers(workDir, false);
        restore(source, workDir, name);
        assert.equal(error, undefined, name);
        assert.equal(warnings.length, 1, name);
        assert.ok(warnings[0]?.includes(join(workDir, name)), `${name}: ${warnings[0]}`);
      }
    }
  }
});

test('where latest leads nowhere or is no link, an agent begins anew or says what to do', () => {
  for (const spoil of [
    (path: string) => symlinkSync('gone', path),
    (path: string) => writeFileSync(path, 'm-S0'),
    (path: string) => mkdirSync(path),
  ]) {
    const workDir = copyOf(SOURCES[0]!);
    const latest = join(workDir, 'meta/slaves/latest');
    rmSync(latest);
    spoil(latest);
    const { error } = recovers(workDir, true);
    if (error !== undefined) assert.match(error, /meta\/slaves\/latest/);
    rmSync(latest, { recursive: true });
    assert.deepEqual(recovers(workDir, true), { warnings: [] }, 'the way out leads out');
  }
});

const asRoot = process.getuid?.() === 0 ? 'root may read everything' : false;

test('a file that must not be read is named', { skip: asRoot }, () => {
  const workDir = copyOf(SOURCES[0]!);
  const path = join(workDir, 'meta/slaves/m-S0/slave.info');
  chmodSync(path, 0);
  assert.match(recovers(workDir, true).error ?? '', /permission denied.*slave\.info.*remove/);
});
