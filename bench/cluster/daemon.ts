/** The daemons as a user starts them, each a process of its own with its log in a file. None of them outlives this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descendantsOf } from './process-memory.ts';

export interface Daemon {
  readonly name: string;
  readonly process: ChildProcess;
  readonly log: string;
}

export type Program = 'mesos-master' | 'mesos-agent' | 'marathon';

const STOPPED_WITHIN = 10_000;

/** Every process that was started and not stopped; none of them may outlive this one. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) killTree(child);
});

/** @param folder where its log goes, under its name */
export function startDaemon(folder: string, name: string, program: Program, flags: readonly string[]): Daemon {
  const log = join(folder, `${name}.log`);
  const file = openSync(log, 'a');
  const command = fileURLToPath(new URL(`../../bin/${program}`, import.meta.url));
  const profile = process.env.MESETA_BENCH_PROFILE;
  const profiling = profile === undefined ? undefined : `--cpu-prof --cpu-prof-dir=${profile}`;
  const env = { ...process.env, ...(profiling !== undefined && { NODE_OPTIONS: profiling }) };
  const child = spawn(command, flags, { stdio: ['ignore', file, file], env, detached: true });
  closeSync(file);
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return { name, process: child, log };
}

/** Asks it to end, and ends it if it does not. */
export function endDaemon(daemon: Daemon, signal: NodeJS.Signals): Promise<void> {
  const child = daemon.process;
  if (!isAlive(daemon)) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => killTree(child), STOPPED_WITHIN);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(signal);
  });
}

export function isAlive({ process: { exitCode, signalCode } }: Daemon): boolean {
  return exitCode === null && signalCode === null;
}

export function endOfLog(daemon: Daemon): string {
  return readFileSync(daemon.log, 'utf8').split('\n').slice(-15).join('\n');
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  for (const pid of [child.pid, ...descendantsOf(child.pid)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
}
