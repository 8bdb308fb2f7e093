/**
 * Output commit: nothing leaves a daemon before what it had to remember about it is on disk. Effects are performed in the
 * order given; those that come after something to persist wait until it is durable, and everything that gathers meanwhile
 * is made durable together. So the core need not split its decisions where they touch the disk, and still whoever hears
 * of something can rely on it after a crash.
 */
export interface OutputCommitOptions<Effect, Write> {
  /** What of an effect is to be written; undefined for all other effects. */
  readonly persistOf: (effect: Effect) => Write | undefined;
  /** Performs an effect that writes nothing. Must not throw. */
  readonly perform: (effect: Effect) => void;
  /** Makes these durable, in this order. Rejects if any of them is not. */
  readonly write: (operations: readonly Write[]) => Promise<void>;
  /** Writing failed: nothing that waited is performed, now or later. */
  readonly fail: (error: unknown) => void;
}

export class OutputCommit<Effect, Write> {
  readonly #options: OutputCommitOptions<Effect, Write>;
  #waiting: Effect[] = [];
  #isWriting = false;
  #hasFailed = false;

  constructor(options: OutputCommitOptions<Effect, Write>) {
    this.#options = options;
  }

  /** Performs the effect now, or when everything before it is durable. */
  submit(effect: Effect): void {
    if (this.#hasFailed) return;
    const persist = this.#options.persistOf(effect);
    if (!this.#isWriting && persist === undefined) {
      this.#options.perform(effect);
      return;
    }
    this.#waiting.push(effect);
    if (this.#isWriting) return;
    this.#isWriting = true;
    // What the same step, and those of the same burst, have to write goes along.
    setImmediate(() => this.#flush());
  }

  /** Whether anything waits to be performed. */
  get isBusy(): boolean {
    return this.#isWriting;
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    const operations = batch.flatMap((effect) => this.#options.persistOf(effect) ?? []);
    this.#options.write(operations).then(
      () => this.#release(batch),
      (error: unknown) => {
        this.#hasFailed = true;
        this.#waiting = [];
        this.#options.fail(error);
      },
    );
  }

  #release(batch: readonly Effect[]): void {
    for (const effect of batch) {
      if (this.#options.persistOf(effect) === undefined) this.#options.perform(effect);
    }
    this.#advance();
  }

  /** What came meanwhile: up to the next thing to write it may go out at once. */
  #advance(): void {
    const { persistOf, perform } = this.#options;
    const first = this.#waiting.findIndex((effect) => persistOf(effect) !== undefined);
    const free = first < 0 ? this.#waiting : this.#waiting.slice(0, first);
    this.#waiting = first < 0 ? [] : this.#waiting.slice(first);
    for (const effect of free) perform(effect);
    if (this.#waiting.length > 0) this.#flush();
    else this.#isWriting = false;
  }
}
