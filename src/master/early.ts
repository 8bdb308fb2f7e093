/** What agents say while the newly elected master reads the registry. */

/** One message, as it came. */
export interface EarlyMessage {
  readonly from: string;
  readonly name: string;
  readonly body: Uint8Array;
  readonly to: string;
}

const KEPT = new Set(['mesos.internal.RegisterSlaveMessage', 'mesos.internal.ReregisterSlaveMessage']);
/** Bytes that may wait; agents repeat what is beyond. */
const MOST = 128 * 2 ** 20;
/** How long one turn of the event loop may take to hand them out, in ms. */
const TURN = 8;

/**
 * Keeps the registrations of agents until there is somebody to take them, the newest of each: an agent that is not answered
 * would say the same again, a second or more later.
 */
export class EarlyMessages {
  readonly #messages = new Map<string, EarlyMessage>();
  readonly #most: number;
  #bytes = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** @returns false if it is not kept */
  keep(message: EarlyMessage): boolean {
    if (!KEPT.has(message.name)) return false;
    this.forget(message.from);
    if (this.#bytes + message.body.length > this.#most) return false;
    this.#bytes += message.body.length;
    // A copy: the bytes may lie in a buffer with many others.
    this.#messages.set(message.from, { ...message, body: Uint8Array.from(message.body) });
    return true;
  }

  /** The agent has said this since. */
  supersede({ from, name }: Pick<EarlyMessage, 'from' | 'name'>): void {
    if (this.#messages.size > 0 && KEPT.has(name)) this.forget(from);
  }

  /** The agent is not there any more. */
  forget(from: string): void {
    this.#bytes -= this.#messages.get(from)?.body.length ?? 0;
    this.#messages.delete(from);
  }

  /** Somebody else takes them. */
  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }

  /** Hands everything out, in the order in which it came, and lets others go between. */
  release(take: (message: EarlyMessage) => void): void {
    const until = performance.now() + TURN;
    for (const message of this.#messages.values()) {
      if (performance.now() > until) {
        setImmediate(() => this.release(take));
        return;
      }
      this.forget(message.from);
      take(message);
    }
  }
}
