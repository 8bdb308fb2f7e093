import type { Millis } from '../base/machine.ts';
import { Timings } from '../base/timings.ts';
import { monotonicTime } from '../runtime/clock.ts';
import type { Stopwatch } from './core/options.ts';

/** Upstream's window. */
const WINDOW: Millis = 60 * 60_000;

/** How long allocations take and wait, for the metrics. */
export class AllocationStopwatch implements Stopwatch {
  readonly #runs = new Timings(WINDOW);
  readonly #waits = new Timings(WINDOW);

  allocation<T>(work: () => T): T {
    const started = monotonicTime();
    const result = work();
    const now = monotonicTime();
    this.#runs.record(now - started, now);
    return result;
  }

  allocationWaited(time: Millis): void {
    this.#waits.record(time, monotonicTime());
  }

  metrics(): Record<string, number> {
    const now = monotonicTime();
    return {
      ...this.#runs.metrics('allocator/mesos/allocation_run_ms', now),
      ...this.#waits.metrics('allocator/mesos/allocation_run_latency_ms', now),
    };
  }
}
