import type { Millis } from '../../base/machine.ts';

/** Waiting times between attempts: they double from `minimum` to `maximum`, each drawn from its upper half. */
export class Backoff {
  readonly #minimum: Millis;
  readonly #maximum: Millis;
  #attempts = 0;

  constructor(minimum: Millis, maximum: Millis) {
    this.#minimum = minimum;
    this.#maximum = maximum;
  }

  /** @param random uniform in [0, 1) */
  next(random: () => number): Millis {
    const bound = Math.min(this.#maximum, this.#minimum * 2 ** this.#attempts++);
    return bound * (0.5 + 0.5 * random());
  }

  reset(): void {
    this.#attempts = 0;
  }
}
