/** Marathon's memory: JSON values in a `Store`, and nothing told before it is kept. */
import { err, ok, type Result } from '../base/result.ts';
import type { Change, Store, StoreFailure } from '../coordination/store/store.ts';
import type { Performers } from '../runtime/driver.ts';
import { OutputCommit } from '../runtime/output-commit.ts';
import type { MarathonEffect } from './core/effects.ts';
import type { StoredValues } from './core/restore.ts';
import { FORMAT_KEY, STORAGE_FORMAT } from './core/stored.ts';

/** Who performs effects that store nothing. */
export type DirectPerformers = Omit<Performers<MarathonEffect>, 'store'>;

type StoreEffect = Extract<MarathonEffect, { readonly kind: 'store' }>;

/** Takes the store over and reads it. @returns the values, or what is wrong with the store or with one of them */
export async function loadValues(store: Store): Promise<Result<StoredValues>> {
  const loaded = await store.load();
  if (!loaded.ok) return err(loaded.error.message);
  return parseValues(store, loaded.value);
}

/** Reads values as JSON; one that is not names its key. */
export function parseValues(store: Store, bytes: ReadonlyMap<string, Uint8Array>): Result<StoredValues> {
  const values = new Map<string, unknown>();
  const decoder = new TextDecoder();
  for (const [key, value] of bytes) {
    try {
      values.set(key, JSON.parse(decoder.decode(value)));
    } catch (error) {
      return err(
        `${store.description}: the value of '${key}' is not JSON (${(error as Error).message}); restore a backup with \`meseta marathon restore\``,
      );
    }
  }
  return ok(values);
}

/** The first thing a new store gets, so that a version that cannot read it knows. */
export async function writeFormat(store: Store): Promise<Result<void, StoreFailure>> {
  return store.apply([{ key: FORMAT_KEY, value: encode({ version: STORAGE_FORMAT }) }]);
}

/** The same performers, each of which waits until what was to be stored before is durable. @param fail nothing gets out any more */
export function durable(
  store: Store,
  direct: DirectPerformers,
  fail: (reason: StoreFailure) => void,
): Performers<MarathonEffect> {
  const table = direct as unknown as Readonly<Record<string, (effect: MarathonEffect) => void>>;
  const commit = new OutputCommit<MarathonEffect, StoreEffect>({
    persistOf: (effect) => (effect.kind === 'store' ? effect : undefined),
    perform: (effect) => table[effect.kind]?.(effect),
    write: async (effects) => {
      const stored = await store.apply(effects.map(changeOf));
      if (!stored.ok) throw stored.error;
    },
    fail: (error) => fail(error as StoreFailure),
  });
  const submit = (effect: MarathonEffect): void => commit.submit(effect);
  const kinds = ['store', ...Object.keys(direct)];
  return Object.fromEntries(kinds.map((kind) => [kind, submit])) as unknown as Performers<MarathonEffect>;
}

function changeOf({ key, value }: StoreEffect): Change {
  return { key, value: value === undefined ? undefined : encode(value) };
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
