/** Starts fetchers, which bring the URIs of commands into sandboxes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Millis } from '../../base/machine.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { LaunchContainer } from '../core/effects.ts';
import type { FetchOrder } from './fetcher/order.ts';
import type { UserIds } from './launcher/protocol.ts';
import { openOutput } from './launcher/spawn.ts';

const compiled = import.meta.url.endsWith('.js');
const entry = fileURLToPath(new URL(compiled ? './fetcher/main.js' : './fetcher/main.ts', import.meta.url));

/** Upstream's. */
const STALL_TIMEOUT: Millis = 60_000;
/** A fetcher takes 50 MB: a thousand tasks that start at once must not take 50 GB. */
const AT_ONCE = 16;

export interface FetchSettings {
  /** What stands in front of relative paths; they are refused without it. */
  readonly frameworksHome?: string | undefined;
  /** A download that brings nothing for this long is given up; upstream's minute unless given. */
  readonly stallTimeout?: Millis | undefined;
}

/** Why it failed: for the task's owner, and what the fetcher said last, for the log. */
export interface FetchFailure {
  readonly message: string;
  readonly detail: string;
}

type Done = (fetched: Result<void, FetchFailure>) => void;
type Target = Pick<LaunchContainer, 'containerId' | 'sandbox' | 'uris'>;

/** The fetchers of an agent: so many at once, the others in turn. */
export class Fetchers {
  private readonly settings: FetchSettings;
  private readonly queue = new Map<string, () => void>();
  /** How to end those under way. */
  private readonly running = new Map<string, () => void>();
  /** How many of them brought everything, and how many did not. */
  readonly counts = { succeeded: 0, failed: 0 };

  constructor(settings: FetchSettings) {
    this.settings = settings;
  }

  /**
   * Fetches all URIs of a container, with the rights of its user; the sandbox exists already, and its `stderr` tells of
   * it. @param done called once, later, unless it is cancelled
   */
  fetch(target: Target, user: UserIds | undefined, done: Done): void {
    const { containerId } = target;
    this.queue.set(containerId, () => {
      const stop = startFetcher(target, user, this.settings, (fetched) => {
        this.running.delete(containerId);
        if (fetched.ok) this.counts.succeeded++;
        else this.counts.failed++;
        done(fetched);
        this.next();
      });
      this.running.set(containerId, stop);
    });
    setImmediate(() => this.next());
  }

  /** @returns false when nothing was being fetched for it */
  cancel(containerId: string): boolean {
    if (this.queue.delete(containerId)) return true;
    const stop = this.running.get(containerId);
    if (!stop) return false;
    this.running.delete(containerId);
    stop();
    this.next();
    return true;
  }

  stop(): void {
    this.queue.clear();
    for (const containerId of [...this.running.keys()]) this.cancel(containerId);
  }

  private next(): void {
    for (const [containerId, start] of this.queue) {
      if (this.running.size >= AT_ONCE) return;
      this.queue.delete(containerId);
      start();
    }
  }
}

/** @param done called once, later, unless it was cancelled @returns how to cancel */
function startFetcher(target: Target, user: UserIds | undefined, settings: FetchSettings, done: Done): () => void {
  const { containerId, sandbox, uris } = target;
  let waiting = true;
  let detail = '';
  const finish = (failure: string | undefined): void => {
    if (!waiting) return;
    waiting = false;
    const message = `Failed to fetch all URIs for container '${containerId}': ${failure}`;
    done(failure === undefined ? ok(undefined) : err({ message, detail: detail.trim() }));
  };
  let child: ChildProcess;
  try {
    child = spawnFetcher(`${sandbox}/stderr`, user);
  } catch (error) {
    setImmediate(() => finish(error instanceof Error ? error.message : String(error)));
    return () => {
      waiting = false;
    };
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    detail += chunk.toString();
  });
  child.on('error', (error) => finish(error.message));
  child.on('close', (code, signal) => {
    if (code === 0) finish(undefined);
    else finish(signal === null ? `exited with status ${code}` : `terminated with signal ${signal}`);
  });
  // It may end before it has read all.
  child.stdin?.on('error', () => undefined);
  const { frameworksHome = '', stallTimeout = STALL_TIMEOUT } = settings;
  const order: FetchOrder = { uris, sandbox, user, frameworksHome, stallTimeout };
  child.stdin?.write(`${JSON.stringify(order)}\n`);
  return () => {
    waiting = false;
    endGroup(child.pid);
  };
}

function spawnFetcher(output: string, user: UserIds | undefined): ChildProcess {
  const stderr = openOutput(output, user);
  try {
    return spawn(process.execPath, ['--max-semi-space-size=1', entry], {
      cwd: '/',
      // Of its own group, so that archivers can be ended with it.
      detached: true,
      // The archivers must be found, and authorities that the machine trusts; nothing else is its business.
      env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS },
      stdio: ['pipe', 'pipe', stderr],
    });
  } finally {
    closeSync(stderr);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in this very moment.
  }
}
