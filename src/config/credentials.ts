import { err, ok, type Result } from '../base/result.ts';
import type { ReadFile } from './flag.ts';

/** A principal and its secret, as credentials files have them. */
export interface Credential {
  readonly principal: string;
  readonly secret: string;
}

/**
 * Reads `{"credentials": [{"principal", "secret"}, …]}`.
 * @param flag named in errors, for example `credentials`
 */
export function readCredentials(path: string, flag: string, readFile: ReadFile): Result<readonly Credential[]> {
  const parsed = readJson(path, flag, readFile);
  if (!parsed.ok) return parsed;
  const list = (parsed.value as { credentials?: unknown } | null)?.credentials;
  const shape = `it must be {"credentials": [{"principal": "...", "secret": "..."}, ...]}`;
  if (!Array.isArray(list)) return err(`The file '${path}' is no credentials file: ${shape} (see --${flag})`);
  if (list.length === 0) return err(`The credentials file '${path}' must hold at least one credential (see --${flag})`);
  const credentials = list.map(credentialOf);
  const bad = credentials.indexOf(undefined);
  if (bad >= 0) return err(`credentials[${bad}] in the file '${path}' is no credential: ${shape} (see --${flag})`);
  return ok(credentials as Credential[]);
}

/** Reads `{"principal": …, "secret": …}`, the agent's own credential. */
export function readCredential(path: string, flag: string, readFile: ReadFile): Result<Credential> {
  const parsed = readJson(path, flag, readFile);
  if (!parsed.ok) return parsed;
  const credential = credentialOf(parsed.value);
  if (credential) return ok(credential);
  return err(`The file '${path}' is no credential: it must be {"principal": "...", "secret": "..."} (see --${flag})`);
}

function readJson(path: string, flag: string, readFile: ReadFile): Result<unknown> {
  const content = readFile(path);
  if (!content.ok) return err(`${content.error} (see --${flag})`);
  try {
    return ok(JSON.parse(content.value) as unknown);
  } catch {
    return err(`The file '${path}' is not JSON (see --${flag})`);
  }
}

/** The secret is not checked beyond being a text: upstream accepts an empty one. */
function credentialOf(value: unknown): Credential | undefined {
  const { principal, secret } = (value ?? {}) as { principal?: unknown; secret?: unknown };
  if (typeof principal !== 'string' || principal === '') return undefined;
  if (secret !== undefined && secret !== null && typeof secret !== 'string') return undefined;
  return { principal, secret: secret ?? '' };
}
