import { isActive } from '../condition.ts';
import type { Context } from '../context.ts';
import type { RequestId } from '../events.ts';
import { setGoal } from '../goals.ts';
import { expunge } from '../instances.ts';
import { killInstance } from '../kills.ts';

/**
 * Kills instances on request. Those that shall go on are launched again; with `wipe` their volumes are given up, and others
 * take their place.
 */
export function kill(
  ctx: Context,
  {
    request,
    instances,
    wipe,
  }: { readonly request: RequestId; readonly instances: readonly string[]; readonly wipe: boolean },
): void {
  const found = instances.flatMap((id) => ctx.state.instances.get(id) ?? []);
  for (const instance of found) {
    if (!wipe) {
      killInstance(ctx, instance);
      continue;
    }
    setGoal(ctx, instance, 'Decommissioned');
    if (!isActive(instance.condition)) expunge(ctx, instance);
  }
  // After what is to be kept of it: who was told that volumes are given up can rely on that.
  ctx.emit({ kind: 'answer', request, outcome: { ok: true, killed: found.map(({ id }) => id) } });
}
