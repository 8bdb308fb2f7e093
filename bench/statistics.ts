/** From the samples of several runs to one line each: pure, so that tests can hold it to account. */
import type { Sample } from './scenario.ts';

/** One line of the report. The names are those of the JSON output. */
export interface Row {
  readonly scenario: string;
  readonly metric: string;
  readonly unit: string;
  /** How many values stand behind the figures. */
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Peak resident memory of the process that did the work. */
  readonly rss_bytes: number;
}

/** The middle value, or the mean of the two middle ones. @throws RangeError for an empty list */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The nearest-rank percentile: the smallest value that at least this share of all values does not exceed.
 * @param share 0 to 1, as in 0.99
 * @throws RangeError for an empty list
 */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('there is no percentile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/**
 * One row per metric, in the order in which they were first measured.
 * @param runs the samples of each run, warm-up excluded
 * @param rss peak resident bytes of the process that ran them, for samples that name no other
 */
export function summarize(scenario: string, runs: readonly (readonly Sample[])[], rss: number): Row[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of runs.flat()) {
    const key = `${sample.metric}\n${sample.unit}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return [...groups.values()].map((samples) => {
    const values = samples.map(({ value }) => value);
    const { metric, unit } = samples[0]!;
    return {
      scenario,
      metric,
      unit,
      runs: values.length,
      min: values.reduce((a, b) => Math.min(a, b)),
      median: median(values),
      max: values.reduce((a, b) => Math.max(a, b)),
      rss_bytes: samples.map(({ rssBytes }) => rssBytes ?? rss).reduce((a, b) => Math.max(a, b)),
    };
  });
}
