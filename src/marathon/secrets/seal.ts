/** How secrets are kept from who can read their file: AES-256-GCM, with a key that is in another file. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';

/** What is in a key file: a key itself, or a passphrase that a key is made of. */
export type KeySource =
  | { readonly kind: 'key'; readonly key: Buffer }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

const KEY = /^[0-9a-f]{64}$/i;
const SHORTEST = 12;
/** 32 MB and some 50 ms for each guess. */
const SCRYPT = { N: 32_768, r: 8, p: 1 };
const MAX_MEMORY = 256 * 2 ** 20;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Reads a key file, which nobody but its owner may be able to read. */
export function readKeyFile(file: string): Result<KeySource> {
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      return err(`${file} holds a key, and others than its owner can use it: chmod 600 ${file}`);
    }
    const text = readFileSync(file, 'utf8').trim();
    if (KEY.test(text)) return ok({ kind: 'key', key: Buffer.from(text, 'hex') });
    if (text.length >= SHORTEST) return ok({ kind: 'passphrase', passphrase: text });
    return err(
      `${file} must hold a key of 64 hexadecimal digits, or a passphrase of ${SHORTEST} characters or more: make one with 'meseta marathon secret key ${file}'`,
    );
  } catch (error) {
    return err(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): make a key with 'meseta marathon secret key ${file}'`,
    );
  }
}

interface Sealed {
  readonly format: 'meseta-secrets';
  readonly version: 1;
  /** Of a passphrase. */
  readonly scrypt?: { readonly N: number; readonly r: number; readonly p: number; readonly salt: string };
  readonly nonce: string;
  /** The secrets as JSON, encrypted, and behind them the tag that tells whether they were changed. */
  readonly data: string;
}

/** Encrypts and decrypts with one key file. */
export class Sealer {
  readonly #source: KeySource;
  /** To make a key of a passphrase takes long. */
  readonly #made = new Map<string, Buffer>();

  constructor(source: KeySource) {
    this.#source = source;
  }

  seal(values: ReadonlyMap<string, Uint8Array>): string {
    const scrypt = this.#source.kind === 'passphrase' && { ...SCRYPT, salt: randomBytes(16).toString('base64') };
    const nonce = randomBytes(NONCE_BYTES);
    const head = { format: 'meseta-secrets', version: 1, ...(scrypt && { scrypt }) } as const;
    const cipher = createCipheriv('aes-256-gcm', this.#keyFor(head), nonce);
    cipher.setAAD(Buffer.from(JSON.stringify(head)));
    const plain = JSON.stringify(
      Object.fromEntries([...values].map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
    );
    const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    const sealed: Sealed = { ...head, nonce: nonce.toString('base64'), data: data.toString('base64') };
    return `${JSON.stringify(sealed)}\n`;
  }

  /** @returns the secrets by name, or why they cannot be read: never anything of what they are */
  open(text: string): Result<ReadonlyMap<string, Uint8Array>> {
    const parsed = parse(text);
    if (!parsed.ok) return parsed;
    const { nonce, data, ...head } = parsed.value;
    if ((head.scrypt !== undefined) !== (this.#source.kind === 'passphrase')) {
      return err('it was made with another kind of key: a passphrase is no key of 64 digits');
    }
    try {
      const bytes = Buffer.from(data, 'base64');
      const cipher = createDecipheriv('aes-256-gcm', this.#keyFor(head), Buffer.from(nonce, 'base64'));
      cipher.setAAD(Buffer.from(JSON.stringify(head)));
      cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = Buffer.concat([cipher.update(bytes.subarray(0, -TAG_BYTES)), cipher.final()]).toString('utf8');
      const values = Object.entries(JSON.parse(plain) as Record<string, string>);
      return ok(new Map(values.map(([name, value]) => [name, Buffer.from(value, 'base64')])));
    } catch {
      return err('it was made with another key, or was changed since');
    }
  }

  #keyFor({ scrypt }: Pick<Sealed, 'scrypt'>): Buffer {
    if (this.#source.kind === 'key') return this.#source.key;
    const { N, r, p, salt } = scrypt!;
    const name = JSON.stringify([N, r, p, salt]);
    let key = this.#made.get(name);
    if (key === undefined) {
      key = scryptSync(this.#source.passphrase, Buffer.from(salt, 'base64'), 32, { N, r, p, maxmem: MAX_MEMORY });
      this.#made.clear();
      this.#made.set(name, key);
    }
    return key;
  }
}

const DAMAGED = 'it is no file of secrets, or it is damaged';

function parse(text: string): Result<Sealed> {
  let value: Partial<Sealed> | null;
  try {
    value = JSON.parse(text) as Partial<Sealed> | null;
  } catch {
    return err(DAMAGED);
  }
  if (value?.format !== 'meseta-secrets') return err(DAMAGED);
  if (value.version !== 1)
    return err(`it has version ${value.version}, and this program reads version 1: use a later one`);
  const { scrypt, nonce, data } = value;
  if (typeof nonce !== 'string' || typeof data !== 'string' || Buffer.from(data, 'base64').length < TAG_BYTES) {
    return err(DAMAGED);
  }
  if (scrypt !== undefined) {
    const { N, r, p, salt } = scrypt ?? {};
    // Other numbers would have to be paid for before it is known that they are wrong.
    if (N !== SCRYPT.N || r !== SCRYPT.r || p !== SCRYPT.p || typeof salt !== 'string') return err(DAMAGED);
    return ok({ format: 'meseta-secrets', version: 1, scrypt: { N, r, p, salt }, nonce, data });
  }
  return ok({ format: 'meseta-secrets', version: 1, nonce, data });
}
