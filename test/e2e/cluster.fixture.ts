/** Starts the programs as a user would, on free ports of the loopback, for tests that look at the whole. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Outcome>;
}

/** Starts a program of the repository; its output is collected. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr }) as Outcome);
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}

/**
 * A run of consecutive ports of the loopback that nobody uses at the moment. Below those that the kernel gives to outgoing
 * connections (32,768 and up): a program that is started again must find its port free.
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * (12_768 - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} consecutive free ports found`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port }, () => {
      const { port: got } = probe.address() as AddressInfo;
      probe.close(() => resolve(got === port));
    });
  });
}

export interface Cluster {
  readonly port: number;
  readonly master: string;
  readonly marathon: string;
  readonly workDir: string;
  readonly up: Running;
  /** Interrupts the cluster as Ctrl-C does and waits for its end. */
  stop(): Promise<Outcome>;
}

/** `meseta up` until it says that the cluster is running. @throws Error with its output when it ends before */
export async function startCluster(...options: string[]): Promise<Cluster> {
  const port = await freePorts(6);
  const marathonPort = port + 5;
  const workDir = mkdtempSync(join(tmpdir(), 'meseta-e2e-'));
  const up = start('bin/meseta', [
    'up',
    ...['--port', String(port), '--marathon-port', String(marathonPort), '--work-dir', workDir],
    ...options,
  ]);
  let over = false;
  void up.ended.then(() => {
    over = true;
  });
  while (!up.stdout().includes('The cluster is running.')) {
    if (over) throw new Error(`meseta up ended: ${up.stdout()}${up.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    master: `127.0.0.1:${port}`,
    marathon: `127.0.0.1:${marathonPort}`,
    workDir,
    up,
    stop: async () => {
      up.process.kill('SIGINT');
      const outcome = await up.ended;
      rmSync(workDir, { recursive: true, force: true });
      return outcome;
    },
  };
}

/** Runs `meseta` with these arguments to its end. */
export function meseta(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return start('bin/meseta', args, env).ended;
}

/** Processes whose command line or working directory names this folder. */
export function processesOf(folder: string): readonly string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (line.includes(folder) || environment.includes(folder)) found.push(`${pid} ${line}`);
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return found;
}
