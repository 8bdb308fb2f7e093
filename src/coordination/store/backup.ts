/** What a store holds, as a file: a format with a version, values in base64, and a checksum over all of them. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';

/** Whose state it is, so that nobody brings it back as something else. */
export interface BackupKind {
  /** What the file calls itself. */
  readonly format: string;
  /** The command that writes such files. */
  readonly writtenBy: string;
}

interface Backup {
  readonly format: string;
  readonly version: 1;
  readonly entities: Readonly<Record<string, string>>;
  /** Of the entities as they stand here, in hexadecimal. */
  readonly sha256: string;
}

/** The text of the file. */
export function formatBackup({ format }: BackupKind, values: ReadonlyMap<string, Uint8Array>): string {
  const entities = Object.fromEntries(
    [...values]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const backup: Backup = { format, version: 1, entities, sha256: checksum(entities) };
  return `${JSON.stringify(backup, null, 2)}\n`;
}

/** @returns the values, or what is wrong with the file */
export function parseBackup(text: string, { format, writtenBy }: BackupKind): Result<ReadonlyMap<string, Uint8Array>> {
  let value: Partial<Backup>;
  try {
    value = JSON.parse(text) as Partial<Backup>;
  } catch (error) {
    return err(`this is no JSON: ${(error as Error).message}`);
  }
  if (value?.format !== format) return err(`this was not written by '${writtenBy}'`);
  if (value.version !== 1)
    return err(`version ${value.version} was written by a later Meseta; use that one to import it`);
  const { entities } = value;
  if (
    typeof entities !== 'object' ||
    entities === null ||
    Object.values(entities).some((each) => typeof each !== 'string')
  )
    return err("'entities' is no object of texts: the file is damaged or was edited");
  if (checksum(entities) !== value.sha256) return err('the checksum does not fit: the file is damaged or was edited');
  return ok(new Map(Object.entries(entities).map(([key, each]) => [key, Buffer.from(each, 'base64')])));
}

/** Writes a file that only its owner may read: it is there as a whole, or as it was before. @throws Error that names the file */
export function saveFile(file: string, text: string): void {
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
    syncFolder(dirname(file));
  } catch (error) {
    if (isMade) rmSync(temporary, { force: true });
    throw new Error(`${file} cannot be written: ${(error as Error).message}; what was there before is still there`);
  }
}

/** A new name is only on disk once its folder is. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** @param file standard input if it is not given, or `-`  @throws Error that names it */
export function readText(file: string | undefined): string {
  try {
    return readFileSync(file === undefined || file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Error(`${nameOf(file)} cannot be read: ${(error as Error).message}`);
  }
}

/** For people. */
export function nameOf(file: string | undefined): string {
  return file === undefined || file === '-' ? 'standard input' : file;
}

function checksum(entities: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(entities).sort()) hash.update(`${key}\n${entities[key]}\n`);
  return hash.digest('hex');
}
