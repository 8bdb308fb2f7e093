import { err } from '../../../../base/result.ts';
import { canonicalPath } from '../../../definition/path-id.ts';
import { readAppUpdate } from '../../../definition/read-app.ts';
import type { Problem } from '../../../definition/types.ts';
import type { RunSpec } from '../../model.ts';
import { started } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { refusalOf } from '../../tree/facts.ts';
import type { Changer } from '../changer.ts';
import { updatedApp } from './update-app.ts';

/** Several apps at once, by one deployment. */
export const updateApps: Changer<'updateApps'> = (ctx, { document, mode }, { force }) => {
  if (!Array.isArray(document)) {
    const error = 'error.expected.jsarray';
    return err({ kind: 'malformed', problems: [{ path: '/', error }] });
  }
  const specs = new Map<string, RunSpec>();
  for (const [at, each] of document.entries()) {
    const update = readAppUpdate(each, ctx.options.definitions);
    if (!update.ok) return err(refusalOf(placed(update.error, at)));
    const { id } = update.value;
    if (id === undefined) {
      return err({ kind: 'malformed', problems: [{ path: `(${at})/id`, error: 'error.path.missing' }] });
    }
    const app = updatedApp(ctx, canonicalPath(id), update.value, mode, force);
    if (!app.ok) return app;
    specs.set(app.value.id, app.value);
  }
  return started(commit(ctx, { root: ctx.state.root, specs, groupId: '/', force }));
};

/** The same refusal, with the place of the app in the list in front of each path. */
function placed<T extends { readonly kind: string }>(refused: T, at: number): T {
  const { problems } = refused as { readonly problems?: readonly Problem[] };
  return problems === undefined
    ? refused
    : {
        ...refused,
        problems: problems.map(({ path, error }) => ({ path: `(${at})${path === '/' ? '' : path}`, error })),
      };
}
