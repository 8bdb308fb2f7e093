import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { Principal } from '../endpoint.ts';
import { groupNames, userNames } from './owners.ts';

/** Why a path was refused, in the classes that upstream answers by: 400, 404, 403, 500. */
export interface FilesError {
  readonly status: 400 | 403 | 404 | 500;
  readonly sentence: string;
}

/** One entry of a folder, in the shape of upstream's FileInfo. */
export interface FileEntry {
  /** The virtual path. */
  readonly path: string;
  readonly nlink: number;
  readonly size: number;
  /** Whole seconds since the Unix epoch. */
  readonly mtime: number;
  /** As in stat: type and permission bits. */
  readonly mode: number;
  readonly uid: string;
  readonly gid: string;
}

/** Who may see an attached path. */
export type FileAuthorizer = (principal: Principal | undefined) => boolean | Promise<boolean>;

interface Attached {
  /** The canonical real path. */
  readonly real: string;
  readonly authorize: FileAuthorizer | undefined;
}

interface Resolved {
  /** The canonical root that it must not leave. */
  readonly root: string;
  /** Canonical. */
  readonly real: string;
}

type Outcome<T> = Result<T, FilesError>;

/** Upstream's cap on one read: 16 pages. */
const MAX_READ_BYTES = 16 * 4096;

/**
 * The virtual paths that `/files/*`, LIST_FILES and READ_FILE serve: sandboxes and logs, each attached under one or
 * more names. Whatever a request or a link inside says, nothing outside what was attached is ever read.
 */
export class FilesTable {
  private readonly attached = new Map<string, Attached>();

  /**
   * Shows a file or folder under a virtual path.
   * @returns an error if the real path does not exist
   */
  async attach(real: string, virtual: string, authorize?: FileAuthorizer): Promise<Result<void>> {
    try {
      this.attached.set(normalize(virtual), { real: await realpath(real), authorize });
      return ok(undefined);
    } catch (error) {
      return err(`Cannot show '${real}' as '${virtual}': ${(error as Error).message}`);
    }
  }

  detach(virtual: string): void {
    this.attached.delete(normalize(virtual));
  }

  /** Virtual to real paths, for `/files/debug`. */
  entries(): Record<string, string> {
    return Object.fromEntries([...this.attached].map(([virtual, { real }]) => [virtual, real] as const).sort());
  }

  /** Lists a folder, sorted; a file gives an empty list, as upstream has it. */
  async browse(virtual: string, principal?: Principal): Promise<Outcome<FileEntry[]>> {
    const opened = await this.open(virtual, principal);
    if (!opened.ok) return opened;
    const { handle, resolved } = opened.value;
    try {
      if (!(await handle.stat()).isDirectory()) return ok([]);
      const names = await readdir(throughHandle(handle, resolved.real));
      const entries: FileEntry[] = [];
      for (const name of names.sort()) {
        const stats = await statInside(join(resolved.real, name), resolved.root);
        if (stats !== undefined) entries.push(entryOf(join(virtual, name), stats));
      }
      return ok(entries);
    } catch (error) {
      return failed(`Failed to list '${virtual}'`, error);
    } finally {
      await handle.close();
    }
  }

  /**
   * Reads at most 64 KiB.
   * @param length bytes; undefined reads to the end
   * @returns the file's size beside the bytes; an offset past the end, or a length of 0, gives no bytes
   */
  async read(
    virtual: string,
    offset: number,
    length: number | undefined,
    principal?: Principal,
  ): Promise<Outcome<{ size: number; data: Uint8Array }>> {
    const opened = await this.openFile(virtual, 'Cannot read a directory.\n', principal);
    if (!opened.ok) return opened;
    const { handle, size } = opened.value;
    try {
      const count = Math.min(length ?? size, size - offset, MAX_READ_BYTES);
      if (count <= 0) return ok({ size, data: new Uint8Array(0) });
      const data = new Uint8Array(count);
      const { bytesRead } = await handle.read(data, 0, count, offset);
      return ok({ size, data: data.subarray(0, bytesRead) });
    } catch (error) {
      return failed(`Failed to read '${virtual}'`, error);
    } finally {
      await handle.close();
    }
  }

  /** Opens a file for sending it whole; the caller closes the handle. */
  async download(
    virtual: string,
    principal?: Principal,
  ): Promise<Outcome<{ handle: FileHandle; size: number; name: string }>> {
    const opened = await this.openFile(virtual, 'Cannot download a directory.\n', principal);
    return opened.ok ? ok({ ...opened.value, name: basename(opened.value.real) }) : opened;
  }

  private async openFile(
    virtual: string,
    isFolder: string,
    principal: Principal | undefined,
  ): Promise<Outcome<{ handle: FileHandle; size: number; real: string }>> {
    const opened = await this.open(virtual, principal);
    if (!opened.ok) return opened;
    const { handle, resolved } = opened.value;
    const stats = await handle.stat();
    if (stats.isFile()) return ok({ handle, size: stats.size, real: resolved.real });
    await handle.close();
    return err({ status: 400, sentence: stats.isDirectory() ? isFolder : `'${virtual}' is not a regular file.\n` });
  }

  /** Opens what a virtual path means, and checks on the open file that it still lies inside what was attached. */
  private async open(
    virtual: string,
    principal: Principal | undefined,
  ): Promise<Outcome<{ handle: FileHandle; resolved: Resolved }>> {
    const resolved = await this.resolve(virtual, principal);
    if (!resolved.ok) return resolved;
    const { real, root } = resolved.value;
    try {
      // Neither waits for a pipe's writer, nor follows a link that took the place of what was resolved.
      const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      const now = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => real);
      if (isInside(now, root)) return ok({ handle, resolved: resolved.value });
      await handle.close();
      return err(inaccessible(virtual));
    } catch (error) {
      return failed(`Failed to open '${virtual}'`, error);
    }
  }

  private async resolve(virtual: string, principal: Principal | undefined): Promise<Outcome<Resolved>> {
    const segments = normalize(virtual).split('/');
    for (let length = segments.length; length > 0; length--) {
      const attached = this.attached.get(segments.slice(0, length).join('/'));
      if (attached === undefined) continue;
      if (attached.authorize !== undefined && !(await attached.authorize(principal)))
        return err({ status: 403, sentence: '' });
      return canonical(attached.real, segments.slice(length), virtual);
    }
    return err({ status: 404, sentence: '' });
  }
}

async function canonical(root: string, below: readonly string[], virtual: string): Promise<Outcome<Resolved>> {
  const wanted = [root, ...below].join('/');
  try {
    const real = await realpath(wanted);
    return isInside(real, root) ? ok({ root, real }) : err(inaccessible(virtual));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return err({ status: 404, sentence: '' });
    return err({
      status: 400,
      sentence: `Failed to determine canonical path of '${virtual}': ${(error as Error).message}.\n`,
    });
  }
}

function normalize(virtual: string): string {
  return virtual.length > 1 ? virtual.replace(/\/+$/, '') : virtual;
}

function isInside(real: string, root: string): boolean {
  return real === root || real.startsWith(root === '/' ? root : `${root}/`);
}

function inaccessible(virtual: string): FilesError {
  return { status: 400, sentence: `'${virtual}' is inaccessible.\n` };
}

function failed(what: string, error: unknown): { readonly ok: false; readonly error: FilesError } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return err({ status: 404, sentence: '' });
  if (code === 'EACCES') return err({ status: 403, sentence: `${what}: this program's user may not read it.\n` });
  if (code === 'ENXIO') return err({ status: 400, sentence: `${what}: it is not a regular file.\n` });
  if (code === 'ELOOP') return err({ status: 400, sentence: `${what}: it is inaccessible.\n` });
  return err({ status: 500, sentence: `${what}: ${message}.\n` });
}

/** The open folder itself where the system has a name for it, so that renaming around it changes nothing. */
function throughHandle(handle: FileHandle, real: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : real;
}

/** A link is followed for what it says of a target inside the root; else the link itself is described. */
async function statInside(path: string, root: string): Promise<Stats | undefined> {
  try {
    const own = await lstat(path);
    if (!own.isSymbolicLink()) return own;
    return isInside(await realpath(path), root) ? await stat(path) : own;
  } catch {
    return undefined;
  }
}

function entryOf(path: string, stats: Stats): FileEntry {
  return {
    path,
    nlink: stats.nlink,
    size: stats.size,
    mtime: Math.floor(stats.mtimeMs / 1000),
    mode: stats.mode,
    uid: userNames.nameOf(stats.uid),
    gid: groupNames.nameOf(stats.gid),
  };
}
