/** What a benchmark measured once. */
export interface Sample {
  readonly metric: string;
  /** `ms` for durations. */
  readonly unit: string;
  readonly value: number;
  /** Peak resident memory of the process that did the work, where that is another than the one that runs the scenario. */
  readonly rssBytes?: number;
}

/** One benchmark. The program that runs it repeats it and takes the medians. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what is set up and what is measured. */
  readonly about: string;
  /** How Node is to be started for it, beside what is the same for all. */
  readonly flags?: readonly string[];
  /**
   * Sets up what all runs share, for example a cluster.
   * @returns what takes it down again, called once after the last run, also after a failure
   */
  prepare?(): Promise<() => Promise<void>>;
  /** One measured run, with its own state. The first run of all is a warm-up that does not count. */
  run(): Promise<Sample[]> | Sample[];
}
