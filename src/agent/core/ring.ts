/** The newest so many of what was pushed, oldest first: upstream's bounded history. */
export class Ring<T> implements Iterable<T> {
  private readonly items: T[] = [];
  private readonly capacity: number;

  /** @param capacity how many are kept; 0 keeps none */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.items.length;
  }

  /** Adds the item. @returns the one that had to go, if any */
  push(item: T): T | undefined {
    this.items.push(item);
    return this.items.length > this.capacity ? this.items.shift() : undefined;
  }

  /** Takes out and returns the newest item for which the question is answered with yes. */
  take(question: (item: T) => boolean): T | undefined {
    const at = this.items.findLastIndex(question);
    return at < 0 ? undefined : this.items.splice(at, 1)[0];
  }

  [Symbol.iterator](): Iterator<T> {
    return this.items[Symbol.iterator]();
  }
}
