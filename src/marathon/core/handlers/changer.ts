/** What all kinds of changes of the tree have in common. */
import type { Result } from '../../../base/result.ts';
import type { Change } from '../change.ts';
import { type Context, publish } from '../context.ts';
import type { Caller } from '../events.ts';
import type { RunSpec } from '../model.ts';
import type { Outcome, Refusal } from '../outcome.ts';

/** What a change needs besides what is to change. */
export interface Asked {
  readonly force: boolean;
  readonly caller: Caller;
}

/** One kind of change: everything happens, or nothing and a refusal. */
export type Changer<Kind extends Change['kind']> = (
  ctx: Context,
  change: Extract<Change, { readonly kind: Kind }>,
  asked: Asked,
) => Result<Extract<Outcome, { readonly ok: true }>, Refusal>;

/** Tells the event stream who posted which app. */
export function publishPost(ctx: Context, { caller }: Asked, appDefinition: RunSpec): void {
  publish(ctx, 'api_post_event', { clientIp: caller.clientIp, uri: caller.uri, appDefinition });
}
