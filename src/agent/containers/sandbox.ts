/** The directories that tasks run in. */
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SymbolicLink } from '../core/effects.ts';
import type { UserIds } from './launcher/protocol.ts';

/** Upstream's: what a task leaves there is nobody else's business. */
const SANDBOX_MODE = 0o750;

/**
 * Makes the directory with its parents, gives it to its user, and lets the links show the way. Synchronous: on a local
 * disk this takes less time than handing it to another thread would. @throws when the file system refuses
 */
export function createSandbox(path: string, owner: UserIds | undefined, links: readonly SymbolicLink[]): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, SANDBOX_MODE);
  if (owner) chownSync(path, owner.uid, owner.gid);
  for (const { link, target } of links) point(link, target);
}

/** Puts a link in the place of an older one in one step, so that nobody ever finds none. */
export function point(link: string, target: string): void {
  const fresh = `${link}.${process.pid}`;
  try {
    symlinkSync(target, fresh);
  } catch {
    // The first link in its folder, or a leftover of an agent that was killed in the middle.
    mkdirSync(dirname(link), { recursive: true });
    rmSync(fresh, { force: true });
    symlinkSync(target, fresh);
  }
  renameSync(fresh, link);
}
