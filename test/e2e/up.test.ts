import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Cluster, freePorts, meseta, processesOf, start, startCluster } from './cluster.fixture.ts';
import { until as untilTrue } from './daemons.fixture.ts';
import { api } from './marathon.fixture.ts';

interface Task {
  readonly slaveId: string;
  readonly state: string;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${what} did not come true`);
}

async function withCluster(options: string[], story: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await startCluster(...options);
  try {
    await story(cluster);
  } finally {
    await cluster.stop();
  }
  assert.deepEqual(processesOf(cluster.workDir), [], 'nothing is left running');
}

test('Ctrl-C ends the cluster and every task on it, also one that ignores SIGTERM', async () => {
  await withCluster([], async (cluster) => {
    const task = start('bin/meseta', [
      'run',
      '--master',
      cluster.master,
      '--',
      'sh',
      '-c',
      `trap '' TERM; echo ready; while :; do sleep 1; done`,
    ]);
    await until('the task says ready', () => task.stdout().includes('ready'));
    assert.ok(processesOf(cluster.workDir).length >= 4, 'master, agent, launcher and task run');
    const outcome = await cluster.stop();
    assert.equal(outcome.status, 0, outcome.stderr);
    assert.match(outcome.stdout, /Stopping the cluster/);
    task.process.kill('SIGKILL');
    await task.ended;
  });
});

test('several agents share one machine with ports of their own', async () => {
  await withCluster(['--agents', '3', '--attributes', 'rack:r1'], async (cluster) => {
    const { stdout } = await meseta(['agents', '--json', '--master', cluster.master]);
    const agents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { agent_info: { port: number; attributes: { name: string }[] } });
    assert.deepEqual(
      agents.map(({ agent_info }) => agent_info.port).sort(),
      [1, 2, 3].map((index) => cluster.port + index),
    );
    assert.equal(agents[0]!.agent_info.attributes[0]!.name, 'rack');
    const spread = await meseta(['run', '--master', cluster.master, '-n', '3', '--', 'true']);
    assert.equal(spread.status, 0, spread.stderr);
  });
});

test('a taken port is named together with the flag, and nothing is started', async () => {
  const port = await freePorts(3);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port + 1, '127.0.0.1', resolve));
  try {
    const { status, stderr } = await start('bin/meseta', ['up', '--port', String(port)]).ended;
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`port ${port + 1} .*agent 1, is taken.*--port`));
    const master = await start('bin/mesos-master', ['--ip=127.0.0.1', `--port=${port + 1}`, '--registry=in_memory'])
      .ended;
    assert.equal(master.status, 1);
    assert.match(master.stderr, new RegExp(`${port + 1}.*--port`));
  } finally {
    squatter.close();
  }
});

test('a work folder that cannot be made is named together with the flag', async () => {
  const { status, stderr } = await meseta(['up', '--port', String(await freePorts(2)), '--work-dir', '/dev/null/x']);
  assert.equal(status, 1);
  assert.match(stderr, /\/dev\/null\/x cannot be made \(ENOTDIR\).*--work-dir/);
});

test('an agent may be killed: the cluster goes on, its instances run on another one, and at the end nothing is left', async () => {
  await withCluster(['--agents', '2'], async (cluster) => {
    const at = ['--marathon', cluster.marathon];
    const file = `${cluster.workDir}/stay.json`;
    writeFileSync(
      file,
      '{"id": "/stay", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32, "instances": 3, "backoffSeconds": 0}',
    );
    const applied = await meseta(['app', 'apply', file, '--watch', ...at]);
    assert.equal(applied.status, 0, applied.stderr);
    const tasksOf = async (): Promise<readonly Task[]> =>
      (await api<{ readonly tasks: readonly Task[] }>(cluster.marathon, 'GET', '/v2/apps/stay/tasks')).body.tasks;
    const [{ slaveId: lost }] = (await tasksOf()) as [Task];
    const agents = await meseta(['agents', '--json', '--master', cluster.master]);
    const { agent_info: victim } = agents.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { agent_info: { id: { value: string }; port: number } })
      .find(({ agent_info }) => agent_info.id.value === lost)!;
    const [pid] = processesOf(cluster.workDir)
      .find((line) => line.includes('/agent/main.ts') && line.includes(`--port=${victim.port}`))!
      .split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await untilTrue('three instances run, none of them on the agent that was killed', async () => {
      const running = (await tasksOf()).filter(({ state }) => state === 'TASK_RUNNING');
      return running.length === 3 && running.every(({ slaveId }) => slaveId !== lost);
    });
    assert.match(cluster.up.stdout(), /The agent-\d was ended \(SIGKILL\)\. The cluster goes on without it/);
    const outcome = await cluster.stop();
    assert.equal(outcome.status, 0, outcome.stderr);
  });
});

test('when the master dies the rest ends, and the log is named', async () => {
  const cluster = await startCluster();
  const pid = processesOf(cluster.workDir)
    .find((line) => line.includes('/master/main.ts'))!
    .split(' ')[0];
  process.kill(Number(pid), 'SIGKILL');
  const outcome = await cluster.up.ended;
  assert.equal(outcome.status, 1);
  assert.match(outcome.stderr, /the master ended unexpectedly \(SIGKILL\); its log is .*master\.log/);
  assert.ok(existsSync(`${cluster.workDir}/master.log`));
  assert.deepEqual(processesOf(cluster.workDir), []);
  await cluster.stop();
});
