import { started, unknownApp } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { parentOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** Ends an app for good. */
export const deleteApp: Changer<'deleteApp'> = (ctx, { id }, { force }) => {
  const { state } = ctx;
  if (state.current.get(id)?.kind !== 'app') return unknownApp(id);
  return started(commit(ctx, { root: state.root, specs: new Map([[id, undefined]]), groupId: parentOf(id), force }));
};
