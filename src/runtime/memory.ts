/** Gives memory back after a burst: V8 collects when it needs room, and a daemon that has become idle needs none. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Millis } from '../base/machine.ts';

export interface IdleMemoryOptions {
  /** How often to look, in ms. */
  readonly every?: Millis;
  /** Bytes that the heap must have grown by since the last collection for another one to be worth it. */
  readonly growth?: number;
  /** Heaps larger than this, in bytes, are left to V8: collecting them at one go would be noticed. */
  readonly largest?: number;
  /** The share of time, 0 to 1, below which the program counts as idle. */
  readonly idle?: number;
}

export interface IdleMemory {
  /** How often memory was given back. */
  readonly collections: number;
  stop(): void;
}

const EVERY = 2_000;
const GROWTH = 8 * 1024 * 1024;
const LARGEST = 256 * 1024 * 1024;
const IDLE = 0.05;

/** Collects all garbage of a small heap (some 10 ms) whenever the program has been idle and the heap has grown. */
export function giveBackMemoryWhenIdle(options: IdleMemoryOptions = {}): IdleMemory {
  const { every = EVERY, growth = GROWTH, largest = LARGEST, idle = IDLE } = options;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let before = performance.eventLoopUtilization();
  let kept = process.memoryUsage().heapUsed;
  let collections = 0;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(now, before).utilization;
    before = now;
    const { heapUsed } = process.memoryUsage();
    if (busy > idle || heapUsed < kept + growth || heapUsed > largest) return;
    collect();
    kept = process.memoryUsage().heapUsed;
    collections++;
  }, every);
  timer.unref();
  return {
    get collections() {
      return collections;
    },
    stop: () => clearInterval(timer),
  };
}
