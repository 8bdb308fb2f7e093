/** `meseta registry export|import`: what a master must not forget, as a file. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { LmdbStore } from '../coordination/store/lmdb.ts';
import type { Store } from '../coordination/store/store.ts';
import { ZooKeeperStore } from '../coordination/store/zookeeper.ts';
import { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../coordination/zookeeper/core/protocol.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';

export interface RegistryOptions {
  /** The file; standard output or input if it is not given, or `-`. */
  readonly file?: string;
  readonly force?: boolean;
}

/** The file. Values are in base64: the bytes of upstream's messages. */
interface Backup {
  readonly format: 'meseta-registry';
  readonly version: 1;
  readonly entities: Readonly<Record<string, string>>;
  /** Of the entities as they stand here, in hexadecimal. */
  readonly sha256: string;
}

const FORM =
  'write lmdb:FOLDER (the --work_dir of a master, with /registry), or zk://host:port/path (the --zk of masters)';
const SESSION_TIMEOUT = 10_000;
const CHUNK = 500;

/** Prints what a store holds. It may be in use. */
export async function exportRegistry(from: string, options: RegistryOptions): Promise<number> {
  // Opening would make an empty one.
  if (from.startsWith('lmdb:') && !existsSync(join(from.slice('lmdb:'.length), 'data.mdb')))
    throw new Error(`there is no registry in ${from.slice('lmdb:'.length)}: ${FORM}`);
  const place = await open(from);
  if (!place.ok) throw new Error(place.error);
  try {
    const read = await place.value.store.read();
    if (!read.ok) throw new Error(read.error.message);
    // A backup that holds nothing would be found out when it is needed.
    if (read.value.size === 0) throw new Error(`${place.value.store.description} holds no registry: ${FORM}`);
    const entities = Object.fromEntries(
      [...read.value]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const backup: Backup = { format: 'meseta-registry', version: 1, entities, sha256: checksum(entities) };
    writeFileSync(
      options.file === undefined || options.file === '-' ? 1 : options.file,
      `${JSON.stringify(backup, null, 2)}\n`,
    );
    process.stderr.write(`Exported ${read.value.size} entities from ${place.value.store.description}.\n`);
    return 0;
  } finally {
    await place.value.close();
  }
}

/** Fills a store. One that holds something already is left alone, unless it is forced; then nothing of that remains. */
export async function importRegistry(into: string, options: RegistryOptions): Promise<number> {
  const backup = parseBackup(
    readFileSync(options.file === undefined || options.file === '-' ? 0 : options.file, 'utf8'),
  );
  if (!backup.ok) throw new Error(`${options.file ?? 'standard input'}: ${backup.error}`);
  const place = await open(into);
  if (!place.ok) throw new Error(place.error);
  const { store, close } = place.value;
  try {
    const before = await store.read();
    if (!before.ok) throw new Error(before.error.message);
    if (before.value.size > 0 && options.force !== true) {
      throw new Error(
        `${store.description} holds ${before.value.size} entities already: stop its masters, and add --force to replace them`,
      );
    }
    await fill(store, backup.value, [...before.value.keys()]);
    process.stderr.write(`Imported ${Object.keys(backup.value).length} entities into ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}

async function fill(store: Store, entities: Readonly<Record<string, string>>, old: readonly string[]): Promise<void> {
  const taken = await store.load();
  if (!taken.ok) throw new Error(taken.error.message);
  const changes = [
    ...old.filter((key) => !Object.hasOwn(entities, key)).map((key) => ({ key, value: undefined })),
    ...Object.entries(entities).map(([key, value]) => ({ key, value: Buffer.from(value, 'base64') })),
  ];
  for (let at = 0; at < changes.length; at += CHUNK) {
    const stored = await store.apply(changes.slice(at, at + CHUNK));
    if (!stored.ok) throw new Error(`${stored.error.message}; the import is incomplete: repeat it with --force`);
  }
}

interface Place {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

async function open(text: string): Promise<Result<Place>> {
  if (text.startsWith('lmdb:')) {
    const store = LmdbStore.open(text.slice('lmdb:'.length));
    return store.ok ? ok({ store: store.value, close: () => store.value.close() }) : err(store.error.message);
  }
  if (!text.startsWith('zk://')) return err(`'${text}' is no place of a registry: ${FORM}`);
  const url = parseZooUrl(text);
  if (!url.ok) return url;
  const { servers, credentials, path } = url.value;
  const client = new ZooKeeper({ servers, credentials, timeout: SESSION_TIMEOUT });
  client.start();
  if (!(await answers(client))) {
    client.close();
    const addresses = servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    return err(`no ZooKeeper answers at ${addresses} within ${SESSION_TIMEOUT / 1000} s`);
  }
  const acl = credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ;
  const store = new ZooKeeperStore({ client, path: `${path === '/' ? '' : path}/registry`, acl });
  return ok({
    store,
    close: async () => {
      await store.close();
      client.close();
    },
  });
}

async function answers(client: ZooKeeper): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), SESSION_TIMEOUT);
  });
  const looked = client.exists('/').then(
    () => true,
    () => true,
  );
  const outcome = await Promise.race([looked, late]);
  clearTimeout(timer);
  return outcome;
}

function parseBackup(text: string): Result<Readonly<Record<string, string>>> {
  let value: Partial<Backup>;
  try {
    value = JSON.parse(text) as Partial<Backup>;
  } catch (error) {
    return err(`this is no JSON: ${(error as Error).message}`);
  }
  if (value.format !== 'meseta-registry' || typeof value.entities !== 'object' || value.entities === null) {
    return err("this was not written by 'meseta registry export'");
  }
  if (value.version !== 1)
    return err(`version ${value.version} was written by a later Meseta; use that one to import it`);
  if (checksum(value.entities) !== value.sha256)
    return err('the checksum does not fit: the file is damaged or was edited');
  return ok(value.entities);
}

function checksum(entities: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(entities).sort()) hash.update(`${key}\n${entities[key]}\n`);
  return hash.digest('hex');
}
