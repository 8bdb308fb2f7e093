/** What a master does while another one leads: it keeps the registry read, so that it has little left to read when it leads. */
import type { Millis } from '../base/machine.ts';
import type { Result } from '../base/result.ts';
import { monotonicTime } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Registrar } from './registrar.ts';

/** How often to look whether something was written. */
const INTERVAL: Millis = 1_000;
/** The rest after a reading, in times of what that took: a registry that changes all the time is not read all the time. */
const REST = 20;

export interface StandbyOptions {
  readonly open: () => Promise<Result<Registrar>>;
  readonly logger: Logger;
  readonly interval?: Millis;
}

export class Standby {
  readonly #options: StandbyOptions;
  #registrar: Registrar | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.#later(0);
  }

  /** It leads, or ends. @returns the registrar that knows already what is there, if it has got so far */
  end(): Registrar | undefined {
    this.#isOver = true;
    clearTimeout(this.#timer);
    return this.#registrar;
  }

  #later(after: Millis): void {
    const { interval = INTERVAL } = this.#options;
    if (this.#isOver) return;
    this.#timer = setTimeout(() => void this.#look(), Math.max(interval, after));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const began = monotonicTime();
    const registrar = await this.#open();
    // Whatever is wrong now is said when this master leads, if it is wrong then.
    const read = await registrar?.readAhead();
    if (read?.ok === false) this.#options.logger.verbose(1, `Cannot read the registry ahead: ${read.error}`);
    this.#later(REST * (monotonicTime() - began));
  }

  async #open(): Promise<Registrar | undefined> {
    if (this.#registrar !== undefined) return this.#registrar;
    const opened = await this.#options.open();
    if (opened.ok && !this.#isOver) this.#registrar = opened.value;
    return this.#registrar;
  }
}
