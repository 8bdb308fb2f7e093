import type { Millis } from '../base/machine.ts';

/** Waiting times between attempts: they double from `minimum` to `maximum`, each drawn from its upper half. */
export class Backoff {
  private readonly minimum: Millis;
  private readonly maximum: Millis;
  private readonly random: () => number;
  private attempts = 0;

  constructor(minimum: Millis, maximum: Millis, random: () => number = Math.random) {
    this.minimum = minimum;
    this.maximum = maximum;
    this.random = random;
  }

  next(): Millis {
    const bound = Math.min(this.maximum, this.minimum * 2 ** this.attempts++);
    return bound * (0.5 + 0.5 * this.random());
  }

  reset(): void {
    this.attempts = 0;
  }
}
