/** What a group update asks for: the tree and the apps in it as they shall be. */
import { err, ok, type Result } from '../../../base/result.ts';
import { rejectedChange } from '../../definition/compare.ts';
import { writeInstant } from '../../definition/instant.ts';
import { isObject } from '../../definition/kind.ts';
import { readGroupUpdate } from '../../definition/read-group.ts';
import type { GroupUpdate, Problem } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { Group, RunSpec } from '../model.ts';
import type { Refusal } from '../outcome.ts';
import type { Wish } from './commit.ts';
import { refusalOf, rolesFor } from './facts.ts';
import { allApps, allSpecs, emptyGroup, groupAt, segmentsOf, withGroup, withoutGroup } from './groups.ts';

interface Drawing {
  readonly ctx: Context;
  root: Group;
  readonly specs: Map<string, RunSpec | undefined>;
}

/** @param id of the group, absolute */
export function wishOf(ctx: Context, id: string, document: unknown, force: boolean): Result<Wish, Refusal> {
  const read = readGroupUpdate(withId(document, id), id, {
    context: ctx.options.definitions,
    rolesOf: (spec, enforced) => rolesFor(ctx, spec, force, enforced),
    now: Math.floor(ctx.env.wall),
  });
  if (!read.ok) return err(refusalOf(read.error));
  const update: GroupUpdate = { ...read.value, id };
  const roles = roleChanges(ctx, update);
  if (roles.length > 0) return err({ kind: 'invalid', problems: roles });
  if (update.version !== undefined) return rolledBack(ctx, id, update.version, force);
  if (update.scaleBy !== undefined) return scaled(ctx, id, update.scaleBy, force);
  const drawing: Drawing = { ctx, root: ctx.state.root, specs: new Map() };
  draw(drawing, update);
  for (const spec of drawing.specs.values()) {
    const known = spec && ctx.state.current.get(spec.id);
    const rejected = spec && known?.kind === spec.kind ? rejectedChange(known, spec) : [];
    if (rejected.length > 0) return err({ kind: 'invalid', problems: rejected });
  }
  return ok({ root: drawing.root, specs: drawing.specs, groupId: id, force });
}

/** Whose role apps have is not changed together with the apps: it would not be clear which of both an app was meant for. */
function roleChanges({ state }: Context, update: GroupUpdate): readonly Problem[] {
  if (!hasApps(update)) return [];
  const isRoot = update.id === '/';
  return (isRoot ? (update.groups ?? []) : [update]).flatMap(({ id, enforceRole }, at) => {
    const known = groupAt(state.root, id);
    if (enforceRole === undefined || known === undefined || known.enforceRole === enforceRole) return [];
    const error =
      'enforceRole cannot be modified in a request that adds, removes or modifies services: make these changes in requests of their own';
    return [{ path: isRoot ? `/groups(${at})/enforceRole` : '/enforceRole', error }];
  });
}

function hasApps({ apps, groups }: GroupUpdate): boolean {
  return apps !== undefined || (groups ?? []).some(hasApps);
}

/** The id of the document, if it says one, is the one that it means where the request puts it. */
function withId(document: unknown, id: string): unknown {
  return isObject(document) && typeof document.id === 'string' ? { ...document, id } : document;
}

/** Lists that are given replace what is there; what is not said stays. Pods stay as they are. */
function draw(drawing: Drawing, { id, apps, groups, dependencies, enforceRole }: GroupUpdate): void {
  const { ctx, specs } = drawing;
  const version = Math.max(Math.floor(ctx.env.wall), ctx.state.root.version + 1);
  const known = groupAt(drawing.root, id);
  const isTop = segmentsOf(id).length === 1;
  const group: Group = known ?? { ...emptyGroup(id, version), enforceRole: isTop && ctx.options.newGroupEnforceRole };
  const altered: Group = {
    ...group,
    version,
    dependencies: dependencies ?? group.dependencies,
    enforceRole: enforceRole ?? group.enforceRole,
  };
  drawing.root = id === '/' ? altered : withGroup(drawing.root, altered, version);
  if (apps !== undefined) {
    const wanted = new Set(apps.map((app) => app.id));
    for (const old of group.apps.keys()) if (!wanted.has(old)) specs.set(old, undefined);
    for (const app of apps) specs.set(app.id, app);
  }
  if (groups === undefined) return;
  const wanted = new Set(groups.map((each) => each.id));
  for (const child of group.groups.values()) {
    if (wanted.has(child.id)) continue;
    removeGroup(drawing, child, version);
  }
  for (const child of groups) draw(drawing, child);
}

/** A group that is not named any more goes, but for what holds pods: those cannot be written through groups. */
function removeGroup(drawing: Drawing, group: Group, version: number): void {
  let hasPods = false;
  for (const spec of allSpecs(group)) {
    if (spec.kind === 'app') drawing.specs.set(spec.id, undefined);
    else hasPods = true;
  }
  if (!hasPods) drawing.root = withoutGroup(drawing.root, group.id, version);
}

function rolledBack(ctx: Context, id: string, version: number, force: boolean): Result<Wish, Refusal> {
  const { state } = ctx;
  const old = state.rootVersions.find((each) => each.version === version)?.root;
  const before = old && groupAt(old, id);
  if (before === undefined) {
    return err({
      kind: 'unprocessable',
      message: `Group ${id} has no version ${writeInstant(version)}; GET /v2/groups${id === '/' ? '' : id}/versions lists those there are`,
    });
  }
  const specs = new Map<string, RunSpec | undefined>();
  const present = groupAt(state.root, id);
  if (present) for (const spec of allSpecs(present)) specs.set(spec.id, undefined);
  for (const spec of allSpecs(before)) specs.set(spec.id, spec);
  return ok({ root: withGroup(state.root, before, state.root.version), specs, groupId: id, force });
}

function scaled(ctx: Context, id: string, factor: number, force: boolean): Result<Wish, Refusal> {
  const { state } = ctx;
  const group = groupAt(state.root, id);
  if (group === undefined) return err({ kind: 'notFound', message: `Group '${id}' does not exist` });
  const specs = new Map<string, RunSpec>();
  for (const app of allApps(group)) specs.set(app.id, { ...app, instances: Math.ceil(app.instances * factor) });
  return ok({ root: state.root, specs, groupId: id, force });
}
