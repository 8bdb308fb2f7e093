import { err, ok, type Result } from '../../../../base/result.ts';
import { rejectedChange } from '../../../definition/compare.ts';
import { writeInstant } from '../../../definition/instant.ts';
import { applyAppUpdate, isRollback, readAppUpdate, readWholeApp } from '../../../definition/read-app.ts';
import type { Refused } from '../../../definition/types.ts';
import type { Context } from '../../context.ts';
import type { App, Plan, RunSpec } from '../../model.ts';
import type { Refusal } from '../../outcome.ts';
import { unknownApp } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import { factsFor, refusalOf } from '../../tree/facts.ts';
import { groupAt, parentOf } from '../../tree/groups.ts';
import { type Changer, publishPost } from '../changer.ts';

type Mode = 'merge' | 'replace' | 'patch';

/** An app becomes what is said; or what it was in an earlier version. */
export const updateApp: Changer<'updateApp'> = (ctx, { id, document, mode }, asked) => {
  const { state } = ctx;
  const app = updatedApp(ctx, id, document, mode, asked.force);
  if (!app.ok) return app;
  const isNew = !state.current.has(id);
  const specs = new Map<string, RunSpec>([[id, app.value]]);
  const onAccepted = ({ changes }: Plan): void =>
    publishPost(ctx, asked, changes.find((change) => change.id === id)?.after ?? state.current.get(id)!);
  const done = commit(ctx, { root: state.root, specs, groupId: parentOf(id), force: asked.force, onAccepted });
  if (!done.ok) return done;
  return ok({ ok: true, started: done.value, ...(isNew && { createdId: id }) });
};

/** The app that an update makes. @param mode only `patch` refuses to create, and only `merge` and `patch` keep what is not said */
export function updatedApp(
  ctx: Context,
  id: string,
  document: unknown,
  mode: Mode,
  force: boolean,
): Result<App, Refusal> {
  const { state, env, options } = ctx;
  const known = state.current.get(id);
  if (known?.kind === 'pod') return err({ kind: 'exists', message: `A pod with id [${id}] already exists.` });
  if (known === undefined && mode === 'patch') return unknownApp(id);
  if (known === undefined && groupAt(state.root, id) !== undefined) {
    return err({ kind: 'exists', message: `A group with id [${id}] already exists: an app needs an id of its own.` });
  }
  const facts = factsFor(ctx, id, force);
  if ((known === undefined || mode === 'replace') && !isRollback(document)) {
    const { version = Math.floor(env.wall), versionInfo } = known ?? {};
    return checked(known, readWholeApp(document, id, facts, { version, versionInfo }));
  }
  const update = readAppUpdate(document, options.definitions);
  if (!update.ok) return err(refusalOf(update.error));
  if (known === undefined || update.value.version !== undefined) return earlier(ctx, id, update.value.version!);
  return checked(known, applyAppUpdate(update.value, known, facts));
}

function checked(known: App | undefined, app: Result<App, Refused>): Result<App, Refusal> {
  if (!app.ok) return err(refusalOf(app.error));
  const rejected = known === undefined ? [] : rejectedChange(known, app.value);
  return rejected.length > 0 ? err({ kind: 'invalid', problems: rejected }) : app;
}

function earlier({ state }: Context, id: string, version: number): Result<App, Refusal> {
  const app = state.history.get(id)?.get(version);
  if (app?.kind === 'app') return ok(app);
  const message = `Rolling back is not possible: app '${id}' has no version ${writeInstant(version)}`;
  return err({ kind: 'unprocessable', message: `${message}; GET /v2/apps${id}/versions lists those there are` });
}
