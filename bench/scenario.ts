/** What a benchmark measured once. */
export interface Sample {
  readonly metric: string;
  /** `ms` for durations. */
  readonly unit: string;
  readonly value: number;
}

/** One benchmark. The program that runs it repeats it and takes the medians. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what is set up and what is measured. */
  readonly about: string;
  /** One measured run, with its own warm-up and its own state. */
  run(): Promise<Sample[]> | Sample[];
}
