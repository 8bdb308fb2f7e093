/**
 * The contract between a pure core and whatever drives it: the real driver in `runtime/`, or the simulator.
 * A core decides; it never waits, reads a clock, rolls a die or touches a socket by itself.
 */

/** A duration or an instant in milliseconds; may carry a fraction. */
export type Millis = number;

/** What a core may know about the world during one step. */
export interface Env {
  /** Monotonic time, for deadlines and ages. */
  readonly now: Millis;
  /** Wall-clock time since the Unix epoch, for timestamps that people and other programs read. */
  readonly wall: Millis;
  /** Uniform in [0, 1). Seeded under the simulator. */
  readonly random: () => number;
  /** Always false in production. The simulator says true now and then at named sites, to be unkind. */
  readonly chance: (site: string) => boolean;
}

/** A deterministic state machine: same events and same `Env` answers, same effects in the same order. */
export interface Machine<Event, Effect> {
  step(event: Event, env: Env, emit: (effect: Effect) => void): void;
}
