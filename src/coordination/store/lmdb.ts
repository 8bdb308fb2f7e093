import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open, type RootDatabase } from 'lmdb';
import { err, ok, type Result } from '../../base/result.ts';
import { inSlices } from '../../runtime/slices.ts';
import { Batches } from './batches.ts';
import { LMDB_OPTIONS } from './lmdb-options.ts';
import type { Change, Store, StoreFailure } from './store.ts';

/** The database itself, in its folder. */
const FILE = 'data.mdb';
/** LMDB takes keys of up to 1,978 bytes. Longer ones stand beside their value, under a name made of their digest. */
const MAX_KEY = 400;
const LONG = '~long/';
/** Who has taken the database over last, under a name that no key has. */
const HOLDER = '~holder';

const probe = fileURLToPath(
  new URL(import.meta.url.endsWith('.js') ? './lmdb-probe.js' : './lmdb-probe.ts', import.meta.url),
);
/** Values that are read at a time. */
const BIT = 100;
/** A transaction is put together in one go. */
const LIMITS = { count: 1_000_000, bytes: 256 * 2 ** 20, usual: 10_000 };

/** Keeps everything in a folder of this machine. */
export class LmdbStore implements Store {
  readonly description: string;
  readonly #path: string;
  readonly #db: RootDatabase<Uint8Array, string>;
  readonly #batches: Batches;
  /** Tells this writer from all others, also from later lives of the same program. */
  readonly #self = randomUUID();
  #hasFailed = false;

  private constructor(path: string, db: RootDatabase<Uint8Array, string>) {
    this.#path = path;
    this.#db = db;
    this.description = `LMDB in ${path}`;
    this.#batches = new Batches(LIMITS, (changes) => this.#write(changes));
  }

  /**
   * Opens a database only after another process has found it sound: a damaged one would end this one.
   * @param wayOut what to do without it; for a registry of masters unless given
   */
  static async openSound(path: string, wayOut = registryWayOut(path)): Promise<Result<LmdbStore, StoreFailure>> {
    const wrong = existsSync(join(path, FILE)) ? await examine(path) : undefined;
    if (wrong === undefined) return LmdbStore.open(path);
    const message =
      `the store in ${path} cannot be used: ${wrong}. Where the disk is full, make room; where ${join(path, FILE)} is ` +
      `damaged, ${wayOut}`;
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

  async load(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    try {
      await this.#db.transaction(() => this.#db.putSync(HOLDER, Buffer.from(this.#self)));
      await this.#db.flushed;
    } catch (error) {
      this.#hasFailed = true;
      return err(failure(this.#path, 'cannot be written', await causeOf(error)));
    }
    return this.read();
  }

  async read(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    try {
      return ok(await inSlices(this.#reading()));
    } catch (error) {
      return err(failure(this.#path, 'cannot be read', error));
    }
  }

  /** Sees the database as it was at the beginning. */
  *#reading(): Generator<void, Map<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    // A copy: what the database hands out is only good until it is written to.
    for (const { key, value } of this.#db.getRange({ snapshot: true })) {
      if (key === HOLDER) continue;
      const [name, bytes] = key.startsWith(LONG) ? readLong(value) : [key, Uint8Array.from(value)];
      values.set(name, bytes);
      if (values.size % BIT === 0) yield;
    }
    return values;
  }

  apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>> {
    return this.#batches.apply(changes);
  }

  async close(): Promise<void> {
    await this.#batches.idle();
    const closed = this.#db.close();
    // After a write that failed the library waits for ever for what was never written.
    if (this.#hasFailed) closed.catch(() => {});
    else await closed;
  }

  #holder(): string | undefined {
    const holder = this.#db.get(HOLDER);
    return holder && Buffer.from(holder).toString();
  }

  async #write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<Result<void, StoreFailure>> {
    try {
      const isOurs = await this.#db.transaction(() => {
        if (this.#holder() !== this.#self) return false;
        for (const [key, value] of changes) {
          const isLong = Buffer.byteLength(key) > MAX_KEY;
          const name = isLong ? `${LONG}${createHash('sha256').update(key).digest('hex')}` : key;
          if (value === undefined) this.#db.removeSync(name);
          else this.#db.putSync(name, (isLong ? writeLong(key, value) : value) as Buffer);
        }
        return true;
      });
      if (!isOurs) return err(fenced(this.#path));
      // The transaction is visible now; only after this it is on disk.
      await this.#db.flushed;
      return ok(undefined);
    } catch (error) {
      this.#hasFailed = true;
      return err(failure(this.#path, 'cannot be written', await causeOf(error)));
    }
  }
}

function fenced(path: string): StoreFailure {
  const message = `the store in ${path} was taken over by another program, which was started later on the same folder; only one can use it`;
  return { kind: 'fenced', message };
}

function registryWayOut(path: string): string {
  return (
    `move ${path} away and bring a backup back with 'meseta registry import lmdb:${path}', or begin without one: ` +
    'agents and frameworks come back by themselves, quotas, weights and maintenance do not'
  );
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

/** The length of the key, the key, the value. */
function writeLong(key: string, value: Uint8Array): Buffer {
  const name = Buffer.from(key);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  return Buffer.concat([length, name, value]);
}

function readLong(stored: Uint8Array): [string, Uint8Array] {
  const bytes = Buffer.from(stored);
  const end = 4 + bytes.readUInt32LE(0);
  return [bytes.subarray(4, end).toString(), Uint8Array.from(bytes.subarray(end))];
}

/** The library says of a commit only that it failed, and why in a promise that is rejected. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> };
  return commitError === undefined ? error : commitError.catch((cause: unknown) => cause);
}

function failure(path: string, what: string, error: unknown): StoreFailure {
  const reason = isFull(path, error)
    ? 'No space left on device'
    : error instanceof Error
      ? error.message
      : String(error);
  return {
    kind: 'unavailable',
    message: `the store in ${path} ${what}: ${reason}; look at the disk and its permissions`,
  };
}

/** Where only a part of what it wrote had room, LMDB speaks of an input/output error. */
function isFull(path: string, error: unknown): boolean {
  if (!(error instanceof Error && error.message.startsWith('Input/output error'))) return false;
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize < 2 ** 20;
  } catch {
    return false;
  }
}
