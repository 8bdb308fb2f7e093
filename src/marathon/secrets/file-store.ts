/** Secrets in an encrypted file. Marathon reads it, and reads it again whenever it is another one. */
import { isUtf8 } from 'node:buffer';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { syncFolder } from '../../coordination/store/backup.ts';
import { readKeyFile, Sealer } from './seal.ts';

type Secrets = ReadonlyMap<string, Uint8Array>;

const NONE: Secrets = new Map();

/** Slashes are fine: `databases/orders/password`. */
const NAME = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/;
const LONGEST_NAME = 256;
/** The environment of a process does not hold much more. */
const LARGEST = 100_000;

export class SecretFile {
  readonly #file: string;
  readonly #sealer: Sealer;
  #seen = '';
  #secrets = NONE;

  private constructor(file: string, sealer: Sealer) {
    this.#file = file;
    this.#sealer = sealer;
  }

  /** @param file need not be there yet  @returns what is wrong with the key */
  static open(file: string, keyFile: string): Result<SecretFile> {
    const key = readKeyFile(keyFile);
    return key.ok ? ok(new SecretFile(file, new Sealer(key.value))) : key;
  }

  /** All secrets as they are now; a file that is not there holds none. */
  read(): Result<Secrets> {
    const stamp = stampOf(this.#file);
    if (stamp === this.#seen) return ok(this.#secrets);
    let secrets: Result<Secrets> = ok(NONE);
    if (stamp !== '') {
      try {
        secrets = this.#sealer.open(readFileSync(this.#file, 'utf8'));
      } catch (error) {
        return err(`${this.#file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
      }
    }
    if (!secrets.ok) return err(`${this.#file} cannot be used: ${secrets.error}`);
    this.#seen = stamp;
    this.#secrets = secrets.value;
    return secrets;
  }

  /**
   * Changes one secret, or takes it away. The file is there as a whole, or as it was before; two who change it at the same
   * time do not undo what the other one does.
   */
  change(name: string, value: Uint8Array | undefined): Result<void> {
    const temporary = `${this.#file}.new`;
    let handle: number;
    try {
      handle = openSync(temporary, 'wx', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') return err(`${this.#file} cannot be written: ${code}`);
      return err(`somebody else is changing ${this.#file}; if nobody is, remove ${temporary}, and try again`);
    }
    let isDone = false;
    try {
      const before = this.read();
      if (!before.ok) return before;
      const secrets = new Map(before.value);
      if (value === undefined) secrets.delete(name);
      else secrets.set(name, value);
      writeFileSync(handle, this.#sealer.seal(secrets));
      fsyncSync(handle);
      renameSync(temporary, this.#file);
      isDone = true;
      syncFolder(dirname(this.#file));
      return ok(undefined);
    } catch (error) {
      return err(`${this.#file} cannot be written: ${(error as Error).message}; what was there before is still there`);
    } finally {
      closeSync(handle);
      // What has this name after a success is somebody else's.
      if (!isDone) rmSync(temporary, { force: true });
    }
  }
}

/** @returns what is wrong with a name or a value, if something is */
export function secretProblem(name: string, value?: Uint8Array): string | undefined {
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    return `'${name}' is no name of a secret: use letters, digits, '_', '.', '-', and '/' between parts, such as databases/password`;
  }
  if (value === undefined) return undefined;
  if (value.length === 0) return `there is nothing on standard input: the value of '${name}' comes from there`;
  if (value.length > LARGEST) return `the value has ${value.length} bytes, and a secret holds ${LARGEST}`;
  if (!isUtf8(value)) return 'the value is no text in UTF-8, which an environment needs';
  if (value.includes(0)) return 'the value contains a null byte, which an environment cannot hold';
  return undefined;
}

/** Another text for each state of the file; empty where there is none. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
