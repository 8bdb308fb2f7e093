import { err } from '../../../../base/result.ts';
import { isObject } from '../../../definition/kind.ts';
import { canonicalPath } from '../../../definition/path-id.ts';
import type { Problem } from '../../../definition/types.ts';
import type { RunSpec } from '../../model.ts';
import type { Refusal } from '../../outcome.ts';
import { started } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import type { Changer } from '../changer.ts';
import { updatedApp } from './update-app.ts';

/** Several apps at once, by one deployment. */
export const updateApps: Changer<'updateApps'> = (ctx, { document, mode }, { force }) => {
  if (!Array.isArray(document)) return err(malformed('/', 'error.expected.jsarray', 'must be a list of apps'));
  const specs = new Map<string, RunSpec>();
  for (const [at, each] of document.entries()) {
    if (!isObject(each)) return err(malformed(`(${at})`, 'error.expected.jsobject', 'must be an app'));
    const { id } = each;
    if (typeof id !== 'string') {
      return err(malformed(`(${at})/id`, 'error.path.missing', 'is missing: each app has to say which one it is'));
    }
    const app = updatedApp(ctx, canonicalPath(id), each, mode, force);
    if (!app.ok) return err(placed(app.error, at));
    specs.set(app.value.id, app.value);
  }
  return started(commit(ctx, { root: ctx.state.root, specs, groupId: '/', force }));
};

function malformed(path: string, code: string, why: string): Refusal {
  return {
    kind: 'malformed',
    problems: [
      { path, error: code },
      { path, error: why },
    ],
  };
}

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
