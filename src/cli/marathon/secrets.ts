/** `meseta marathon secret …`: the encrypted file that Marathon takes secrets from. Values are never arguments. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { SecretFile, secretProblem } from '../../marathon/secrets/file-store.ts';

export interface SecretOptions {
  readonly file: string;
  readonly keyFile: string;
}

export interface PutOptions extends SecretOptions {
  /** Keeps a newline at the end. */
  readonly exact?: boolean;
}

const NEWLINE = 0x0a;

/** @param input what the value is read from: standard input */
export async function putSecret(name: string, options: PutOptions, input: number | string = 0): Promise<number> {
  refuseIf(secretProblem(name));
  const store = open(options);
  const read = readFileSync(input);
  const value = options.exact !== true && read.at(-1) === NEWLINE ? read.subarray(0, -1) : read;
  refuseIf(secretProblem(name, value));
  const kept = store.change(name, value);
  if (!kept.ok) throw new Error(kept.error);
  process.stderr.write(`Kept '${name}'. Tasks that run already have what it was before until they are restarted.\n`);
  return 0;
}

export async function getSecret(name: string, options: SecretOptions): Promise<number> {
  const value = all(open(options)).get(name);
  if (value === undefined) throw new Error(`there is no secret '${name}': see 'meseta marathon secret list'`);
  writeFileSync(1, value);
  return 0;
}

export async function listSecrets(options: SecretOptions): Promise<number> {
  const names = [...all(open(options)).keys()].sort();
  process.stdout.write(names.map((name) => `${name}\n`).join(''));
  return 0;
}

export async function deleteSecret(name: string, options: SecretOptions): Promise<number> {
  const store = open(options);
  if (!all(store).has(name)) throw new Error(`there is no secret '${name}': see 'meseta marathon secret list'`);
  const done = store.change(name, undefined);
  if (!done.ok) throw new Error(done.error);
  return 0;
}

/** Makes a key in a new file: one that is there already is somebody's key. */
export async function makeKey(file: string): Promise<number> {
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new Error(`${file} is there already: what was made with it could not be read any more`);
    throw new Error(`${file} cannot be written (${code})`);
  }
  try {
    writeFileSync(handle, `${randomBytes(32).toString('hex')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return 0;
}

function open({ file, keyFile }: SecretOptions): SecretFile {
  const store = SecretFile.open(file, keyFile);
  if (!store.ok) throw new Error(store.error);
  return store.value;
}

function all(store: SecretFile): ReadonlyMap<string, Uint8Array> {
  const read = store.read();
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw new Error(problem);
}
