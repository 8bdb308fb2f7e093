import { err, ok, type Result } from '../../base/result.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import { ZooKeeper, ZooKeeperError } from '../zookeeper/client.ts';
import type { ZooUrl } from '../zookeeper/url.ts';
import { masterInfoOf, membersOf } from './core/members.ts';

/** A session that is not kept needs no longer timeout. */
const SESSION_TIMEOUT = 10_000;

/**
 * Looks once who leads, for programs that do not stay.
 * @param within milliseconds after which it is given up
 * @returns undefined where nobody leads; an error that names the ensemble where it cannot be told
 */
export async function lookUpLeader(url: ZooUrl, within: number): Promise<Result<MasterInfo | undefined>> {
  const client = new ZooKeeper({ servers: url.servers, timeout: SESSION_TIMEOUT, credentials: url.credentials });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result<MasterInfo | undefined>>((resolve) => {
    const addresses = url.servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    const sentence = `no ZooKeeper answers at ${addresses} within ${within / 1000} s`;
    timer = setTimeout(() => resolve(err(sentence)), within);
  });
  client.start();
  try {
    return await Promise.race([look(client, url.path), late]);
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

async function look(client: ZooKeeper, path: string): Promise<Result<MasterInfo | undefined>> {
  try {
    const [first] = membersOf(await client.getChildren(path));
    if (first === undefined) return ok(undefined);
    const { data } = await client.getData(`${path === '/' ? '' : path}/${first.name}`);
    return masterInfoOf(first, data);
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error;
    // The path is made by the first master; a leader that is just going takes its node along.
    return error.code === 'NO_NODE' ? ok(undefined) : err(`ZooKeeper: ${error.message}`);
  }
}
