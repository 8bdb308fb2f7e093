/**
 * Reads a whole LMDB database and begins to write to it, as a process of its own: `node lmdb-probe.ts FOLDER`. The library
 * trusts its file, and a damaged one, or a full disk under its lock, ends the process by a signal; better this one than
 * the master. Status 1, with a sentence on standard error, where the library noticed by itself.
 */
import { ABORT, open } from 'lmdb';
import { LMDB_OPTIONS } from './lmdb-options.ts';

const [path = ''] = process.argv.slice(2);
try {
  const db = open<Uint8Array, string>({ path, ...LMDB_OPTIONS });
  for (const { value } of db.getRange()) if (value === undefined) throw new Error('a key has no value');
  // Looks for room in the file, and leaves everything as it was.
  db.transactionSync(() => {
    db.putSync('meta/probe', Buffer.alloc(1));
    return ABORT;
  });
  await db.close();
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
