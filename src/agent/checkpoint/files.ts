/** Looks at the files that an agent of before has written; what cannot be read becomes a sentence that names the path. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { StatusUpdateRecord } from '../../wire/internal.ts';

/** @returns undefined if there is no such file */
export function contentOf(path: string): Result<Buffer | undefined> {
  return attempt(path, () => readFileSync(path));
}

/** What is in a folder, without links to the newest; nothing if there is no such folder. */
export function namesIn(folder: string): Result<readonly string[]> {
  const isElse = attempt(folder, () => !statSync(folder).isDirectory());
  if (isElse.ok && isElse.value === true) return err(`${folder} should be a folder and is none`);
  const names = attempt(folder, () => readdirSync(folder));
  // A link that was being replaced when the agent was killed has the second name.
  return names.ok ? ok((names.value ?? []).filter((name) => name !== LATEST && name !== `${LATEST}.new`)) : names;
}

const LATEST = 'latest';

/** The name that the link to the newest leads to; undefined if there is no such link. */
export function latestIn(folder: string): Result<string | undefined> {
  const path = join(folder, LATEST);
  const target = attempt(path, () => readlinkSync(path));
  return target.ok ? ok(target.value && basename(target.value)) : target;
}

/** Wall clock; undefined if there is nothing. */
export function modifiedAt(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}

function attempt<T>(path: string, read: () => T): Result<T | undefined> {
  try {
    return ok(read());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok(undefined);
    if (code === 'EINVAL') return err(`${path} should be a symbolic link and is none`);
    return err(`${path} cannot be read: ${message}`);
  }
}

/** What a file of many records holds. */
export interface Records {
  readonly records: readonly StatusUpdateRecord[];
  /** Where whole records end: the machine stopped while what comes then was being written, and nobody was told of it. */
  readonly length: number;
  /** What follows there was written and has been spoiled since. */
  readonly problem: string | undefined;
}

export function recordsIn(bytes: Buffer): Records {
  const records: StatusUpdateRecord[] = [];
  let at = 0;
  let problem: string | undefined;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    // Some file systems make a file longer before its content is there.
    if (isBlank(bytes.subarray(at))) break;
    if (at + 4 + length > bytes.length) {
      if (!isBeginning(bytes.subarray(at))) problem = `is garbled at byte ${at}: no record begins like that`;
      break;
    }
    const record = StatusUpdateRecord.decode(bytes.subarray(at + 4, at + 4 + length));
    if (!record.ok) {
      problem = `is garbled at byte ${at}: ${record.error}`;
      break;
    }
    records.push(record.value);
    at += 4 + length;
  }
  return { records, length: at, problem };
}

/** More than any update holds: bytes that say so are not the length of a record. */
const LONGEST = 1 << 26;
/** Of the field that every record has, and that is written first: `type`. */
const FIRST_TAG = 0x08;

/** Whether a record of which the end is missing was being written, and not something else. */
function isBeginning(bytes: Buffer): boolean {
  const isTyped = bytes.length === 4 || bytes[4] === FIRST_TAG || isBlank(bytes.subarray(4));
  return bytes.readUInt32LE(0) <= LONGEST && isTyped;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Cuts a file off, so that what is appended next can be read. */
export function cutOff(path: string, length: number): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
