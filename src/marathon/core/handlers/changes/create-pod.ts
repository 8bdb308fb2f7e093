import { err, ok } from '../../../../base/result.ts';
import { readPod } from '../../../definition/read-pod.ts';
import { publish } from '../../context.ts';
import { commit } from '../../tree/commit.ts';
import { claimedId, factsFor, refusalOf } from '../../tree/facts.ts';
import { groupAt, parentOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** A new pod. */
export const createPod: Changer<'createPod'> = (ctx, { document }, { force, caller }) => {
  const { state, env } = ctx;
  const pod = readPod(document, factsFor(ctx, claimedId(document), force), { version: Math.floor(env.wall) });
  if (!pod.ok) return err(refusalOf(pod.error));
  const { id } = pod.value;
  const known = state.current.get(id);
  if (known !== undefined) {
    return err({
      kind: 'exists',
      message: `${known.kind === 'pod' ? 'A pod' : 'An app'} with id [${id}] already exists.`,
    });
  }
  if (groupAt(state.root, id) !== undefined) {
    return err({ kind: 'exists', message: `A group with id [${id}] already exists: a pod needs an id of its own.` });
  }
  const done = commit(ctx, { root: state.root, specs: new Map([[id, pod.value]]), groupId: parentOf(id), force });
  if (!done.ok) return done;
  publish(ctx, 'pod_created_event', { clientIp: caller.clientIp, uri: caller.uri });
  return ok({ ok: true, started: done.value, created: state.current.get(id)!, createdId: id });
};
