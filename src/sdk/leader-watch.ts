import { err, ok, type Result } from '../base/result.ts';
import type { Elector } from '../coordination/election/elect.ts';
import type { ZooUrl } from '../coordination/zookeeper/url.ts';
import type { MasterInfo } from '../wire/v1.ts';
import type { Address } from './core/address.ts';

/** Of the session, and how long it may take until something is known, in ms. */
const WITHIN = 10_000;

/** The leader according to ZooKeeper, kept up to date for as long as it is watched. */
export class LeaderWatch {
  private readonly url: ZooUrl;
  private readonly moved: (leader: Address) => void;
  private elector: Elector | undefined;
  private known: Result<Address> | undefined;
  private waiting: (() => void)[] = [];
  private stopped = false;

  /** @param moved is told of every leader, also the first */
  constructor(url: ZooUrl, moved: (leader: Address) => void) {
    this.url = url;
    this.moved = moved;
  }

  /** @returns who leads; an error where nobody does or nobody can know */
  async locate(): Promise<Result<Address>> {
    if (this.elector === undefined) await this.start();
    if (this.known === undefined) await this.news();
    const servers = this.url.servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    return this.known ?? err(`no ZooKeeper answers at ${servers} within ${WITHIN / 1000} s`);
  }

  stop(): void {
    this.stopped = true;
    this.elector?.stop();
    this.wake();
  }

  private async start(): Promise<void> {
    // Only who needs it loads it: a short command must start fast.
    const { Elector } = await import('../coordination/election/elect.ts');
    if (this.stopped) return;
    this.elector = new Elector({
      url: this.url,
      sessionTimeout: WITHIN,
      onLeader: (info) => this.tell(info),
      onFailed: (reason) => {
        this.known = err(reason);
        // The next question is a new attempt.
        this.elector?.stop();
        this.elector = undefined;
        this.wake();
      },
      log: () => {},
    });
    this.elector.start();
  }

  private tell(info: MasterInfo | undefined): void {
    const leader = info && addressOf(info);
    this.known = leader === undefined ? err(`no master leads at ${this.url.path}`) : ok(leader);
    if (leader !== undefined) this.moved(leader);
    this.wake();
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WITHIN);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
      if (this.stopped) this.wake();
    });
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}

/** Where a master says that it is to be found. */
export function addressOf({ hostname, address, port }: MasterInfo): Address | undefined {
  const host = address?.ip ?? address?.hostname ?? hostname;
  return host === undefined ? undefined : { host, port: address?.port ?? port ?? 5050 };
}
