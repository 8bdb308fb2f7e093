/** Where a leader keeps what must outlive it. Three stores keep this contract; one suite holds them to it. */
import type { Result } from '../../base/result.ts';

/** One key's new value; none: the key is taken away, if it is there. */
export interface Change {
  /** `<kind>/<name>`; the kind without a slash, the name any text that is not empty. */
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** Why something was not stored. */
export interface StoreFailure {
  /**
   * `fenced`: another leader has taken the store over; this one must stop. `unavailable`: it cannot be known whether it
   * was stored. `refused`: it was not, and trying the same again will not help.
   */
  readonly kind: 'fenced' | 'unavailable' | 'refused';
  /** A sentence that names the place and says what to do. */
  readonly message: string;
}

export interface Store {
  /** What it is and where, for people: `LMDB in /var/lib/mesos/registry`. */
  readonly description: string;
  /** The most that `apply` takes in one call, where that is little enough to be reached. */
  readonly limits?: { readonly count: number; readonly bytes: number };
  /** Reads everything without taking anything over: another program may be writing. */
  read(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>>;
  /**
   * Reads everything without taking it over, so that `load` need not, if nothing has changed by then. May be called again and
   * again until `load` is; what has not changed since the last call is not read anew.
   * @returns what `load` will give then: the very same map; undefined if that is not known
   */
  readAhead?(): Promise<Result<ReadonlyMap<string, Uint8Array> | undefined, StoreFailure>>;
  /**
   * Takes the store over and reads everything in it. Must be called once, before `apply`. From then on what another
   * program has taken over before cannot write any more.
   */
  load(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>>;
  /**
   * Stores all changes or none. They are durable when this is answered. Calls are carried out in order; those that come
   * while one is being written are written together. Of several changes to one key the last counts.
   */
  apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>>;
  /** What was applied before is finished first. */
  close(): Promise<void>;
}
