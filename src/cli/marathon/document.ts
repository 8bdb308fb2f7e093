/** Definitions in files, in JSON or YAML, and answers in the form that was asked for. */
import { readFileSync } from 'node:fs';
import { formatTable } from '../table.ts';
import type { CommonOptions } from './options.ts';
import { unknownFields, type What } from './unknown-fields.ts';

/** A definition, and the file that it stands in. */
export interface Definition {
  readonly value: Record<string, unknown>;
  /** The file; where it holds several, also which one of them this is. */
  readonly place: string;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it is not allowed',
};

/**
 * Reads a file with one definition, a list of them, or several YAML documents. Fields that nobody knows are told on stderr.
 * @throws Error that names the file and the place
 */
export async function readDefinitions(file: string, what: What): Promise<readonly Definition[]> {
  const named = file === '-' ? 'standard input' : file;
  const found = await readFile(file, named);
  return found.map((value, at) => {
    const place = found.length === 1 ? named : `${named}, ${what} ${at + 1}`;
    for (const each of unknownFields(what, value)) process.stderr.write(`meseta: ${place}: ${each}\n`);
    return { value, place };
  });
}

async function readFile(file: string, named: string): Promise<readonly Record<string, unknown>[]> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new Error(`${named} cannot be read: ${UNREADABLE[code] ?? code}`);
  }
  const { parseAllDocuments } = await import('yaml');
  const documents = parseAllDocuments(text);
  const found: Record<string, unknown>[] = [];
  for (const document of documents) {
    const [problem] = document.errors;
    if (problem) throw new Error(`${named} is neither JSON nor YAML: ${problem.message}`);
    const value = plainValue(document, named);
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === null || typeof each !== 'object')
        throw new Error(`${named} holds ${JSON.stringify(each)}, where a definition was expected`);
      const { $schema: _, ...definition } = each as Record<string, unknown>;
      found.push(definition);
    }
  }
  if (found.length === 0) throw new Error(`${named} holds no definition`);
  return found;
}

/** @throws Error for aliases that make much of little, among others */
function plainValue(document: { toJS(): unknown }, named: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new Error(`${named} cannot be used: ${(error as Error).message}. Write it without aliases (&x and *x)`);
  }
}

/** Prints a value as JSON or YAML, or the table that stands for it. @param rows the first is the heading */
export async function print(
  value: unknown,
  { output }: CommonOptions,
  rows: () => readonly (readonly string[])[],
): Promise<void> {
  if (output === 'json') process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  else if (output === 'yaml') process.stdout.write((await import('yaml')).stringify(value));
  else process.stdout.write(formatTable(rows()));
}
