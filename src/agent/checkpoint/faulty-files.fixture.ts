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
 * @param loses whatever files were given since they were synced last is gone then, as if the machine had stopped
 */
export function faultyFiles(at: number, loses = false): FaultyFiles {
  let count = 0;
  let failed: string | undefined;
  /** Files that were written to since they were synced, and how long they were then. */
  const unsynced = new Map<string, number>();
  const fail = async (name: string, half?: () => Promise<unknown>): Promise<void> => {
    failed = name;
    await half?.();
    if (loses) for (const [path, length] of unsynced) await fs.truncate(path, length);
  };
  const guard = async <T>(name: string, work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (count++ < at) return work();
    if (failed === undefined) await fail(name, half);
    throw new Error(`${FAULTS[name]}, ${name}`);
  };
  const synced = (path: string) => async (): Promise<void> => void unsynced.delete(path);
  const wrapped = (file: FileHandle, path: string, length: number): FileHandle => {
    const half = (data: Uint8Array) => () => file.appendFile(data.subarray(0, data.length >> 1));
    const touched = (): void => void unsynced.set(path, unsynced.get(path) ?? length);
    const write = (name: string, data: Uint8Array): Promise<void> => {
      touched();
      return guard(name, () => file.appendFile(data), half(data));
    };
    const handle = {
      appendFile: (data: Uint8Array) => write('appendFile', data),
      writeFile: (data: Uint8Array) => write('writeFile', data),
      sync: () => guard('sync', synced(path)),
      datasync: () => guard('datasync', synced(path)),
      close: () => file.close(),
    };
    return handle as unknown as FileHandle;
  };
  const open = async (...args: Parameters<FileSystem['open']>): Promise<FileHandle> => {
    const file = await fs.open(...args);
    return wrapped(file, String(args[0]), (await file.stat()).size);
  };
  const rename = async (from: string, to: string): Promise<void> => {
    await fs.rename(from, to);
    const length = unsynced.get(from);
    unsynced.delete(from);
    unsynced.delete(to);
    if (length !== undefined) unsynced.set(to, length);
  };
  const rm = async (...[path, options]: Parameters<FileSystem['rm']>): Promise<void> => {
    await fs.rm(path, options);
    for (const one of unsynced.keys()) if (one === path || one.startsWith(`${path}/`)) unsynced.delete(one);
  };
  const files = {
    mkdir: (...args: Parameters<FileSystem['mkdir']>) => guard('mkdir', () => fs.mkdir(...args)),
    open: (...args: Parameters<FileSystem['open']>) => guard('open', () => open(...args)),
    rename: (from: string, to: string) => guard('rename', () => rename(from, to)),
    rm: (...args: Parameters<FileSystem['rm']>) => guard('rm', () => rm(...args)),
    symlink: (...args: Parameters<FileSystem['symlink']>) => guard('symlink', () => fs.symlink(...args)),
  };
  return { files: files as unknown as FileSystem, failed: () => failed };
}
