/** Where the API has what an id names. */

/** What the API has below an object of its own, by whose names nothing can be called. */
const TAKEN = /(^|\/)(tasks|versions|restart)$/;

/**
 * The path of an app, a group or a pod. The id's first slash may be left out; the root is one of groups.
 * @throws Error for what cannot be an id, before anybody is asked: `?` or `::` in it would ask for something else
 */
export function pathOf(collection: 'apps' | 'groups' | 'pods' | 'why', id: string): string {
  const path = id.replace(/^\/+|\/+$/g, '');
  if (path === '' && collection === 'groups') return '/v2/groups';
  if (!/^[\w./-]+$/.test(path) || TAKEN.test(path)) {
    throw new Error(
      `'${id}' is no id: write one as /shop/front, with lower-case letters, digits, - and . between slashes`,
    );
  }
  return `/v2/${collection}/${path}`;
}
