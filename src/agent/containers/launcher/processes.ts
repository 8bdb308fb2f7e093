/** What /proc tells of the processes of this machine. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In clock ticks since boot: together with the pid it names a process for good. */
  readonly start: number;
  /** Ended, and waiting to be reaped: there is nothing left of it to kill. */
  readonly ended: boolean;
  /** Clock ticks. */
  readonly userTime: number;
  readonly systemTime: number;
  /** Resident memory in pages. */
  readonly residentPages: number;
}

/** All processes at one moment, more or less, with the children of each. */
export interface Snapshot {
  readonly processes: ReadonlyMap<number, Process>;
  readonly children: ReadonlyMap<number, readonly Process[]>;
}

/** The parent of all threads of the kernel, which are half of what /proc lists and never of interest. */
const KERNEL = 2;
/** For how long a number that was a kernel thread's is passed over, in ms: numbers do not come round that soon. */
const PASSED_OVER = 10_000;
let kernelThreads = new Set<string>();
let kernelThreadsSince = 0;

/** All processes, without the kernel's own threads. */
export function takeSnapshot(): Snapshot {
  const now = performance.now();
  if (now - kernelThreadsSince > PASSED_OVER) {
    kernelThreads = new Set();
    kernelThreadsSince = now;
  }
  const processes = new Map<number, Process>();
  const children = new Map<number, Process[]>();
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 48 || first > 57 || kernelThreads.has(name)) continue;
    const process = readProcess(Number(name));
    if (!process) continue;
    if (process.parent === KERNEL) {
      kernelThreads.add(name);
      continue;
    }
    processes.set(process.pid, process);
    const siblings = children.get(process.parent);
    if (siblings) siblings.push(process);
    else children.set(process.parent, [process]);
  }
  return { processes, children };
}

/** @returns undefined when there is no such process (any more) */
export function readProcess(pid: number): Process | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads /proc/PID/stat (proc(5)). The name in parentheses may hold anything, parentheses and spaces included. */
export function parseStat(text: string): Process | undefined {
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  if (close < 0 || fields.length < 22) return undefined;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start: Number(fields[19]),
    ended: fields[0] === 'Z' || fields[0] === 'X',
    userTime: Number(fields[11]),
    systemTime: Number(fields[12]),
    residentPages: Number(fields[21]),
  };
}

/** One variable of a process's environment; undefined when it is not set, or not ours to read. */
export function readVariable(pid: number, name: string): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    for (const entry of environment.split('\0')) if (entry.startsWith(`${name}=`)) return entry.slice(name.length + 1);
  } catch {
    // Gone, or somebody else's.
  }
  return undefined;
}
