import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSandbox } from './sandbox.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-sandbox-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a sandbox is made with its parents, and is nobody else’s to look into', (t) => {
  const path = join(folderFor(t), 'executors/e/runs/1');
  createSandbox(path, undefined, []);
  assert.equal(statSync(path).mode & 0o777, 0o750);
});

test('the link to the latest run moves on, past leftovers of a crash, and leaves nothing beside it', (t) => {
  const runs = join(folderFor(t), 'runs');
  const link = join(runs, 'latest');
  for (const run of ['1', '2', '3']) {
    if (run === '3') symlinkSync('leftover', `${link}.${process.pid}`);
    createSandbox(join(runs, run), undefined, [{ link, target: join(runs, run) }]);
    assert.equal(readlinkSync(link), join(runs, run));
  }
  assert.deepEqual(readdirSync(runs).sort(), ['1', '2', '3', 'latest']);
});

test('a file in the way is an error', (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'runs'), '');
  assert.throws(() => createSandbox(join(folder, 'runs/1'), undefined, []));
});

test('root gives a sandbox to its user', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, (t) => {
  const path = join(folderFor(t), '1');
  createSandbox(path, { uid: 1234, gid: 2345, groups: [] }, []);
  const { uid, gid } = statSync(path);
  assert.deepEqual({ uid, gid }, { uid: 1234, gid: 2345 });
});
