/** The registry in a store: read once when this master is elected, then written operation by operation. */
import type { Millis } from '../base/machine.ts';
import { err, ok, type Result } from '../base/result.ts';
import { Timings } from '../base/timings.ts';
import type { Store, StoreFailure } from '../coordination/store/store.ts';
import { monotonicTime } from '../runtime/clock.ts';
import { inSlices } from '../runtime/slices.ts';
import { sleepable } from '../runtime/timers.ts';
import type { RegistryOperation, RegistrySnapshot } from './core/registry.ts';
import { RegistryBook } from './core/registry-book.ts';
import { type Entities, FORMAT, FORMAT_KEY, readingEntities, snapshotOf } from './core/registry-entities.ts';

export interface RegistrarOptions {
  readonly store: Store;
  readonly fetchTimeout: Millis;
  readonly storeTimeout: Millis;
  /** Weights for a registry that has none yet. */
  readonly weights: RegistrySnapshot['weights'];
}

/** Upstream's window for how long writes take. */
const STORE_WINDOW: Millis = 24 * 60 * 60_000;

/** Values that are counted at a time. */
const COUNTED = 500;

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #sizes = new Map<string, number>();
  #book: RegistryBook | undefined;
  #ahead: { readonly values: ReadonlyMap<string, Uint8Array>; readonly entities: Entities } | undefined;
  #isRecovering = false;
  #bytes = 0;
  #queued = 0;
  readonly #fetches = new Timings(STORE_WINDOW);
  readonly #stores = new Timings(STORE_WINDOW);

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Where the registry is, for people. */
  get place(): string {
    return this.#options.store.description;
  }

  /** `registrar/…`: what waits, how much is kept, and how long reading and writing took. */
  metrics(): Record<string, number> {
    const now = monotonicTime();
    return {
      'registrar/queued_operations': this.#queued,
      ...(this.#book !== undefined && { 'registrar/registry_size_bytes': this.#bytes }),
      ...this.#fetches.metrics('registrar/state_fetch_ms', now),
      ...this.#stores.metrics('registrar/state_store_ms', now),
    };
  }

  /**
   * Reads what is there without taking it over, so that little is left to be done in `recover`. To be repeated, one call after
   * the other, until then.
   * @returns a sentence that says why it cannot be read
   */
  async readAhead(): Promise<Result<void>> {
    const read = await this.#options.store.readAhead?.();
    if (read === undefined) return ok(undefined);
    if (!read.ok) return err(read.error.message);
    const values = read.value;
    if (values === this.#ahead?.values) return ok(undefined);
    this.#ahead = undefined;
    if (values === undefined) return ok(undefined);
    const entities = await inSlices(readingEntities(values));
    if (!entities.ok) return err(entities.error);
    if (!this.#isRecovering) this.#ahead = { values, entities: entities.value };
    return ok(undefined);
  }

  /** Takes the store over and reads it. @returns a sentence that says what to do, if it cannot be used */
  async recover(): Promise<Result<RegistrySnapshot>> {
    const { store, fetchTimeout, weights } = this.#options;
    const started = monotonicTime();
    this.#isRecovering = true;
    const loaded = await within(
      fetchTimeout,
      store.load(),
      `reading the registry (${store.description})`,
      '--registry_fetch_timeout',
    );
    if (!loaded.ok) return err(loaded.error.message);
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const entities =
      ahead?.values === loaded.value ? ok(ahead.entities) : await inSlices(readingEntities(loaded.value));
    if (!entities.ok) return err(`${store.description}: ${entities.error}`);
    await inSlices(this.#countAll(loaded.value));
    this.#fetches.record(monotonicTime() - started, monotonicTime());
    const isNew = !loaded.value.has(FORMAT_KEY);
    this.#book = new RegistryBook(entities.value);
    if (isNew) {
      const first = [{ key: FORMAT_KEY, value: Buffer.from(FORMAT) }];
      const stored = await this.#store([...first, ...this.#book.apply({ type: 'UPDATE_WEIGHTS', weights })]);
      if (!stored.ok) return stored;
    }
    return ok(snapshotOf(entities.value));
  }

  /** Makes an operation durable. Operations are carried out in the order of the calls. */
  async commit(operation: RegistryOperation): Promise<Result<void>> {
    if (this.#book === undefined) return err('the registry was not read yet');
    return this.#store(this.#book.apply(operation));
  }

  close(): Promise<void> {
    return this.#options.store.close();
  }

  async #store(
    changes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[],
  ): Promise<Result<void>> {
    const { store, storeTimeout } = this.#options;
    const started = monotonicTime();
    this.#queued++;
    const what = `writing the registry (${store.description})`;
    const stored = await within(storeTimeout, store.apply(changes), what, '--registry_store_timeout');
    this.#queued--;
    if (!stored.ok) return err(stored.error.message);
    for (const { key, value } of changes) this.#count(key, value);
    this.#stores.record(monotonicTime() - started, monotonicTime());
    return ok(undefined);
  }

  *#countAll(values: ReadonlyMap<string, Uint8Array>): Generator<void, void> {
    for (const [key, value] of values) {
      this.#count(key, value);
      if (this.#sizes.size % COUNTED === 0) yield;
    }
  }

  #count(key: string, value: Uint8Array | undefined): void {
    this.#bytes -= this.#sizes.get(key) ?? 0;
    if (value === undefined) {
      this.#sizes.delete(key);
      return;
    }
    const size = key.length + value.length;
    this.#sizes.set(key, size);
    this.#bytes += size;
  }
}

/** What takes longer counts as failed: a leader that cannot write must let another one try. */
async function within<T>(
  limit: Millis,
  work: Promise<Result<T, StoreFailure>>,
  what: string,
  flag: string,
): Promise<Result<T, StoreFailure>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result<T, StoreFailure>>((resolve) => {
    timer = setTimeout(
      () => resolve(err({ kind: 'unavailable', message: `${what} took longer than ${flag}=${limit / 1000}secs` })),
      sleepable(limit),
    );
  });
  const outcome = await Promise.race([work, late]);
  clearTimeout(timer);
  return outcome;
}
