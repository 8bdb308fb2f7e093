import type { Env, Millis } from '../base/machine.ts';
import type { Dice } from './dice.ts';
import type { Loop } from './loop.ts';
import type { Weather } from './weather.ts';

/** An instant of 2026, at which simulated wall clocks stand when simulated time is 0, more or less. */
const EPOCH: Millis = 1_770_000_000_000;

/** A program's own clocks and timers. They stop for good when the program ends. */
export class Clock {
  private readonly loop: Loop;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly timers = new Map<string, () => void>();
  private readonly monotonicOffset: Millis;
  private readonly wallOffset: Millis;

  constructor(loop: Loop, dice: Dice, weather: Weather) {
    this.loop = loop;
    this.dice = dice;
    this.weather = weather;
    this.monotonicOffset = dice.between(0, 1_000_000);
    this.wallOffset = dice.between(-3000, 3000);
  }

  /** What a core may know during a step that happens now. */
  env(): Env {
    return {
      now: this.loop.now + this.monotonicOffset,
      wall: EPOCH + this.loop.now + this.wallOffset,
      random: this.dice.random,
      chance: () => this.dice.chance(this.weather.unkindness),
    };
  }

  arm(key: string, after: Millis, fired: () => void): void {
    this.disarm(key);
    // Real timers are late, never early.
    const late = this.dice.between(0, 1);
    const cancel = this.loop.after(after + late, () => {
      this.timers.delete(key);
      fired();
    });
    this.timers.set(key, cancel);
  }

  disarm(key: string): void {
    this.timers.get(key)?.();
    this.timers.delete(key);
  }

  stop(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }
}
