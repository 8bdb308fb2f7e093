/** Things with a small number of their own. */
export interface Slotted {
  readonly slot: number;
}

/** Small numbers: the one that was given back last, or else the next. */
export class Slots<T extends Slotted> {
  private readonly items: (T | undefined)[] = [];
  private readonly gaps: number[] = [];

  /** The number for the next one. */
  next(): number {
    return this.gaps.pop() ?? this.items.length;
  }

  put(item: T): void {
    this.items[item.slot] = item;
  }

  free(item: T): void {
    this.items[item.slot] = undefined;
    this.gaps.push(item.slot);
  }

  at(slot: number): T {
    return this.items[slot]!;
  }
}

const NO_WORDS = new Int32Array(0);

/** A set of slots: a bit each. */
export class SlotSet {
  private words = NO_WORDS;

  has(slot: number): boolean {
    const at = slot >> 5;
    return at < this.words.length && (this.words[at]! & (1 << (slot & 31))) !== 0;
  }

  add(slot: number): void {
    const at = slot >> 5;
    if (at >= this.words.length) this.grow(at + 1);
    this.words[at]! |= 1 << (slot & 31);
  }

  delete(slot: number): void {
    const at = slot >> 5;
    if (at < this.words.length) this.words[at]! &= ~(1 << (slot & 31));
  }

  clear(): void {
    this.words.fill(0);
  }

  addAll({ words }: SlotSet): void {
    if (words.length > this.words.length) this.grow(words.length);
    for (let i = 0; i < words.length; i++) this.words[i]! |= words[i]!;
  }

  get size(): number {
    let size = 0;
    this.each(() => size++);
    return size;
  }

  /** In ascending order. What is taken out meanwhile may still come. */
  each(visit: (slot: number) => void): void {
    const { words } = this;
    for (let at = 0; at < words.length; at++) {
      for (let word = words[at]!; word !== 0; word &= word - 1) visit(at * 32 + 31 - Math.clz32(word & -word));
    }
  }

  private grow(words: number): void {
    const grown = new Int32Array(Math.max(words, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}

/** A set of things with slots. Goes through them in the order of their slots, however they came in. */
export class SlottedSet<T extends Slotted> {
  private readonly slots: Slots<T>;
  private readonly members = new SlotSet();
  private count = 0;

  constructor(slots: Slots<T>) {
    this.slots = slots;
  }

  get size(): number {
    return this.count;
  }

  has({ slot }: T): boolean {
    return this.members.has(slot);
  }

  add({ slot }: T): void {
    if (this.members.has(slot)) return;
    this.members.add(slot);
    this.count++;
  }

  delete({ slot }: T): void {
    if (!this.members.has(slot)) return;
    this.members.delete(slot);
    this.count--;
  }

  addAll(others: SlottedSet<T>): void {
    this.members.addAll(others.members);
    this.count = this.members.size;
  }

  clear(): void {
    if (this.count > 0) this.members.clear();
    this.count = 0;
  }

  each(visit: (item: T) => void): void {
    if (this.count > 0) this.members.each((slot) => visit(this.slots.at(slot)));
  }
}
