/** The programs of a cluster on this machine: how they are started, watched and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How long the parts may take to end before they are killed. */
const STOPPED_WITHIN = 10_000;
/** So long an agent that was killed stays away: longer than the master waits for it, so that its tasks are seen to run elsewhere. */
const AWAY = 30_000;
const POLL = 25;

/** One program of the cluster. */
export interface Part {
  readonly name: string;
  readonly log: string;
  /** What runs, or has ended. Another one once it was started again. */
  process: ChildProcess;
  /** Starts it once more, in the same place. */
  readonly again: () => ChildProcess;
}

/** Starts a program of `bin/`, with its output in `NAME.log` of that folder. */
export function startPart(name: string, program: string, flags: readonly string[], workDir: string): Part {
  const log = join(workDir, `${name}.log`);
  const command = fileURLToPath(new URL(`../../bin/${program}`, import.meta.url));
  const again = (): ChildProcess => {
    const file = openSync(log, 'a');
    // A process group of its own: Ctrl-C in the terminal reaches only us, and we end the parts in order.
    const child = spawn(command, flags, { stdio: ['ignore', file, file], detached: true });
    closeSync(file);
    return child;
  };
  return { name, log, process: again(), again };
}

/** Resolves at the first Ctrl-C; the second one kills what is left. */
export function stopOnSignal(parts: readonly Part[]): Promise<'stopped'> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (): void => {
      // A second Ctrl-C does not wait; the launchers end their tasks when their agents are gone for good.
      if (asked) for (const part of parts) signal(part, 'SIGKILL');
      else process.stdout.write('\nStopping the cluster and its tasks …\n');
      asked = true;
      resolve('stopped');
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
}

/**
 * Starts agents again that somebody has killed, after a while, as machines come back that have lost power. Rejects when the cluster
 * cannot go on: the master or Marathon has ended, or an agent by itself.
 */
export function watch(parts: readonly Part[], stopped: Promise<unknown>): Promise<never> {
  let stopping = false;
  const timers = new Set<NodeJS.Timeout>();
  const stop = (): void => {
    stopping = true;
    for (const timer of timers) clearTimeout(timer);
  };
  void stopped.then(stop);
  return new Promise((_, reject) => {
    const watchOne = (part: Part): void => {
      part.process.once('exit', (code, signalName) => {
        if (stopping) return;
        if (!isAgent(part) || !wasEnded(part)) {
          stop();
          reject(
            new Error(
              `the ${part.name} ended unexpectedly (${signalName ?? `status ${code}`}); its log is ${part.log}`,
            ),
          );
          return;
        }
        process.stdout.write(
          `The ${part.name} was ended (${signalName ?? `status ${code}`}). The cluster goes on without it; it is started again in ${AWAY / 1000} s.\n`,
        );
        const timer = setTimeout(() => {
          timers.delete(timer);
          part.process = part.again();
          process.stdout.write(`The ${part.name} was started again.\n`);
          watchOne(part);
        }, AWAY);
        timers.add(timer);
      });
    };
    for (const part of parts) watchOne(part);
  });
}

function isAgent({ name }: Part): boolean {
  return name.startsWith('agent');
}

function hasEnded({ process: { exitCode, signalCode } }: Part): boolean {
  return exitCode !== null || signalCode !== null;
}

/** By somebody else, and not because something is wrong with it. */
function wasEnded({ process: { exitCode, signalCode } }: Part): boolean {
  return exitCode === 0 || signalCode !== null;
}

function signal(part: Part, name: NodeJS.Signals): void {
  if (!hasEnded(part)) part.process.kill(name);
}

/**
 * Ends Marathon first, which would start tasks again, then agents with their tasks, then the master, so that it hears of the ends.
 * @param isBack whether an agent that was started again answers, so that it has found its tasks
 */
export async function stopAll(parts: readonly Part[], isBack: (agent: Part) => Promise<boolean>): Promise<void> {
  const rank = ({ name }: Part): number => (name === 'marathon' ? 0 : name === 'master' ? 2 : 1);
  const stop = async (part: Part): Promise<void> => {
    // The tasks of an agent that was killed go on without it: only an agent in the same place can end them.
    if (isAgent(part) && wasEnded(part)) {
      part.process = part.again();
      const deadline = performance.now() + STOPPED_WITHIN;
      while (!hasEnded(part) && performance.now() < deadline && !(await isBack(part))) await after(POLL);
    }
    await end(part);
  };
  for (const turn of [0, 1, 2]) await Promise.all(parts.filter((part) => rank(part) === turn).map(stop));
}

async function end(part: Part): Promise<void> {
  const timer = setTimeout(() => signal(part, 'SIGKILL'), STOPPED_WITHIN);
  // An agent that is interrupted takes its tasks with it; SIGTERM would leave them to the agent that comes next.
  signal(part, isAgent(part) ? 'SIGINT' : 'SIGTERM');
  await ended(part);
  clearTimeout(timer);
}

function ended(part: Part): Promise<void> {
  if (hasEnded(part)) return Promise.resolve();
  return new Promise((resolve) => part.process.once('exit', () => resolve()));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
