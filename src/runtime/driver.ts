import { randomBytes } from 'node:crypto';
import type { Env, Machine, Millis } from '../base/machine.ts';
import { KeyedTimers } from './timers.ts';

interface Kinded {
  readonly kind: string;
}

/** Effects that the driver performs itself: keyed timers, which come back as `{kind: 'timer', key}`. */
type TimerKind = 'arm' | 'disarm';
interface TimerEvent {
  readonly kind: 'timer';
  readonly key: string;
}
interface TimerEffect {
  readonly kind: string;
  readonly key?: string;
  readonly after?: Millis;
}

/** One function for each kind of effect; the type checker keeps the table complete. */
export type Performers<Effect extends Kinded> = {
  readonly [Kind in Exclude<Effect['kind'], TimerKind>]: (effect: Extract<Effect, { readonly kind: Kind }>) => void;
};

export interface DriverOptions<Event extends Kinded, Effect extends Kinded> {
  readonly machine: Machine<Event | TimerEvent, Effect>;
  readonly perform: Performers<Effect>;
  /** Called when a step threw: the state can no longer be trusted, so the process has to end. Nothing is stepped after. */
  readonly onFatal: (error: unknown, event: Event | TimerEvent) => void;
}

/** Steps in one go before sockets and timers of Node get their turn again. */
const BURST = 256;

/** Uniform in [0, 1), from the system's generator in blocks: ids must not repeat after a restart. */
function systemRandom(): () => number {
  const words = 256;
  let block = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === block.length) {
      block = new Uint32Array(randomBytes(words * 4).buffer.slice(0, words * 4));
      at = 0;
    }
    return block[at++]! / 4294967296;
  };
}

/**
 * Runs a pure core in the real world: one event, one synchronous step, then its effects in the order in which they
 * were emitted. Never re-entrant: what a performer dispatches waits for its turn.
 */
export class Driver<Event extends Kinded, Effect extends Kinded> {
  private readonly options: DriverOptions<Event, Effect>;
  private readonly performers: Readonly<Record<string, (effect: Effect) => void>>;
  private readonly timers: KeyedTimers;
  private readonly random = systemRandom();
  private queue: (Event | TimerEvent)[] = [];
  private head = 0;
  private running = false;
  private yielding = false;
  private stopped = false;

  constructor(options: DriverOptions<Event, Effect>) {
    this.options = options;
    this.timers = new KeyedTimers(monotonic, (key) => this.dispatch({ kind: 'timer', key }));
    this.performers = {
      ...(options.perform as unknown as Record<string, (effect: Effect) => void>),
      arm: (effect) => {
        const { key, after } = effect as TimerEffect;
        this.timers.arm(key!, after!);
      },
      disarm: (effect) => this.timers.disarm((effect as TimerEffect).key!),
    };
  }

  /** Events that wait for their turn. */
  get backlog(): number {
    return this.queue.length - this.head;
  }

  /** Hands an event to the core: stepped before this returns, unless a step is under way or many wait already. */
  dispatch(event: Event | TimerEvent): void {
    if (this.stopped) return;
    this.queue.push(event);
    if (!this.running && !this.yielding) this.drain();
  }

  /** Steps nothing more and forgets all timers. */
  stop(): void {
    this.stopped = true;
    this.queue = [];
    this.head = 0;
    this.timers.close();
  }

  private drain(): void {
    this.running = true;
    for (let steps = 0; steps < BURST && this.head < this.queue.length; steps++) {
      const event = this.queue[this.head++]!;
      this.step(event);
      if (this.stopped) break;
    }
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head > BURST * 16) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    this.running = false;
    if (this.backlog > 0 && !this.stopped) {
      this.yielding = true;
      setImmediate(() => {
        this.yielding = false;
        this.drain();
      });
    }
  }

  private step(event: Event | TimerEvent): void {
    const effects: Effect[] = [];
    const env: Env = { now: monotonic(), wall: Date.now(), random: this.random, chance: never };
    try {
      this.options.machine.step(event, env, (effect) => effects.push(effect));
      for (const effect of effects) this.performers[effect.kind]!(effect);
    } catch (error) {
      this.stop();
      this.options.onFatal(error, event);
    }
  }
}

function never(): boolean {
  return false;
}

/** Milliseconds that never go backwards, with a fraction. */
export function monotonic(): Millis {
  return performance.now();
}
