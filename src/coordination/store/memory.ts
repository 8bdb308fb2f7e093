import { ok, type Result } from '../../base/result.ts';
import type { Change, Store, StoreFailure } from './store.ts';

/** Keeps everything as long as the program runs, and no longer. */
export class MemoryStore implements Store {
  readonly description = 'memory';
  readonly #values: Map<string, Uint8Array>;

  /** @param values shared by stores that stand for the same place one after the other, in tests */
  constructor(values: Map<string, Uint8Array> = new Map()) {
    this.#values = values;
  }

  read(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    return this.load();
  }

  async load(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    return ok(new Map(this.#values));
  }

  async apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>> {
    for (const { key, value } of changes) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    }
    return ok(undefined);
  }

  async close(): Promise<void> {}
}
