import type { Millis } from './machine.ts';

/** How many values of a window are kept; beyond that older ones are thinned out. Upstream's number. */
const CAPACITY = 1000;

/** What the metrics tell of a window, by the ends of their public names (`…_ms/p50`). */
const PERCENTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
  ['p9999', 0.9999],
] as const;

/**
 * How long something took, each time in a window of the last minutes or hours. Memory is bounded: when there are too many
 * values, every second one of the older half goes, so that the window stays covered and recent times stay exact.
 */
export class Timings {
  private readonly window: Millis;
  private instants: Millis[] = [];
  private values: Millis[] = [];

  /** @param window how long a value counts */
  constructor(window: Millis) {
    this.window = window;
  }

  /** @param now of the same clock at each call, never going back */
  record(took: Millis, now: Millis): void {
    this.instants.push(now);
    this.values.push(took);
    if (this.values.length > CAPACITY) this.thin(now);
  }

  /** What was recorded last. */
  get last(): Millis | undefined {
    return this.values.at(-1);
  }

  /**
   * The last value under `name` itself, and figures of the window under `name/count`, `name/p50`, …; these need two values
   * at least. Nothing at all before the first one.
   */
  metrics(name: string, now: Millis): Record<string, number> {
    const { last } = this;
    if (last === undefined) return {};
    const metrics: Record<string, number> = { [name]: last };
    const sorted = this.values.slice(this.firstWithin(now)).sort((a, b) => a - b);
    if (sorted.length < 2) return metrics;
    metrics[`${name}/count`] = sorted.length;
    metrics[`${name}/min`] = sorted[0]!;
    metrics[`${name}/max`] = sorted.at(-1)!;
    for (const [suffix, share] of PERCENTILES) metrics[`${name}/${suffix}`] = percentile(sorted, share);
    return metrics;
  }

  private firstWithin(now: Millis): number {
    const first = this.instants.findIndex((instant) => instant > now - this.window);
    return first < 0 ? this.values.length - 1 : first;
  }

  private thin(now: Millis): void {
    const first = this.firstWithin(now);
    const middle = first + (this.values.length - first) / 2;
    const stays = (_: Millis, index: number): boolean =>
      index >= middle || (index >= first && (index - first) % 2 === 1);
    this.instants = this.instants.filter(stays);
    this.values = this.values.filter(stays);
  }
}

/** Between the two nearest values, in proportion. @param sorted two values or more */
function percentile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index]!;
  return below + ((sorted[index + 1] ?? below) - below) * (position - index);
}
