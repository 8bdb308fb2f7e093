/** How a Marathon comes to lead: at once where it is alone, by election where there is ZooKeeper. */
import { Elector } from '../coordination/election/elect.ts';
import { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { parseZooUrl, type ZooUrl } from '../coordination/zookeeper/url.ts';
import type { Logger } from '../runtime/logger.ts';
import type { MarathonFlags } from './flags.ts';
import { EXIT } from './framework.ts';

/** Below the path of --zk. */
const CANDIDATES = 'leader';

export interface LeadershipOptions {
  readonly flags: MarathonFlags;
  /** As others reach this one. */
  readonly hostname: string;
  readonly port: number;
  readonly id: string;
  readonly logger: Logger;
  /** Leads from now on. Called once at most. */
  readonly lead: (session?: ZooKeeper) => Promise<void>;
  /** Another one leads, at `host:port`; or nobody. */
  readonly follow: (leader: string | undefined) => void;
  readonly end: (status: number, reason: string) => void;
}

/** Leads at once, or as soon as it is elected. @returns what gives the candidacy up */
export async function seekLeadership(options: LeadershipOptions): Promise<{ readonly stop: () => void }> {
  const { flags, logger, lead, follow, end, hostname, port, id } = options;
  if (flags.zk === undefined) {
    await lead();
    return { stop: () => {} };
  }
  const url = parseZooUrl(flags.zk);
  if (!url.ok) {
    end(EXIT.flags, `--zk: ${url.error}`);
    return { stop: () => {} };
  }
  if (!flags.ha) return leadAlone(url.value, options);
  let session: ZooKeeper | undefined;
  let isLeading = false;
  const elector = new Elector({
    url: { ...url.value, path: `${url.value.path}/${CANDIDATES}` },
    sessionTimeout: flags.zk_session_timeout,
    // The election speaks of masters: what it needs of one is where it is.
    candidate: { id, ip: 0, port, hostname, address: { hostname, port } },
    onLeader: (leader, isSelf) => {
      if (isSelf && !isLeading) {
        isLeading = true;
        logger.info('Elected as the leading Marathon');
        void lead(session);
      } else if (isLeading && !isSelf) {
        end(EXIT.leadershipLost, 'Lost leadership');
      } else if (!isLeading) {
        const host = leader?.address?.hostname ?? leader?.hostname;
        follow(leader === undefined ? undefined : `${host}:${leader.port}`);
      }
    },
    onSession: (client) => {
      session = client;
    },
    onLost: (reason) => end(EXIT.zooKeeperLost, `Lost candidacy: ${reason}`),
    onFailed: (reason) => end(EXIT.zooKeeperConnect, `--zk: ${reason}`),
    log: (level, text) => logger.log(level, text),
  });
  elector.start();
  return { stop: () => elector.stop() };
}

/** Keeps the state in ZooKeeper without standing for election: whoever begins last writes there, and the one before ends. */
async function leadAlone(
  { servers, credentials }: ZooUrl,
  { flags, lead }: LeadershipOptions,
): Promise<{ readonly stop: () => void }> {
  const client = new ZooKeeper({ servers, credentials, timeout: flags.zk_session_timeout });
  client.start();
  await lead(client);
  return { stop: () => client.close() };
}
