/** How much is logged, for as long as somebody wants it. */
import type { Millis } from '../../base/machine.ts';

/** What can say more than usual: glog's verbosity. */
export interface Verbosity {
  /** @param duration ms after which it is as it was */
  set(level: number, duration: Millis): void;
}

/** Levels that there are, and how much each says. */
export const LEVELS: ReadonlyMap<string, number> = new Map([
  ['trace', 2],
  ['debug', 1],
  ['info', 0],
  ['warn', 0],
  ['error', 0],
]);
const FOR_EVER: Millis = 2 ** 31 - 1;

/** The level that is in force, and until when. */
export class LogLevels {
  readonly #usual: string;
  readonly #verbosity: Verbosity;
  readonly #now: () => number;
  #set: { readonly level: string; readonly until: number } | undefined;

  /** @param usual the level of the flags */
  constructor(usual: string, verbosity: Verbosity, now: () => number) {
    this.#usual = usual;
    this.#verbosity = verbosity;
    this.#now = now;
  }

  get level(): string {
    return this.#set !== undefined && this.#now() < this.#set.until ? this.#set.level : this.#usual;
  }

  /** @param duration ms; for as long as the process runs unless given */
  set(level: string, duration?: Millis): void {
    this.#set = { level, until: this.#now() + (duration ?? Number.POSITIVE_INFINITY) };
    this.#verbosity.set(LEVELS.get(level) ?? 0, duration ?? FOR_EVER);
  }
}
