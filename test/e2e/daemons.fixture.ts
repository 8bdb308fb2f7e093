/** A master and agents as processes of their own, with flags of the test's choice. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, processesOf, type Running, start } from './cluster.fixture.ts';
import { get } from './plain-http.fixture.ts';

export interface Daemon extends Running {
  readonly port: number;
  readonly workDir: string;
  /** Ends it with this signal and waits. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it once more in the same place; it must have ended. Flags come on top of those that place it. */
  restart(...flags: string[]): Daemon;
  /** Ends the launcher that the agent has left, and with it what it knew. */
  killLauncher(): void;
  /** How many processes have the agent's folder in their environment or command line. */
  tasksLeft(): number;
}

export interface Daemons {
  readonly master: Daemon;
  /** Starts one more agent and waits until it has registered. */
  startAgent(...flags: string[]): Promise<Daemon>;
  stop(): Promise<void>;
}

/** Starts a master and waits until it answers. */
export async function startDaemons(...masterFlags: string[]): Promise<Daemons> {
  const root = mkdtempSync(join(tmpdir(), 'meseta-e2e-'));
  const firstPort = await freePorts(PORTS);
  let places = 0;
  const daemons: Daemon[] = [];
  const launch = (entry: string, flags: readonly string[]): Daemon => {
    const port = firstPort + (places++ % PORTS);
    const workDir = join(root, `${entry}-${places}`);
    const common = ['--ip=127.0.0.1', '--hostname=127.0.0.1', `--port=${port}`, `--work_dir=${workDir}`, ...flags];
    return run({ entry, port, workDir, common }, [], daemons);
  };
  const master = launch('master', ['--registry=in_memory', ...masterFlags]);
  await until('the master answers', () => isHealthy(master.port));
  return {
    master,
    startAgent: async (...flags) => {
      const before = await activeAgents(master.port);
      const runtime = `--runtime_dir=${join(root, `runtime-${places + 1}`)}`;
      const switchUser = process.getuid?.() === 0 ? [] : ['--no-switch_user'];
      const backoff = '--registration_backoff_factor=10ms';
      const agent = launch('agent', [`--master=127.0.0.1:${master.port}`, runtime, backoff, ...switchUser, ...flags]);
      await until('the agent registers', async () => (await activeAgents(master.port)) > before);
      await until('the agent answers', () => isHealthy(agent.port));
      return agent;
    },
    stop: async () => {
      // SIGINT: an agent takes its tasks with it.
      await Promise.all(daemons.slice(1).map((daemon) => daemon.end('SIGINT')));
      await master.end();
      // Tasks whose launcher was killed belong to nobody: their folder is how they are known.
      for (const line of processesOf(root)) killIfThere(Number(line.split(' ')[0]));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Agents that follow one another take turns with the ports. */
const PORTS = 6;

interface Place {
  readonly entry: string;
  readonly port: number;
  readonly workDir: string;
  readonly common: readonly string[];
}

function run(place: Place, flags: readonly string[], daemons: Daemon[]): Daemon {
  const { entry, port, workDir, common } = place;
  // A flag that is given later takes the place of an earlier one.
  const byName = new Map([...common, ...flags].map((flag) => [flag.split('=')[0], flag]));
  const running = start(`bin/mesos-${entry}`, [...byName.values()]);
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    const { process } = running;
    if (process.exitCode === null && process.signalCode === null) process.kill(signal);
    await running.ended;
  };
  const daemon: Daemon = {
    ...running,
    port,
    workDir,
    end,
    restart: (...more) => run(place, more, daemons),
    killLauncher: () => {
      const [, pid] = /launcher with process id (\d+)/.exec(running.stderr()) ?? [];
      assert.ok(pid !== undefined, running.stderr());
      process.kill(Number(pid), 'SIGKILL');
    },
    tasksLeft: () => processesOf(workDir).length,
  };
  daemons.push(daemon);
  return daemon;
}

export interface MasterStateJson {
  readonly slaves: readonly { readonly id: string; readonly active: boolean; readonly port: number }[];
  readonly frameworks: readonly FrameworkJson[];
  readonly completed_frameworks: readonly FrameworkJson[];
}
export interface FrameworkJson {
  readonly id: string;
  readonly active: boolean;
  readonly connected: boolean;
  readonly tasks: readonly { readonly id: string; readonly state: string }[];
  readonly completed_tasks: readonly { readonly id: string; readonly state: string }[];
  readonly unreachable_tasks: readonly { readonly id: string; readonly state: string }[];
}

export async function masterState(port: number): Promise<MasterStateJson> {
  return JSON.parse((await get(port, '/state')).body) as MasterStateJson;
}

async function activeAgents(port: number): Promise<number> {
  return (await masterState(port)).slaves.filter(({ active }) => active).length;
}

/** Answers `/health` with 200 within a second. */
export async function isHealthy(port: number): Promise<boolean> {
  return get(port, '/health', 1_000).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Waits for a condition. @throws AssertionError when it does not hold after a generous time */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Resident memory of a process in MiB. Linux; 0 elsewhere. */
export function residentMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
