/** From JSON to what is to become of a group: the fields, then the rules for groups, then each app in it. */
import { err, ok, type Result } from '../../base/result.ts';
import { type AppDocument, appKind } from './app-fields.ts';
import { decimal, flag, instant, type Kind, list, refuse } from './kind.ts';
import { canonicalPath, isChildOf, pathProblems, pathSegments } from './path-id.ts';
import { completeAppDocument } from './read-app.ts';
import { optional, record } from './record.ts';
import { brokenIf, FINE } from './rule.ts';
import { pathId } from './shared-fields.ts';
import type { App, DefinitionContext, GroupUpdate, Problem, Refused, RoleFacts } from './types.ts';

/** Groups inside groups: enough for anyone, and little enough to be walked by recursion. */
const MAX_DEPTH = 64;

interface GroupDocument {
  readonly id?: string;
  readonly apps?: readonly AppDocument[];
  readonly groups?: readonly GroupDocument[];
  readonly dependencies?: readonly string[];
  readonly scaleBy?: number;
  readonly version?: number;
  readonly enforceRole?: boolean;
}

function groupKindAt(depth: number): Kind<GroupDocument> {
  const inner: Kind<GroupDocument> = {
    read: (value, path, problems) =>
      depth >= MAX_DEPTH
        ? refuse(problems, path, 'error.maxLength', `groups may lie at most ${MAX_DEPTH} deep`)
        : groupKindAt(depth + 1).read(value, path, problems),
    write: (value) => groupKind.write(value),
    schema: { $ref: '#' },
  };
  return record({
    id: optional(pathId, 'Path of the group; within another group, its name.'),
    apps: optional(list(appKind, { unique: true }), 'The apps of the group: others are stopped.'),
    groups: optional(list(inner, { unique: true }), 'The groups in the group: others are removed.'),
    dependencies: optional(list(pathId, { unique: true }), 'What has to run before anything in the group.'),
    scaleBy: optional(decimal({ minimum: 0 }), 'Alone: multiplies the instances of all apps in the group.'),
    version: optional(instant, 'Alone: back to this version.'),
    enforceRole: optional(flag, 'Whether all in the group have its name as role; for top-level groups.'),
  });
}
export const groupKind = groupKindAt(0);

export interface GroupFacts {
  readonly context: DefinitionContext;
  /**
   * Roles that an app may have.
   * @param enforceRole what the update says of its top-level group, if anything
   */
  readonly rolesOf: (appId: string, enforceRole: boolean | undefined) => RoleFacts;
  /** Version of the apps. */
  readonly now: number;
}

/**
 * @param base the group that the request names
 * @returns the update with absolute ids, and apps as they would be created
 */
export function readGroupUpdate(value: unknown, base: string, facts: GroupFacts): Result<GroupUpdate, Refused> {
  const problems: Problem[] = [];
  const document = groupKind.read(value, '', problems);
  if (document === undefined) return err({ kind: 'schema', problems });
  const id = canonicalPath(document.id ?? '', base);
  const broken = groupProblems(document, id, '');
  if (broken.length > 0) return err({ kind: 'rules', problems: broken });
  return updateOf(document, id, { facts, path: '', enforceRole: undefined });
}

function groupProblems(document: GroupDocument, id: string, path: string): readonly Problem[] {
  const { apps = [], groups = [], enforceRole } = document;
  return [
    ...onlyField(document, 'version', path),
    ...onlyField(document, 'scaleBy', path),
    ...(id === '/' ? FINE : pathProblems(id, `${path}/id`)),
    ...brokenIf(
      enforceRole === true && pathSegments(id).length !== 1,
      `${path}/enforceRole`,
      `enforceRole can only be set for top-level groups, and ${id} is not top-level`,
    ),
    ...apps.flatMap((app, at) => childProblems(canonicalPath(app.id, id), id, `${path}/apps(${at})/id`)),
    ...groups.flatMap((group, at) => {
      const inner = `${path}/groups(${at})`;
      if (group.id === undefined) return brokenIf(true, `${inner}/id`, 'not defined: groups within a group need an id');
      const child = canonicalPath(group.id, id);
      return [...childProblems(child, id, `${inner}/id`), ...groupProblems(group, child, inner)];
    }),
  ];
}

function childProblems(child: string, group: string, path: string): readonly Problem[] {
  return brokenIf(!isChildOf(child, group), path, `Identifier is not child of '${group}': ${child}`);
}

function onlyField(document: GroupDocument, name: 'version' | 'scaleBy', path: string): readonly Problem[] {
  const others = Object.keys(document).filter(
    (key) => key !== name && document[key as keyof GroupDocument] !== undefined,
  );
  return brokenIf(
    document[name] !== undefined && others.length > 0,
    `${path}/${name}`,
    `not allowed in conjunction with other properties. Leave out ${others.join(', ')}`,
  );
}

interface Place {
  readonly facts: GroupFacts;
  readonly path: string;
  readonly enforceRole: boolean | undefined;
}

function updateOf(document: GroupDocument, id: string, place: Place): Result<GroupUpdate, Refused> {
  const { facts, path } = place;
  const isTopLevel = pathSegments(id).length === 1;
  const enforceRole = isTopLevel ? document.enforceRole : place.enforceRole;
  const apps: App[] = [];
  for (const [at, app] of (document.apps ?? []).entries()) {
    const read = appOfGroup(app, id, { facts, path: `${path}/apps(${at})`, enforceRole });
    if (!read.ok) return read;
    apps.push(read.value);
  }
  const groups: GroupUpdate[] = [];
  for (const [at, group] of (document.groups ?? []).entries()) {
    const inner = { facts, path: `${path}/groups(${at})`, enforceRole };
    const read = updateOf(group, canonicalPath(group.id ?? '', id), inner);
    if (!read.ok) return read;
    groups.push(read.value);
  }
  return ok({
    ...document,
    id,
    apps: document.apps && apps,
    groups: document.groups && groups,
    dependencies: document.dependencies?.map((each) => canonicalPath(each, id)),
  });
}

/** Problems of an app are told with its place in the update. */
function appOfGroup(document: AppDocument, group: string, { facts, path, enforceRole }: Place): Result<App, Refused> {
  const id = canonicalPath(document.id, group);
  const dependencies = document.dependencies.map((each) => canonicalPath(each, group));
  const roles = facts.rolesOf(id, enforceRole);
  const app = completeAppDocument(
    { ...document, id, dependencies },
    { context: facts.context, roles },
    { version: facts.now },
  );
  if (app.ok || app.error.kind === 'normalization') return app;
  const problems = app.error.problems.map(({ path: at, error }) => ({
    path: at === '/' ? path : `${path}${at}`,
    error,
  }));
  return err({ kind: app.error.kind, problems });
}
