import { commit } from '../../tree/commit.ts';
import { parentOf } from '../../tree/groups.ts';
import { started, unknownApp } from '../../tree/answers.ts';
import type { Changer } from '../change.ts';

/** Ends an app for good. */
export const deleteApp: Changer<'deleteApp'> = (ctx, { id }, { force }) => {
  const { state } = ctx;
  if (state.current.get(id)?.kind !== 'app') return unknownApp(id);
  return started(commit(ctx, { root: state.root, specs: new Map([[id, undefined]]), groupId: parentOf(id), force }));
};
