/** Emulated agents in a process of their own, whose tasks run until they are killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AgentsOrder } from './agents-worker.ts';
import { assertLoopbackPid } from './loopback.ts';

const WORKER = fileURLToPath(new URL('agents-worker.ts', import.meta.url));

export interface AgentsOptions {
  /** The master's PID in libprocess' sense. */
  readonly master: string;
  readonly count: number;
  /** How many listening ports they share. */
  readonly ports: number;
  readonly resources: string;
}

export class AgentsProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @returns when all have registered */
  static async start(options: AgentsOptions): Promise<AgentsProcess> {
    assertLoopbackPid(options.master);
    const agents = new AgentsProcess(fork(WORKER, { execArgv: ['--disable-warning=ExperimentalWarning'] }));
    await agents.#tell({ kind: 'register', ...options });
    return agents;
  }

  /** The machine of this agent is gone: nothing is heard of it any more. */
  silence(id: string): Promise<void> {
    return this.#tell({ kind: 'silence', id });
  }

  stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.disconnect();
    });
  }

  #tell(order: AgentsOrder): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new Error('the process of the emulated agents ended; what it said stands above'));
      child.once('exit', lost);
      child.once('message', () => {
        child.off('exit', lost);
        resolve();
      });
      child.send(order);
    });
  }
}
