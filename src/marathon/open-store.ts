/** Which store the flags ask for. */
import { err, ok, type Result } from '../base/result.ts';
import { MemoryStore } from '../coordination/store/memory.ts';
import type { Store } from '../coordination/store/store.ts';
import type { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../coordination/zookeeper/core/protocol.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import type { MarathonFlags } from './flags.ts';

/** Below the path of --zk. */
export const MARATHON_NODE = 'state';

/** What to do without a database that is damaged. */
export function wayOutOf(folder: string): string {
  return (
    `move ${folder} away and bring a backup back with 'meseta marathon restore lmdb:${folder} FILE'; without one, begin anew: ` +
    'apps have to be defined again, and tasks of this Marathon that still run end with the failover timeout of its framework'
  );
}

/** ZooKeeper with `--zk`, LMDB below `--work_dir` without. @param session of the election: the store ends with the leadership */
export async function openStore(
  flags: Pick<MarathonFlags, 'internal_store_backend' | 'zk' | 'work_dir'>,
  session: ZooKeeper | undefined,
): Promise<Result<Store>> {
  if (flags.internal_store_backend === 'mem') return ok(new MemoryStore());
  if (session === undefined || flags.internal_store_backend === 'lmdb') {
    // A native library: only who needs it loads it.
    const { LmdbStore } = await import('../coordination/store/lmdb.ts');
    const store = await LmdbStore.openSound(flags.work_dir, wayOutOf(flags.work_dir));
    return store.ok ? store : err(store.error.message);
  }
  const url = parseZooUrl(flags.zk ?? '');
  if (!url.ok) return err(`--zk: ${url.error}`);
  const { ZooKeeperStore } = await import('../coordination/store/zookeeper.ts');
  const acl = url.value.credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ;
  return ok(new ZooKeeperStore({ client: session, path: `${url.value.path}/${MARATHON_NODE}`, acl }));
}
