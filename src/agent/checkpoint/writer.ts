/** Writes checkpoints so that they survive the machine, not only the program. */
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Persist } from '../core/persist.ts';

/** What of the file system is used. */
export type FileSystem = Pick<typeof fs, 'mkdir' | 'open' | 'rename' | 'rm' | 'symlink'>;

/** Beside the file that it will become. */
const TEMPORARY = '.new';

/** A checkpoint could not be written. The message names the path and says what to do. */
export class CheckpointError extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`The checkpoint ${path} cannot be written: ${reason}; look at the disk and its permissions`, { cause });
    this.name = 'CheckpointError';
    this.path = path;
  }
}

/**
 * Makes operations durable in the order given, with one sync for each file and folder that they touch.
 * @throws CheckpointError for the first one that fails; those after it are not tried
 */
export async function writeCheckpoints(operations: readonly Persist[], files: FileSystem = fs): Promise<void> {
  const batch = new Batch(files);
  try {
    for (const operation of operations) await batch.perform(operation);
    await batch.sync();
  } finally {
    await batch.close();
  }
}

class Batch {
  readonly #appended = new Map<string, FileHandle>();
  readonly #folders = new Set<string>();
  readonly #files: FileSystem;

  constructor(files: FileSystem) {
    this.#files = files;
  }

  async perform(operation: Persist): Promise<void> {
    const { path } = operation;
    try {
      switch (operation.how) {
        case 'replace':
          await this.#replace(path, operation.bytes);
          return;
        case 'append':
          await this.#append(path, operation.bytes);
          return;
        case 'link':
          await this.#link(path, operation.target);
          return;
        case 'remove':
          await this.#appended.get(path)?.close();
          this.#appended.delete(path);
          await this.#files.rm(path, { recursive: true, force: true });
          this.#folders.add(dirname(path));
          return;
      }
    } catch (error) {
      throw error instanceof CheckpointError ? error : new CheckpointError(path, error);
    }
  }

  /** After this, and not before, everything is durable. */
  async sync(): Promise<void> {
    for (const [path, file] of this.#appended) await named(path, file.datasync());
    for (const folder of this.#folders) await named(folder, syncFolder(this.#files, folder));
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#appended.values(), (file) => file.close().catch(() => {})));
  }

  async #replace(path: string, bytes: Uint8Array): Promise<void> {
    await this.#makeFolder(dirname(path));
    const temporary = `${path}${TEMPORARY}`;
    const file = await this.#files.open(temporary, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      // Before the rename: a name must never lead to content that is not there.
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.rename(temporary, path);
    this.#folders.add(dirname(path));
  }

  async #append(path: string, bytes: Uint8Array): Promise<void> {
    let file = this.#appended.get(path);
    if (file === undefined) {
      await this.#makeFolder(dirname(path));
      file = await this.#files.open(path, 'a', 0o600);
      this.#appended.set(path, file);
      this.#folders.add(dirname(path));
    }
    await file.appendFile(bytes);
  }

  async #link(path: string, target: string): Promise<void> {
    await this.#makeFolder(dirname(path));
    const temporary = `${path}${TEMPORARY}`;
    await this.#files.rm(temporary, { force: true });
    await this.#files.symlink(target, temporary);
    await this.#files.rename(temporary, path);
    this.#folders.add(dirname(path));
  }

  /** Makes a folder, and notes the folders whose entries are new. */
  async #makeFolder(path: string): Promise<void> {
    const first = await this.#files.mkdir(path, { recursive: true, mode: 0o755 });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) this.#folders.add(dirname(made));
  }
}

async function named(path: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new CheckpointError(path, error);
  }
}

/** A folder that was removed later in the same batch needs no sync. */
async function syncFolder(files: FileSystem, path: string): Promise<void> {
  let folder: FileHandle;
  try {
    folder = await files.open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
