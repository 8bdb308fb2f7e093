import { seededRandom } from '../base/random.ts';

/** Seeded chance. Each part of the simulated world rolls its own, so that one part's rolls do not change another's. */
export class Dice {
  /** Uniform in [0, 1). */
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Dice of their own for one more part of the world. */
  fork(): Dice {
    return new Dice(Math.floor(this.random() * 4_294_967_296));
  }

  /** True so often: 0 never, 1 always. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Uniform between two numbers; may carry a fraction. */
  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** The time until something that happens once in `mean` on average, whenever it happened last. */
  wait(mean: number): number {
    return -Math.log(1 - this.random()) * mean;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }
}
