/** For how long in one turn of the event loop long answers are worked on, all together, in ms. */
const SLICE = 4;

interface Job {
  /** @returns whether it is done */
  readonly advance: (until: number) => boolean;
}

/** Does long work in slices, the jobs by turns, so that everything else gets its turn in between. */
export class Slices {
  readonly #jobs: Job[] = [];
  #scheduled = false;

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#jobs.length === 0;
  }

  /**
   * Runs work that stops now and then. Its first slice is done at once if nothing else is under way.
   * @param began when this turn's part of it began (`performance.now()`): what came before the first step counts too
   */
  run<Result>(work: Generator<undefined, Result>, began: number = performance.now()): Promise<Result> {
    return new Promise((resolve, reject) => {
      const advance = (until: number): boolean => {
        try {
          for (;;) {
            const { done, value } = work.next();
            if (done) {
              resolve(value);
              return true;
            }
            if (performance.now() >= until) return false;
          }
        } catch (error) {
          reject(error);
          return true;
        }
      };
      if (this.idle && performance.now() < began + SLICE && advance(began + SLICE)) return;
      this.#jobs.push({ advance });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#jobs.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const end = performance.now() + SLICE;
    while (this.#jobs.length > 0 && performance.now() < end) {
      const job = this.#jobs.shift()!;
      if (!job.advance(Math.min(end, performance.now() + SLICE / 2))) this.#jobs.push(job);
    }
  }
}
