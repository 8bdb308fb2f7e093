/** Values of options that may lie in a file, as flags of the daemons may: a password does not belong on a command line. */
import { InvalidArgumentError } from 'commander';
import { readTextFile } from '../config/files.ts';

const SCHEME = 'file://';

/** Of `file:///path` what the file says, and else the text itself. @throws InvalidArgumentError that names the file */
export function textOrFile(text: string): string {
  if (!text.startsWith(SCHEME)) return text;
  const path = text.slice(SCHEME.length);
  const content = readTextFile(path);
  if (!content.ok) throw new InvalidArgumentError(content.error);
  if (content.value.trim() === '') throw new InvalidArgumentError(`the file '${path}' is empty`);
  return content.value.trim();
}
