/** Marathon's state as a file, and the orders that a leader leaves to the next one: to back up, and to restore. */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../base/result.ts';
import { type BackupKind, formatBackup, parseBackup, saveFile } from '../coordination/store/backup.ts';
import { chunksOf } from '../coordination/store/chunks.ts';
import type { Change, Store } from '../coordination/store/store.ts';
import { backupPath } from './backup-path.ts';
import { restoreState } from './core/restore.ts';
import { FORMAT_KEY, NEXT_LEADER_KEY, RESTORING_KEY } from './core/stored.ts';
import { encodeValue, parseValues } from './store.ts';

type Values = ReadonlyMap<string, Uint8Array>;

const KIND: BackupKind = { format: 'meseta-marathon', writtenBy: 'meseta marathon backup' };

/** What the next leader is to do before it leads. */
export interface NextLeader {
  /** Files, as `file:///path`. */
  readonly backup?: string;
  readonly restore?: string;
}

/** What is of one leader only, and no part of the state. */
const PASSING: ReadonlySet<string> = new Set([NEXT_LEADER_KEY, RESTORING_KEY]);

/** The text of a backup. */
export function formatState(values: Values): string {
  return formatBackup(KIND, new Map([...values].filter(([key]) => !PASSING.has(key))));
}

/** @returns what a backup holds, once it is clear that a Marathon would start with it; or what is wrong with it */
export function parseState(text: string): Result<Values> {
  const backup = parseBackup(text, KIND);
  if (!backup.ok) return backup;
  if (!backup.value.has(FORMAT_KEY)) return err(`it has no '${FORMAT_KEY}', so that it is no state of a Marathon`);
  const values = parseValues('the backup', backup.value);
  if (!values.ok) return values;
  const state = restoreState(values.value, 0);
  return state.ok ? backup : err(state.error);
}

/**
 * The changes that make a store hold these values and nothing else. The first says that they are not complete yet, the
 * last that they are: where they are cut short, no Marathon takes what is there for a state.
 */
export function replacing(before: Iterable<string>, values: Values, origin: string): readonly Change[] {
  const old = [...before].filter((key) => !values.has(key) && key !== RESTORING_KEY);
  return [
    { key: RESTORING_KEY, value: encodeValue({ from: origin }) },
    ...old.map((key) => ({ key, value: undefined })),
    ...[...values].map(([key, value]) => ({ key, value })),
    { key: RESTORING_KEY, value: undefined },
  ];
}

/**
 * Carries out what the leader before has left to do. What cannot be done is told and given up, and the state stays as it
 * is: another leader would not fare better. Only a restore that was cut short must be finished.
 * @returns the values as they are now, or why nobody can lead with them
 */
export async function obey(
  store: Store,
  values: Values,
  tell: (level: 'info' | 'error', text: string) => void,
): Promise<Result<Values>> {
  const order = orderIn(values);
  const isCut = values.has(RESTORING_KEY);
  if (order === undefined) return isCut ? err(CUT) : ok(values);
  const wrong = isCut || order.backup === undefined ? undefined : writeBackup(order.backup, values);
  if (wrong !== undefined) tell('error', `There is no backup, and nothing is restored: ${wrong}`);
  else if (!isCut && order.backup !== undefined) tell('info', `Wrote the state to ${order.backup}`);
  if (order.restore === undefined || wrong !== undefined) return dropOrder(store, values);
  const read = readBackup(order.restore);
  if (!read.ok) {
    if (isCut) return err(`${CUT} (${read.error})`);
    tell('error', `Nothing is restored: ${read.error}`);
    return dropOrder(store, values);
  }
  const old = [...values.keys()].filter((key) => key !== NEXT_LEADER_KEY);
  const changes = [
    // From here on the backup must not be written again: what is in the store is not the state any more.
    { key: NEXT_LEADER_KEY, value: encodeValue({ restore: order.restore }) },
    ...replacing(old, read.value, order.restore),
    { key: NEXT_LEADER_KEY, value: undefined },
  ];
  const done = await applyInTurn(store, changes);
  if (!done.ok) return done;
  tell('info', `Restored the state from ${order.restore}`);
  return read;
}

const CUT =
  'a restore was cut short, and what is in the store is not a whole state: repeat it with `meseta marathon restore --force`';

function orderIn(values: Values): NextLeader | undefined {
  const bytes = values.get(NEXT_LEADER_KEY);
  if (bytes === undefined) return undefined;
  const parsed = parseValues('the store', new Map([[NEXT_LEADER_KEY, bytes]]));
  const order: unknown = parsed.ok ? parsed.value.get(NEXT_LEADER_KEY) : undefined;
  if (typeof order !== 'object' || order === null) return {};
  const { backup, restore } = order as Record<string, unknown>;
  return { ...(typeof backup === 'string' && { backup }), ...(typeof restore === 'string' && { restore }) };
}

async function dropOrder(store: Store, values: Values): Promise<Result<Values>> {
  const done = await applyInTurn(store, [{ key: NEXT_LEADER_KEY, value: undefined }]);
  return done.ok ? ok(new Map([...values].filter(([key]) => key !== NEXT_LEADER_KEY))) : done;
}

async function applyInTurn(store: Store, changes: readonly Change[]): Promise<Result<void>> {
  for (const chunk of chunksOf(changes)) {
    const stored = await store.apply(chunk);
    if (!stored.ok) return err(stored.error.message);
  }
  return ok(undefined);
}

/** @returns why it could not be written */
export function writeBackup(uri: string, values: Values): string | undefined {
  const path = backupPath(uri);
  if (!path.ok) return path.error;
  try {
    saveFile(path.value, formatState(values));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function readBackup(uri: string): Result<Values> {
  const path = backupPath(uri);
  if (!path.ok) return path;
  try {
    const parsed = parseState(readFileSync(path.value, 'utf8'));
    return parsed.ok ? parsed : err(`${path.value}: ${parsed.error}`);
  } catch (error) {
    return err(`${path.value} cannot be read: ${(error as Error).message}`);
  }
}
