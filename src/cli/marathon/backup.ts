/** `meseta marathon backup|restore`: Marathon's state as a file, also from one kind of store to another. */
import { nameOf, readText } from '../../coordination/store/backup.ts';
import { formatState, parseState, replacing } from '../../marathon/backup.ts';
import { MARATHON_NODE, wayOutOf } from '../../marathon/open-store.ts';
import { applyAll, type Kept, openPlace, readPlace, writeOut } from '../store-place.ts';

export interface BackupOptions {
  /** The file; standard output or input if it is not given, or `-`. */
  readonly file?: string;
  readonly force?: boolean;
  /** How long the first answer of ZooKeeper may take, in ms; 10 s unless given. */
  readonly answerWithin?: number;
}

const STATE: Kept = {
  name: 'state of a Marathon',
  form: 'write lmdb:FOLDER (the --work_dir of Marathon), or zk://host:port/path (its --zk)',
  node: MARATHON_NODE,
  wayOut: wayOutOf,
};

/** Writes what Marathon must not forget. It may be running. */
export async function backupState(from: string, options: BackupOptions): Promise<number> {
  const { store, close } = await openPlace(from, STATE, true);
  try {
    const values = await readPlace(store, options.answerWithin);
    if (values.size === 0) throw new Error(`${store.description} holds no state of a Marathon: ${STATE.form}`);
    const text = formatState(values);
    const sound = parseState(text);
    // Better a backup of something spoiled than none: but not without a word.
    if (!sound.ok) process.stderr.write(`meseta: no Marathon would start with this: ${sound.error}\n`);
    writeOut(options.file, text);
    process.stderr.write(`Wrote ${values.size} records of ${store.description}.\n`);
    return sound.ok ? 0 : 1;
  } finally {
    await close();
  }
}

/** Fills a store. One that holds something already is left alone, unless it is forced; then nothing of that remains. */
export async function restoreBackup(into: string, options: BackupOptions): Promise<number> {
  const named = nameOf(options.file);
  const backup = parseState(readText(options.file));
  if (!backup.ok) throw new Error(`${named}: ${backup.error}`);
  const { store, close } = await openPlace(into, STATE, false);
  try {
    const before = await readPlace(store, options.answerWithin);
    if (before.size > 0 && options.force !== true) {
      throw new Error(
        `${store.description} holds ${before.size} records already: stop its Marathons, and add --force to replace them`,
      );
    }
    await applyAll(store, replacing(before.keys(), backup.value, named));
    process.stderr.write(`Restored ${backup.value.size} records into ${store.description}.\n`);
    return 0;
  } finally {
    await close();
  }
}
