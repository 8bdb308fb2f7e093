import type { ServerResponse } from 'node:http';

/** Written in one turn of the event loop. */
const BURST = 512 * 1024;
/** A client that takes nothing for so long lets others go before it, in ms. */
const GRACE = 4;
/** One that takes no burst within this time does not read, in ms. */
const STALL = 30_000;
/** And no answer may take longer than this, in ms. */
const LONGEST = 15 * 60_000;

/** How long to wait for a client, in ms. */
export interface Patience {
  readonly stall: number;
  readonly longest: number;
}

/**
 * Whose turn it is. One delivery after the other goes faster for all than all at the same time: what lies in the kernel for
 * one client stays small enough for the processor's caches, and nobody has to wait for the slowest.
 */
class Line {
  readonly #waiting: Delivery[] = [];
  #current: Delivery | undefined;

  /** It has something to write and could do so. */
  enter(delivery: Delivery): void {
    if (this.#current === delivery) {
      this.#next();
    } else {
      this.#waiting.push(delivery);
      if (this.#current === undefined) this.leave(undefined);
    }
  }

  /** It is done, or keeps others waiting. */
  leave(delivery: Delivery | undefined): void {
    if (this.#current !== delivery) return;
    this.#current = this.#waiting.shift();
    if (this.#current !== undefined) this.#next();
  }

  #next(): void {
    setImmediate(() => this.#current?.step());
  }
}

const line = new Line();

class Delivery {
  readonly #response: ServerResponse;
  readonly #pieces: readonly Uint8Array[];
  readonly #done: (whole: boolean) => void;
  readonly #watch: NodeJS.Timeout;
  readonly #limit: NodeJS.Timeout;
  #grace: NodeJS.Timeout | undefined;
  #next = 0;
  #stalled = false;
  #ended = false;

  constructor(
    response: ServerResponse,
    pieces: readonly Uint8Array[],
    done: (whole: boolean) => void,
    patience: Patience,
  ) {
    this.#response = response;
    this.#pieces = pieces;
    this.#done = done;
    this.#watch = setInterval(() => this.#look(), patience.stall);
    this.#limit = setTimeout(() => this.#drop(), patience.longest);
    response.once('close', this.#gone);
    line.enter(this);
  }

  /** Writes one burst. */
  step(): void {
    const response = this.#response;
    const pieces = this.#pieces;
    if (response.destroyed || response.writableEnded) this.#finish(false);
    if (this.#ended) {
      line.leave(this);
      return;
    }
    this.#stalled = false;
    response.cork();
    for (let size = 0; this.#next < pieces.length && size < BURST; this.#next++) {
      const piece = pieces[this.#next]!;
      size += piece.length;
      response.write(piece);
    }
    response.uncork();
    if (this.#next === pieces.length) this.#finish(true);
    else if (response.writableNeedDrain) this.#await();
    else line.enter(this);
  }

  #await(): void {
    this.#grace = setTimeout(() => line.leave(this), GRACE);
    this.#response.once('drain', () => {
      clearTimeout(this.#grace);
      line.enter(this);
    });
  }

  readonly #gone = (): void => this.#finish(false);

  #look(): void {
    if (this.#stalled) this.#drop();
    this.#stalled = true;
  }

  #drop(): void {
    this.#response.destroy();
    this.#finish(false);
  }

  #finish(whole: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watch);
    clearTimeout(this.#limit);
    clearTimeout(this.#grace);
    this.#response.off('close', this.#gone);
    this.#done(whole);
    line.leave(this);
  }
}

/**
 * Writes pieces as fast as they are taken, without copying them or queueing more than a burst.
 * @param done hears whether everything was handed over; false: the client has gone, or did not read and was disconnected
 */
export function deliver(
  response: ServerResponse,
  pieces: readonly Uint8Array[],
  done: (whole: boolean) => void,
  patience: Patience = { stall: STALL, longest: LONGEST },
): void {
  new Delivery(response, pieces, done, patience);
}
