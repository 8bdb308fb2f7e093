import { publish } from '../../context.ts';
import { started, unknownPod } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { parentOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** Ends a pod for good. */
export const deletePod: Changer<'deletePod'> = (ctx, { id }, { force, caller }) => {
  const { state } = ctx;
  if (state.current.get(id)?.kind !== 'pod') return unknownPod(id);
  const specs = new Map([[id, undefined]]);
  const done = started(commit(ctx, { root: state.root, specs, groupId: parentOf(id), force }));
  if (done.ok) publish(ctx, 'pod_deleted_event', { clientIp: caller.clientIp, uri: caller.uri });
  return done;
};
