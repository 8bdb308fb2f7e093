/** Keeps the newest `capacity` items and forgets older ones. Iterates from oldest to newest. */
export class Ring<T> implements Iterable<T> {
  readonly capacity: number;
  private items: T[] = [];
  private start = 0;

  /** @param capacity the number of items kept; 0 keeps none */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.items.length;
  }

  push(item: T): void {
    if (this.capacity === 0) return;
    if (this.items.length < this.capacity) {
      this.items.push(item);
      return;
    }
    this.items[this.start] = item;
    this.start = (this.start + 1) % this.capacity;
  }

  /** Takes out every item for which the answer is yes. */
  remove(question: (item: T) => boolean): void {
    const kept = [...this].filter((item) => !question(item));
    if (kept.length === this.items.length) return;
    this.items = kept;
    this.start = 0;
  }

  /** A copy, from oldest to newest. */
  toArray(): T[] {
    return this.start === 0
      ? this.items.slice()
      : [...this.items.slice(this.start), ...this.items.slice(0, this.start)];
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.items.length; i++) yield this.items[(this.start + i) % this.items.length]!;
  }
}

/** A map that keeps the newest `capacity` keys; setting a key again makes it the newest. Iterates from oldest to newest. */
export class BoundedMap<K, V> implements Iterable<[K, V]> {
  readonly capacity: number;
  private readonly entries = new Map<K, V>();

  /** @param capacity the number of keys kept; 0 keeps none */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  has(key: K): boolean {
    return this.entries.has(key);
  }

  delete(key: K): boolean {
    return this.entries.delete(key);
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.capacity) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  values(): IterableIterator<V> {
    return this.entries.values();
  }

  keys(): IterableIterator<K> {
    return this.entries.keys();
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries.entries();
  }
}
