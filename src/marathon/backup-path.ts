/** Where backups are: upstream's URIs, as far as they name files. */
import { err, ok, type Result } from '../base/result.ts';

/** @returns the path of `file:///path`, or what is wrong with it */
export function backupPath(uri: string): Result<string> {
  if (!URL.canParse(uri)) return err(`'${uri}' is no URI: write file:///PATH`);
  const { protocol, host, pathname } = new URL(uri);
  if (protocol !== 'file:') return err(`'${uri}' cannot be used: only file:///PATH is in this build`);
  if (host !== '' || pathname.endsWith('/'))
    return err(`'${uri}' names no file: write file:///PATH, with three slashes`);
  try {
    return ok(decodeURIComponent(pathname));
  } catch {
    return err(`'${uri}' is no URI: a % must be followed by two digits`);
  }
}
