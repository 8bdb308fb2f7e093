/** Marathon with a real cluster: apps stay up. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { freePorts, meseta, type Running, startCluster } from './cluster.fixture.ts';
import { startDaemons, until } from './daemons.fixture.ts';
import { api, startMarathon, untilQuiet, untilRegistered } from './marathon.fixture.ts';

interface TaskView {
  readonly id: string;
  readonly state: string;
  readonly slaveId: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly healthCheckResults: readonly { readonly alive: boolean }[];
}

async function running(marathon: string, id: string): Promise<readonly TaskView[]> {
  const { body } = await api<{ readonly tasks?: readonly TaskView[] }>(marathon, 'GET', `/v2/apps${id}/tasks`);
  return (body.tasks ?? []).filter(({ state }) => state === 'TASK_RUNNING');
}

test('an app is deployed from a file, watched, scaled, restarted and deleted from the command line', async () => {
  const cluster = await startCluster();
  const { marathon } = cluster;
  try {
    const at = ['--marathon', marathon];
    const folder = mkdtempSync(join(tmpdir(), 'meseta-app-'));
    const file = join(folder, 'web.yaml');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, 'id: /prod/web\ncmd: sleep 1000\ncpus: 0.1\nmem: 32\ninstances: 2\n');
    const applied = await meseta(['app', 'apply', file, '--watch', ...at]);
    assert.equal(applied.status, 0, applied.stderr);
    assert.match(applied.stdout, /\/prod\/web: 2 of 2 running/);
    const before = (await running(marathon, '/prod/web')).map(({ id }) => id);
    const restarted = await meseta(['app', 'restart', '/prod/web', '--watch', ...at]);
    assert.equal(restarted.status, 0, restarted.stderr);
    const after = (await running(marathon, '/prod/web')).map(({ id }) => id);
    assert.equal(after.length, 2);
    assert.ok(
      after.every((id) => !before.includes(id)),
      'all tasks are new ones',
    );
    assert.equal((await meseta(['app', 'scale', '/prod/web', '1', '-w', ...at])).status, 0);
    assert.equal((await running(marathon, '/prod/web')).length, 1);
    const shown = await meseta(['app', 'show', '/prod/web', '-o', 'yaml', ...at]);
    assert.match(shown.stdout, /^id: \/prod\/web$/m);
    const wrong = await meseta(['app', 'scale', '/nope', '1', ...at]);
    assert.deepEqual([wrong.status, wrong.stderr], [1, "meseta: App '/nope' does not exist\n"]);
    assert.equal((await meseta(['app', 'delete', '/prod/web', '-w', ...at])).status, 0);
    assert.equal((await api(marathon, 'GET', '/v2/apps/prod/web')).status, 404);
    rmSync(folder, { recursive: true });
  } finally {
    await cluster.stop();
  }
});

test('an app has its three instances again after a task, an agent and Marathon itself were killed', async () => {
  const daemons = await startDaemons('--agent_ping_timeout=1secs', '--max_agent_ping_timeouts=2');
  const resources = '--resources=cpus:2;mem:1024;disk:1024;ports:[31000-31100]';
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const root = mkdtempSync(join(tmpdir(), 'meseta-marathon-'));
  const flags = [`--master=127.0.0.1:${daemons.master.port}`, `--work_dir=${root}`];
  let program = startMarathon(port, ...flags);
  try {
    const agents = [await daemons.startAgent(resources), await daemons.startAgent(resources)];
    await untilRegistered(marathon);
    const created = await api(marathon, 'POST', '/v2/apps', {
      id: '/stay',
      cmd: 'echo $MARATHON_APP_ID $PORT0; exec sleep 1000',
      cpus: 0.5,
      mem: 32,
      instances: 3,
      backoffSeconds: 0,
    });
    assert.equal(created.status, 201);
    await untilQuiet(marathon);
    assert.equal((await running(marathon, '/stay')).length, 3);

    const [victim] = await running(marathon, '/stay');
    const killed = await api<{ readonly task: TaskView }>(marathon, 'DELETE', `/v2/apps/stay/tasks/${victim!.id}`);
    assert.equal(killed.body.task.id, victim!.id);
    await until('the task is replaced', async () => {
      const ids = (await running(marathon, '/stay')).map(({ id }) => id);
      return ids.length === 3 && !ids.includes(victim!.id);
    });

    const tasks = await running(marathon, '/stay');
    program.process.kill('SIGKILL');
    await program.ended;
    program = startMarathon(port, ...flags);
    await untilRegistered(marathon);
    assert.deepEqual(
      (await running(marathon, '/stay')).map(({ id }) => id).sort(),
      tasks.map(({ id }) => id).sort(),
      'no task has noticed that Marathon was away',
    );

    const [{ slaveId: lost } = { slaveId: '' }] = tasks;
    const ids = await Promise.all(
      agents.map((agent) => api<{ readonly id: string }>(`127.0.0.1:${agent.port}`, 'GET', '/state')),
    );
    const agent = agents[ids.findIndex(({ body }) => body.id === lost)]!;
    agent.process.kill('SIGKILL');
    await agent.ended;
    agent.killLauncher();
    await until('the instances of the lost agent run elsewhere', async () => {
      const now = await running(marathon, '/stay');
      return now.length === 3 && now.every(({ slaveId }) => slaveId !== lost);
    });
  } finally {
    program.process.kill('SIGTERM');
    await program.ended;
    await daemons.stop();
    rmSync(root, { recursive: true, force: true });
  }
});

test('health checks are seen, an upgrade that never gets well can be undone, and events tell of it all', async () => {
  const cluster = await startCluster();
  const { marathon } = cluster;
  try {
    const events = new AbortController();
    const told: string[] = [];
    const stream = await fetch(
      `http://${marathon}/v2/events?event_type=deployment_success&event_type=deployment_failed`,
      {
        headers: { Accept: 'text/event-stream' },
        signal: events.signal,
      },
    );
    const reading = (async () => {
      for await (const chunk of stream.body!) told.push(Buffer.from(chunk).toString());
    })().catch(() => undefined);
    const app = {
      id: '/web',
      cmd: 'exec python3 -m http.server $PORT0',
      cpus: 0.1,
      mem: 64,
      healthChecks: [{ protocol: 'HTTP', path: '/', gracePeriodSeconds: 5, intervalSeconds: 1 }],
    };
    assert.equal((await api(marathon, 'POST', '/v2/apps', app)).status, 201);
    await untilQuiet(marathon);
    const [task] = await running(marathon, '/web');
    assert.equal(task?.healthCheckResults[0]?.alive, true);
    const update = await api<{ readonly deploymentId: string }>(marathon, 'PUT', '/v2/apps/web', { cmd: 'sleep 1000' });
    assert.equal(update.status, 200);
    const locked = await api<{ readonly deployments: readonly { readonly id: string }[] }>(
      marathon,
      'PUT',
      '/v2/apps/web',
      {
        instances: 2,
      },
    );
    assert.equal(locked.status, 409);
    assert.deepEqual(locked.body.deployments, [{ id: update.body.deploymentId }]);
    const undone = await api(marathon, 'DELETE', `/v2/deployments/${update.body.deploymentId}`);
    assert.equal(undone.status, 200);
    await untilQuiet(marathon);
    const [still] = await running(marathon, '/web');
    assert.equal(still?.id, task?.id, 'the task that was well was never touched');
    await until('the stream has told of it', () => Promise.resolve(told.join('').includes('deployment_failed')));
    assert.match(told.join(''), /event: deployment_success\r\ndata: \{.*\}\r\n\r\n/);
    events.abort();
    await reading;
  } finally {
    await cluster.stop();
  }
});

test('of two Marathons with ZooKeeper one leads, the other passes requests on and takes over', {
  skip: withoutZooKeeper,
}, async () => {
  const ensemble = await TestEnsemble.start(1);
  const daemons = await startDaemons();
  const port = await freePorts(2);
  const [one, two] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 1}`] as const;
  const flags = [
    `--master=127.0.0.1:${daemons.master.port}`,
    `--zk=zk://${ensemble.addresses}/marathon`,
    '--zk_session_timeout=2000',
  ];
  const first = startMarathon(port, ...flags);
  let second: Running | undefined;
  try {
    await daemons.startAgent();
    await untilRegistered(one);
    second = startMarathon(port + 1, ...flags);
    await untilRegistered(two);
    const created = await api(two, 'POST', '/v2/apps', { id: '/app', cmd: 'sleep 1000', cpus: 0.1, mem: 32 });
    assert.equal(created.status, 201);
    assert.equal(created.headers.get('x-marathon-leader'), `http://${one}`);
    assert.match(created.headers.get('x-marathon-via') ?? '', new RegExp(two.replaceAll('.', '\\.')));
    await untilQuiet(one);
    const [task] = await running(two, '/app');
    first.process.kill('SIGKILL');
    await first.ended;
    await until('the other one leads', async () => {
      const { body } = await api<{ readonly leader?: string }>(two, 'GET', '/v2/leader').catch(() => ({
        body: {} as { leader?: string },
      }));
      return body.leader === two;
    });
    assert.deepEqual(
      (await running(two, '/app')).map(({ id }) => id),
      [task!.id],
    );
    await untilRegistered(two);
    assert.equal((await api(two, 'PUT', '/v2/apps/app', { instances: 2 })).status, 200);
    await untilQuiet(two);
    assert.equal((await running(two, '/app')).length, 2);
  } finally {
    for (const program of [first, second]) {
      if (program && program.process.exitCode === null && program.process.signalCode === null)
        program.process.kill('SIGTERM');
      await program?.ended;
    }
    await daemons.stop();
    await ensemble.stop();
  }
});
