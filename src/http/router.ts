import { invariant } from '../base/invariant.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Endpoint } from './endpoint.ts';

/** A request target, taken apart. */
export interface Target {
  /** Percent-decoded segments of the path, empty ones left out (`//state/` is `/state`). */
  readonly segments: readonly string[];
  readonly trailingSlash: boolean;
  readonly query: ReadonlyMap<string, string>;
  /** The query as received, with its `?`; empty without one. */
  readonly search: string;
}

/** Takes a request target apart. @param target as in the request line: `/state?jsonp=f`, or with `http://host` in front */
export function parseTarget(target: string): Result<Target> {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
  if (!local.startsWith('/')) return err("Request URL path must start with '/'");
  const end = local.search(/[?#]/);
  const path = end < 0 ? local : local.slice(0, end);
  const search = end < 0 || local[end] === '#' ? '' : local.slice(end).replace(/#.*$/, '');
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    try {
      segments.push(decodeURIComponent(raw));
    } catch {
      return err(`The path segment '${raw}' is not percent-encoded correctly`);
    }
  }
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) query.set(name, value);
  return ok({ segments, trailingSlash: path.endsWith('/'), query, search });
}

/** Where a request goes. */
export interface Match {
  readonly endpoint: Endpoint;
  /** With the process in front, slashes collapsed: `/master/quota/ads`. */
  readonly path: string;
  /** What follows the endpoint's path: `` or `/ads`. */
  readonly rest: string;
}

/** Finds the endpoint of a request. */
export interface Router {
  match(target: Target): Match | undefined;
  /** The path with its process in front, also where nothing answers it: firewall rules are about these. */
  fullPath(target: Target): string;
}

/**
 * Routes as libprocess does: the first segment names a process, or else the delegate is meant; below the process the
 * longest registered prefix wins.
 * @param delegate the process that may be left out of a URL: `master`, `slave(1)`
 */
export function createRouter(endpoints: readonly Endpoint[], delegate: string): Router {
  const processes = new Map<string, Map<string, Endpoint>>();
  for (const endpoint of endpoints) {
    const paths = processes.get(endpoint.process) ?? new Map<string, Endpoint>();
    processes.set(endpoint.process, paths);
    for (const path of [endpoint.path, ...(endpoint.aliases ?? [])]) {
      const key = path.replace(/^\/+|\/+$/g, '');
      invariant(!paths.has(key), `two endpoints claim /${endpoint.process}/${key}`);
      paths.set(key, endpoint);
    }
  }
  const resolve = (target: Target): readonly string[] => {
    const [first] = target.segments;
    return first !== undefined && processes.has(first) ? target.segments : [delegate, ...target.segments];
  };
  return {
    fullPath: (target) => `/${resolve(target).join('/')}`,
    match: (target) => {
      const full = resolve(target);
      const paths = processes.get(full[0]!);
      if (paths === undefined) return undefined;
      for (let length = full.length - 1; length >= 0; length--) {
        const endpoint = paths.get(full.slice(1, length + 1).join('/'));
        if (endpoint === undefined) continue;
        const whole = length === full.length - 1;
        if (length === 0 && !whole && endpoint.match !== 'prefix') continue;
        if (endpoint.match === 'exact' && !(whole && !target.trailingSlash)) continue;
        const rest = whole ? '' : `/${full.slice(length + 1).join('/')}`;
        return { endpoint, path: `/${full.join('/')}`, rest };
      }
      return undefined;
    },
  };
}
