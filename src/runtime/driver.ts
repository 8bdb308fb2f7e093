import type { Env, Machine, Millis } from '../base/machine.ts';
import { monotonicTime, secureRandom, wallTime } from './clock.ts';
import type { Logger } from './logger.ts';
import { KeyedTimers } from './timers.ts';

/** Exit status after a broken invariant: what a shell shows for SIGABRT, which is how upstream ends then. */
export const ABORTED = 134;

/** Steps in one go before sockets and Node's own timers get their turn again. */
const BURST = 256;
/** And for how long at most, where steps are long. */
const SLICE: Millis = 20;
/** A step longer than this delays everybody else enough to be worth a line in the log. */
const SLOW_STEP: Millis = 500;

interface Kinded {
  readonly kind: string;
}

/** Effects on keyed timers are the driver's own; all others have a performer. */
type TimerKind = 'arm' | 'disarm';
interface TimerEffect {
  readonly kind: string;
  readonly key: string;
  readonly after: Millis;
}

/** One function for each kind of effect; the type checker keeps the table complete. */
export type Performers<Effect extends Kinded> = {
  readonly [Kind in Exclude<Effect['kind'], TimerKind>]: (effect: Extract<Effect, { readonly kind: Kind }>) => void;
};

export interface DriverOptions<Event extends Kinded, Effect extends Kinded> {
  readonly machine: Machine<Event, Effect>;
  readonly performers: Performers<Effect>;
  /** The event that tells the core that the timer of this key fired. */
  readonly timer: (key: string) => Event;
  readonly logger: Logger;
  /** A step threw: its state can no longer be trusted. Unless given, the process ends; restart is the recovery. */
  readonly onFatal?: (error: unknown) => void;
}

export interface DriverMetrics {
  readonly queued: number;
  readonly steps: number;
  readonly failedEffects: number;
  readonly timers: number;
  /** Milliseconds that the longest step took, its effects included. */
  readonly longestStep: Millis;
  /** The kind of the event that it was for. */
  readonly longestStepKind: string;
}

/**
 * Runs a pure core in the real world: one event, one synchronous step, then its effects in the order in which they
 * were emitted. Never re-entrant: what a performer posts waits for its turn.
 */
export class Driver<Event extends Kinded, Effect extends Kinded> {
  readonly #options: DriverOptions<Event, Effect>;
  readonly #performers: Readonly<Record<string, (effect: Effect) => void>>;
  readonly #timers: KeyedTimers;
  #queue: Event[] = [];
  #head = 0;
  #scheduled = false;
  #stopped = false;
  #steps = 0;
  #failedEffects = 0;
  #longestStep = 0;
  #longestStepKind = '';

  constructor(options: DriverOptions<Event, Effect>) {
    this.#options = options;
    this.#timers = new KeyedTimers((key) => this.post(options.timer(key)), monotonicTime);
    const timerEffects = {
      arm: ({ key, after }: TimerEffect) => this.#timers.arm(key, after),
      disarm: ({ key }: TimerEffect) => this.#timers.disarm(key),
    };
    this.#performers = { ...options.performers, ...timerEffects } as unknown as Record<string, (e: Effect) => void>;
  }

  /** Queues an event. It is stepped soon, never from within this call. */
  post(event: Event): void {
    if (this.#stopped) return;
    this.#queue.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  /** Steps nothing more, and forgets all timers. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#head = 0;
    this.#timers.stop();
  }

  metrics(): DriverMetrics {
    return {
      queued: this.#queue.length - this.#head,
      steps: this.#steps,
      failedEffects: this.#failedEffects,
      timers: this.#timers.size,
      longestStep: this.#longestStep,
      longestStepKind: this.#longestStepKind,
    };
  }

  /** How many events of each kind wait for their turn. */
  queuedByKind(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (let at = this.#head; at < this.#queue.length; at++) {
      const { kind } = this.#queue[at]!;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return counts;
  }

  #drain(): void {
    const end = monotonicTime() + SLICE;
    for (let steps = 0; steps < BURST && this.#head < this.#queue.length; steps++) {
      if (monotonicTime() > end) break;
      this.#step(this.#queue[this.#head++]!);
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#scheduled = false;
      return;
    }
    if (this.#head > BURST * 16) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    setImmediate(() => this.#drain());
  }

  #step(event: Event): void {
    const effects: Effect[] = [];
    const now = monotonicTime();
    const env: Env = { now, wall: wallTime(), random: secureRandom, chance: () => false };
    try {
      this.#options.machine.step(event, env, (effect) => effects.push(effect));
    } catch (error) {
      this.#fail(error, event);
      return;
    }
    this.#steps++;
    for (const effect of effects) this.#perform(effect);
    this.#measure(event, monotonicTime() - now);
  }

  #measure(event: Event, took: Millis): void {
    if (took > this.#longestStep) {
      this.#longestStep = took;
      this.#longestStepKind = event.kind;
    }
    if (took > SLOW_STEP) this.#options.logger.warning(`The step for '${event.kind}' took ${took.toFixed(0)} ms`);
  }

  #perform(effect: Effect): void {
    try {
      this.#performers[effect.kind]!(effect);
    } catch (error) {
      this.#failedEffects++;
      this.#options.logger.error(`Performing '${effect.kind}' failed`, error);
    }
  }

  #fail(error: unknown, event: Event): void {
    this.stop();
    this.#options.logger.fatal(`The step for '${event.kind}' threw; ending the process, restart it to recover`, error);
    if (this.#options.onFatal) this.#options.onFatal(error);
    else process.exit(ABORTED);
  }
}
