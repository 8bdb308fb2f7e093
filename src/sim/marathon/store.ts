/** Where a Marathon keeps its state: outlives all of its lives, and takes the writes of the one that took it over last. */
export class MarathonStore {
  /** As JSON, each under its key. */
  readonly values = new Map<string, string>();
  /** How often it was taken over. */
  epoch = 0;
  /** Writes that came from a leader of before, and were refused. */
  fenced = 0;
  /** Whether it refuses these; only a test says no. */
  fence = true;

  takeOver(): number {
    return ++this.epoch;
  }

  /** All of it or nothing. @returns why it was not stored */
  write(epoch: number, changes: readonly StoreChange[]): string | undefined {
    if (this.fence && epoch !== this.epoch) {
      this.fenced++;
      return 'the store was taken over by another leader';
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.values.delete(key);
      else this.values.set(key, value);
    }
    return undefined;
  }
}

export interface StoreChange {
  readonly key: string;
  /** Absent: forget it. */
  readonly value: string | undefined;
}
