/** Resident apps with a real cluster: what they have written is there again, wherever they are killed. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts, type Running } from './cluster.fixture.ts';
import { type Daemon, startDaemons, until } from './daemons.fixture.ts';
import { api, startMarathon, untilQuiet, untilRegistered } from './marathon.fixture.ts';

interface TaskView {
  readonly id: string;
  readonly state: string;
  readonly slaveId: string;
  readonly localVolumes: readonly { readonly containerPath: string; readonly persistenceId: string }[];
}

interface SlaveView {
  readonly id: string;
  readonly reserved_resources: object;
}

async function ask<T>(address: string, method: string, path: string, body?: unknown): Promise<T> {
  const reply = await api<T>(address, method, path, body);
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`);
  return reply.body;
}

/** Marathon on this port, once it is registered. */
async function runMarathon(port: number, master: number, workDir: string): Promise<Running> {
  const program = startMarathon(port, `--master=127.0.0.1:${master}`, `--work_dir=${workDir}`);
  await untilRegistered(`127.0.0.1:${port}`);
  return program;
}

async function runningTasks(marathon: string, id: string): Promise<readonly TaskView[]> {
  const { tasks } = await ask<{ readonly tasks: readonly TaskView[] }>(marathon, 'GET', `/v2/apps${id}/tasks`);
  return tasks.filter(({ state }) => state === 'TASK_RUNNING');
}

async function slaves(master: number): Promise<readonly SlaveView[]> {
  return (await ask<{ readonly slaves: readonly SlaveView[] }>(`127.0.0.1:${master}`, 'GET', '/slaves')).slaves;
}

/** The folders of persistent volumes of a role that an agent has. */
function volumeFolders({ workDir }: Daemon, role: string): readonly string[] {
  const folder = join(workDir, 'volumes', 'roles', role);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function lines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

const APP = {
  id: '/prod/db',
  role: 'prod',
  // Each start leaves a line with its process id.
  cmd: 'echo $$ >> data/starts; exec sleep 1000',
  cpus: 0.1,
  mem: 32,
  backoffSeconds: 0,
  container: { type: 'MESOS', volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 16 } }] },
};

test('a resident app has its file again on the same agent after kill -9, and DELETE frees all that it had', async () => {
  const daemons = await startDaemons();
  const resources = '--resources=cpus:2;mem:1024;disk:1024;ports:[31000-31100]';
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const workDir = mkdtempSync(join(tmpdir(), 'meseta-resident-'));
  let program: Running | undefined;
  try {
    const agents = [await daemons.startAgent(resources), await daemons.startAgent(resources)];
    program = await runMarathon(port, daemons.master.port, workDir);
    await ask(marathon, 'POST', '/v2/apps', APP);
    await untilQuiet(marathon);
    const [first] = await runningTasks(marathon, APP.id);
    assert.match(first!.id, /^prod_db\.instance-.*\._app\.1$/);
    const [volume] = first!.localVolumes;
    assert.equal(volume?.containerPath, 'data');
    const folders = agents.flatMap((agent) => volumeFolders(agent, 'prod'));
    assert.equal(folders.length, 1);
    assert.ok(folders[0]!.endsWith(volume!.persistenceId), folders[0]);
    const file = join(folders[0]!, 'starts');
    await until('the app has written', () => lines(file).length === 1);

    process.kill(Number(lines(file)[0]), 'SIGKILL');
    await until('it is back', async () => {
      const [task] = await runningTasks(marathon, APP.id);
      return task !== undefined && task.id !== first!.id && lines(file).length === 2;
    });
    const [second] = await runningTasks(marathon, APP.id);
    assert.equal(second!.id, first!.id.replace(/1$/, '2'), 'the same instance, launched once more');
    assert.equal(second!.slaveId, first!.slaveId);
    assert.deepEqual(second!.localVolumes, first!.localVolumes);

    // Marathon is away while the task dies: the next one finds out, and knows the volume still.
    program.process.kill('SIGKILL');
    await program.ended;
    process.kill(Number(lines(file)[1]), 'SIGKILL');
    program = await runMarathon(port, daemons.master.port, workDir);
    await until('it is back once more', () => lines(file).length === 3);
    assert.deepEqual(
      agents.flatMap((agent) => volumeFolders(agent, 'prod')),
      folders,
    );

    await ask(marathon, 'PUT', `/v2/apps${APP.id}`, { instances: 0 });
    await untilQuiet(marathon);
    assert.equal(lines(file).length, 3, 'suspended, it keeps its file');
    const before = await slaves(daemons.master.port);
    assert.deepEqual(
      before.filter(({ reserved_resources: all }) => 'prod' in all).map(({ id }) => id),
      [first!.slaveId],
    );

    await ask(marathon, 'DELETE', `/v2/apps${APP.id}`);
    await until('nothing is reserved any more', async () => {
      const after = await slaves(daemons.master.port);
      return after.every(({ reserved_resources: all }) => Object.keys(all).length === 0);
    });
    await until('its folder is gone', () => agents.every((agent) => volumeFolders(agent, 'prod').length === 0));
  } finally {
    program?.process.kill('SIGTERM');
    await program?.ended;
    await daemons.stop();
    rmSync(workDir, { recursive: true, force: true });
  }
});

test('the containers of a resident pod share a volume, which is there again when the pod is', async () => {
  const daemons = await startDaemons();
  const port = await freePorts(1);
  const marathon = `127.0.0.1:${port}`;
  const workDir = mkdtempSync(join(tmpdir(), 'meseta-resident-'));
  let program: Running | undefined;
  try {
    const agent = await daemons.startAgent('--resources=cpus:2;mem:1024;disk:1024;ports:[31000-31100]');
    program = await runMarathon(port, daemons.master.port, workDir);
    const container = (name: string): object => ({
      name,
      exec: { command: { shell: `echo ${name} $$ >> mnt/starts; exec sleep 1000` } },
      resources: { cpus: 0.1, mem: 32 },
      volumeMounts: [{ name: 'data', mountPath: 'mnt' }],
    });
    const pod = {
      id: '/prod/pair',
      role: 'prod',
      containers: [container('one'), container('two')],
      volumes: [{ name: 'data', persistent: { size: 16 } }],
      scheduling: { backoff: { backoff: 0 } },
    };
    await ask(marathon, 'POST', '/v2/pods', pod);
    await untilQuiet(marathon);
    const [folder] = volumeFolders(agent, 'prod');
    const file = join(folder!, 'starts');
    await until('both have written', () => lines(file).length === 2);
    assert.deepEqual(
      lines(file)
        .map((line) => line.split(' ')[0])
        .sort(),
      ['one', 'two'],
    );
    process.kill(Number(lines(file)[0]!.split(' ')[1]), 'SIGKILL');
    await until('both are back', () => lines(file).length === 4);
    await fetch(`http://${marathon}/v2/pods/prod/pair`, { method: 'DELETE' });
    await until('nothing is reserved any more', async () => {
      const [after] = await slaves(daemons.master.port);
      return Object.keys(after!.reserved_resources).length === 0;
    });
  } finally {
    program?.process.kill('SIGTERM');
    await program?.ended;
    await daemons.stop();
    rmSync(workDir, { recursive: true, force: true });
  }
});
