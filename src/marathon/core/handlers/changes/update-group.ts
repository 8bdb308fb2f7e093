import { err, ok } from '../../../../base/result.ts';
import { canonicalPath } from '../../../definition/path-id.ts';
import { commit, draft } from '../../tree/commit.ts';
import { wishOf } from '../../tree/group-update.ts';
import type { Changer } from '../changer.ts';

/** A group becomes what is said of it; one that is not there is made. With `dryRun` only the steps are told. */
export const updateGroup: Changer<'updateGroup'> = (ctx, { id: base, document, dryRun }, { force }) => {
  const { state } = ctx;
  const named = (document as { readonly id?: unknown } | null)?.id;
  const id = typeof named === 'string' ? canonicalPath(named, base) : base;
  if (state.current.has(id)) return err({ kind: 'exists', message: `An app with the path ${id} already exists.` });
  const wish = wishOf(ctx, id, document, force);
  if (!wish.ok) return wish;
  if (dryRun) {
    const drafted = draft(ctx, wish.value);
    return drafted.ok ? ok({ ok: true, dryRun: drafted.value.plan.steps }) : drafted;
  }
  const done = commit(ctx, wish.value);
  return done.ok ? ok({ ok: true, started: done.value }) : done;
};
