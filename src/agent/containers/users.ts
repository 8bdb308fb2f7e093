import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Millis } from '../../base/machine.ts';
import { monotonicTime } from '../../runtime/clock.ts';
import type { UserIds } from './launcher/protocol.ts';

/** For how long an answer is trusted: administrators change users while agents run. */
const FRESH: Millis = 60_000;
/** How long a directory service (LDAP and the like) may take for a user who is not in the files. */
const LOOKUP_LIMIT: Millis = 5_000;

/** Looks users up by name, as the system does: in /etc/passwd and /etc/group, then by asking `id`. */
export class Users {
  private readonly known = new Map<string, { readonly at: Millis; readonly ids: UserIds | undefined }>();

  /** @returns undefined when there is no such user */
  readonly find = (name: string): UserIds | undefined => {
    const now = monotonicTime();
    const known = this.known.get(name);
    if (known && now - known.at < FRESH) return known.ids;
    const ids = findInFiles(name) ?? askSystem(name);
    this.known.set(name, { at: now, ids });
    return ids;
  };
}

function findInFiles(name: string): UserIds | undefined {
  const entry = linesOf('/etc/passwd').find((fields) => fields[0] === name && fields.length > 3);
  if (!entry) return undefined;
  const [uid, gid] = [Number(entry[2]), Number(entry[3])];
  const groups = linesOf('/etc/group')
    .filter((fields) => (fields[3] ?? '').split(',').includes(name))
    .map((fields) => Number(fields[2]))
    .filter((group) => group !== gid);
  return { uid, gid, groups };
}

function linesOf(path: string): string[][] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}

function askSystem(name: string): UserIds | undefined {
  // A number is no name here, though `id` would take it.
  if (!/^[A-Za-z_][^\s/:]*$/.test(name)) return undefined;
  const ask = (option: string): number[] =>
    execFileSync('id', [option, '--', name], { timeout: LOOKUP_LIMIT, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
      .split(/\s+/)
      .map(Number);
  try {
    const [[uid], [gid], groups] = [ask('-u'), ask('-g'), ask('-G')];
    if (uid === undefined || gid === undefined) return undefined;
    return { uid, gid, groups: groups.filter((group) => group !== gid) };
  } catch {
    return undefined;
  }
}
