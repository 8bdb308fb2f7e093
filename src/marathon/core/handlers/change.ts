import type { Change } from '../change.ts';
import type { Context } from '../context.ts';
import type { MarathonEvent, RequestId } from '../events.ts';
import type { Outcome } from '../outcome.ts';
import type { Changer } from './changer.ts';
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
