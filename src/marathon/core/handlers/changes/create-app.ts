import { err, ok } from '../../../../base/result.ts';
import { readApp, readAppDocument } from '../../../definition/read-app.ts';
import { commit } from '../../tree/commit.ts';
import { factsFor, refusalOf } from '../../tree/facts.ts';
import { groupAt, parentOf } from '../../tree/groups.ts';
import { type Changer, publishPost } from '../changer.ts';

/** A new app. */
export const createApp: Changer<'createApp'> = (ctx, { document }, asked) => {
  const { state, env } = ctx;
  const read = readAppDocument({ value: document });
  if (!read.ok) return err(refusalOf(read.error));
  const { id } = read.value;
  const app = readApp(document, factsFor(ctx, id, asked.force), Math.floor(env.wall));
  if (!app.ok) return err(refusalOf(app.error));
  const known = state.current.get(id);
  if (known?.kind === 'app') return err({ kind: 'exists', message: `An app with id [${id}] already exists.` });
  if (known !== undefined) return err({ kind: 'exists', message: `A pod with id [${id}] already exists.` });
  if (groupAt(state.root, id) !== undefined) {
    return err({ kind: 'exists', message: `A group with id [${id}] already exists: an app needs an id of its own.` });
  }
  const specs = new Map([[id, app.value]]);
  const onAccepted = (): void => publishPost(ctx, asked, app.value);
  const done = commit(ctx, { root: state.root, specs, groupId: parentOf(id), force: asked.force, onAccepted });
  if (!done.ok) return done;
  return ok({ ok: true, started: done.value, created: state.current.get(id)!, createdId: id });
};
