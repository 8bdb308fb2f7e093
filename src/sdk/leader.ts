import { type Address, addressOfLocation, formatAddress } from './address.ts';

/** How often redirects are followed in one go before it is taken for a loop and left to the back-off. */
const MAX_HOPS = 5;

/**
 * Which master to talk to: the leader that a redirect named, else the configured ones in turn.
 * Masters redirect with 307 and a scheme-relative Location while another one leads.
 */
export class LeaderFinder {
  private readonly masters: readonly Address[];
  private next = 0;
  private leader: Address | undefined;
  private hops = 0;

  constructor(masters: readonly Address[]) {
    this.masters = masters;
  }

  current(): Address {
    return this.leader ?? this.masters[this.next % this.masters.length]!;
  }

  /** Takes a redirect's Location. @returns whether to try again at once (false: a loop, or no usable address) */
  redirected(location: string | undefined): boolean {
    const address = location === undefined ? undefined : addressOfLocation(location);
    if (!address || formatAddress(address) === formatAddress(this.current()) || ++this.hops > MAX_HOPS) {
      this.failed();
      return false;
    }
    this.leader = address;
    return true;
  }

  /** The current one did not answer or does not lead and knows no leader: forget the hint, go on to the next. */
  failed(): void {
    if (this.leader === undefined) this.next++;
    this.leader = undefined;
    this.hops = 0;
  }

  succeeded(): void {
    this.leader = this.current();
    this.hops = 0;
  }
}
