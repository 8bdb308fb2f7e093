import type { Millis } from '../../base/machine.ts';
import { randomUuid } from '../../base/random.ts';
import type { Context } from './context.ts';
import { discardedDirectory } from './paths.ts';
import type { AgentState } from './state.ts';

const TIMER = 'gc';

/** How old an idle directory may get: upstream's rule shortens the delay as the disk fills up. */
export function maxGarbageAge(state: AgentState): Millis {
  const { gcDelay, gcDiskHeadroom } = state.options;
  return gcDelay * Math.max(0, 1 - gcDiskHeadroom - state.diskUsage);
}

/** Nothing will write here any more: the directory may go after the delay. @param age since it fell idle; never less than later ones have */
export function discard(context: Context, path: string, virtual?: string, age: Millis = 0): void {
  const { garbage } = context.state;
  garbage.delete(path);
  garbage.set(path, { since: context.env.now - age, virtual });
  if (garbage.size === 1) armTimer(context);
}

/** A nested container has ended: its sandbox goes with that of its executor, or before that if it is wanted so. */
export function discardNested(context: Context, sandbox: string): void {
  if (context.state.options.gcNestedSandboxes) discard(context, sandbox);
}

/** The directory is in use again. */
export function keep(context: Context, path: string): void {
  context.state.garbage.delete(path);
}

/** Removes what is old enough: when the timer fires, and when the disk has filled up. */
export function collectGarbage(context: Context): void {
  const { state, env } = context;
  const age = maxGarbageAge(state);
  for (const [path, { since, virtual }] of state.garbage) {
    if (since + age > env.now) break;
    state.garbage.delete(path);
    context.emit({ kind: 'detachFiles', virtual: path });
    if (virtual !== undefined && state.latestRuns.get(virtual) === path) {
      state.latestRuns.delete(virtual);
      context.emit({ kind: 'detachFiles', virtual });
    }
    const via = discardedDirectory(state.options.workDir, randomUuid(env.random));
    context.emit({ kind: 'removeDirectory', path, via });
  }
  armTimer(context);
}

function armTimer(context: Context): void {
  const oldest = context.state.garbage.values().next().value;
  if (!oldest) return;
  const after = Math.max(0, oldest.since + maxGarbageAge(context.state) - context.env.now);
  context.emit({ kind: 'arm', key: TIMER, after });
}
