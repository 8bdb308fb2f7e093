import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../base/result.ts';

/** Reads a file as UTF-8 text. */
export function readTextFile(path: string): Result<string> {
  try {
    return ok(readFileSync(path, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : String(error);
    return err(`cannot read the file '${path}': ${why}`);
  }
}
