/** Marathon's memory: JSON values in a `Store`, and nothing told before it is kept. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { err, ok, type Result } from '../base/result.ts';
import { chunksOf } from '../coordination/store/chunks.ts';
import type { Change, Store, StoreFailure } from '../coordination/store/store.ts';
import type { Performers } from '../runtime/driver.ts';
import { OutputCommit } from '../runtime/output-commit.ts';
import type { MarathonEffect } from './core/effects.ts';
import type { StoredValues } from './core/restore.ts';
import { FORMAT_KEY, STORAGE_FORMAT, WAY_OUT } from './core/stored.ts';

/** Plans of thousands of apps would not fit into a node of ZooKeeper as they are. */
const COMPRESSED_ABOVE = 65_536;

/** Who performs effects that store nothing. */
export type DirectPerformers = Omit<Performers<MarathonEffect>, 'store'>;

type StoreEffect = Extract<MarathonEffect, { readonly kind: 'store' }>;

/** Reads values as JSON; one that is not names its key. @param place for people */
export function parseValues(place: string, bytes: ReadonlyMap<string, Uint8Array>): Result<StoredValues> {
  const values = new Map<string, unknown>();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (const [key, value] of bytes) {
    try {
      values.set(key, JSON.parse(decoder.decode(plain(value))));
    } catch (error) {
      return err(`${place}: the value of '${key}' is not JSON (${(error as Error).message}); ${WAY_OUT}`);
    }
  }
  return ok(values);
}

/** The first thing a new store gets, so that a version that cannot read it knows. */
export async function writeFormat(store: Store): Promise<Result<void, StoreFailure>> {
  return store.apply([{ key: FORMAT_KEY, value: encodeValue({ version: STORAGE_FORMAT }) }]);
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
      for (const changes of portions(effects.map(changeOf), store.limits)) {
        const stored = await store.apply(changes);
        if (!stored.ok) throw stored.error;
      }
    },
    fail: (error) => fail(error as StoreFailure),
  });
  const submit = (effect: MarathonEffect): void => commit.submit(effect);
  const kinds = ['store', ...Object.keys(direct)];
  return Object.fromEntries(kinds.map((kind) => [kind, submit])) as unknown as Performers<MarathonEffect>;
}

/**
 * All at once, where the store takes that. Else in an order in which each beginning is a state that can be gone on from:
 * definitions before what names them, what was decided before the instances that follow from it, and what is forgotten
 * last. Nothing of it was told yet.
 */
function portions(changes: readonly Change[], limits: Store['limits']): Iterable<readonly Change[]> {
  if (limits === undefined) return [changes];
  const size = changes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
  if (changes.length <= limits.count && size <= limits.bytes) return [changes];
  const last = new Map(changes.map((change) => [change.key, change]));
  const inOrder = [...last.values()].sort((a, b) => rank(a) - rank(b));
  return chunksOf(inOrder, limits);
}

const ORDER = ['version', 'framework', 'failure', 'root', 'group', 'spec', 'deployment', 'instance'];

function rank({ key, value }: Change): number {
  const kind = key.slice(0, key.indexOf('/'));
  return kind === 'version' && value === undefined ? ORDER.length : ORDER.indexOf(kind);
}

function changeOf({ key, value }: StoreEffect): Change {
  return { key, value: value === undefined ? undefined : encodeValue(value) };
}

/** As it is stored. */
export function encodeValue(value: object): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(value));
  return bytes.length > COMPRESSED_ABOVE ? gzipSync(bytes) : bytes;
}

function plain(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}
