import { err, ok, type Result } from '../base/result.ts';
import { parseZooUrl, type ZooUrl } from '../coordination/zookeeper/url.ts';
import { type Address, addressOfLocation, formatAddress, parseAddresses } from './address.ts';
import { addressOf, LeaderWatch } from './leader-watch.ts';

/** How often redirects are followed in one go before it is taken for a loop and left to the back-off. */
const MAX_HOPS = 5;
/** How long ZooKeeper may take to tell a short command who leads. */
const LOOKUP_WITHIN = 10_000;

/** Which addresses to try, in turn. */
type Source = () => Promise<Result<readonly Address[]>>;

/**
 * Which master to talk to: the leader that a redirect named, else the configured ones in turn, or whom ZooKeeper names.
 * Masters redirect with 307 and a scheme-relative Location while another one leads.
 */
export class LeaderFinder {
  private readonly source: Source;
  private next = 0;
  private leader: Address | undefined;
  private tried: Address | undefined;
  private hops = 0;
  private readonly watch: LeaderWatch | undefined;
  /** Called with the leader that ZooKeeper names, whenever it names one. */
  onLeader: (address: Address) => void = () => {};

  private constructor(source: Source | ZooUrl) {
    if (typeof source === 'function') {
      this.source = source;
      return;
    }
    const watch = new LeaderWatch(source, (address) => {
      this.leader = undefined;
      this.hops = 0;
      this.onLeader(address);
    });
    this.watch = watch;
    this.source = async () => {
      const leader = await watch.locate();
      return leader.ok ? ok([leader.value]) : leader;
    };
  }

  /** @param text `host:port`, several of them separated by commas, `http://` URLs, or `zk://host:port,host:port/path` */
  static of(text: string, defaultPort: number): Result<LeaderFinder> {
    if (isZooKeeper(text)) {
      const url = parseZooUrl(text);
      return url.ok ? ok(new LeaderFinder(url.value)) : url;
    }
    const masters = parseAddresses(text, defaultPort);
    return masters.ok ? ok(new LeaderFinder(async () => masters)) : masters;
  }

  /** @returns the address to try now; an error where nobody is known to lead */
  async locate(): Promise<Result<Address>> {
    if (this.leader === undefined) {
      const found = await this.source();
      if (!found.ok) return found;
      this.tried = found.value[this.next % found.value.length];
      return this.tried === undefined ? err('no master leads') : ok(this.tried);
    }
    this.tried = this.leader;
    return ok(this.leader);
  }

  /** Takes a redirect's Location. @returns whether to try again at once (false: a loop, or no usable address) */
  redirected(location: string | undefined): boolean {
    const address = location === undefined ? undefined : addressOfLocation(location);
    const isSame = address && this.tried && formatAddress(address) === formatAddress(this.tried);
    if (!address || isSame || ++this.hops > MAX_HOPS) {
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
    this.leader = this.tried;
    this.hops = 0;
  }

  /** Ends what watches ZooKeeper. */
  stop(): void {
    this.watch?.stop();
  }
}

function isZooKeeper(text: string): boolean {
  return text.trim().startsWith('zk://');
}

async function leaderInZooKeeper(url: ZooUrl): Promise<Result<readonly Address[]>> {
  // Only who needs it loads it: a short command must start fast.
  const { lookUpLeader } = await import('../coordination/election/lookup.ts');
  const leader = await lookUpLeader(url, LOOKUP_WITHIN);
  if (!leader.ok) return leader;
  const address = leader.value && addressOf(leader.value);
  return address === undefined ? err(`no master leads at ${url.path}`) : ok([address]);
}

/** The addresses that a short command tries in turn; of ZooKeeper's, the leader's. */
export async function mastersOf(text: string, defaultPort: number): Promise<Result<readonly Address[]>> {
  if (!isZooKeeper(text)) return parseAddresses(text, defaultPort);
  const url = parseZooUrl(text);
  return url.ok ? leaderInZooKeeper(url.value) : url;
}
