import type { Context } from '../context.ts';
import type { RequestId } from '../events.ts';
import type { Deployment, RunSpec } from '../model.ts';
import { started } from '../tree/answers.ts';
import { commit } from '../tree/commit.ts';

/**
 * Undoes a deployment by another one: what it changed becomes again what it was; what others changed since stays. Instances that still have
 * the old definition are not touched, which upstream replaces like all others.
 */
export function revert(ctx: Context, request: RequestId, { plan }: Deployment): void {
  const specs = new Map<string, RunSpec | undefined>(plan.changes.map(({ id, before }) => [id, before]));
  const done = started(commit(ctx, { root: ctx.state.root, specs, groupId: '/', force: true, keepsVersions: true }));
  const outcome = done.ok ? done.value : { ok: false as const, refusal: done.error };
  ctx.emit({ kind: 'answer', request, outcome });
}
