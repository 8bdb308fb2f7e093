import type { Request } from '../../http/endpoint.ts';
import { Pieces } from '../../http/pieces.ts';
import { Kept } from '../views/kept.ts';
import { type Parts, write } from '../views/parts.ts';
import { EVERYTHING, type Visible } from '../views/snapshot.ts';
import { OffHeap } from './off-heap.ts';
import { Slices } from './slices.ts';

/** How long a finished answer is held for others who ask before anything changes, in ms. */
const HOLD = 1_000;

/** Texts of so many characters are put outside of the heap that V8 counts. */
const LONG = 8 * 1024;

/** Takes what the answer needs of the state, now, and says how it is to be written, later. */
export type Compose = (kept: Kept) => Parts;

/** One answer that is being written or was. */
interface Shared {
  readonly version: number;
  readonly pieces: Promise<Pieces>;
  done: boolean;
}

/** Those who came while an answer was being written that is too old for them. */
interface Batch {
  readonly pieces: Promise<Pieces>;
}

/** The same for requests that get the same answer. @param what else the answer depends on */
export function keyOf({ path, search, principal }: Request, what = ''): string {
  return JSON.stringify([path, search, what, principal?.value, principal?.claims]);
}

const inHeap = (made: string | Uint8Array): Uint8Array => (typeof made === 'string' ? Buffer.from(made, 'utf8') : made);

/**
 * Long answers: written in slices from pieces that are kept, each once for all who ask the same. An answer is never older
 * than its request: who comes while one is being written gets that one only if nothing has happened since, else the next,
 * together with all who have come by then.
 */
export class Answers {
  readonly #memory = new OffHeap(() => this.kept.bytes);
  readonly kept = new Kept(this.#memory.store);
  readonly #encode = (text: string): Uint8Array => (text.length < LONG ? inHeap(text) : this.#memory.store(text));
  readonly #version: () => number;
  readonly #slices = new Slices();
  readonly #shared = new Map<string, Shared>();
  readonly #batches = new Map<string, Batch>();
  #hits = 0;

  /** @param version another number whenever the state may have changed; by default always another */
  constructor(version: () => number = () => Number.NaN) {
    this.#version = version;
  }

  /** Answers that cost nothing, since another request had the same one made. */
  get hits(): number {
    return this.#hits;
  }

  /** Nothing is being written. */
  get idle(): boolean {
    return this.#slices.idle;
  }

  /**
   * @param key names the answer: path, query, encoding and whoever asks
   * @param compose called now, or when the next answer begins
   */
  get(key: string, compose: Compose, visible: Visible = EVERYTHING): Promise<Pieces> {
    const shared = this.#shared.get(key);
    if (shared?.version === this.#version()) {
      this.#hits++;
      return shared.pieces;
    }
    if (shared === undefined || shared.done) return this.#start(key, compose, visible);
    const batch = this.#batches.get(key);
    if (batch !== undefined) {
      this.#hits++;
      return batch.pieces;
    }
    const begin = (): Promise<Pieces> => {
      this.#batches.delete(key);
      return this.#start(key, compose, visible);
    };
    const pieces = shared.pieces.then(begin, begin);
    this.#batches.set(key, { pieces });
    return pieces;
  }

  /** An answer as of this very moment, for whoever is told of everything that happens from now on. */
  now(compose: Compose, visible: Visible = EVERYTHING): Promise<Pieces> {
    return this.#write(compose, visible);
  }

  /** Other work that is to be done in slices, by turns with the answers. */
  work<Result>(work: Generator<undefined, Result>): Promise<Result> {
    return this.#slices.run(work);
  }

  async #write(compose: Compose, visible: Visible): Promise<Pieces> {
    const began = performance.now();
    // What is kept is for those who may see everything: half a list would drive the whole one out.
    const kept = visible === EVERYTHING ? this.kept : new Kept(inHeap);
    const { pieces } = await this.#slices.run(write(compose(kept), this.#encode), began);
    return new Pieces(pieces);
  }

  #start(key: string, compose: Compose, visible: Visible): Promise<Pieces> {
    const shared: Shared = { version: this.#version(), pieces: this.#write(compose, visible), done: false };
    this.#shared.set(key, shared);
    const release = (): void => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    shared.pieces.then(() => {
      shared.done = true;
      setTimeout(release, HOLD).unref();
    }, release);
    return shared.pieces;
  }
}
