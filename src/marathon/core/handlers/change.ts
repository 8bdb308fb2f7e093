import type { Result } from '../../../base/result.ts';
import type { Change } from '../change.ts';
import { type Context, publish } from '../context.ts';
import type { Caller, MarathonEvent, RequestId } from '../events.ts';
import type { RunSpec } from '../model.ts';
import type { Outcome, Refusal } from '../outcome.ts';
import { createApp } from './changes/create-app.ts';
import { createGroup } from './changes/create-group.ts';
import { createPod } from './changes/create-pod.ts';
import { deleteApp } from './changes/delete-app.ts';
import { deleteGroup } from './changes/delete-group.ts';
import { deletePod } from './changes/delete-pod.ts';
import { patchGroup } from './changes/patch-group.ts';
import { restartApp } from './changes/restart-app.ts';
import { scaleDown } from './changes/scale-down.ts';
import { updateApp } from './changes/update-app.ts';
import { updateApps } from './changes/update-apps.ts';
import { updateGroup } from './changes/update-group.ts';
import { updatePod } from './changes/update-pod.ts';

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

const CHANGERS: { readonly [Kind in Change['kind']]: Changer<Kind> } = {
  createApp,
  updateApp,
  updateApps,
  deleteApp,
  restartApp,
  scaleDown,
  createGroup,
  updateGroup,
  patchGroup,
  deleteGroup,
  createPod,
  updatePod,
  deletePod,
};

/** Somebody wants the tree of groups, apps and pods to be another one. */
export function change(
  ctx: Context,
  { request, change: wanted, force, caller }: Extract<MarathonEvent, { readonly kind: 'change' }>,
): void {
  const changer = CHANGERS[wanted.kind] as Changer<Change['kind']>;
  const done = changer(ctx, wanted, { force, caller });
  answer(ctx, request, done.ok ? done.value : { ok: false, refusal: done.error });
}

function answer({ emit }: Context, request: RequestId, outcome: Outcome): void {
  emit({ kind: 'answer', request, outcome });
}

/** Tells the event stream who posted which app. */
export function publishPost(ctx: Context, { caller }: Asked, appDefinition: RunSpec): void {
  publish(ctx, 'api_post_event', { clientIp: caller.clientIp, uri: caller.uri, appDefinition });
}
