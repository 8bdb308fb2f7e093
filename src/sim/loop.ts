import { Heap } from '../base/heap.ts';
import type { Millis } from '../base/machine.ts';

interface Entry {
  readonly at: Millis;
  readonly sequence: number;
  run: (() => void) | undefined;
}

/** Simulated time: what happens next is what was planned for the earliest instant, and of these what was planned first. */
export class Loop {
  now: Millis = 0;
  private readonly heap = new Heap<Entry>((a, b) => a.at - b.at || a.sequence - b.sequence);
  private sequence = 0;

  /** Plans something. @returns a function that takes it back */
  after(delay: Millis, run: () => void): () => void {
    const entry: Entry = { at: this.now + Math.max(0, delay), sequence: this.sequence++, run };
    this.heap.push(entry);
    return () => {
      entry.run = undefined;
    };
  }

  /** Lets everything happen that is planned until then, unless `stop` says that it is enough. @returns whether it did */
  runUntil(end: Millis, stop: () => boolean = () => false): boolean {
    for (let entry = this.heap.peek(); entry !== undefined && entry.at <= end; entry = this.heap.peek()) {
      this.heap.pop();
      if (entry.run === undefined) continue;
      this.now = entry.at;
      entry.run();
      if (stop()) return true;
    }
    this.now = end;
    return stop();
  }
}
