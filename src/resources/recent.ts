import type { Resource } from '../wire/v1.ts';
import { Resources } from './resources.ts';

/** Of lists that were read lately. */
const known = new Map<readonly Resource[], Resources>();
const MOST = 256;

/** As `Resources.of`, for a list that nobody changes and that is likely to come again: what is the same list is the same object then. */
export function recentResources(list: readonly Resource[]): Resources {
  const found = known.get(list);
  if (found !== undefined) return found;
  if (known.size >= MOST) known.clear();
  const resources = Resources.of(list);
  known.set(list, resources);
  return resources;
}
