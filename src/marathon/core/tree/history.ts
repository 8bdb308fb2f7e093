/** Earlier trees. What is kept of a change is what it replaced; going back from the present gives each tree in turn. */
import type { Group, RunSpec } from '../model.ts';
import type { RootVersion } from '../state.ts';
import type { StoredRootVersion } from '../stored.ts';
import { alterGroup, groupAt, withoutGroup, withoutSpec, withSpec } from './groups.ts';

/** @param roots oldest first  @returns all trees that can be made, oldest first; the present one is the last */
export function rootVersionsOf(
  present: Group,
  roots: readonly StoredRootVersion[],
  history: ReadonlyMap<string, ReadonlyMap<number, RunSpec>>,
): RootVersion[] {
  const versions: RootVersion[] = [{ version: present.version, root: present }];
  let root = present;
  for (let at = roots.length - 1; at > 0; at--) {
    const before = roots[at - 1]!.version;
    const earlier = undo(root, roots[at]!, before, history);
    // A definition that is no longer kept: the trees before that cannot be told.
    if (earlier === undefined) break;
    root = earlier;
    versions.push({ version: before, root });
  }
  return versions.reverse();
}

function undo(
  root: Group,
  change: StoredRootVersion,
  version: number,
  history: ReadonlyMap<string, ReadonlyMap<number, RunSpec>>,
): Group | undefined {
  let earlier = root;
  for (const [id, before] of Object.entries(change.specs)) {
    const spec = before === null ? undefined : history.get(id)?.get(before);
    if (before !== null && spec === undefined) return undefined;
    earlier = spec === undefined ? withoutSpec(earlier, id, version) : withSpec(earlier, spec, version);
  }
  for (const [id, before] of Object.entries(change.groups)) {
    if (before !== null) {
      earlier = alterGroup(earlier, id, before.version, (group) => ({ ...group, ...before }));
    } else if (groupAt(earlier, id) !== undefined) {
      earlier = withoutGroup(earlier, id, version);
    }
  }
  return { ...earlier, version };
}
