import { type Address, isSameAddress } from './address.ts';

/** How often redirects are followed in one go before it is taken for a loop and left to the back-off. */
const MAX_HOPS = 5;

/**
 * Which master to talk to: the leader that somebody named, else the known ones in turn.
 * Masters redirect with 307 and a scheme-relative Location while another one leads.
 */
export class Route {
  #next = 0;
  #leader: Address | undefined;
  #tried: Address | undefined;
  #hops = 0;

  /** Of whom it is believed that it leads. */
  get leader(): Address | undefined {
    return this.#leader;
  }

  /** Takes the leader, or else the one whose turn it is. @returns undefined where nobody is known */
  choose(masters: readonly Address[]): Address | undefined {
    this.#tried = this.#leader ?? masters[this.#next % masters.length];
    return this.#tried;
  }

  /** @param leader as the redirect names it. @returns whether to try there at once (false: a loop, or no usable address) */
  redirected(leader: Address | undefined): boolean {
    if (leader === undefined || isSameAddress(leader, this.#tried) || ++this.#hops > MAX_HOPS) {
      this.failed();
      return false;
    }
    this.#leader = leader;
    return true;
  }

  /** The current one did not answer or does not lead and knows no leader: forget the hint, go on to the next. */
  failed(): void {
    if (this.#leader === undefined) this.#next++;
    this.#leader = undefined;
    this.#hops = 0;
  }

  succeeded(): void {
    this.#leader = this.#tried;
    this.#hops = 0;
  }

  /** ZooKeeper names this one. */
  named(leader: Address): void {
    this.#leader = leader;
    this.#hops = 0;
  }
}
