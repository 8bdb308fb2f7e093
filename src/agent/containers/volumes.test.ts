import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Bench, until } from './testing.fixture.ts';
import { changeVolumes, linkVolumes, removeLeftovers } from './volumes.ts';

const asRoot = process.getuid?.() === 0;
const failed = (problem: string): void => assert.fail(problem);

function folderFor(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'meseta-volumes-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A work directory with one volume and one sandbox. */
function place(t: TestContext): { folder: string; volume: string; sandbox: string } {
  const folder = folderFor(t);
  const volume = join(folder, 'volumes/roles/a/v');
  const sandbox = join(folder, 'sandbox');
  assert.equal(changeVolumes([{ do: 'make', path: volume }], failed), undefined);
  mkdirSync(sandbox);
  return { folder, volume, sandbox };
}

const link = (path: string, target: string | undefined) => ({ link: path, target, within: undefined, give: true });

test('a volume is made once, and gone with its data when it is removed', async (t) => {
  const { folder, volume } = place(t);
  writeFileSync(join(volume, 'file'), 'data');
  assert.equal(changeVolumes([{ do: 'make', path: volume }], failed), undefined);
  assert.ok(existsSync(join(volume, 'file')), 'what is there stays');
  const via = join(folder, 'volumes/removed/x-0');
  assert.equal(changeVolumes([{ do: 'remove', path: volume, via }], failed), undefined);
  assert.ok(!existsSync(volume));
  await until(() => !existsSync(via));
  assert.equal(changeVolumes([{ do: 'remove', path: volume, via }], failed), undefined, 'it was gone already');
});

test('what an agent that was killed has not deleted is deleted by the next', async (t) => {
  const folder = folderFor(t);
  await removeLeftovers(folder);
  mkdirSync(join(folder, 'volumes/removed/x-0/a/b'), { recursive: true });
  await removeLeftovers(folder);
  assert.ok(!existsSync(join(folder, 'volumes/removed/x-0')));
});

test('a mount point is emptied and stays', (t) => {
  const { volume } = place(t);
  mkdirSync(join(volume, 'a/b'), { recursive: true });
  assert.equal(changeVolumes([{ do: 'empty', path: volume }], failed), undefined);
  assert.ok(existsSync(volume));
  assert.ok(!existsSync(join(volume, 'a')));
});

test('what cannot be made is said, with the path and the reason', (t) => {
  const { folder } = place(t);
  writeFileSync(join(folder, 'file'), '');
  const problem = changeVolumes([{ do: 'make', path: join(folder, 'file/v') }], failed);
  assert.match(problem ?? '', /Cannot make the volume at '.*\/file\/v': .*ENOTDIR/);
});

test('a sandbox shows a volume under its name, nested if that is wanted, and as often as it is asked to', (t) => {
  const { volume, sandbox } = place(t);
  const links = [link(`${sandbox}/data`, volume), link(`${sandbox}/a/b`, volume)];
  assert.equal(linkVolumes(sandbox, links, undefined), undefined);
  assert.equal(linkVolumes(sandbox, links, undefined), undefined);
  assert.equal(readlinkSync(`${sandbox}/data`), volume);
  assert.equal(readlinkSync(`${sandbox}/a/b`), volume);
});

test('nothing is shown outside of the sandbox, or in the place of something else', (t) => {
  const { folder, volume, sandbox } = place(t);
  const problem = (path: string, target: string | undefined = volume) =>
    linkVolumes(sandbox, [link(path, target)], undefined);
  const outside = /container_path must be a path inside the sandbox, without '\.\.', not/;
  assert.match(problem('/etc/x') ?? '', /not '\/etc\/x'/);
  for (const path of [`${sandbox}/../x`, `${sandbox}/a/../../x`, `${sandbox}/.`, `${sandbox}/`, `${sandbox}/a/`]) {
    assert.match(problem(path) ?? '', outside, path);
  }
  symlinkSync(folder, join(sandbox, 'way-out'));
  assert.match(problem(`${sandbox}/way-out/x`) ?? '', outside);
  assert.ok(!existsSync(join(folder, 'x')));
  writeFileSync(join(sandbox, 'file'), '');
  assert.match(problem(`${sandbox}/file`) ?? '', /something else has this name already/);
  assert.match(problem(`${sandbox}/data`, join(folder, 'none')) ?? '', /there is no such folder/);
  const [orphan] = [linkVolumes(sandbox, [link(`${sandbox}/p`, undefined)], undefined)];
  assert.match(orphan ?? '', /there is no parent/);
});

test('folders of sandboxes are made where they are missing, and never outside', (t) => {
  const { folder, sandbox } = place(t);
  const parent = join(folder, 'parent');
  mkdirSync(parent);
  const from = (target: string) =>
    linkVolumes(sandbox, [{ link: `${sandbox}/p`, target, within: parent, give: true }], undefined);
  assert.equal(from(`${parent}/shared/p`), undefined);
  assert.ok(existsSync(`${parent}/shared/p`));
  assert.match(from(`${parent}/../x`) ?? '', /source\.sandbox_path\.path of the volume at 'p' must be a path inside/);
  symlinkSync(folder, join(parent, 'way-out'));
  assert.match(from(`${parent}/way-out/x`) ?? '', /must be a path inside/);
  assert.ok(!existsSync(join(folder, 'x')));
});

test('the user of the sandbox gets the volume', { skip: !asRoot && 'only root can give folders away' }, (t) => {
  const { volume, sandbox } = place(t);
  const owner = { uid: 65_534, gid: 65_534 };
  const links = [link(`${sandbox}/data`, volume)];
  assert.equal(linkVolumes(sandbox, [{ ...link(`${sandbox}/kept`, volume), give: false }], owner), undefined);
  assert.equal(statSync(volume).uid, 0);
  assert.equal(linkVolumes(sandbox, links, owner), undefined);
  assert.equal(statSync(volume).uid, 65_534);
});

test('a task writes to its volume, and the next one reads it there', async (t) => {
  const bench = await Bench.open(t);
  const volume = join(bench.folder, 'volumes/roles/a/v');
  assert.equal(changeVolumes([{ do: 'make', path: volume }], failed), undefined);
  chmodSync(volume, 0o777);
  const run = async (containerId: string, line: string): Promise<number> => {
    const volumes = [link(`${bench.sandbox(containerId)}/data`, volume)];
    bench.launch(containerId, { argv: ['sh', '-c', line], volumes });
    return (await bench.exited(containerId)).status;
  };
  assert.equal(await run('writer', 'echo hello > data/file'), 0);
  assert.equal(await run('reader', 'cat data/file'), 0);
  assert.equal(bench.read('reader'), 'hello\n');
});

test('a task whose volume cannot be shown is not started', async (t) => {
  const bench = await Bench.open(t);
  bench.launch('c', { volumes: [link('/etc/x', bench.folder)] });
  const { stage, message } = await bench.failed('c');
  assert.equal(stage, 'launch');
  assert.match(message, /container_path must be a path inside the sandbox/);
});
