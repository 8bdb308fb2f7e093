/** The registry remembers agents that are unreachable or gone, but not for ever. */
import { type Context, commit } from './context.ts';

interface Remembered {
  readonly id: string;
  readonly time: number;
}

/** Forgets the oldest where there are too many, and whoever is older than allowed. */
export function collectRegistryGarbage(ctx: Context): void {
  const unreachable = expired(ctx, ctx.state.unreachable.values());
  const gone = expired(ctx, ctx.state.gone.values());
  if (unreachable.length + gone.length > 0) {
    commit(ctx, { type: 'PRUNE', unreachable, gone }, { type: 'prune', unreachable, gone });
  }
  ctx.deadlines.set({ type: 'registryGc' }, ctx.env.now + ctx.options.registryGcInterval);
}

function expired(ctx: Context, agents: Iterable<Remembered>): string[] {
  const { registryMaxAgentCount, registryMaxAgentAge } = ctx.options;
  const newestFirst = [...agents].filter(({ id }) => !ctx.transitioning.has(id)).sort((a, b) => b.time - a.time);
  return newestFirst
    .filter(({ time }, i) => i >= registryMaxAgentCount || ctx.env.wall - time > registryMaxAgentAge)
    .map(({ id }) => id);
}

/** It is durable that these are forgotten; one that came back meanwhile is not in the sets any more. */
export function pruned(
  ctx: Context,
  { unreachable, gone }: { unreachable: readonly string[]; gone: readonly string[] },
): void {
  for (const id of unreachable) {
    if (ctx.state.unreachable.delete(id)) ctx.state.standings.delete(id);
    ctx.unreachableTasks.delete(id);
    ctx.unheardEnds.delete(id);
  }
  for (const id of gone) ctx.state.gone.delete(id);
}
