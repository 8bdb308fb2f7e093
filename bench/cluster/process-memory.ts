/** What the kernel says about processes, read from /proc: Linux only, as the daemons are. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** Resident now, in bytes. */
  readonly resident: number;
  /** The most that was ever resident, in bytes. */
  readonly peak: number;
}

/** @returns zeros for a process that has ended */
export function memoryOf(pid: number): ProcessMemory {
  const status = readOr(`/proc/${pid}/status`, '');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return { resident: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
}

/** The processes that a process started and that still are its own, and theirs in turn. */
export function descendantsOf(pid: number): number[] {
  const found: number[] = [];
  for (const thread of readdirOr(`/proc/${pid}/task`)) {
    for (const child of readOr(`/proc/${pid}/task/${thread}/children`, '').split(' ')) {
      if (child !== '') found.push(Number(child), ...descendantsOf(Number(child)));
    }
  }
  return found;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function readdirOr(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
