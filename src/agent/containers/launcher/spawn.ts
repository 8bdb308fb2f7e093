/** Starts one process of a container. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, fchownSync, openSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { StartOrder, UserIds } from './protocol.ts';

/** Appends, and is not led elsewhere by a link that somebody put in the sandbox. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** From util-linux: becomes a user with all its groups, which Node alone cannot do. */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * Starts the process: in a session of its own, in its directory, with its output in the files `stdout` and `stderr`
 * there and nothing to read, or what is written to it. @throws what is wrong with the files, the program or the user
 * @returns the child, or what the failure was when the system refused to make it one
 */
export function spawnTask(order: StartOrder): { readonly child: ChildProcess; readonly pid: number } {
  const descriptors: number[] = [];
  try {
    for (const name of ['stdout', 'stderr']) descriptors.push(openOutput(`${order.directory}/${name}`, order.user));
    const command = wrap(order);
    const child = spawn(command.file, command.argv.slice(1), {
      argv0: command.argv[0] ?? command.file,
      cwd: order.directory,
      env: order.environment,
      stdio: [order.input ? 'pipe' : 'ignore', descriptors[0], descriptors[1]],
      detached: true,
      ...command.ids,
    });
    // Without a listener the failure, which comes once more as an event, would end the launcher.
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    if (child.pid !== undefined) return { child, pid: child.pid };
    throw new Error(explain(order));
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** Opens a file of a sandbox for appending; it belongs to the user from then on. */
export function openOutput(path: string, user: UserIds | undefined): number {
  const descriptor = openSync(path, APPEND, 0o644);
  if (user) fchownSync(descriptor, user.uid, user.gid);
  return descriptor;
}

interface Command {
  readonly file: string;
  readonly argv: readonly string[];
  readonly ids?: { readonly uid: number; readonly gid: number };
}

/** Supplementary groups need another program in front, which replaces itself by the task's: no process more. */
function wrap(order: StartOrder): Command {
  const { user, file, argv } = order;
  if (!user) return { file, argv };
  const ids = { uid: user.uid, gid: user.gid };
  // The wrapper cannot give a program another name than its own: where that matters, the name wins.
  const sameName = basename(argv[0] ?? file) === basename(file);
  if (user.groups.length === 0 || SETPRIV === undefined || !sameName) return { file, argv, ids };
  if (!findProgram(order)) throw new Error(explain(order));
  const groups = user.groups.join(',');
  const become = [`--reuid=${user.uid}`, `--regid=${user.gid}`, `--groups=${groups}`];
  return { file: SETPRIV, argv: ['setpriv', ...become, '--', file, ...argv.slice(1)] };
}

function explain(order: StartOrder): string {
  if (!existsSync(order.directory)) return `the sandbox ${order.directory} is gone`;
  const found = findProgram(order);
  if (!found) {
    const where = order.file.includes('/') ? '' : ` on the PATH ${order.environment.PATH}`;
    return `there is no program '${order.file}' that could be executed${where}`;
  }
  return `'${found}' could not be executed: it is no program for this machine, not for this user, or there are too many processes`;
}

function findProgram({ file, directory, environment }: StartOrder): string | undefined {
  const candidates = file.includes('/')
    ? [resolve(directory, file)]
    : (environment.PATH ?? '').split(':').map((folder) => resolve(directory, folder, file));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
