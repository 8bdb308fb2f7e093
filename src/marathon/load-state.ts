/** What a leader does with its store before it leads: takes it over, does what it was left to do, and reads the state. */

import { err, ok, type Result } from '../base/result.ts';
import type { Store } from '../coordination/store/store.ts';
import { wallTime } from '../runtime/clock.ts';
import { obey, writeBackup } from './backup.ts';
import { restoreState, storedFormat } from './core/restore.ts';
import type { MarathonState } from './core/state.ts';
import { STORAGE_FORMAT } from './core/stored.ts';
import { parseValues, writeFormat } from './store.ts';

export interface LoadOptions {
  readonly store: Store;
  /** `--backup_location`: written before the format of the state changes. */
  readonly backupLocation?: string;
  readonly tell: (level: 'info' | 'error', text: string) => void;
}

/** @returns the state, or a sentence that says what is wrong, where, and what to do */
export async function loadState({ store, backupLocation, tell }: LoadOptions): Promise<Result<MarathonState>> {
  const loaded = await store.load();
  if (!loaded.ok) return err(loaded.error.message);
  const obeyed = await obey(store, loaded.value, tell);
  if (!obeyed.ok) return err(`${store.description}: ${obeyed.error}`);
  const values = parseValues(store.description, obeyed.value);
  if (!values.ok) return values;
  const state = restoreState(values.value, wallTime());
  if (!state.ok) return err(`${store.description}: ${state.error}`);
  if (storedFormat(values.value) === STORAGE_FORMAT) return state;
  if (obeyed.value.size > 0 && backupLocation !== undefined) {
    const wrong = writeBackup(backupLocation, obeyed.value);
    if (wrong !== undefined) return err(`--backup_location: ${wrong}. Nothing was changed`);
    tell('info', `Wrote the state to ${backupLocation} before its format changes`);
  }
  const written = await writeFormat(store);
  return written.ok ? ok(state.value) : err(written.error.message);
}
