import { lookup } from 'node:dns/promises';

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
