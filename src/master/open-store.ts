/** Which store the flags ask for. */
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { MemoryStore } from '../coordination/store/memory.ts';
import type { Store } from '../coordination/store/store.ts';
import type { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../coordination/zookeeper/core/protocol.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import type { MasterFlags } from './flags.ts';

/** Below the folder, and below the node, that a master is given. */
const NAME = 'registry';

/**
 * `--registry`: memory; LMDB below `--work_dir`; ZooKeeper below the path of `--zk`. Upstream's `replicated_log`, the
 * default, stands for what survives the loss of this machine where there are others: ZooKeeper with `--zk`, else LMDB.
 * @param session of the election. It is the leader's own: the store ends with its leadership
 */
export async function openStore(flags: MasterFlags, session: ZooKeeper | undefined): Promise<Result<Store>> {
  if (flags.registry === 'in_memory') return ok(new MemoryStore());
  if (session === undefined || !keepsInZooKeeper(flags)) {
    // A native library: only who needs it loads it.
    const { LmdbStore } = await import('../coordination/store/lmdb.ts');
    const store = await LmdbStore.openSound(join(flags.work_dir ?? '', NAME));
    return store.ok ? store : err(store.error.message);
  }
  const url = parseZooUrl(flags.zk ?? '');
  if (!url.ok) return url;
  const { ZooKeeperStore } = await import('../coordination/store/zookeeper.ts');
  const acl = url.value.credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ;
  return ok(new ZooKeeperStore({ client: session, path: `${url.value.path}/${NAME}`, acl }));
}

/** Whether the registry is where all masters find it, if there is ZooKeeper. */
export function keepsInZooKeeper({ registry }: Pick<MasterFlags, 'registry'>): boolean {
  return registry !== 'in_memory' && registry !== 'lmdb';
}
