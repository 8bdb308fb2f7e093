/** The hostnames of agents whose resources may be offered: a file that operators change while the master runs. */
import { readFile } from 'node:fs/promises';
import type { Logger } from '../runtime/logger.ts';
import type { MasterEvent } from './core/events.ts';

/** Upstream's. */
const INTERVAL = 5_000;

type WhitelistEvent = Extract<MasterEvent, { kind: 'whitelist' }>;

/**
 * Reads the file now and every few seconds, and tells when what it says has changed. While it cannot be read, what it
 * said last holds.
 * @param path of a file with a hostname in each line; `*` (an older way to say nothing) stands for all agents
 */
export function watchWhitelist(
  path: string,
  logger: Pick<Logger, 'warning'>,
  tell: (event: WhitelistEvent) => void,
  interval: number = INTERVAL,
): { readonly stop: () => void } {
  if (path === '*') return { stop: () => {} };
  let last: string | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    try {
      const text = await readFile(path, 'utf8');
      if (text !== last && !stopped) tell({ kind: 'whitelist', hostnames: hostnamesIn(text) });
      last = text;
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      logger.warning(`--whitelist=${path} cannot be read, so what it said last holds: ${reason}`);
    }
    if (!stopped) timer = setTimeout(() => void look(), interval).unref();
  };
  void look();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** One a line; an empty file lists nobody. */
export function hostnamesIn(text: string): ReadonlySet<string> {
  return new Set(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
}
