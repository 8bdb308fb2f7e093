/** The folders of persistent volumes, and their place in sandboxes. */
import { chownSync, existsSync, mkdirSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { VolumeChange, VolumeLink } from '../core/effects.ts';
import type { UserIds } from './launcher/protocol.ts';
import { point } from './sandbox.ts';

type Owner = Pick<UserIds, 'uid' | 'gid'>;

/**
 * Makes folders for new volumes and takes those of old ones away. Synchronous, since tasks that use them may be started
 * next; what a volume held is deleted behind its back. @param failed takes what went wrong there
 * @returns what could not be done, in a sentence
 */
export function changeVolumes(changes: readonly VolumeChange[], failed: (problem: string) => void): string | undefined {
  for (const change of changes) {
    try {
      changeVolume(change, failed);
    } catch (error) {
      return `Cannot ${change.do} the volume at '${change.path}': ${messageOf(error)}`;
    }
  }
  return undefined;
}

function changeVolume(change: VolumeChange, failed: (problem: string) => void): void {
  switch (change.do) {
    case 'make':
      mkdirSync(change.path, { recursive: true });
      return;
    case 'empty':
      for (const entry of readdirSync(change.path)) rmSync(join(change.path, entry), { recursive: true, force: true });
      return;
    case 'remove': {
      const { path, via } = change;
      if (!existsSync(path)) return;
      mkdirSync(dirname(via), { recursive: true });
      renameSync(path, via);
      rm(via, { recursive: true, force: true }).catch((error: Error) =>
        failed(`Cannot delete ${via}: ${error.message}`),
      );
    }
  }
}

/** Deletes what volumes and sandboxes had held, where an earlier agent was killed before it was done with that. */
export async function removeLeftovers(workDir: string): Promise<void> {
  for (const folder of [join(workDir, 'volumes/removed'), join(workDir, 'meta/removed')]) {
    const entries = existsSync(folder) ? await readdir(folder) : [];
    for (const entry of entries) await rm(join(folder, entry), { recursive: true, force: true });
  }
}

/**
 * Lets a sandbox, which is there already, have the volumes under their names. @param owner of the sandbox, where that is
 * not whoever runs the agent. @returns what could not be done, in a sentence
 */
export function linkVolumes(
  sandbox: string,
  volumes: readonly VolumeLink[],
  owner: Owner | undefined,
): string | undefined {
  for (const volume of volumes) {
    const { link, target } = volume;
    const refusal = refuse(sandbox, volume);
    if (refusal !== undefined || target === undefined) return refusal;
    try {
      linkVolume(volume, target, owner);
    } catch (error) {
      return `Cannot show the volume ${target} at ${link}: ${messageOf(error)}`;
    }
  }
  return undefined;
}

/** Nobody may make the agent, which is often root, put links where they do not belong, or hand over what is not theirs. */
function refuse(sandbox: string, { link, target, within }: VolumeLink): string | undefined {
  const asked = link.startsWith(`${sandbox}/`) ? link.slice(sandbox.length + 1) : link;
  if (!isInside(link, sandbox)) {
    return `A volume's container_path must be a path inside the sandbox, without '..', not '${asked}'`;
  }
  if (target === undefined) {
    return `The volume at '${asked}' is of the parent's sandbox (source.sandbox_path.type PARENT), and there is no parent`;
  }
  if (within !== undefined && !isInside(target, within)) {
    return `source.sandbox_path.path of the volume at '${asked}' must be a path inside the sandbox, without '..'`;
  }
  return undefined;
}

/** Also when the links that tasks may have made on the way are followed. */
function isInside(path: string, folder: string): boolean {
  if (path !== normalize(path) || !path.startsWith(`${folder}/`) || path.endsWith('/')) return false;
  let found = dirname(path);
  while (!existsSync(found)) found = dirname(found);
  if (found.length < folder.length) return true;
  const real = realpathSync(found);
  const root = realpathSync(folder);
  return real === root || real.startsWith(`${root}/`);
}

function linkVolume({ link, within, give }: VolumeLink, target: string, owner: Owner | undefined): void {
  const fresh = within !== undefined && mkdirSync(target, { recursive: true }) !== undefined;
  if (!existsSync(target)) throw new Error('there is no such folder');
  // What is there already in a sandbox has its owner. Only root can give folders away, and has to; it needs none itself.
  if (give && (within === undefined || fresh) && owner !== undefined && owner.uid !== 0 && process.getuid?.() === 0) {
    chownSync(target, owner.uid, owner.gid);
  }
  mkdirSync(dirname(link), { recursive: true });
  if (existsSync(link) && !leadsTo(link, target)) throw new Error('something else has this name already');
  point(link, target);
}

function leadsTo(link: string, target: string): boolean {
  try {
    return readlinkSync(link) === target;
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
