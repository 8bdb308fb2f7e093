import { setImmediate } from 'node:timers/promises';
import { monotonicTime } from './clock.ts';

/** Milliseconds for which a long piece of work may hold the event loop at a time. */
const SLICE = 4;

/** Does work bit by bit, and lets everything else have its turn in between. @param work yields where it may be interrupted */
export async function inSlices<T>(work: Iterator<unknown, T>): Promise<T> {
  let end = monotonicTime() + SLICE;
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value as T;
    if (monotonicTime() < end) continue;
    await setImmediate();
    end = monotonicTime() + SLICE;
  }
}
