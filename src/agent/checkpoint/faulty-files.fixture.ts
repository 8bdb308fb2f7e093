/** The real file system, of which one operation fails as disks do. Syncs are only counted: the machine goes on. */
import fs, { type FileHandle } from 'node:fs/promises';
import type { FileSystem } from './writer.ts';

export interface FaultyFiles {
  readonly files: FileSystem;
  /** Which operation failed, if it came to that. */
  readonly failed: () => string | undefined;
}

/** How each operation fails; a write leaves half of what was to be written. */
const FAULTS: Readonly<Record<string, string>> = {
  appendFile: 'ENOSPC: no space left on device',
  writeFile: 'ENOSPC: no space left on device',
  mkdir: 'ENOSPC: no space left on device',
  symlink: 'ENOSPC: no space left on device',
  sync: 'EIO: i/o error',
  datasync: 'EIO: i/o error',
  open: 'EROFS: read-only file system',
  rename: 'EROFS: read-only file system',
  rm: 'EROFS: read-only file system',
};

/**
 * @param at which operation fails, from 0 on; those after it fail as well, for a disk does not get better by itself
 * @param loses what a file was given since its last sync is gone when one fails, as after a write-back error
 */
export function faultyFiles(at: number, loses = false): FaultyFiles {
  let count = 0;
  let failed: string | undefined;
  const guard = async <T>(name: string, work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (count++ < at) return work();
    if (failed === undefined) {
      failed = name;
      await half?.();
    }
    throw new Error(`${FAULTS[name]}, ${name}`);
  };
  const wrapped = (file: FileHandle, synced: number, isFolder: boolean): FileHandle => {
    const lose = loses ? () => file.truncate(synced) : undefined;
    const half = (data: Uint8Array) => () => file.appendFile(data.subarray(0, data.length >> 1));
    const handle = {
      appendFile: (data: Uint8Array) => guard('appendFile', () => file.appendFile(data), half(data)),
      writeFile: (data: Uint8Array) => guard('writeFile', () => file.writeFile(data), half(data)),
      sync: () => guard('sync', async () => {}, isFolder ? undefined : lose),
      datasync: () => guard('datasync', async () => {}, lose),
      close: () => file.close(),
    };
    return handle as unknown as FileHandle;
  };
  const open = async (...args: Parameters<FileSystem['open']>): Promise<FileHandle> => {
    const file = await fs.open(...args);
    const { size } = await file.stat();
    return wrapped(file, size, args[1] === 'r');
  };
  const files = {
    mkdir: (...args: Parameters<FileSystem['mkdir']>) => guard('mkdir', () => fs.mkdir(...args)),
    open: (...args: Parameters<FileSystem['open']>) => guard('open', () => open(...args)),
    rename: (...args: Parameters<FileSystem['rename']>) => guard('rename', () => fs.rename(...args)),
    rm: (...args: Parameters<FileSystem['rm']>) => guard('rm', () => fs.rm(...args)),
    symlink: (...args: Parameters<FileSystem['symlink']>) => guard('symlink', () => fs.symlink(...args)),
  };
  return { files: files as unknown as FileSystem, failed: () => failed };
}
