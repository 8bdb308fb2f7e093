/** Forgets what nobody can ask for any more: old definitions, and what is left of apps and pods that are gone. */
import type { Context } from './context.ts';
import type { MarathonState } from './state.ts';
import { failureKey, specVersionKey } from './stored.ts';
import { specAt } from './tree/groups.ts';

const USUAL_INTERVAL = 30_000;
const USUAL_BATCH = 32;
/** Between two batches, so that nothing else has to wait for all of them. */
const BREATH = 10;

/** Looks through the next apps and pods; after the last one a new round begins with the next interval. */
export function compact(ctx: Context): void {
  const { state, options } = ctx;
  if (state.compacting.length === 0) state.compacting = candidates(state);
  for (const id of state.compacting.splice(0, options.compactionBatch ?? USUAL_BATCH)) {
    forgetVersions(ctx, id);
    forgetRecord(ctx, id);
  }
}

/** When to go on. */
export function compactAgainAfter({ state, options }: Context): number {
  return state.compacting.length > 0 ? BREATH : compactionInterval(options);
}

export function compactionInterval({ compactionInterval: interval }: Context['options']): number {
  return Math.max(interval ?? USUAL_INTERVAL, 1_000);
}

/** Most have one definition, and that is in force. */
function candidates({ history, current, specs }: MarathonState): string[] {
  const ids = new Set<string>();
  for (const [id, versions] of history) if (versions.size > 1 || !current.has(id)) ids.add(id);
  for (const id of specs.keys()) if (!current.has(id)) ids.add(id);
  return [...ids];
}

function forgetVersions({ state, options, emit }: Context, id: string): void {
  const versions = state.history.get(id);
  if (versions === undefined) return;
  const needed = neededVersions(state, id);
  // Of what is there no more, only what earlier trees and running tasks still have.
  let spare = state.current.has(id) ? options.maxVersions - needed.size : 0;
  for (const version of [...versions.keys()].sort((a, b) => b - a)) {
    if (needed.has(version) || spare-- > 0) continue;
    versions.delete(version);
    emit({ kind: 'store', key: specVersionKey(id, version), value: undefined });
  }
  if (versions.size === 0) state.history.delete(id);
}

/** Those that trees, instances and deployments have. */
function neededVersions(state: MarathonState, id: string): ReadonlySet<number> {
  const needed = new Set<number>();
  for (const { root } of state.rootVersions) {
    const spec = specAt(root, id);
    if (spec) needed.add(spec.version);
  }
  const present = state.current.get(id);
  if (present) needed.add(present.version);
  for (const { spec } of state.specs.get(id)?.instances.values() ?? []) needed.add(spec.version);
  for (const { plan } of state.deployments.values()) {
    for (const change of plan.changes) {
      if (change.id !== id) continue;
      if (change.before) needed.add(change.before.version);
      if (change.after) needed.add(change.after.version);
    }
  }
  return needed;
}

function forgetRecord({ state, emit }: Context, id: string): void {
  const record = state.specs.get(id);
  if (record === undefined || record.instances.size > 0 || state.current.has(id) || state.locks.has(id)) return;
  if (record.lastFailure) emit({ kind: 'store', key: failureKey(id), value: undefined });
  state.specs.delete(id);
  state.delayed.delete(id);
}
