/**
 * Secrets as files. They lie in memory, in a folder that only the container's user can enter, and the sandbox has links
 * to them: neither the disk nor who reads sandboxes over the network gets to see them.
 */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { SecretFile } from '../core/effects.ts';
import type { UserIds } from './launcher/protocol.ts';
import { linkVolumes } from './volumes.ts';

/** What statfs says of tmpfs and of ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Where folders in memory are to be found on Linux, besides `--runtime_dir`. */
const USUAL_PLACES = ['/run', '/dev/shm'];

export class SecretFiles {
  private readonly folders: readonly string[];

  /** @param places to look for one that is in memory, the best first */
  constructor(runtimeDir: string, workDir: string, places: readonly string[] = [runtimeDir, ...USUAL_PLACES]) {
    // Several agents may share a machine, and several users.
    const name = createHash('sha256').update(workDir).digest('hex').slice(0, 12);
    this.folders = places.filter(isInMemory).map((place) => join(place, `meseta-secrets-${ownId()}-${name}`));
  }

  /** Writes the files and lets the sandbox have them. @returns what could not be done, in a sentence without any value */
  give(
    containerId: string,
    sandbox: string,
    files: readonly SecretFile[],
    owner: UserIds | undefined,
  ): string | undefined {
    if (files.length === 0) return undefined;
    const folder = this.make(containerId, owner);
    if (!folder.ok) return folder.error;
    try {
      const links = files.map(({ link, data }, at) => {
        const target = join(folder.value, String(at));
        writeFileSync(target, data, { mode: 0o400, flag: 'wx' });
        if (owner) chownSync(target, owner.uid, owner.gid);
        return { link, target, within: undefined, give: false };
      });
      return linkVolumes(sandbox, links, undefined);
    } catch (error) {
      return `A secret cannot be written to ${folder.value}: ${(error as Error).message}`;
    }
  }

  /** The container has ended, or never began. */
  remove(containerId: string): void {
    for (const folder of this.folders) rmSync(join(folder, containerId), { recursive: true, force: true });
  }

  /** Removes what an earlier agent left for containers that have ended since. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const folder of this.folders) {
      if (!isOurs(folder)) continue;
      for (const entry of readdirSync(folder)) {
        if (!containerIds.has(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
      }
      if (containerIds.size === 0) rmSync(folder, { recursive: true, force: true });
    }
  }

  private make(containerId: string, owner: UserIds | undefined): Result<string> {
    const complaints: string[] = [];
    for (const folder of this.folders) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o711 });
        // Everybody may make folders in some of these places, also one of our name.
        if (!isOurs(folder))
          throw new Error(`${folder} is not a folder of the agent's user that only they can write to`);
        const own = join(folder, containerId);
        rmSync(own, { recursive: true, force: true });
        mkdirSync(own, { mode: 0o700 });
        if (owner) chownSync(own, owner.uid, owner.gid);
        // Whatever the umask is, others have to get through to what is theirs.
        chmodSync(folder, 0o711);
        return ok(own);
      } catch (error) {
        complaints.push((error as Error).message);
      }
    }
    const why = complaints.length > 0 ? complaints.join('; ') : 'there is none';
    return err(
      `Secrets are written to file systems in memory only (tmpfs, ramfs), and no such folder can be used: ${why}. Let --runtime_dir be on a tmpfs`,
    );
  }
}

function isInMemory(place: string): boolean {
  try {
    return IN_MEMORY.has(statfsSync(place).type);
  } catch {
    return false;
  }
}

function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === ownId() && (found.mode & 0o022) === 0;
}

function ownId(): number {
  return process.getuid?.() ?? 0;
}
