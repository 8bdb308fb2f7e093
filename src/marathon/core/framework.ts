/** What must be known of this framework when another leader comes back as it. */
import type { Context } from './context.ts';
import { FRAMEWORK_KEY, type StoredFramework } from './stored.ts';

/** Stores who this framework is, and where something may be reserved for it. */
export function keepFramework({ state, emit }: Context): void {
  const { frameworkId: id, residentRoles: roles } = state;
  if (id === undefined) return;
  const value: StoredFramework = { id, ...(roles.size > 0 && { residentRoles: [...roles].sort() }) };
  emit({ kind: 'store', key: FRAMEWORK_KEY, value });
}
