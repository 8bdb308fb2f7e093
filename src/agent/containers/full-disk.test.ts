/** A launcher whose own folder is on a disk that is full: it goes on, and keeps how tasks ended until there is room. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { launcherPlace } from './launcher-process.ts';
import { Bench, lives, until } from './testing.fixture.ts';

const { SIGTERM } = constants.signals;

const skip = process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount a small disk';

interface SmallDisk {
  readonly path: string;
  /** Takes all room that there is. */
  fill(): void;
  free(): void;
}

/** A disk that goes away after everything that the test registers from now on. */
function smallDisk(t: TestContext): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  const path = join(folder, 'disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]);
  const filler = join(path, 'filler');
  t.after(() => {
    execFileSync('umount', ['-l', path]);
    rmSync(folder, { recursive: true });
  });
  return {
    path,
    fill: () => {
      for (const size of [1 << 18, 1 << 12, 1]) {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
        } catch {
          // That was the last of it.
        }
      }
    },
    free: () => rmSync(filler),
  };
}

/** What a process has computed so far, in hundredths of a second of a processor. */
function workOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11);
  return Number(user) + Number(system);
}

test('how tasks ended is kept while there is no room to write it down, and told to the agent that comes meanwhile', {
  skip,
}, async (t) => {
  const disk = smallDisk(t);
  const runtimeDir = join(disk.path, 'run');
  const bench = await Bench.open(t, { runtimeDir, recoveryTimeout: 50 });
  bench.launch('c', 'exec sleep 1000');
  const { pid } = await bench.started('c');
  const launcher = bench.containers.launcherPid!;
  // What room its log has is given to others as well.
  truncateSync(join(launcherPlace(runtimeDir, bench.folder).folder, 'log'));
  disk.fill();
  bench.containers.close();
  await until(() => !lives(pid));
  const before = workOf(launcher);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.ok(lives(launcher), 'it alone knows how they ended');
  // Of 150 at most; a machine that has other work to do makes it less, and never more.
  assert.ok(workOf(launcher) - before < 50, 'it is not busy with a log that takes nothing');
  bench.news.length = 0;
  await bench.open({ runtimeDir });
  assert.equal(bench.containers.launcherPid, launcher);
  assert.equal((await bench.exited('c')).status, SIGTERM);
  bench.launch('next', 'exec sleep 1000');
  const next = await bench.started('next');
  disk.free();
  bench.containers.destroy('c');
  bench.containers.destroy('next');
  await until(() => !lives(next.pid));
});

test('a launcher that could not write down how tasks ended leaves when there is room, and the next one knows', {
  skip,
}, async (t) => {
  const disk = smallDisk(t);
  const runtimeDir = join(disk.path, 'run');
  const bench = await Bench.open(t, { runtimeDir, recoveryTimeout: 50 });
  bench.launch('c', 'exec sleep 1000');
  const { pid } = await bench.started('c');
  const launcher = bench.containers.launcherPid!;
  disk.fill();
  bench.containers.close();
  await until(() => !lives(pid));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(lives(launcher));
  disk.free();
  await until(() => !lives(launcher));
  bench.news.length = 0;
  await bench.open({ runtimeDir });
  assert.notEqual(bench.containers.launcherPid, launcher);
  const { status, limitation } = await bench.exited('c');
  assert.equal(status, SIGTERM);
  assert.match(limitation?.message ?? '', /no agent came back/);
});

test('without room for a launcher none is had, and the sentence names the path', { skip }, async (t) => {
  const disk = smallDisk(t);
  execFileSync('mount', ['-o', 'remount,nr_inodes=1', disk.path]);
  await assert.rejects(
    Bench.open(t, { runtimeDir: join(disk.path, 'run') }),
    (error: Error) => error.message.includes(disk.path) && /ENOSPC|no space left/i.test(error.message),
  );
  assert.equal(existsSync(join(disk.path, 'run', 'socket')), false);
});

test('a task whose sandbox has no room fails alone, and says where', { skip }, async (t) => {
  const disk = smallDisk(t);
  const bench = await Bench.open(t);
  bench.launch('other', 'exec sleep 1000');
  const { pid } = await bench.started('other');
  // A path that long takes pages of its own.
  const sandbox = join(disk.path, ...Array.from({ length: 8 }, (_, at) => `${at}`.repeat(200)));
  const inodes = 'nr_inodes=2';
  execFileSync('mount', ['-o', `remount,${inodes}`, disk.path]);
  bench.launch('cramped', { sandbox });
  const { stage, message } = await bench.failed('cramped');
  assert.equal(stage, 'sandbox');
  assert.match(message, /Failed to create executor directory '\S+\/disk\/\S+'.*ENOSPC/);
  assert.ok(lives(pid));
});
