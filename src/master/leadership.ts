/** How a master comes to lead: at once where it is alone, by election where there is ZooKeeper. */
import { Elector } from '../coordination/election/elect.ts';
import type { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import type { Logger } from '../runtime/logger.ts';
import type { MasterInfo } from '../wire/v1.ts';
import type { MasterFlags } from './flags.ts';
import type { Shell } from './shell.ts';

export interface LeadershipOptions {
  readonly flags: MasterFlags;
  readonly info: MasterInfo;
  readonly logger: Logger;
  readonly shell: Pick<Shell, 'recover' | 'follow'>;
  /** There is a session, and this master waits for its turn. */
  readonly prepare: (session: ZooKeeper) => void;
  /** This master leads from now on: read the registry, begin. Called once at most. @param session of the election, if any */
  readonly lead: (session?: ZooKeeper) => Promise<void>;
  /** This master cannot lead any more, or never could: end the process. */
  readonly end: (reason: string) => void;
  /** The same, where another start would find the same. */
  readonly refuse: (reason: string) => void;
}

/** Leads at once, or as soon as it is elected. @returns what gives the candidacy up */
export async function seekLeadership(options: LeadershipOptions): Promise<{ readonly stop: () => void }> {
  const { flags, info, logger, shell, prepare, lead, end, refuse } = options;
  if (flags.zk === undefined) {
    await lead();
    return { stop: () => {} };
  }
  const url = parseZooUrl(flags.zk);
  if (!url.ok) {
    refuse(`--zk: ${url.error}`);
    return { stop: () => {} };
  }
  let isLeading = false;
  let session: ZooKeeper | undefined;
  const elector = new Elector({
    url: url.value,
    sessionTimeout: flags.zk_session_timeout,
    candidate: info,
    onLeader: (leader, isSelf) => {
      if (isSelf && !isLeading) {
        isLeading = true;
        logger.info('Elected as the leading master');
        shell.recover();
        void lead(session);
      } else if (isLeading && !isSelf) {
        end(`Lost leadership to ${leader?.pid ?? 'nobody'}`);
      } else if (leader !== undefined && leader.pid === info.pid) {
        // To send anybody there would be to send them here again, and again.
        logger.info(
          'The leading master was at this address and has ended; waiting until ZooKeeper gives its session up',
        );
        shell.follow(undefined);
      } else {
        logger.info(leader === undefined ? 'No master leads' : `The leading master is ${leader.pid}`);
        shell.follow(leader);
      }
    },
    onSession: (client) => {
      session = client;
      prepare(client);
    },
    onLost: (reason) => end(`Lost candidacy: ${reason}`),
    onFailed: (reason) => refuse(`--zk: ${reason}`),
    log: (level, text) => logger.log(level, text),
  });
  elector.start();
  return { stop: () => elector.stop() };
}
