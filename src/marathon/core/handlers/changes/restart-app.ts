import { started, unknownApp } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { parentOf } from '../../tree/groups.ts';
import type { Changer } from '../changer.ts';

/** Replaces all instances of an app by new ones, by its upgrade strategy. */
export const restartApp: Changer<'restartApp'> = (ctx, { id }, { force }) => {
  const { state } = ctx;
  const app = state.current.get(id);
  if (app?.kind !== 'app') return unknownApp(id);
  return started(
    commit(ctx, {
      root: state.root,
      specs: new Map([[id, app]]),
      restarts: new Set([id]),
      groupId: parentOf(id),
      force,
    }),
  );
};
