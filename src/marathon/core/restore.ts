/** Makes the state anew from what was stored. What does not fit together ends the start: guessing would kill tasks. */
import { err, ok, type Result } from '../../base/result.ts';
import { isResident } from '../definition/compare.ts';
import type { Action, Deployment, Instance, Plan, RunSpec, TaskFailure } from './model.ts';
import { type MarathonState, newState, specRecord } from './state.ts';
import {
  FRAMEWORK_KEY,
  type StoredAction,
  type StoredFramework,
  type StoredGroup,
  type StoredInstance,
  type StoredPlan,
  type StoredRootVersion,
  WAY_OUT,
} from './stored.ts';
import { problemWith, type StoredValues, storedFormat } from './stored-form.ts';
import { treeOf } from './tree/groups.ts';
import { rootVersionsOf } from './tree/history.ts';

export { type StoredValues, storedFormat };

interface Sorted {
  readonly versions: Map<string, Map<number, RunSpec>>;
  readonly current: Map<string, number>;
  readonly groups: StoredGroup[];
  readonly roots: StoredRootVersion[];
  readonly instances: StoredInstance[];
  readonly plans: StoredPlan[];
  readonly failures: TaskFailure[];
}

/** @returns the state, or what does not fit, with the key that says so */
export function restoreState(values: StoredValues, now: number): Result<MarathonState> {
  const wrong = problemWith(values);
  if (wrong !== undefined) return err(wrong);
  const state = newState(now);
  const sorted = sort(values);
  for (const [id, versions] of sorted.versions) state.history.set(id, versions);
  const tree = restoreTree(state, sorted);
  if (!tree.ok) return tree;
  for (const stored of sorted.instances) {
    const instance = restoreInstance(state, stored);
    if (!instance.ok) return instance;
  }
  for (const stored of sorted.plans) {
    const plan = restorePlan(state, stored);
    if (!plan.ok) return plan;
  }
  for (const failure of sorted.failures) specRecord(state, failure.specId).lastFailure = failure;
  const framework = values.get(FRAMEWORK_KEY) as Partial<StoredFramework> | undefined;
  if (framework?.id !== undefined) state.frameworkId = framework.id;
  for (const role of framework?.residentRoles ?? []) state.residentRoles.add(role);
  // Stored before such roles were.
  for (const versions of state.history.values()) {
    for (const spec of versions.values()) if (isResident(spec)) state.residentRoles.add(spec.role);
  }
  return ok(state);
}

function sort(values: StoredValues): Sorted {
  const sorted: Sorted = {
    versions: new Map(),
    current: new Map(),
    groups: [],
    roots: [],
    instances: [],
    plans: [],
    failures: [],
  };
  for (const [key, value] of values) {
    const kind = key.slice(0, key.indexOf('/'));
    if (kind === 'version') {
      const spec = value as RunSpec;
      const known = sorted.versions.get(spec.id) ?? new Map<number, RunSpec>();
      sorted.versions.set(spec.id, known.set(spec.version, spec));
    } else if (kind === 'spec') {
      const { id, version } = value as { readonly id: string; readonly version: number };
      sorted.current.set(id, version);
    } else if (kind === 'group') sorted.groups.push(value as StoredGroup);
    else if (kind === 'root') sorted.roots.push(value as StoredRootVersion);
    else if (kind === 'instance') sorted.instances.push(value as StoredInstance);
    else if (kind === 'deployment') sorted.plans.push(value as StoredPlan);
    else if (kind === 'failure') sorted.failures.push(value as TaskFailure);
  }
  sorted.roots.sort((a, b) => a.version - b.version);
  return sorted;
}

function restoreTree(state: MarathonState, sorted: Sorted): Result<void> {
  for (const [id, version] of sorted.current) {
    const spec = state.history.get(id)?.get(version);
    if (spec === undefined)
      return err(`spec/${id} has version ${version}, of which there is no definition; ${WAY_OUT}`);
    state.current.set(id, spec);
  }
  // Parents before children: an id is shorter than those below it.
  const groups = sorted.groups.sort((a, b) => a.id.length - b.id.length);
  const root = treeOf(groups, state.current.values(), state.root.version);
  const newest = sorted.roots.at(-1)?.version;
  state.root = newest === undefined ? root : { ...root, version: newest };
  state.rootVersions = rootVersionsOf(state.root, sorted.roots, state.history);
  return ok(undefined);
}

function restoreInstance(state: MarathonState, { specVersion, ...rest }: StoredInstance): Result<void> {
  const spec = state.history.get(rest.specId)?.get(specVersion);
  if (spec === undefined)
    return err(`instance/${rest.id} has version ${specVersion}, of which there is no definition; ${WAY_OUT}`);
  const instance: Instance = { ...rest, spec };
  state.instances.set(instance.id, instance);
  return ok(undefined);
}

function restorePlan(state: MarathonState, stored: StoredPlan): Result<void> {
  const versionOf = (id: string, version: number): RunSpec | undefined => state.history.get(id)?.get(version);
  const steps: Action[][] = [];
  for (const actions of stored.steps) {
    const step: Action[] = [];
    for (const { specId, specVersion, ...rest } of actions as readonly StoredAction[]) {
      const spec = versionOf(specId, specVersion);
      if (spec === undefined)
        return err(
          `deployment/${stored.id} is about version ${specVersion} of ${specId}, of which there is no definition; ${WAY_OUT}`,
        );
      step.push({ ...rest, spec });
    }
    steps.push(step);
  }
  const changes = stored.changes.map(({ id, before, after }) => {
    const old = before === undefined ? undefined : versionOf(id, before);
    const next = after === undefined ? undefined : versionOf(id, after);
    return { id, ...(old && { before: old }), ...(next && { after: next }) };
  });
  const plan: Plan = { id: stored.id, version: stored.version, steps, changes };
  const deployment: Deployment = { plan, step: 0, done: new Set(), begun: false };
  state.deployments.set(plan.id, deployment);
  for (const { id } of changes) state.locks.set(id, plan.id);
  return ok(undefined);
}
