/** `meseta registry export|import`: what a master must not forget, as a file. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPassword } from '../base/password.ts';
import { err, ok, type Result } from '../base/result.ts';
import { LmdbStore } from '../coordination/store/lmdb.ts';
import type { Store } from '../coordination/store/store.ts';
import { ZooKeeperStore } from '../coordination/store/zookeeper.ts';
import { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../coordination/zookeeper/core/protocol.ts';
import { parseZooUrl } from '../coordination/zookeeper/url.ts';
import { FORMAT_KEY, readEntities } from '../master/core/registry-entities.ts';

export interface RegistryOptions {
  /** The file; standard output or input if it is not given, or `-`. */
  readonly file?: string;
  readonly force?: boolean;
  /** How long the first answer of ZooKeeper may take, in ms; 10 s unless given. */
  readonly answerWithin?: number;
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
const ANSWER_WITHIN = 10_000;
const CHUNK = 500;

/** Prints what a store holds. It may be in use. */
export async function exportRegistry(from: string, options: RegistryOptions): Promise<number> {
  const { store, close } = await open(from, 'export');
  try {
    const values = await read(store, options.answerWithin);
    if (values.size === 0) throw new Error(`${store.description} holds no registry: ${FORM}`);
    const entities = Object.fromEntries(
      [...values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const backup: Backup = { format: 'meseta-registry', version: 1, entities, sha256: checksum(entities) };
    write(options.file, `${JSON.stringify(backup, null, 2)}\n`);
    process.stderr.write(`Exported ${values.size} entities from ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}

/** Fills a store. One that holds something already is left alone, unless it is forced; then nothing of that remains. */
export async function importRegistry(into: string, options: RegistryOptions): Promise<number> {
  const named = options.file === undefined || options.file === '-' ? 'standard input' : options.file;
  const backup = parseBackup(readText(options.file, named));
  if (!backup.ok) throw new Error(`${named}: ${backup.error}`);
  const { store, close } = await open(into, 'import');
  try {
    const before = await read(store, options.answerWithin);
    if (before.size > 0 && options.force !== true) {
      throw new Error(
        `${store.description} holds ${before.size} entities already: stop its masters, and add --force to replace them`,
      );
    }
    await fill(store, backup.value, [...before.keys()]);
    process.stderr.write(`Imported ${Object.keys(backup.value).length} entities into ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}

async function read(store: Store, within = ANSWER_WITHIN): Promise<ReadonlyMap<string, Uint8Array>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const sentence = `${store.description} does not answer within ${within / 1000} s; is ZooKeeper running there?`;
    timer = setTimeout(() => reject(new Error(sentence)), within);
  });
  const values = await Promise.race([store.read(), late]).finally(() => clearTimeout(timer));
  if (!values.ok) throw new Error(values.error.message);
  return values.value;
}

/** A file is there as a whole, or as it was before. */
function write(file: string | undefined, text: string): void {
  if (file === undefined || file === '-') {
    writeFileSync(1, text);
    return;
  }
  const temporary = `${file}.new`;
  let isMade = false;
  try {
    const handle = openSync(temporary, 'w', 0o600);
    isMade = true;
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    if (isMade) rmSync(temporary, { force: true });
    throw new Error(`${file} cannot be written: ${(error as Error).message}; what was there before is still there`);
  }
}

function readText(file: string | undefined, named: string): string {
  try {
    return readFileSync(file === undefined || file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Error(`${named} cannot be read: ${(error as Error).message}`);
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

/** @throws Error with a sentence that says what would be right */
async function open(text: string, purpose: 'export' | 'import'): Promise<Place> {
  if (text.startsWith('lmdb:')) {
    const folder = text.slice('lmdb:'.length);
    // To open a database is to make it, where there is none.
    if (purpose === 'export' && !existsSync(join(folder, 'data.mdb'))) {
      throw new Error(`there is no registry in ${folder}: ${FORM}`);
    }
    const store = await LmdbStore.openSound(folder);
    if (!store.ok) throw new Error(store.error.message);
    return { store: store.value, close: () => store.value.close() };
  }
  if (!text.startsWith('zk://')) throw new Error(`'${withoutPassword(text)}' is no place of a registry: ${FORM}`);
  const url = parseZooUrl(text);
  if (!url.ok) throw new Error(url.error);
  const { servers, credentials, path } = url.value;
  const client = new ZooKeeper({ servers, credentials, timeout: SESSION_TIMEOUT });
  client.start();
  const acl = credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ;
  const store = new ZooKeeperStore({ client, path: `${path}/registry`, acl });
  return {
    store,
    close: async () => {
      await store.close();
      client.close();
    },
  };
}

function parseBackup(text: string): Result<Readonly<Record<string, string>>> {
  let value: Partial<Backup>;
  try {
    value = JSON.parse(text) as Partial<Backup>;
  } catch (error) {
    return err(`this is no JSON: ${(error as Error).message}`);
  }
  if (value?.format !== 'meseta-registry') {
    return err("this was not written by 'meseta registry export'");
  }
  if (value.version !== 1)
    return err(`version ${value.version} was written by a later Meseta; use that one to import it`);
  const { entities } = value;
  if (
    typeof entities !== 'object' ||
    entities === null ||
    Object.values(entities).some((text) => typeof text !== 'string')
  )
    return err("'entities' is no object of texts: the file is damaged or was edited");
  if (checksum(entities) !== value.sha256) return err('the checksum does not fit: the file is damaged or was edited');
  const wrong = wrongEntities(entities);
  return wrong === undefined ? ok(entities) : err(wrong);
}

/** No master would start with what it cannot read. @returns what is wrong */
function wrongEntities(entities: Readonly<Record<string, string>>): string | undefined {
  if (!Object.hasOwn(entities, FORMAT_KEY)) return `it has no '${FORMAT_KEY}', so that it is no registry of a master`;
  const values = new Map(Object.entries(entities).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  const read = readEntities(values);
  return read.ok ? undefined : read.error;
}

function checksum(entities: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(entities).sort()) hash.update(`${key}\n${entities[key]}\n`);
  return hash.digest('hex');
}
