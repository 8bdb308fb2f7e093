/** What containers use, measured from /proc: the figures of upstream's posix/cpu and posix/mem isolators. */
import { readFileSync } from 'node:fs';
import type { Millis } from '../../base/machine.ts';
import { monotonicTime, wallTime } from '../../runtime/clock.ts';
import type { ResourceStatistics } from '../../wire/v1.ts';
import { takeSnapshot } from './launcher/processes.ts';
import { findTrees, Marks, type TreeRoot } from './launcher/tree.ts';

/** The kernel tells times to programs in these, whatever its own clock is (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;
/** A measurement serves all who ask within this time, and longer where looking at all processes takes long. */
const FRESH: Millis = 250;
const LOOKING_SHARE = 0.05;

/** Measures all containers in one look at the processes of the machine. */
export class UsageMeter {
  private readonly roots: () => ReadonlyMap<string, TreeRoot>;
  private readonly marks = new Marks();
  private figures = new Map<string, ResourceStatistics>();
  private trustedUntil: Millis = 0;

  /** @param roots the containers that run, by their id */
  constructor(roots: () => ReadonlyMap<string, TreeRoot>) {
    this.roots = roots;
  }

  /** @returns undefined for a container that does not run, or that was started after the last look */
  usage(containerId: string): ResourceStatistics | undefined {
    if (monotonicTime() > this.trustedUntil) this.measure();
    return this.figures.get(containerId);
  }

  private measure(): void {
    const begun = monotonicTime();
    const roots = this.roots();
    const snapshot = takeSnapshot();
    const trees = findTrees(snapshot, [...roots.values()], this.marks);
    const timestamp = wallTime() / 1000;
    this.figures = new Map();
    for (const [containerId, root] of roots) {
      const members = trees.get(root) ?? [];
      if (members.length === 0) continue;
      const sum = (of: (process: (typeof members)[number]) => number): number =>
        members.reduce((total, process) => total + of(process), 0);
      this.figures.set(containerId, {
        timestamp,
        cpus_user_time_secs: sum(({ userTime }) => userTime) / TICKS_PER_SECOND,
        cpus_system_time_secs: sum(({ systemTime }) => systemTime) / TICKS_PER_SECOND,
        mem_rss_bytes: sum(({ residentPages }) => residentPages) * pageSize(),
      });
    }
    this.marks.prune(snapshot);
    const now = monotonicTime();
    this.trustedUntil = now + Math.max(FRESH, (now - begun) / LOOKING_SHARE);
  }
}

let knownPageSize: number | undefined;

/** From the auxiliary vector (getauxval(3)): pairs of words, key 6 is the page size. */
function pageSize(): number {
  if (knownPageSize !== undefined) return knownPageSize;
  knownPageSize = 4096;
  try {
    const vector = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (vector.readBigUInt64LE(at) === 6n) knownPageSize = Number(vector.readBigUInt64LE(at + 8));
    }
  } catch {
    // Without /proc there are no figures anyway.
  }
  return knownPageSize;
}
