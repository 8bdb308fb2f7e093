/** Group commit: while one batch is being written, the next one gathers. */
import { err, type Result } from '../../base/result.ts';
import type { Change, StoreFailure } from './store.ts';

type Outcome = Result<void, StoreFailure>;

interface Call {
  readonly changes: readonly Change[];
  readonly size: number;
  readonly resolve: (outcome: Outcome) => void;
}

export interface BatchLimits {
  /** Changes in one batch. */
  readonly count: number;
  /** Bytes of keys and values in one batch. */
  readonly bytes: number;
  /** Changes after which a batch takes no more calls, so that nobody waits long while it is handed over. Default: `count`. */
  readonly usual?: number;
}

/** Writes calls in order, as many at once as the limits allow. A call is never split. */
export class Batches {
  readonly #write: (changes: ReadonlyMap<string, Uint8Array | undefined>) => Promise<Outcome>;
  readonly #limits: BatchLimits;
  #queue: Call[] = [];
  #running: Promise<void> | undefined;
  #failure: StoreFailure | undefined;

  /** @param write makes one batch durable; a later change of a key stands in for earlier ones */
  constructor(limits: BatchLimits, write: (changes: ReadonlyMap<string, Uint8Array | undefined>) => Promise<Outcome>) {
    this.#limits = limits;
    this.#write = write;
  }

  apply(changes: readonly Change[]): Promise<Outcome> {
    if (this.#failure !== undefined) return Promise.resolve(err(this.#failure));
    const size = changes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    if (size > this.#limits.bytes || changes.length > this.#limits.count) {
      const message =
        `${changes.length} changes of ${size} bytes are more than can be stored at once ` +
        `(${this.#limits.count} changes, ${this.#limits.bytes} bytes)`;
      return Promise.resolve(err({ kind: 'refused', message }));
    }
    return new Promise((resolve) => {
      this.#queue.push({ changes, size, resolve });
      this.#running ??= this.#run();
    });
  }

  /** @returns when nothing is being written any more */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of the same moment go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const calls = this.#take();
      const batch = new Map(calls.flatMap(({ changes }) => changes.map(({ key, value }) => [key, value] as const)));
      const outcome = this.#failure === undefined ? await this.#write(batch) : err(this.#failure);
      // After a failure nobody knows what is stored: later changes must not be written on top of it.
      if (!outcome.ok) this.#failure ??= outcome.error;
      for (const { resolve } of calls) resolve(outcome);
    }
    this.#running = undefined;
  }

  #take(): Call[] {
    let count = 0;
    let bytes = 0;
    let taken = 0;
    const usual = this.#limits.usual ?? this.#limits.count;
    for (const { changes, size } of this.#queue) {
      if (taken > 0 && (count + changes.length > usual || bytes + size > this.#limits.bytes)) break;
      count += changes.length;
      bytes += size;
      taken++;
    }
    return this.#queue.splice(0, taken);
  }
}
