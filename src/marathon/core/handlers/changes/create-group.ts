import { err, ok } from '../../../../base/result.ts';
import { canonicalPath } from '../../../definition/path-id.ts';
import { commit } from '../../tree/commit.ts';
import { wishOf } from '../../tree/group-update.ts';
import { groupAt } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** A new group with what is in it. The root is always there already. */
export const createGroup: Changer<'createGroup'> = (ctx, { id: base, document }, { force }) => {
  const { state } = ctx;
  const named = (document as { readonly id?: unknown } | null)?.id;
  const id = typeof named === 'string' ? canonicalPath(named, base) : base;
  if (state.current.has(id)) return err({ kind: 'exists', message: `An app with the path ${id} already exists.` });
  if (groupAt(state.root, id) !== undefined) {
    return err({ kind: 'exists', message: `Group ${id} is already created. Use PUT to change this group.` });
  }
  const wish = wishOf(ctx, id, document, force);
  if (!wish.ok) return wish;
  const done = commit(ctx, wish.value);
  return done.ok ? ok({ ok: true, started: done.value, createdId: id }) : done;
};
