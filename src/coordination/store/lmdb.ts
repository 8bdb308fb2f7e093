import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open, type RootDatabase } from 'lmdb';
import { err, ok, type Result } from '../../base/result.ts';
import { Batches } from './batches.ts';
import { LMDB_OPTIONS } from './lmdb-options.ts';
import type { Change, Store, StoreFailure } from './store.ts';

/** The database itself, in its folder. */
const FILE = 'data.mdb';
/** LMDB's own limit is 511 bytes for a key; file systems and people have shorter names. */
const MAX_KEY = 400;

const probe = fileURLToPath(
  new URL(import.meta.url.endsWith('.js') ? './lmdb-probe.js' : './lmdb-probe.ts', import.meta.url),
);

/** Keeps everything in a folder of this machine. */
export class LmdbStore implements Store {
  readonly description: string;
  readonly #path: string;
  readonly #db: RootDatabase<Uint8Array, string>;
  readonly #batches: Batches;

  private constructor(path: string, db: RootDatabase<Uint8Array, string>) {
    this.#path = path;
    this.#db = db;
    this.description = `LMDB in ${path}`;
    this.#batches = new Batches({ count: 1_000_000, bytes: 256 * 2 ** 20 }, (changes) => this.#write(changes));
  }

  /** Opens a database only after another process has found it sound: a damaged one would end this one. */
  static async openSound(path: string): Promise<Result<LmdbStore, StoreFailure>> {
    const wrong = existsSync(join(path, FILE)) ? await examine(path) : undefined;
    if (wrong === undefined) return LmdbStore.open(path);
    const message =
      `the store in ${path} cannot be used: ${wrong}. Where the disk is full, make room; where ${join(path, FILE)} is ` +
      `damaged, move ${path} away and bring a backup back with 'meseta registry import lmdb:${path}', or begin without one: ` +
      'agents and frameworks come back by themselves, quotas, weights and maintenance do not';
    return err({ kind: 'unavailable', message });
  }

  /** @param path of a folder that is made if it is missing */
  static open(path: string): Result<LmdbStore, StoreFailure> {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      const db = open<Uint8Array, string>({ path, ...LMDB_OPTIONS });
      return ok(new LmdbStore(path, db));
    } catch (error) {
      return err(failure(path, 'cannot be opened', error));
    }
  }

  read(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    return this.load();
  }

  async load(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    try {
      const values = new Map<string, Uint8Array>();
      // A copy: what the database hands out is only good until it is written to.
      for (const { key, value } of this.#db.getRange({ snapshot: true })) values.set(key, Uint8Array.from(value));
      return ok(values);
    } catch (error) {
      return err(failure(this.#path, 'cannot be read', error));
    }
  }

  apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>> {
    const long = changes.find(({ key }) => Buffer.byteLength(key) > MAX_KEY);
    if (long !== undefined) {
      const message = `the key '${long.key.slice(0, 60)}…' is longer than ${MAX_KEY} bytes`;
      return Promise.resolve(err({ kind: 'refused', message }));
    }
    return this.#batches.apply(changes);
  }

  async close(): Promise<void> {
    await this.#batches.idle();
    await this.#db.close();
  }

  async #write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<Result<void, StoreFailure>> {
    try {
      await this.#db.transaction(() => {
        for (const [key, value] of changes) {
          if (value === undefined) this.#db.removeSync(key);
          else this.#db.putSync(key, value as Buffer);
        }
      });
      // The transaction is visible now; only after this it is on disk.
      await this.#db.flushed;
      return ok(undefined);
    } catch (error) {
      return err(failure(this.#path, 'cannot be written', error));
    }
  }
}

/** @returns what is wrong with it */
function examine(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const args = ['--disable-warning=ExperimentalWarning', probe, path];
    execFile(process.execPath, args, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined);
      // Bus errors and segmentation faults.
      else if (error.signal) resolve(`reading it ended a process with ${error.signal}`);
      else resolve(stderr.trim() || error.message);
    });
  });
}

function failure(path: string, what: string, error: unknown): StoreFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    kind: 'unavailable',
    message: `the store in ${path} ${what}: ${reason}; look at the disk and its permissions`,
  };
}
