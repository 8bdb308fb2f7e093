/** Asks the API again and again while something else goes on, and notes how long each answer took. */
import type { BenchMarathon } from './marathon.ts';

const PATHS = ['/v2/apps?embed=apps.counts', '/v2/deployments', '/v2/queue', '/v2/info'];

export class Asking {
  readonly #marathon: BenchMarathon;
  readonly #took: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #open = 0;
  #ended = (): void => {};

  /** @param interval a question is asked this often, in ms, whether or not the last one is answered */
  constructor(marathon: BenchMarathon, interval: number) {
    this.#marathon = marathon;
    let next = 0;
    this.#timer = setInterval(() => void this.#ask(PATHS[next++ % PATHS.length]!), interval);
  }

  /** @returns how long each answer took, in ms */
  async end(): Promise<readonly number[]> {
    clearInterval(this.#timer);
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
    }
    return this.#took;
  }

  async #ask(path: string): Promise<void> {
    this.#open++;
    const start = performance.now();
    await this.#marathon.call('GET', path);
    this.#took.push(performance.now() - start);
    this.#open--;
    if (this.#open === 0) this.#ended();
  }
}
