/** Ids of apps, pods and groups: paths like `/prod/db`. */
import type { Problem } from './types.ts';

const SEGMENT = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const DOTS: ReadonlySet<string> = new Set(['.', '..']);
/** What the API says after an id: nothing may be named so. */
const RESERVED: readonly string[] = ['restart', 'tasks', 'versions', '.', '..'];

/** Task ids hold the id, and Mesos takes those of up to 255 characters: an instance's name and an incarnation follow. */
const MAX_ID = 190;

/** The parts of a path: `/a/b` is `a`, `b`. Doubled, leading and trailing slashes count for nothing. */
export function pathSegments(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** The absolute path that `path` means inside `base`; `.` and `..` are followed. */
export function canonicalPath(path: string, base = '/'): string {
  const found: string[] = path.startsWith('/') ? [] : [...pathSegments(base)];
  for (const segment of pathSegments(path)) {
    if (segment === '..') found.pop();
    else if (segment !== '.') found.push(segment);
  }
  return `/${found.join('/')}`;
}

/** The group that something hangs in; the root hangs in itself. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

/** `/a/b` as `a_b`: how ids of instances and tasks begin, and names of what is stored. */
export function safePath(path: string): string {
  return pathSegments(path).join('_');
}

/** The path that `safePath` wrote: ids have no underscores of their own. */
export function fromSafePath(safe: string): string {
  return `/${safe
    .split('_')
    .filter((segment) => segment !== '')
    .join('/')}`;
}

/** The name that tasks have in Mesos: `/prod/db` is `db.prod`, as host names are read. */
export function taskName(path: string): string {
  return [...pathSegments(path)].reverse().join('.');
}

/** What is wrong with an absolute path as the id of an app, a pod or a group other than the root. */
export function pathProblems(path: string, at = '/id'): readonly Problem[] {
  const segments = pathSegments(path);
  const last = segments.at(-1);
  const problems: Problem[] = [];
  if (path.length > MAX_ID) {
    const error = `must have at most ${MAX_ID} characters, not ${path.length}: ids of tasks are made of it, and have to fit into 255`;
    return [{ path: at, error }];
  }
  if (!path.startsWith('/')) {
    problems.push({ path: at, error: `Path needs to be absolute: '${path}' does not begin with /` });
  }
  if (last === undefined) {
    return [...problems, { path: at, error: `Path must contain at least one path element, and '${path}' has none` }];
  }
  const bad = segments.find((segment) => !SEGMENT.test(segment) && !DOTS.has(segment));
  if (bad !== undefined) {
    problems.push({
      path: at,
      error: `must fully match regular expression '${SEGMENT.source}' in each part: lower case letters, digits, dots and inner hyphens; '${bad}' does not`,
    });
  }
  if (RESERVED.includes(last)) {
    problems.push({
      path: at,
      error: `must not end with any of the following reserved keywords: ${RESERVED.join(', ')}`,
    });
  }
  return problems;
}

/** Whether `path` is a member of the group `group` itself, not of one of its groups. */
export function isChildOf(path: string, group: string): boolean {
  return path !== '/' && parentPath(path) === group;
}
