/** `meseta registry export|import`: what a master must not forget, as a file. */
import { type BackupKind, formatBackup, nameOf, parseBackup, readText } from '../coordination/store/backup.ts';
import { FORMAT_KEY, readEntities } from '../master/core/registry-entities.ts';
import { applyAll, type Kept, openPlace, readPlace, writeOut } from './store-place.ts';

export interface RegistryOptions {
  /** The file; standard output or input if it is not given, or `-`. */
  readonly file?: string;
  readonly force?: boolean;
  /** How long the first answer of ZooKeeper may take, in ms; 10 s unless given. */
  readonly answerWithin?: number;
}

const KIND: BackupKind = { format: 'meseta-registry', writtenBy: 'meseta registry export' };

const REGISTRY: Kept = {
  name: 'registry',
  form: 'write lmdb:FOLDER (the --work_dir of a master, with /registry), or zk://host:port/path (the --zk of masters)',
  node: 'registry',
};

/** Prints what a store holds. It may be in use. */
export async function exportRegistry(from: string, options: RegistryOptions): Promise<number> {
  const { store, close } = await openPlace(from, REGISTRY, true);
  try {
    const values = await readPlace(store, options.answerWithin);
    if (values.size === 0) throw new Error(`${store.description} holds no registry: ${REGISTRY.form}`);
    writeOut(options.file, formatBackup(KIND, values));
    process.stderr.write(`Exported ${values.size} entities from ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}

/** Fills a store. One that holds something already is left alone, unless it is forced; then nothing of that remains. */
export async function importRegistry(into: string, options: RegistryOptions): Promise<number> {
  const named = nameOf(options.file);
  const backup = parseBackup(readText(options.file), KIND);
  if (!backup.ok) throw new Error(`${named}: ${backup.error}`);
  const wrong = wrongEntities(backup.value);
  if (wrong !== undefined) throw new Error(`${named}: ${wrong}`);
  const { store, close } = await openPlace(into, REGISTRY, false);
  try {
    const before = await readPlace(store, options.answerWithin);
    if (before.size > 0 && options.force !== true) {
      throw new Error(
        `${store.description} holds ${before.size} entities already: stop its masters, and add --force to replace them`,
      );
    }
    const old = [...before.keys()].filter((key) => !backup.value.has(key));
    await applyAll(store, [
      ...old.map((key) => ({ key, value: undefined })),
      ...[...backup.value].map(([key, value]) => ({ key, value })),
    ]);
    process.stderr.write(`Imported ${backup.value.size} entities into ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}

/** No master would start with what it cannot read. @returns what is wrong */
function wrongEntities(entities: ReadonlyMap<string, Uint8Array>): string | undefined {
  if (!entities.has(FORMAT_KEY)) return `it has no '${FORMAT_KEY}', so that it is no registry of a master`;
  const read = readEntities(entities);
  return read.ok ? undefined : read.error;
}
