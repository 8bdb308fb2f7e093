import { err, ok, type Result } from '../base/result.ts';
import { parseZooUrl, type ZooUrl } from '../coordination/zookeeper/url.ts';
import { parseAddresses } from './address.ts';
import type { Address } from './core/address.ts';
import { addressOf, LeaderWatch } from './leader-watch.ts';

/** How long ZooKeeper may take to tell a short command who leads. */
const LOOKUP_WITHIN = 10_000;

/** Where masters are: the configured addresses, or whomever ZooKeeper names, for as long as it is watched. */
export class MasterLocator {
  readonly #masters: readonly Address[] | LeaderWatch;

  private constructor(masters: readonly Address[] | LeaderWatch) {
    this.#masters = masters;
  }

  /**
   * @param text `host:port`, several of them separated by commas, `http://` URLs, or `zk://host:port,host:port/path`
   * @param named is told of every leader that ZooKeeper names
   */
  static of(text: string, defaultPort: number, named: (leader: Address) => void): Result<MasterLocator> {
    if (isZooKeeper(text)) {
      const url = parseZooUrl(text);
      return url.ok ? ok(new MasterLocator(new LeaderWatch(url.value, named))) : url;
    }
    const masters = parseAddresses(text, defaultPort);
    return masters.ok ? ok(new MasterLocator(masters.value)) : masters;
  }

  /** @returns addresses to try in turn; an error where nobody is known to lead */
  async locate(): Promise<Result<readonly Address[]>> {
    if (!(this.#masters instanceof LeaderWatch)) return ok(this.#masters);
    const leader = await this.#masters.locate();
    return leader.ok ? ok([leader.value]) : leader;
  }

  /** Ends what watches ZooKeeper. */
  stop(): void {
    if (this.#masters instanceof LeaderWatch) this.#masters.stop();
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
