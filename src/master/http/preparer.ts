import { totalmem } from 'node:os';
import type { MasterState } from '../core/state.ts';
import type { Kept } from '../views/kept.ts';
import { listingJson, listingProtobuf } from '../views/operator-lists.ts';
import type { Parts } from '../views/parts.ts';
import { listIds, type Snapshot, takeSnapshot } from '../views/snapshot.ts';
import { type Program, stateParts } from '../views/state.ts';
import type { Answers } from './answers.ts';

/** Clusters with fewer tasks are written in no time. */
const FROM_TASKS = 2_000;
/** How often to look whether something has changed, in ms. */
const INTERVAL = 1_000;
/** The rest between two passes, in times of the work that the last one was, and in ms at most. */
const REST = 20;
const LONGEST_REST = 10_000;
/** Work in one turn, and the pause after it, in ms: this is for when there is nothing else to do. */
const SLICE = 3;
const PAUSE = 3;
/** Who was busy for so much of the pause (1 is all of it) has other things to do, and is left alone for so many ms. */
const BUSY = 0.75;
const LONG_PAUSE = 100;
/** Pieces kept ready, in bytes; if twice as much is kept because it was asked for, all of it is dropped. */
const BUDGET = Math.min(2 ** 30, totalmem() / 8);

export interface PreparerOptions {
  readonly answers: Answers;
  readonly program: Program;
  /** Absent while this master does not lead. */
  readonly state: () => MasterState | undefined;
  /** Another number whenever the state may have changed. */
  readonly version: () => number;
  /** Begins to measure. @returns what says how busy this process has been since then, 0 to 1 */
  readonly utilization?: () => () => number;
}

function utilizationFromNow(): () => number {
  const start = performance.eventLoopUtilization();
  return () => performance.eventLoopUtilization(start).utilization;
}

/**
 * Makes the pieces of the largest answers while nobody waits for them, so that the first reader after a failover, or after
 * an hour, does not have to wait for all of them. Also forgets what was kept of lists that are gone.
 */
export class Preparer {
  readonly #options: PreparerOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #seen = Number.NaN;
  #utilization = (): number => 0;
  #ready: (() => void)[] = [];

  constructor(options: PreparerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(INTERVAL, () => this.#look());
  }

  /** Goes to work now, whether or not anything has changed. @returns when everything is ready, as of then */
  prepare(): Promise<void> {
    clearTimeout(this.#timer);
    this.#seen = Number.NaN;
    return new Promise((resolve) => {
      this.#ready.push(resolve);
      this.#later(0, () => this.#look());
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(after: number, action: () => void): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(action, after).unref();
  }

  #look(): void {
    const { answers, version } = this.#options;
    const { kept } = answers;
    const state = this.#options.state();
    const now = version();
    const same = now === this.#seen;
    this.#seen = now;
    if (state === undefined || same || tasksIn(state) < FROM_TASKS || kept.bytes > 2 * BUDGET) {
      // In a small cluster nothing is worth keeping; least of all what a large one left behind.
      if (!same) kept.clear();
      this.#tellReady();
      this.start();
    } else {
      this.#rest(PAUSE, this.#answersAhead(kept, takeSnapshot(state)), 0);
    }
  }

  *#answersAhead(kept: Kept, snapshot: Snapshot): Generator<unknown> {
    kept.retain(listIds(snapshot));
    yield* stateParts(kept, snapshot, this.#options.program);
    yield* listingJson(kept, snapshot, 'GET_STATE');
    yield* flat(listingProtobuf(kept, snapshot, 'GET_STATE'));
  }

  /** @param worked ms so far in this pass */
  #work(parts: Iterator<unknown>, worked: number): void {
    const { answers } = this.#options;
    if (this.#utilization() > BUSY) {
      this.#rest(LONG_PAUSE, parts, worked);
      return;
    }
    const began = performance.now();
    let done: boolean | undefined = answers.kept.bytes > BUDGET;
    while (!done && answers.idle && performance.now() < began + SLICE) done = parts.next().done;
    const total = worked + performance.now() - began;
    if (!done) {
      this.#rest(PAUSE, parts, total);
      return;
    }
    this.#tellReady();
    this.#later(Math.max(INTERVAL, Math.min(REST * total, LONGEST_REST)), () => this.#look());
  }

  #rest(pause: number, parts: Iterator<unknown>, worked: number): void {
    this.#utilization = (this.#options.utilization ?? utilizationFromNow)();
    this.#later(pause, () => this.#work(parts, worked));
  }

  #tellReady(): void {
    for (const ready of this.#ready.splice(0)) ready();
  }
}

/** Parts within parts too. */
function* flat(parts: Parts): Parts {
  for (const part of parts) {
    yield part;
    if (typeof part === 'object' && 'parts' in part) yield* flat(part.parts);
  }
}

function tasksIn({ frameworks, completedFrameworks }: MasterState): number {
  let total = 0;
  for (const list of [frameworks.values(), completedFrameworks.values()]) {
    for (const { tasks, completedTasks, unreachableTasks } of list) {
      total += tasks.size + completedTasks.size + unreachableTasks.size;
    }
  }
  return total;
}
