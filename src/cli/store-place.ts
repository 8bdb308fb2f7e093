/** Stores as command lines name them: `lmdb:FOLDER` and `zk://host:port/path`. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPassword } from '../base/password.ts';
import { saveFile } from '../coordination/store/backup.ts';
import { chunksOf } from '../coordination/store/chunks.ts';
import { LmdbStore } from '../coordination/store/lmdb.ts';
import type { Change, Store } from '../coordination/store/store.ts';
import { ZooKeeperStore } from '../coordination/store/zookeeper.ts';
import { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../coordination/zookeeper/core/protocol.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';

/** What is kept in such stores. */
export interface Kept {
  /** Without its article: `registry`. */
  readonly name: string;
  /** How a place is to be written. */
  readonly form: string;
  /** Where in ZooKeeper it is, below the path of `--zk`. */
  readonly node: string;
  /** The way out of a damaged database, given its folder. */
  readonly wayOut?: (folder: string) => string;
}

export interface Place {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

const SESSION_TIMEOUT = 10_000;
const ANSWER_WITHIN = 10_000;

/** @param isThere it must hold something already  @throws Error with a sentence that says what would be right */
export async function openPlace(text: string, { name, form, node, wayOut }: Kept, isThere: boolean): Promise<Place> {
  if (text.startsWith('lmdb:')) {
    const folder = text.slice('lmdb:'.length);
    // To open a database is to make it, where there is none.
    if (isThere && !existsSync(join(folder, 'data.mdb'))) throw new Error(`there is no ${name} in ${folder}: ${form}`);
    const store = await LmdbStore.openSound(folder, wayOut?.(folder));
    if (!store.ok) throw new Error(store.error.message);
    return { store: store.value, close: () => store.value.close() };
  }
  if (!text.startsWith('zk://')) throw new Error(`'${withoutPassword(text)}' is no place of a ${name}: ${form}`);
  const url = parseZooUrl(text);
  if (!url.ok) throw new Error(url.error);
  const { servers, credentials, path } = url.value;
  const client = new ZooKeeper({ servers, credentials, timeout: SESSION_TIMEOUT });
  client.start();
  const acl = credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ;
  const store = new ZooKeeperStore({ client, path: `${path}/${node}`, acl });
  return {
    store,
    close: async () => {
      await store.close();
      client.close();
    },
  };
}

/** Reads a store that another program may be using. @param within how long its first answer may take, in ms */
export async function readPlace(store: Store, within = ANSWER_WITHIN): Promise<ReadonlyMap<string, Uint8Array>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const sentence = `${store.description} does not answer within ${within / 1000} s; is ZooKeeper running there?`;
    timer = setTimeout(() => reject(new Error(sentence)), within);
  });
  const values = await Promise.race([store.read(), late]).finally(() => clearTimeout(timer));
  if (!values.ok) throw new Error(values.error.message);
  return values.value;
}

/** Takes a store over and makes these changes, first to last. @throws Error when only some of them could be stored */
export async function applyAll(store: Store, changes: readonly Change[]): Promise<void> {
  const taken = await store.load();
  if (!taken.ok) throw new Error(taken.error.message);
  for (const chunk of chunksOf(changes)) {
    const stored = await store.apply(chunk);
    if (!stored.ok) throw new Error(`${stored.error.message}; it is incomplete now: repeat it with --force`);
  }
}

/** To a file, or standard output if it is not given, or `-`. */
export function writeOut(file: string | undefined, text: string): void {
  if (file === undefined || file === '-') writeFileSync(1, text);
  else saveFile(file, text);
}
