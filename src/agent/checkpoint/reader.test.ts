import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ResourceState } from '../../wire/internal_slave.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { DrainConfig } from '../../wire/v1.ts';
import { record } from '../core/checkpoints.ts';
import { cutOff } from './files.ts';
import { type Checkpoints, readCheckpoints } from './reader.ts';

const RECORDED = fileURLToPath(new URL('../../../test/golden/checkpoints-1', import.meta.url));
const AGENT = 'meta/slaves/m-S0';
const FRAMEWORK = `${AGENT}/frameworks/f1`;
const runsOf = (executor: string): string => `${FRAMEWORK}/executors/${executor}/runs`;
const [RUN = ''] = readdirSync(join(RECORDED, runsOf('running'))).filter((name) => name !== 'latest');
const [OWN = ''] = readdirSync(join(RECORDED, runsOf('own'))).filter((name) => name !== 'latest');
const TASK = `${runsOf('running')}/${RUN}/tasks/running`;

const root = mkdtempSync(join(tmpdir(), 'checkpoints-'));
after(() => rmSync(root, { recursive: true, force: true }));
let trees = 0;

/** A copy of what was recorded, with the files that the recording has none of. */
function tree(): string {
  const workDir = join(root, String(trees++));
  cpSync(RECORDED, workDir, { recursive: true, verbatimSymlinks: true });
  const write = (path: string, content: Uint8Array | string): void => {
    mkdirSync(dirname(join(workDir, path)), { recursive: true });
    writeFileSync(join(workDir, path), content);
  };
  const message = <T>(type: MessageType<T>, value: T): Uint8Array => record(type.encode(value));
  write(`${AGENT}/drain.config`, message(DrainConfig, { mark_gone: true }));
  const volume = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } } as const;
  write('meta/resources/resources_and_operations.state', message(ResourceState, { resources: [volume] }));
  write(`${runsOf('own')}/${OWN}/pids/libprocess.pid`, 'executor(1)@127.0.0.1:9000');
  write(`${TASK}/meseta.kill`, '{"startedAt":1,"deadline":2}');
  return workDir;
}

function read(workDir: string, strict: boolean): ReturnType<typeof readCheckpoints> {
  return readCheckpoints({ workDir, strict, warn: () => {} });
}

function runs(checkpoints: Checkpoints): string[] {
  const executors = checkpoints.frameworks.flatMap((framework) => framework.runs);
  return executors.map(({ info, tasks }) => `${info.executor_id.value} ${tasks.length}`).sort();
}

const WHOLE = ['ended 1', 'over 1', 'own 1', 'running 1'];

test('what is whole is read without a word', () => {
  const checkpoints = read(tree(), true);
  assert.ok(checkpoints.ok, checkpoints.ok ? '' : checkpoints.error);
  assert.deepEqual(runs(checkpoints.value), WHOLE);
  assert.deepEqual([checkpoints.value.errors, checkpoints.value.torn], [0, []]);
});

const DAMAGES = {
  truncated: (path: string) => truncateSync(path, statSync(path).size - 1),
  empty: (path: string) => truncateSync(path, 0),
  garbage: (path: string) => writeFileSync(path, 'what is this?'),
  missing: (path: string) => rmSync(path),
  'a folder': (path: string) => {
    rmSync(path);
    mkdirSync(path);
  },
} as const;
type Damage = keyof typeof DAMAGES;

interface Kind {
  readonly path: string;
  /** What is no error: the agent was killed before, or the file says nothing on which anything depends. */
  readonly harmless: readonly Damage[];
  /** What is left with --no-strict; the frameworks' runs with the number of their tasks. */
  readonly left: readonly string[];
}

const WITHOUT_RUN = ['ended 1', 'over 1', 'own 1'];
const WITHOUT_TASK = ['ended 1', 'over 1', 'own 1', 'running 0'];
const KINDS: readonly Kind[] = [
  { path: 'meta/meseta.format', harmless: ['missing'], left: WHOLE },
  { path: `${AGENT}/slave.info`, harmless: [], left: [] },
  { path: `${AGENT}/drain.config`, harmless: ['missing'], left: WHOLE },
  { path: 'meta/resources/resources_and_operations.state', harmless: ['missing'], left: WHOLE },
  { path: `${FRAMEWORK}/framework.info`, harmless: [], left: [] },
  { path: `${FRAMEWORK}/executors/running/executor.info`, harmless: [], left: WITHOUT_RUN },
  { path: `${FRAMEWORK}/executors/running/meseta.kind`, harmless: [], left: WITHOUT_RUN },
  { path: `${runsOf('running')}/${RUN}/meseta.launched`, harmless: ['truncated', 'missing'], left: WHOLE },
  { path: `${runsOf('running')}/${RUN}/pids/forked.pid`, harmless: ['truncated', 'missing'], left: WHOLE },
  { path: `${runsOf('own')}/${OWN}/pids/libprocess.pid`, harmless: ['truncated', 'missing'], left: WHOLE },
  { path: `${TASK}/task.info`, harmless: [], left: WITHOUT_TASK },
  { path: `${TASK}/meseta.task`, harmless: [], left: WITHOUT_TASK },
  { path: `${TASK}/meseta.launch`, harmless: ['missing'], left: WHOLE },
  { path: `${TASK}/meseta.kill`, harmless: ['missing'], left: WHOLE },
];

for (const { path, harmless, left } of KINDS) {
  for (const [damage, spoil] of Object.entries(DAMAGES) as [Damage, (path: string) => void][]) {
    const isHarmless = harmless.includes(damage);
    const outcome = isHarmless ? 'does no harm' : 'is refused by its path, and passed over without --strict';
    test(`${path.replace(AGENT, '…')}: ${damage} ${outcome}`, () => {
      const workDir = tree();
      spoil(join(workDir, path));
      const strict = read(workDir, true);
      assert.equal(strict.ok, isHarmless, strict.ok ? '' : strict.error);
      if (!strict.ok) {
        assert.ok(strict.error.includes(join(workDir, path)), strict.error);
        assert.match(strict.error, /--no-strict; .*begin as a new agent, remove .*\/meta\/slaves\/latest$/);
      }
      const lenient = read(workDir, false);
      assert.ok(lenient.ok, lenient.ok ? '' : lenient.error);
      assert.equal(lenient.value.errors > 0, !isHarmless);
      assert.deepEqual(runs(lenient.value), isHarmless ? WHOLE : left);
    });
  }
}

test('the link to the newest run: one that is missing, or no link, is refused', () => {
  for (const replace of [() => {}, (path: string) => writeFileSync(path, '')]) {
    const workDir = tree();
    const path = join(workDir, runsOf('running'), 'latest');
    rmSync(path);
    replace(path);
    const strict = read(workDir, true);
    assert.ok(!strict.ok && strict.error.includes(path));
    assert.ok(read(workDir, false).ok);
  }
});

test('the link to the newest agent: without it a new agent begins, and the folders of the old one are left to be collected', () => {
  const workDir = tree();
  mkdirSync(join(workDir, 'slaves/m-S0'), { recursive: true });
  symlinkSync('m-S0', join(workDir, 'slaves/latest'));
  rmSync(join(workDir, 'meta/slaves/latest'));
  const checkpoints = read(workDir, true);
  assert.ok(checkpoints.ok);
  assert.equal(checkpoints.value.info, undefined);
  const paths = checkpoints.value.leftovers.map(({ path }) => path);
  assert.deepEqual(paths, [join(workDir, AGENT), join(workDir, 'slaves/m-S0')]);
  assert.equal(checkpoints.value.resources.resources?.length, 1, 'reservations are of the machine, not of the agent');
});

test('the link to the newest agent: another file in its place is refused', () => {
  const workDir = tree();
  const path = join(workDir, 'meta/slaves/latest');
  rmSync(path);
  writeFileSync(path, 'm-S0');
  const strict = read(workDir, true);
  assert.ok(!strict.ok && strict.error.includes(`${path} should be a symbolic link`), JSON.stringify(strict));
});

test('the link to the newest agent: where it leads to nothing, a new agent begins, and that is said', () => {
  for (const target of ['m-S7', '/etc']) {
    const workDir = tree();
    const path = join(workDir, 'meta/slaves/latest');
    rmSync(path);
    symlinkSync(target, path);
    const said: string[] = [];
    const checkpoints = readCheckpoints({ workDir, strict: true, warn: (text) => said.push(text) });
    assert.ok(checkpoints.ok && checkpoints.value.info === undefined);
    assert.deepEqual(said, [`${path} leads to nothing: beginning as a new agent`]);
  }
});

test('what the agent is must be there as soon as a framework is, though no task has told anything yet', () => {
  const workDir = tree();
  rmSync(join(workDir, FRAMEWORK, 'executors'), { recursive: true });
  assert.ok(read(workDir, true).ok);
  const path = join(workDir, AGENT, 'slave.info');
  rmSync(path);
  const strict = read(workDir, true);
  assert.ok(!strict.ok && strict.error.includes(`${path} is missing`), JSON.stringify(strict));
});

test('the folder of an agent that is of another is refused', () => {
  const workDir = tree();
  const path = join(workDir, 'meta/slaves/latest');
  renameSync(join(workDir, AGENT), join(workDir, 'meta/slaves/m-S1'));
  rmSync(path);
  symlinkSync('m-S1', path);
  const strict = read(workDir, true);
  assert.ok(!strict.ok && strict.error.includes("meta/slaves/m-S1/slave.info is of the agent 'm-S0'"));
  const lenient = read(workDir, false);
  assert.ok(lenient.ok && lenient.value.info === undefined);
});

for (const folder of [
  `${AGENT}/frameworks`,
  `${FRAMEWORK}/executors`,
  runsOf('running'),
  `${runsOf('running')}/${RUN}/tasks`,
]) {
  test(`${folder.replace(AGENT, '…')}: another file in its place is refused, and not taken for nothing`, () => {
    const workDir = tree();
    const path = join(workDir, folder);
    rmSync(path, { recursive: true });
    writeFileSync(path, '');
    const strict = read(workDir, true);
    assert.ok(!strict.ok && strict.error.includes(`${path} should be a folder and is none`), JSON.stringify(strict));
    const lenient = read(workDir, false);
    assert.ok(lenient.ok && lenient.value.errors > 0);
  });
}

test('what an agent that was killed had not come to is not missed', () => {
  const workDir = tree();
  const executor = join(workDir, FRAMEWORK, 'executors/begun');
  mkdirSync(join(executor, 'runs/c1/tasks/begun'), { recursive: true });
  cpSync(join(workDir, TASK, 'task.info'), join(executor, 'runs/c1/tasks/begun/task.info'));
  mkdirSync(join(workDir, AGENT, 'frameworks/f2/executors'), { recursive: true });
  symlinkSync('c1', join(executor, 'runs/latest.new'));
  const checkpoints = read(workDir, true);
  assert.ok(checkpoints.ok, checkpoints.ok ? '' : checkpoints.error);
  assert.deepEqual(runs(checkpoints.value), WHOLE);
});

test('a task may be called anything, names of temporary files and links among them', () => {
  for (const name of ['app.new', 'latest.news', '.hidden']) {
    const workDir = tree();
    renameSync(join(workDir, FRAMEWORK, 'executors/running'), join(workDir, FRAMEWORK, 'executors', name));
    renameSync(
      join(workDir, TASK.replace('executors/running', `executors/${name}`)),
      join(workDir, FRAMEWORK, 'moved'),
    );
    renameSync(
      join(workDir, FRAMEWORK, 'moved'),
      join(workDir, FRAMEWORK, `executors/${name}/runs/${RUN}/tasks/${name}`),
    );
    const checkpoints = read(workDir, true);
    assert.ok(checkpoints.ok);
    assert.deepEqual(runs(checkpoints.value), WHOLE, name);
  }
});

test('a record that was being written when the machine stopped is cut off, and what is appended next is read', () => {
  const updates = (workDir: string): string => join(workDir, TASK, 'task.updates');
  const whole = readFileSync(updates(tree()));
  const states = (checkpoints: ReturnType<typeof read>): unknown[] => {
    const run = checkpoints.ok
      ? checkpoints.value.frameworks[0]?.runs.find((one) => one.containerId === RUN)
      : undefined;
    return run?.tasks[0]?.records.map(({ type, update }) => update?.status.state ?? type) ?? [];
  };
  const all = states(read(tree(), true));
  assert.deepEqual(all, ['TASK_STARTING', 'TASK_RUNNING', 'ACK', 'ACK']);
  const first = 4 + whole.readUInt32LE(0);
  for (const extra of [whole.subarray(0, 3), whole.subarray(0, 4), whole.subarray(0, first - 1), Buffer.alloc(40)]) {
    const workDir = tree();
    appendFileSync(updates(workDir), extra);
    const torn = read(workDir, true);
    assert.ok(torn.ok);
    assert.deepEqual(torn.value.torn, [{ path: updates(workDir), length: whole.length }]);
    assert.deepEqual(states(torn), all);
    for (const { path, length } of torn.value.torn) cutOff(path, length);
    appendFileSync(updates(workDir), whole.subarray(0, first));
    const next = read(workDir, true);
    assert.ok(next.ok && next.value.torn.length === 0);
    assert.deepEqual(states(next), [...all, 'TASK_STARTING']);
  }
  for (let length = 0; length < whole.length; length++) {
    const workDir = tree();
    truncateSync(updates(workDir), length);
    const shorter = states(read(workDir, true));
    assert.deepEqual(shorter, all.slice(0, shorter.length));
  }
});

test('a record that was spoiled is refused by its path; without --strict what stands before it counts', () => {
  const workDir = tree();
  const path = join(workDir, TASK, 'task.updates');
  const bytes = readFileSync(path);
  const second = 4 + bytes.readUInt32LE(0);
  bytes.fill(0xff, second + 4, second + 12);
  writeFileSync(path, bytes);
  const strict = read(workDir, true);
  assert.ok(!strict.ok && strict.error.includes(`${path} is garbled at byte ${second}`));
  const lenient = read(workDir, false);
  assert.ok(lenient.ok);
  assert.deepEqual([lenient.value.errors, lenient.value.torn], [1, [{ path, length: second }]]);
});

test('updates in which nothing is a record are refused, and not cut off as if they had been half written', () => {
  const path = join(TASK, 'task.updates');
  const whole = readFileSync(join(tree(), path));
  const [first, big] = [whole.readUInt32LE(0), Buffer.from([0, 0, 0, 0x10, 8])];
  const other = Buffer.from(whole.subarray(0, first));
  other[4] = 0x77;
  for (const [bytes, at] of [
    [Buffer.from('what is this?'), 0],
    [Buffer.concat([whole, big]), whole.length],
    [Buffer.concat([whole, other]), whole.length],
  ] as const) {
    const workDir = tree();
    writeFileSync(join(workDir, path), bytes);
    const strict = read(workDir, true);
    assert.ok(!strict.ok && strict.error.includes(`${join(workDir, path)} is garbled at byte ${at}`), String(at));
  }
});

test('sandboxes of which no checkpoint tells are found, with the time of their last change', () => {
  const workDir = tree();
  const stray = join(workDir, 'slaves/m-S0/frameworks/f9/executors/e/runs/c9');
  const own = join(workDir, 'slaves/m-S0/frameworks/f1/executors/running/runs', RUN);
  const older = join(workDir, 'slaves/m-S0/frameworks/f1/executors/running/runs/older');
  for (const folder of [stray, own, older]) mkdirSync(folder, { recursive: true });
  const checkpoints = read(workDir, true);
  assert.ok(checkpoints.ok);
  const paths = checkpoints.value.leftovers.map(({ path }) => path).sort();
  assert.deepEqual(paths, [older, join(workDir, 'slaves/m-S0/frameworks/f9')]);
  for (const { modifiedAt, path } of checkpoints.value.leftovers) {
    assert.ok(modifiedAt > 0 && modifiedAt <= Date.now(), path);
  }
});
