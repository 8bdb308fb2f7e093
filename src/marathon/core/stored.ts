/**
 * What Marathon keeps in its store, key by key, and how it is written. The format has a version of its own: what an older
 * one wrote is read for ever, what a newer one wrote is refused.
 */
import type { Action, Group, Instance, Plan } from './model.ts';

/** Raised when something is stored that an older Marathon would misread. */
export const STORAGE_FORMAT = 1;

/** Where something stored cannot be used. */
export const WAY_OUT =
  'restore a backup with `meseta marathon restore`, or take this one record out of the store if it can be missed';

export const FORMAT_KEY = 'meta/format';
/** Left by a leader that was asked to: what the next one does before it leads. */
export const NEXT_LEADER_KEY = 'meta/next-leader';
/** While a backup is being brought back: what is in the store is not a whole state. */
export const RESTORING_KEY = 'meta/restoring';
export const FRAMEWORK_KEY = 'framework/id';

export interface StoredFramework {
  readonly id: string;
  readonly residentRoles?: readonly string[];
}

/** Names in keys are any text; ids of specs begin with a slash. */
export const instanceKey = (id: string): string => `instance/${id}`;
export const specKey = (id: string): string => `spec/${id}`;
/** Ids begin with a slash: `version/1700000000000/prod/web`. */
export const specVersionKey = (id: string, version: number): string => `version/${version}${id}`;
export const groupKey = (id: string): string => `group/${id}`;
export const rootVersionKey = (version: number): string => `root/${version}`;
export const deploymentKey = (id: string): string => `deployment/${id}`;
export const failureKey = (specId: string): string => `failure/${specId}`;

/** An instance as it is stored: its definition by version only. */
export type StoredInstance = Omit<Instance, 'spec'> & { readonly specVersion: number };

export function storedInstance({ spec, ...rest }: Instance): StoredInstance {
  return { ...rest, specVersion: spec.version };
}

/** What one change of the tree did: enough to find the way back to what was before. */
export interface StoredRootVersion {
  readonly version: number;
  /** Of each spec that changed: its version before; null where it was not there. */
  readonly specs: Readonly<Record<string, number | null>>;
  /** Of each group that changed: what it was before; null where it was not there. */
  readonly groups: Readonly<Record<string, StoredGroup | null>>;
}

export type StoredGroup = Pick<Group, 'id' | 'version' | 'enforceRole' | 'dependencies'>;

/** An action with its definition by version only. */
export type StoredAction = Omit<Action, 'spec'> & { readonly specId: string; readonly specVersion: number };

export interface StoredPlan {
  readonly id: string;
  readonly version: number;
  readonly steps: readonly (readonly StoredAction[])[];
  readonly changes: readonly {
    readonly id: string;
    readonly before?: number;
    readonly after?: number;
  }[];
}

export function storedPlan({ id, version, steps, changes }: Plan): StoredPlan {
  return {
    id,
    version,
    steps: steps.map((actions) =>
      actions.map(({ spec, ...rest }) => ({ ...rest, specId: spec.id, specVersion: spec.version })),
    ),
    changes: changes.map(({ id, before, after }) => ({
      id,
      ...(before && { before: before.version }),
      ...(after && { after: after.version }),
    })),
  };
}

export function storedGroup({ id, version, enforceRole, dependencies }: Group): StoredGroup {
  return { id, version, enforceRole, dependencies };
}
