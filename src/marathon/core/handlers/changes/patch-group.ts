import { err, ok } from '../../../../base/result.ts';
import { unknownGroup } from '../../tree/answers.ts';
import { install } from '../../tree/commit.ts';
import { alterGroup, groupAt, segmentsOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** Whether the name of a top-level group is the role of all that is new in it. Nothing is started or ended. */
export const patchGroup: Changer<'patchGroup'> = (ctx, { id, document }) => {
  const { state, env } = ctx;
  const enforceRole = (document as { readonly enforceRole?: unknown } | null)?.enforceRole;
  if (typeof enforceRole !== 'boolean') {
    const path = '/enforceRole';
    const why = 'must be true or false: nothing else of a group can be changed by PATCH';
    return err({
      kind: 'malformed',
      problems: [
        { path, error: 'error.expected.jsboolean' },
        { path, error: why },
      ],
    });
  }
  if (groupAt(state.root, id) === undefined) return unknownGroup(id);
  if (segmentsOf(id).length !== 1) {
    const error = `enforceRole can only be set for top-level groups, and ${id} is not one`;
    return err({ kind: 'invalid', problems: [{ path: '/enforceRole', error }] });
  }
  const version = Math.max(Math.floor(env.wall), state.root.version + 1);
  install(ctx, { ...alterGroup(state.root, id, version, (group) => ({ ...group, enforceRole })), version }, []);
  return ok({ ok: true, killed: [] });
};
