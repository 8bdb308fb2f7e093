import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  /** All of stderr so far. */
  stderr(): string;
  /** The exit status. */
  ended(): Promise<number | null>;
}

function run(t: TestContext, argv: readonly string[], env: Record<string, string> = {}): Run {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('MESOS_'));
  const child = spawn(process.execPath, [program, ...argv], { env: { ...Object.fromEntries(clean), ...env } });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exit = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  return { child, stderr: () => stderr, ended: async () => ((await exit) as [number | null])[0] };
}

/** Waits for the line that tells the port. */
async function portOf(master: Run): Promise<number> {
  for (;;) {
    const match = /started on [\d.]+:(\d+)/.exec(master.stderr());
    if (match) return Number(match[1]);
    if (master.child.exitCode !== null) assert.fail(master.stderr());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const BASE = ['--registry=in_memory', '--ip=127.0.0.1', '--hostname=h', '--port=0'];

test('a scheduler subscribes, hears of it, and is told nothing more once the master ends in order', async (t) => {
  const master = run(t, BASE);
  const port = await portOf(master);
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/scheduler`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'u', name: 'n' } } }),
  });
  assert.equal(response.status, 200);
  const reader = response.body!.getReader();
  let text = '';
  while (!text.includes('HEARTBEAT')) text += Buffer.from((await reader.read()).value ?? []).toString();
  assert.match(text, /"SUBSCRIBED".*"heartbeat_interval_seconds":15/s);
  const state = (await (await fetch(`http://127.0.0.1:${port}/state`)).json()) as { frameworks: { name: string }[] };
  assert.deepEqual(
    state.frameworks.map(({ name }) => name),
    ['n'],
  );
  master.child.kill('SIGTERM');
  assert.equal((await reader.read()).done, true);
  assert.equal(await master.ended(), 0);
});

test('a port that is taken ends the start with the port and the flag', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const master = run(t, [...BASE.slice(0, 3), `--port=${port}`]);
  assert.equal(await master.ended(), 1);
  assert.match(master.stderr(), new RegExp(`port ${port} is in use.*--port`));
});

test('with --zk the master does not lead while it cannot be elected, and says what it waits for', async (t) => {
  const master = run(t, [...BASE, '--zk=zk://user:secret@127.0.0.1:1/m', '--quorum=1']);
  const port = await portOf(master);
  assert.equal((await fetch(`http://127.0.0.1:${port}/state`)).status, 503);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  const metrics = (await (await fetch(`http://127.0.0.1:${port}/metrics/snapshot`)).json()) as Record<string, number>;
  assert.equal(metrics['master/elected'], 0);
  assert.match(master.stderr(), /^I.*Connecting to ZooKeeper at 127\.0\.0\.1:1; waiting until it answers/m);
  assert.doesNotMatch(master.stderr(), /secret/);
});

test('flags come from the environment too, and a wrong one ends the start', async (t) => {
  const master = run(t, BASE.slice(1), { MESOS_REGISTRY: 'in_memory', MESOS_PORT: 'x', MESOS_EXECUTOR_ID: 'e' });
  await portOf(master);
  const wrong = run(t, BASE.slice(0, 3), { MESOS_PORT: 'x' });
  assert.equal(await wrong.ended(), 1);
  assert.match(wrong.stderr(), /MESOS_PORT=x.*--help/s);
});

test('endpoints that the firewall rules disable answer 403', async (t) => {
  const master = run(t, [...BASE, '--firewall_rules={"disabled_endpoints":{"paths":["/master/state"]}}']);
  const port = await portOf(master);
  assert.equal((await fetch(`http://127.0.0.1:${port}/state`)).status, 403);
  assert.equal((await fetch(`http://127.0.0.1:${port}/tasks`)).status, 200);
});
