import type { Millis } from '../base/machine.ts';
import type { Loop } from './loop.ts';

export interface PipeOptions<T> {
  readonly loop: Loop;
  /** How long the next item travels. */
  readonly travel: () => Millis;
  readonly deliver: (item: T) => void;
  /** Nothing arrives before this instant: the network between the two is cut. */
  readonly heldUntil?: () => Millis;
}

/** One direction of one connection: what goes in comes out later, in the same order, until it breaks; then nothing does. */
export class Pipe<T> {
  private readonly options: PipeOptions<T>;
  private readonly queue: T[] = [];
  private lastArrival: Millis = 0;
  private gone = false;

  constructor(options: PipeOptions<T>) {
    this.options = options;
  }

  get broken(): boolean {
    return this.gone;
  }

  send(item: T): void {
    if (this.gone) return;
    const { loop, travel } = this.options;
    this.queue.push(item);
    this.lastArrival = Math.max(this.lastArrival, loop.now + travel());
    loop.after(this.lastArrival - loop.now, () => this.arrive());
  }

  /** What is on its way is lost. */
  break(): void {
    this.gone = true;
    this.queue.length = 0;
  }

  private arrive(): void {
    if (this.gone) return;
    const { loop, deliver, heldUntil } = this.options;
    const held = heldUntil?.() ?? 0;
    if (held > loop.now) {
      loop.after(held - loop.now, () => this.arrive());
      return;
    }
    const item = this.queue.shift();
    if (item !== undefined) deliver(item);
  }
}
