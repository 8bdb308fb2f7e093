import { err, ok } from '../../../../base/result.ts';
import { rejectedChange } from '../../../definition/compare.ts';
import { readPod } from '../../../definition/read-pod.ts';
import { publish } from '../../context.ts';
import { commit } from '../../tree/commit.ts';
import { factsFor, refusalOf } from '../../tree/facts.ts';
import { parentOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** A pod becomes what is said; one that is not there is made. */
export const updatePod: Changer<'updatePod'> = (ctx, { id, document }, { force, caller }) => {
  const { state, env } = ctx;
  const pod = readPod(document, factsFor(ctx, id, force), { version: Math.floor(env.wall) });
  if (!pod.ok) return err(refusalOf(pod.error));
  if (pod.value.id !== id) {
    return err({ kind: 'badRequest', message: `The document is of pod ${pod.value.id}, but ${id} was asked for` });
  }
  const known = state.current.get(id);
  if (known?.kind === 'app') return err({ kind: 'exists', message: `An app with id [${id}] already exists.` });
  const rejected = known === undefined ? [] : rejectedChange(known, pod.value);
  if (rejected.length > 0) return err({ kind: 'invalid', problems: rejected });
  const done = commit(ctx, { root: state.root, specs: new Map([[id, pod.value]]), groupId: parentOf(id), force });
  if (!done.ok) return done;
  publish(ctx, 'pod_updated_event', { clientIp: caller.clientIp, uri: caller.uri });
  return ok({ ok: true, started: done.value, created: state.current.get(id)! });
};
