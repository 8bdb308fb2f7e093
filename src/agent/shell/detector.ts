import { lookup } from 'node:dns/promises';
import { Elector } from '../../coordination/election/elect.ts';
import type { ZooUrl } from '../../coordination/zookeeper/url.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { MasterInfo } from '../../wire/v1.ts';

/** Says who leads. */
export interface Detector {
  /** Says it again, even when nothing has changed. */
  detect(): void;
  stop(): void;
}

/** How a name becomes an address; replaced in tests. */
export type Resolve = (host: string) => Promise<string>;

const RETRY = 5_000;

const resolveName: Resolve = async (host) => (await lookup(host, { family: 4 })).address;

/**
 * A master at a fixed address, as `--master=host:port` says it. A name that cannot be resolved is tried again, for ever.
 * @param tell takes the master's pid, or undefined while it is not known
 */
export function fixedDetector(
  master: string,
  tell: (pid: string | undefined) => void,
  warn: (text: string) => void,
  resolve: Resolve = resolveName,
): Detector {
  const colon = master.lastIndexOf(':');
  const [host, port] = [master.slice(0, colon), master.slice(colon + 1)];
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const detect = (): void => {
    clearTimeout(timer);
    resolve(host).then(
      (ip) => {
        if (!stopped) tell(`master@${ip}:${port}`);
      },
      (error: Error) => {
        if (stopped) return;
        warn(`--master=${master}: '${host}' cannot be resolved (${error.message}); trying again in ${RETRY / 1000} s`);
        tell(undefined);
        timer = setTimeout(detect, RETRY);
      },
    );
  };
  return {
    detect,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

export interface ZooDetectorOptions {
  readonly url: ZooUrl;
  readonly sessionTimeout: number;
  readonly tell: (pid: string | undefined) => void;
  readonly fail: (reason: string) => void;
  readonly logger: Pick<Logger, 'log'>;
}

/** The master that leads according to ZooKeeper. Nobody is told before it is known. */
export function zooDetector({ url, sessionTimeout, tell, fail, logger }: ZooDetectorOptions): Detector {
  let known: { readonly pid: string | undefined; readonly id: string | undefined } | undefined;
  const elector = new Elector({
    url,
    sessionTimeout,
    onLeader: (info) => {
      const pid = info && pidOf(info);
      // Looking anew after a session was lost often finds what was known before. A master that was started again has another id.
      if (known !== undefined && known.pid === pid && known.id === info?.id) return;
      known = { pid, id: info?.id };
      tell(pid);
    },
    onFailed: fail,
    log: (level, text) => logger.log(level, text),
  });
  elector.start();
  return {
    detect: () => {
      if (known !== undefined) tell(known.pid);
    },
    stop: () => elector.stop(),
  };
}

function pidOf({ pid, address, hostname, port }: MasterInfo): string {
  return pid ?? `master@${address?.ip ?? hostname ?? ''}:${address?.port ?? port ?? 5050}`;
}
