import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, meseta, processesOf, ROOT, start, startCluster } from './cluster.fixture.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster('--resources', 'cpus:4;mem:4096;disk:4096;ports:[31000-31099]');
});
after(async () => {
  const outcome = await cluster.stop();
  assert.equal(outcome.status, 0, outcome.stderr);
});

function run(...args: string[]): ReturnType<typeof meseta> {
  return meseta(['run', '--master', cluster.master, ...args]);
}

test("meseta run shows the command's output and exits with 0", async () => {
  const { status, stdout, stderr } = await run('--', 'sh', '-c', 'echo hello; hostname');
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `hello\n${hostname()}\n`, stderr: '' });
});

test('what goes to stderr arrives on stderr, in full and byte for byte', async () => {
  const { status, stdout, stderr } = await run(
    '--',
    'sh',
    '-c',
    `head -c 300000 /dev/zero | tr '\\0' x; printf '\\303\\244' >&2`,
  );
  assert.equal(status, 0);
  assert.equal(stdout, 'x'.repeat(300_000));
  assert.equal(stderr, 'ä');
});

test("meseta run exits with the task's status", async () => {
  assert.equal((await run('--', 'sh', '-c', 'exit 7')).status, 7);
  const killed = await run('--', 'sh', '-c', 'kill -9 $$');
  assert.equal(killed.status, 137);
  assert.match(killed.stderr, /Killed/);
});

test('words reach the command as they were typed, without a shell in between', async () => {
  const { stdout } = await run('--', 'printf', '%s|', '$HOME', 'two words', '*', '"quoted"');
  assert.equal(stdout, '$HOME|two words|*|"quoted"|');
});

test('environment variables reach the task, upstream’s among them', async () => {
  const { stdout } = await run(
    '-e',
    'GREETING=hello there',
    '--',
    'sh',
    '-c',
    'echo $GREETING; pwd; echo $MESOS_SANDBOX; echo "$MESOS_EXECUTOR_ID" | cut -d. -f1',
  );
  const [greeting, directory, sandbox, executor] = stdout.split('\n');
  assert.equal(greeting, 'hello there');
  assert.equal(directory, sandbox);
  assert.match(directory!, /\/slaves\/[^/]+\/frameworks\/[^/]+\/executors\/sh\.[0-9a-f]+\/runs\/[^/]+$/);
  assert.equal(executor, 'sh');
});

test('several instances label their lines and report how many finished', async () => {
  const { status, stdout, stderr } = await run('-n', '3', '--name', 'trio', '--', 'sh', '-c', 'echo one; echo two');
  assert.equal(status, 0);
  const lines = stdout.trim().split('\n').sort();
  assert.deepEqual(lines, [
    '[trio.0] one',
    '[trio.0] two',
    '[trio.1] one',
    '[trio.1] two',
    '[trio.2] one',
    '[trio.2] two',
  ]);
  assert.match(stderr, /3 finished of 3/);
});

test('Ctrl-C kills the task and exits with 130', async () => {
  const running = start('bin/meseta', [
    'run',
    '--master',
    cluster.master,
    '--',
    'sh',
    '-c',
    'echo started; sleep 1000',
  ]);
  while (!running.stdout().includes('started')) await new Promise((resolve) => setTimeout(resolve, 20));
  running.process.kill('SIGINT');
  const { status } = await running.ended;
  assert.equal(status, 130);
  const left = processesOf(cluster.workDir).filter((line) => line.includes('sleep 1000'));
  assert.deepEqual(left, [], 'the task is gone');
});

test('a task that asks for more than there is waits, and says for what', async () => {
  const running = start('bin/meseta', ['run', '--master', cluster.master, '--cpus', '64', '--', 'true']);
  while (!running.stderr().includes('waiting for an offer')) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(running.stderr(), /cpus:64.*too small: .*cpus/);
  running.process.kill('SIGINT');
  assert.equal((await running.ended).status, 130);
});

test('a master that does not answer is waited for, which is said once, until Ctrl-C', async () => {
  const running = start('bin/meseta', ['run', '--master', '127.0.0.1:1', '--', 'true']);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  running.process.kill('SIGINT');
  const { status, stderr } = await running.ended;
  assert.equal(status, 130);
  assert.equal(stderr.match(/cannot reach the master, trying again until Ctrl-C: /g)?.length, 1, stderr);
});

test('meseta --version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { status, stdout } = await meseta(['--version']);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `${version}\n` });
});

test('wrong options are refused with advice, before anything is launched', async () => {
  const cases: [string[], RegExp][] = [
    [['run', '--cpus', 'many', '--', 'true'], /number, 0 or more/],
    [['run', '-n', '0', '--', 'true'], /whole number, 1 or more/],
    [['run', '-e', 'NOVALUE', '--', 'true'], /NAME=VALUE/],
    [['run', '--name', 'a/b', '--', 'true'], /--name 'a\/b' must not contain '\/'/],
    [['run', '--cpus', '0', '--mem', '0', '--', 'true'], /needs resources/],
    [['run', '--master', 'no port:', '--', 'true'], /host:port/],
    [['run'], /missing required argument/],
    [['fly'], /unknown command/],
  ];
  for (const [args, expected] of cases) {
    const { status, stderr } = await meseta(args);
    assert.notEqual(status, 0, args.join(' '));
    assert.match(stderr, expected, args.join(' '));
  }
});

test('the lists show what ran, and --json prints one object a line', async () => {
  await run('--name', 'listed', '--', 'true');
  const tasks = await meseta(['tasks', '--all', '--master', cluster.master]);
  assert.match(tasks.stdout, /^ID +NAME +STATE/);
  assert.match(tasks.stdout, /listed\.[0-9a-f]+ +listed +TASK_FINISHED/);
  const idle = await meseta(['agents', '--master', cluster.master]);
  assert.match(idle.stdout, / active +cpus:4; mem:4096; \S.* -\n$/);
  const agents = await meseta(['agents', '--json', '--master', cluster.master]);
  const agent = JSON.parse(agents.stdout) as { active: boolean };
  assert.equal(agent.active, true);
  const frameworks = await meseta(['frameworks', '--all', '--master', cluster.master]);
  assert.match(frameworks.stdout, /meseta run listed +\S+ +ended/);
  const none = await meseta(['tasks', '--master', '127.0.0.1:1']);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /127\.0\.0\.1:1 does not answer/);
});

test('mesos-execute takes upstream’s options and tells what happens', async () => {
  const good = await start('bin/mesos-execute', [
    `--master=${cluster.master}`,
    '--name=exec',
    '--command=echo $X',
    '--env={"X":"y"}',
    '--resources=cpus:0.1;mem:32',
  ]).ended;
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /Submitted task 'exec' to agent '.*-S0'/);
  assert.match(good.stdout, /TASK_RUNNING.*TASK_FINISHED/s);
  const bad = await start('bin/mesos-execute', [
    `--master=${cluster.master}`,
    '--name=exec2',
    '--command=exit 1',
    '--content_type=json',
  ]).ended;
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /TASK_FAILED/);
  const killed = await start('bin/mesos-execute', [
    `--master=${cluster.master}`,
    '--name=exec3',
    '--command=sleep 1000',
    '--kill_after=100ms',
  ]).ended;
  assert.equal(killed.status, 1);
  assert.match(killed.stdout, /TASK_KILLED/);
});

test('the framework of the README runs as it stands there', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const source = readFileSync(join(ROOT, 'examples/first-framework.ts'), 'utf8');
  assert.ok(readme.includes(source), 'README.md and examples/first-framework.ts say the same');
  const outcome = await start(process.execPath, ['--conditions=source', 'examples/first-framework.ts'], {
    MESETA_MASTER: cluster.master,
  }).ended;
  assert.equal(outcome.status, 0, outcome.stderr);
  assert.match(outcome.stdout, /subscribed as .*-\d{4}\nTASK_STARTING.*\nTASK_RUNNING.*\nTASK_FINISHED/);
});

const python = ((): string | undefined => {
  try {
    return execFileSync('sh', ['-c', 'command -v python3'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
})();
const skip = python === undefined ? 'python3 is not on this machine' : false;

for (const encoding of ['json', 'protobuf']) {
  test(`a framework with nothing of ours in it runs a task over ${encoding}`, { skip }, async () => {
    const user = process.getuid?.() === 0 ? 'nobody' : execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
    const outcome = await start(python!, [
      'test/e2e/plain_http_framework.py',
      cluster.master,
      encoding,
      'echo hello',
      user,
    ]).ended;
    assert.equal(outcome.status, 0, `${outcome.stdout}${outcome.stderr}`);
    const steps = outcome.stdout.trim().split('\n');
    assert.deepEqual(steps, [
      'subscribed',
      'launched',
      'TASK_STARTING',
      'acknowledged',
      'TASK_RUNNING',
      'acknowledged',
      'TASK_FINISHED',
      'acknowledged',
      'torn down',
    ]);
  });
}
