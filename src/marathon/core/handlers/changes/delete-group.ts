import { started, unknownGroup } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { allSpecs, groupAt, parentOf, withoutGroup } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** Ends a group and all that is in it; without the root group, everything. */
export const deleteGroup: Changer<'deleteGroup'> = (ctx, { id }, { force }) => {
  const { root } = ctx.state;
  const group = groupAt(root, id);
  if (group === undefined) return unknownGroup(id);
  const specs = new Map([...allSpecs(group)].map((spec) => [spec.id, undefined]));
  return started(
    commit(ctx, { root: withoutGroup(root, id, root.version), specs, groupId: id === '/' ? '/' : parentOf(id), force }),
  );
};
