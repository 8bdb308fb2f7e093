import { err, ok, type Result } from './result.ts';

/** Upstream's limit, which keeps an id usable as a file name. */
const MAX_ID_LENGTH = 255;

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/**
 * Checks an id that a user chose (task, executor, framework, agent): it becomes a path component on agents.
 * @param what names the id in the error, for example `task id`
 */
export function validateId(id: string, what: string): Result<string> {
  if (id === '') return err(`${what} must not be empty`);
  if (id.length > MAX_ID_LENGTH)
    return err(`${what} must not be longer than ${MAX_ID_LENGTH} characters, this one has ${id.length}`);
  if (id === '.' || id === '..') return err(`${what} must not be '${id}': it names a folder on the agent`);
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code === SLASH || code === BACKSLASH)
      return err(`${what} '${id}' must not contain '${id[at]}': it names a folder on the agent`);
    if (code < 0x20 || code === 0x7f)
      return err(`${what} must not contain control characters (found U+${code.toString(16).padStart(4, '0')})`);
  }
  return ok(id);
}
