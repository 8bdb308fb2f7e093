/** The tree of groups, as values: every operation answers a new tree that shares all it did not touch. */
import type { App, Group, Pod, RunSpec } from '../model.ts';

/** The parts of an absolute id: `/a/b` is `a`, `b`. */
export function segmentsOf(id: string): readonly string[] {
  return id === '/' ? [] : id.slice(1).split('/');
}

/** The group that something hangs in; the root hangs in itself. */
export function parentOf(id: string): string {
  const at = id.lastIndexOf('/');
  return at <= 0 ? '/' : id.slice(0, at);
}

/** The group of this id. */
export function groupAt(root: Group, id: string): Group | undefined {
  let group: Group | undefined = root;
  for (const ancestor of lineage(id).slice(1)) group = group?.groups.get(ancestor);
  return group;
}

/** Ids from the root down to this one: `/`, `/a`, `/a/b`. */
export function lineage(id: string): readonly string[] {
  let path = '';
  return ['/', ...segmentsOf(id).map((segment) => (path += `/${segment}`))];
}

/** Groups that are in `after` and not in `before`, of both the same one. */
export function* newGroups(before: Group | undefined, after: Group): Generator<string> {
  for (const [id, group] of after.groups) {
    const old = before?.groups.get(id);
    if (old === group) continue;
    if (old === undefined) yield id;
    yield* newGroups(old, group);
  }
}

/** Whether there is an app or a pod of this id. */
export function hasSpec(root: Group, id: string): boolean {
  const parent = groupAt(root, parentOf(id));
  return parent !== undefined && (parent.apps.has(id) || parent.pods.has(id));
}

export function emptyGroup(id: string, version: number): Group {
  return {
    id,
    apps: new Map(),
    pods: new Map(),
    groups: new Map(),
    dependencies: [],
    version,
    enforceRole: false,
  };
}

/** @param alter gets the group of this id, which is made if need be, and answers what it shall be */
export function alterGroup(root: Group, id: string, version: number, alter: (group: Group) => Group): Group {
  const path = lineage(id);
  const descend = (group: Group, depth: number): Group => {
    const next = path[depth + 1];
    if (next === undefined) return alter(group);
    const groups = new Map(group.groups);
    groups.set(next, descend(group.groups.get(next) ?? emptyGroup(next, version), depth + 1));
    return { ...group, groups, version };
  };
  return descend(root, 0);
}

/** With this app or pod, in place of the one that had its id. */
export function withSpec(root: Group, spec: RunSpec, version: number): Group {
  return alterGroup(root, parentOf(spec.id), version, (group) =>
    spec.kind === 'app'
      ? { ...group, version, apps: new Map(group.apps).set(spec.id, spec) }
      : { ...group, version, pods: new Map(group.pods).set(spec.id, spec) },
  );
}

/** Without this app or pod; its group stays. */
export function withoutSpec(root: Group, id: string, version: number): Group {
  if (groupAt(root, parentOf(id)) === undefined) return root;
  return alterGroup(root, parentOf(id), version, (group) => {
    const apps = new Map(group.apps);
    const pods = new Map(group.pods);
    apps.delete(id);
    pods.delete(id);
    return { ...group, version, apps, pods };
  });
}

/** With this group and all that is in it. */
export function withGroup(root: Group, group: Group, version: number): Group {
  return group.id === '/' ? group : alterGroup(root, group.id, version, () => group);
}

/** Without this group and all that is in it; without the root, everything is gone. */
export function withoutGroup(root: Group, id: string, version: number): Group {
  if (id === '/') return emptyGroup('/', version);
  if (groupAt(root, id) === undefined) return root;
  return alterGroup(root, parentOf(id), version, (group) => {
    const groups = new Map(group.groups);
    groups.delete(id);
    return { ...group, version, groups };
  });
}

/** What is changed in place while a whole tree is made; nobody else has it yet. */
interface Growing extends Group {
  readonly apps: Map<string, App>;
  readonly pods: Map<string, Pod>;
  readonly groups: Map<string, Growing>;
  dependencies: readonly string[];
  version: number;
  enforceRole: boolean;
}

/** What a group says of itself, without what hangs in it. */
export type GroupFacts = Pick<Group, 'id' | 'version' | 'enforceRole' | 'dependencies'>;

/**
 * A tree made at once of all that hangs in it: one change after the other would copy large groups again and again.
 * @param groups parents before their children; a group has the version of the last one below it
 */
export function treeOf(groups: readonly GroupFacts[], specs: Iterable<RunSpec>, version: number): Group {
  const growing = (id: string): Growing => emptyGroup(id, version) as Growing;
  const root = growing('/');
  const reach = (id: string, newest: number): Growing => {
    let group = root;
    group.version = newest;
    for (const next of lineage(id).slice(1)) {
      const known = group.groups.get(next) ?? growing(next);
      group.groups.set(next, known);
      known.version = newest;
      group = known;
    }
    return group;
  };
  for (const facts of groups) reach(facts.id, facts.version);
  for (const spec of specs) {
    const group = reach(parentOf(spec.id), spec.version);
    if (spec.kind === 'app') group.apps.set(spec.id, spec);
    else group.pods.set(spec.id, spec);
  }
  // Going down the tree has touched versions along the way.
  for (const { id, version: own, enforceRole, dependencies } of groups) {
    Object.assign(reach(id, own), { version: own, enforceRole, dependencies });
  }
  return root;
}

/** The group and all groups below it. */
export function* allGroups(group: Group): Generator<Group> {
  yield group;
  for (const child of group.groups.values()) yield* allGroups(child);
}

/** All apps and pods in it and below it. */
export function* allSpecs(group: Group): Generator<RunSpec> {
  for (const each of allGroups(group)) {
    yield* each.apps.values();
    yield* each.pods.values();
  }
}

/** All apps in it and below it. */
export function* allApps(group: Group): Generator<App> {
  for (const each of allGroups(group)) yield* each.apps.values();
}

/** All pods in it and below it. */
export function* allPods(group: Group): Generator<Pod> {
  for (const each of allGroups(group)) yield* each.pods.values();
}

/** The app or pod of this id. */
export function specAt(root: Group, id: string): RunSpec | undefined {
  const group = groupAt(root, parentOf(id));
  return group?.apps.get(id) ?? group?.pods.get(id);
}

/** Whether the top-level group that this hangs in makes its name the role of all in it. */
export function enforcesRole(root: Group, id: string): boolean {
  const [top, second] = segmentsOf(id);
  return second !== undefined && groupAt(root, `/${top}`)?.enforceRole === true;
}
