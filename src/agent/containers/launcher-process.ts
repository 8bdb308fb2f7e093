/** Finds the launcher of this agent, or starts one. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Millis } from '../../base/machine.ts';

/** A Unix socket's address has room for 108 bytes, the last of them zero. */
const LONGEST_PATH = 107;
const START_LIMIT: Millis = 10_000;
/** The launcher keeps a few kilobytes per task; what Node reserves beyond that would be wasted on every machine. */
const SMALL = ['--max-old-space-size=32', '--max-semi-space-size=1'];

const compiled = import.meta.url.endsWith('.js');
const entry = fileURLToPath(new URL(compiled ? './launcher/main.js' : './launcher/main.ts', import.meta.url));

/** Where the launcher of an agent is found: agents that share a runtime directory still have one each. */
export interface LauncherPlace {
  readonly folder: string;
  readonly socket: string;
}

export function launcherPlace(runtimeDir: string, workDir: string): LauncherPlace {
  const name = createHash('sha256').update(workDir).digest('hex').slice(0, 12);
  const folder = join(runtimeDir, `launcher-${name}`);
  const socket = join(folder, 'socket');
  if (Buffer.byteLength(socket) <= LONGEST_PATH) return { folder, socket };
  const short = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  const inTemporary = join(tmpdir(), `meseta-launcher-${process.getuid?.() ?? 0}-${short}`);
  return { folder: inTemporary, socket: join(inTemporary, 'socket') };
}

/** @returns undefined when nobody listens there */
export function connectLauncher(place: LauncherPlace): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(place.socket);
    socket.once('error', () => resolve(undefined));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Starts a launcher that outlives this process. Resolves when it listens. @throws with what it said, when it does not */
export async function startLauncher(place: LauncherPlace): Promise<void> {
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  rmSync(place.socket, { force: true });
  const cache = join(place.folder, 'code');
  // Stripping types from TypeScript takes 20 MB that are never given back: a process that ends does it first.
  if (!compiled) await run([...SMALL, entry], place, cache);
  await run([...SMALL, entry, place.socket], place, cache);
}

/** Runs Node until it writes a line or ends. */
function run(command: readonly string[], place: LauncherPlace, cache: string): Promise<void> {
  const logPath = join(place.folder, 'log');
  const log = openSync(logPath, 'w', 0o600);
  // Nothing of our environment: what the launcher does not have, no task can inherit.
  const child = spawn(process.execPath, command, {
    cwd: '/',
    detached: true,
    env: { NODE_COMPILE_CACHE: cache, MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  child.unref();
  return new Promise((resolve, reject) => {
    const settle = (failure?: string): void => {
      clearTimeout(limit);
      child.removeAllListeners();
      child.stdout?.destroy();
      if (failure === undefined) resolve();
      else reject(new Error(`the launcher of tasks did not start: ${failure}; see ${logPath}`));
    };
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      settle(`no answer within ${START_LIMIT / 1000} s`);
    }, START_LIMIT);
    child.stdout?.once('data', () => settle());
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => {
      if (code === 0) settle();
      else settle(`${lastLine(logPath)} (${signal ?? `status ${code}`})`);
    });
  });
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}
