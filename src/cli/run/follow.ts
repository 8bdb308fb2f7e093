import { callAgent } from '../../sdk/agent-operator.ts';
import { type Address, formatAddress } from '../../sdk/core/address.ts';
import { CallRefused } from '../../sdk/errors.ts';
import { orderedConnection } from '../../sdk/exchange.ts';
import type { OperatorOptions } from '../../sdk/operator.ts';

const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 250;

/**
 * Follows files of one sandbox through the agent's READ_FILE call, as `tail -f` does: what is new is passed on, and
 * nothing is asked for more often than every few milliseconds while the file stays as it is.
 */
export class SandboxFollower {
  private readonly address: Address;
  private readonly directory: string;
  private readonly options: OperatorOptions;
  private readonly finished = new AbortController();
  private problem: string | undefined;

  /** @param directory the sandbox as the agent names it, for example `/frameworks/<id>/executors/<id>/runs/latest` */
  constructor(address: Address, directory: string, options: OperatorOptions = {}) {
    this.address = address;
    this.directory = directory;
    this.options = { ...options, agent: orderedConnection() };
  }

  /** Passes the file on until `finish`, and then what is left of it. @returns what went wrong, if anything did */
  async follow(file: string, write: (bytes: Uint8Array) => void): Promise<string | undefined> {
    let offset = 0;
    let pause = FIRST_PAUSE;
    for (;;) {
      const last = this.finished.signal.aborted;
      const bytes = await this.read(file, offset);
      if (bytes.length > 0) {
        write(bytes);
        offset += bytes.length;
        pause = FIRST_PAUSE;
        continue;
      }
      if (last) return this.problem;
      await this.wait(pause);
      pause = Math.min(LONGEST_PAUSE, pause * 2);
    }
  }

  /** Every file has been followed to its end. */
  close(): void {
    this.options.agent?.destroy();
  }

  /** The task has ended: nothing more will be written. */
  finish(): void {
    this.finished.abort();
  }

  private async read(file: string, offset: number): Promise<Uint8Array> {
    const path = `${this.directory}/${file}`;
    try {
      const response = await callAgent(this.address, { type: 'READ_FILE', read_file: { path, offset } }, this.options);
      this.problem = undefined;
      return response.read_file?.data ?? new Uint8Array(0);
    } catch (error) {
      // A file that is not there yet is no problem; an agent that cannot be reached is one, if it stays so.
      if (!(error instanceof CallRefused && error.status === 404)) {
        this.problem = `${path} on ${formatAddress(this.address)}: ${(error as Error).message}`;
      }
      return new Uint8Array(0);
    }
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.finished.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.finished.signal.addEventListener('abort', done);
    });
  }
}
