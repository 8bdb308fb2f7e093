/** An agent whose disk is full: it says so, ends, and loses nothing; its tasks go on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { activeIds, Framework, outputOf, restart, shell } from './agent-recovery.fixture.ts';
import { type Daemons, startDaemons, until } from './daemons.fixture.ts';

const withoutRoot =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount a small disk';

let daemons: Daemons;
let framework: Framework | undefined;
let folder: string;
let disk: string;
beforeEach(async () => {
  if (withoutRoot) return;
  folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
});
afterEach(async () => {
  if (withoutRoot) return;
  await framework?.stop();
  await daemons.stop();
  execFileSync('umount', ['-l', disk]);
  rmSync(folder, { recursive: true, force: true });
});

/** Takes all room that there is, and what is freed meanwhile. @returns what gives it back */
function fill(): () => void {
  let files = 0;
  const take = (size: number): void => {
    for (const end = files + 64; files < end; files++) {
      try {
        writeFileSync(join(disk, `filler${files}`), Buffer.alloc(size, 'x'));
      } catch {
        return;
      }
    }
  };
  take(256 * 1_024);
  take(4_096);
  // Where a system counts for each processor by itself, a little is left when it refuses the first time.
  const timer = setInterval(take, 5, 4_096);
  return () => {
    clearInterval(timer);
    execFileSync('find', [disk, '-maxdepth', '1', '-name', 'filler*', '-delete']);
  };
}

it('what happens while the disk is full is told when there is room again', { skip: withoutRoot }, async () => {
  const agent = await daemons.startAgent(`--work_dir=${disk}/work`);
  const [id] = await activeIds(daemons);
  framework = new Framework(daemons, 'squeezed', [
    shell('patient', 'sleep 1000'),
    shell('brief', `while [ ! -e ${folder}/go ]; do sleep 0.1; done; exit 7`),
  ]);
  await framework.runs('patient', 'brief');
  const free = fill();
  await new Promise((resolve) => setTimeout(resolve, 200));
  framework.launch([shell('late', 'sleep 1000')]);
  const { status, stderr } = await agent.ended;
  assert.equal(status, 1);
  assert.match(
    stderr,
    /Ending: The checkpoint \S+\/disk\/work\/meta\/\S+ cannot be written: ENOSPC.*; look at the disk/,
  );
  assert.deepEqual(framework.states('late'), [], 'nothing is told that is not durable');
  writeFileSync(join(folder, 'go'), '');
  // A supervisor does not wait for room: now there is an end to write down, for which there is none.
  const early = await agent.restart(`--work_dir=${disk}/work`).ended;
  assert.equal(early.status, 1);
  assert.match(early.stderr, /Ending: The checkpoint \S+ cannot be written: ENOSPC/);
  assert.doesNotMatch(early.stderr, /Nobody caught this|unhandled/i);

  free();
  await restart(daemons, agent, `--work_dir=${disk}/work`);
  assert.deepEqual(await activeIds(daemons), [id]);
  await framework.ends('brief');
  assert.deepEqual(framework.states('brief'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
  assert.match(framework.last('brief')?.message ?? '', /exited with status 7/);
  await framework.ends('late');
  assert.equal(framework.last('late')?.state, 'TASK_LOST', 'it never ran');
  assert.deepEqual(framework.states('patient'), ['TASK_STARTING', 'TASK_RUNNING']);
  framework.launch([shell('after', 'echo there is room')]);
  await framework.ends('after');
  assert.equal(framework.last('after')?.state, 'TASK_FINISHED');
});

it('a task that fills the disk with its output does not take others with it', { skip: withoutRoot }, async () => {
  const agent = await daemons.startAgent(`--work_dir=${disk}/work`);
  framework = new Framework(daemons, 'greedy', [shell('patient', 'sleep 1000')]);
  await framework.runs('patient');
  framework.launch([shell('greedy', 'head -c 100000000 /dev/zero')]);
  const ended = agent.ended.then(({ stderr }) => stderr);
  const outcome = await Promise.race([
    ended,
    until('its end is told', () => framework?.last('greedy')?.state === 'TASK_FAILED'),
  ]);
  if (outcome !== undefined) assert.match(outcome, /cannot be written: ENOSPC/);
  execFileSync('find', [disk, '-name', 'stdout', '-size', '+100k', '-delete']);
  if (outcome !== undefined) await restart(daemons, agent, `--work_dir=${disk}/work`);
  await framework.ends('greedy');
  assert.deepEqual(framework.states('patient'), ['TASK_STARTING', 'TASK_RUNNING']);
  assert.equal(outputOf({ ...agent, workDir: `${disk}/work` }, 'patient'), '');
});

it('sandboxes on a disk of their own may fill it: the agent goes on, and writes down what happens', {
  skip: withoutRoot,
}, async () => {
  const workDir = join(folder, 'work');
  mkdirSync(join(workDir, 'slaves'), { recursive: true });
  execFileSync('mount', ['--bind', disk, join(workDir, 'slaves')]);
  try {
    const agent = await daemons.startAgent(`--work_dir=${workDir}`);
    const [id] = await activeIds(daemons);
    framework = new Framework(daemons, 'apart', [shell('patient', 'sleep 1000')]);
    await framework.runs('patient');
    framework.launch([shell('greedy', 'head -c 100000000 /dev/zero')]);
    await framework.ends('greedy');
    assert.equal(framework.last('greedy')?.state, 'TASK_FAILED');
    const { bavail, blocks } = statfsSync(disk);
    assert.ok(bavail < blocks / 50, `${bavail} blocks of ${blocks} are left`);
    // What it has written is still there: no other task can write, and all that is to be remembered is.
    framework.launch([shell('silent', 'exit 5')]);
    await framework.ends('silent');
    assert.match(framework.last('silent')?.message ?? '', /exited with status 5$/);
    assert.equal(agent.process.exitCode, null);
    await agent.end('SIGKILL');
    await restart(daemons, agent, `--work_dir=${workDir}`);
    assert.deepEqual(await activeIds(daemons), [id]);
    assert.deepEqual(framework.states('patient'), ['TASK_STARTING', 'TASK_RUNNING']);
  } finally {
    execFileSync('umount', ['-l', join(workDir, 'slaves')]);
  }
});
