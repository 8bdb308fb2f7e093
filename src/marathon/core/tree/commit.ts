/**
 * Makes a changed tree the present one: checks it as a whole, sees what holds it up, works out the plan, keeps
 * everything, and starts the deployment. The only place where the tree changes.
 */
import { utf8Length } from '../../../base/bytes.ts';
import { randomUuid } from '../../../base/random.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { type Context, publish } from '../context.ts';
import { beginDeployment, cancelDeployment } from '../deploy/deployments.ts';
import type { App, Group, Plan, RunSpec, SpecChange } from '../model.ts';
import { type Refusal, reasonOf, type Started } from '../outcome.ts';
import {
  failureKey,
  groupKey,
  rootVersionKey,
  type StoredGroup,
  type StoredRootVersion,
  specKey,
  specVersionKey,
  storedGroup,
} from '../stored.ts';
import { layersOf } from './dependencies.ts';
import { externalVolumeProblems } from './external-volumes.ts';
import { allApps, allGroups, groupAt, hasSpec, newGroups, withoutSpec, withSpec } from './groups.ts';
import { planOf } from './plan.ts';
import { countPorts, withServicePorts } from './service-ports.ts';
import { newVersion } from './versions.ts';

/** A tree as somebody wants it. */
export interface Wish {
  /** Groups as they shall be; their apps and pods only as far as `specs` does not say otherwise. */
  readonly root: Group;
  /** What shall become of apps and pods: undefined ends them. */
  readonly specs: ReadonlyMap<string, RunSpec | undefined>;
  /** Anew although nothing about them has changed. */
  readonly restarts?: ReadonlySet<string>;
  readonly toKill?: ReadonlyMap<string, readonly string[]>;
  /** What goes back to a definition that it had keeps that one's version: instances that still have it need not be replaced. */
  readonly keepsVersions?: boolean;
  /** The group that is told to have changed. */
  readonly groupId: string;
  readonly force: boolean;
  /** Called once nothing is in the way any more, before anything of it is told. */
  readonly onAccepted?: (plan: Plan) => void;
}

/** A tree that could be made the present one. */
export interface Draft {
  readonly root: Group;
  readonly plan: Plan;
}

/** Works out what a wish would do, and does nothing. */
export function draft(ctx: Context, wish: Wish): Result<Draft, Refusal> {
  const { state, env } = ctx;
  const version = nextVersion(ctx);
  const changes = changesOf(ctx, wish, version);
  if (!changes.ok) return changes;
  let root: Group = { ...wish.root, version };
  for (const { id, after } of changes.value) {
    root = after === undefined ? withoutSpec(root, id, version) : withSpec(root, after, version);
  }
  const large = tooLarge(ctx, changes.value, root);
  if (large !== undefined) return refuse({ kind: 'unprocessable', message: large });
  const whole = checkTree(ctx, root, changes.value);
  if (!whole.ok) return whole;
  const affected = changes.value.flatMap(({ after }) => (after ? [after.id] : []));
  // Dependencies of groups reach everything in them.
  const touched = haveGroupsChanged(state.root, root) ? [...specIds(root)] : affected;
  const layers = layersOf(root, touched);
  if (!layers.ok) {
    const circle = layers.error.length > 10 ? [...layers.error.slice(0, 10), '…'] : layers.error;
    return refuse({
      kind: 'invalid',
      problems: [
        {
          path: '/',
          error: `Dependency graph has cyclic dependencies. They go round: ${[...circle, circle[0]].join(' -> ')}`,
        },
      ],
    });
  }
  const plan = planOf({
    id: randomUuid(env.random),
    version,
    changes: changes.value,
    layers: layers.value,
    ...(wish.toKill && { toKill: wish.toKill }),
  });
  return ok({ root, plan });
}

/** Does what is wished for, or says what is in the way. Nothing has changed then. */
export function commit(ctx: Context, wish: Wish): Result<Started, Refusal> {
  const { state, options } = ctx;
  const drafted = draft(ctx, wish);
  if (!drafted.ok) return turnedDown(ctx, wish, drafted.error);
  const { root, plan } = drafted.value;
  const holders = new Set(plan.changes.flatMap(({ id }) => state.locks.get(id) ?? []));
  if (holders.size > 0 && !wish.force) return turnedDown(ctx, wish, { kind: 'locked', deployments: [...holders] });
  if (state.deployments.size - holders.size >= options.maxRunningDeployments) {
    return turnedDown(ctx, wish, {
      kind: 'tooMany',
      message: `Max number (${options.maxRunningDeployments}) of running deployments is achieved. Wait for one to end, or raise --max_running_deployments`,
    });
  }
  wish.onAccepted?.(plan);
  for (const id of holders) cancelDeployment(ctx, state.deployments.get(id)!, 'The upgrade has been cancelled');
  install(ctx, root, plan.changes);
  publish(ctx, 'group_change_success', { groupId: wish.groupId, version: plan.version });
  beginDeployment(ctx, plan);
  return ok({ deploymentId: plan.id, version: plan.version });
}

/** Nothing becomes of the wish: whoever listens hears of it too. */
function turnedDown(ctx: Context, { groupId }: Wish, refusal: Refusal): ReturnType<typeof refuse> {
  publish(ctx, 'group_change_failed', { groupId, version: nextVersion(ctx), reason: reasonOf(refusal) });
  return refuse(refusal);
}

function refuse(refusal: Refusal): { readonly ok: false; readonly error: Refusal } {
  return err(refusal);
}

/** Versions are instants, and no two trees have the same. */
function nextVersion({ state, env }: Context): number {
  return Math.max(Math.floor(env.wall), state.root.version + 1);
}

function changesOf(ctx: Context, wish: Wish, version: number): Result<SpecChange[], Refusal> {
  const { state, options } = ctx;
  const taken = new Set<number>();
  const range = { min: options.localPortMin, max: options.localPortMax };
  const changes: SpecChange[] = [];
  for (const [id, wanted] of wish.specs) {
    const before = state.current.get(id);
    if (wanted === undefined) {
      if (before) changes.push({ id, before });
      continue;
    }
    if (wish.keepsVersions && state.history.get(id)?.get(wanted.version) === wanted) {
      if (before !== wanted) changes.push({ id, ...(before && { before }), after: wanted });
      continue;
    }
    let after: RunSpec = wanted;
    if (after.kind === 'app') {
      const old = before?.kind === 'app' ? before : undefined;
      const ported = withServicePorts(after, old, state.servicePorts, taken, range);
      if (!ported.ok) return refuse({ kind: 'unprocessable', message: ported.error });
      after = ported.value;
    }
    const versioned = newVersion(before, after, version, wish.restarts?.has(id) === true);
    if (versioned !== undefined) changes.push({ id, ...(before && { before }), after: versioned });
  }
  return ok(changes);
}

function checkTree({ options, state }: Context, root: Group, changes: readonly SpecChange[]): Result<void, Refusal> {
  const added = changes.filter(({ before, after }) => after && !before);
  for (const { id } of added) {
    if (groupAt(root, id) !== undefined) {
      return invalid('/id', `there is a group with the id ${id} already: apps, pods and groups need ids of their own`);
    }
  }
  for (const id of newGroups(state.root, root)) {
    if (hasSpec(root, id)) {
      return invalid(
        '/id',
        `there is an app or a pod with the id ${id}, so no group can have it: nothing can lie below`,
      );
    }
  }
  const removed = changes.filter(({ after }) => !after).length;
  const total = state.current.size + added.length - removed;
  if (options.maxApps !== undefined && added.length > 0 && total > options.maxApps) {
    return invalid(
      '/',
      `this Marathon instance may only handle up to ${options.maxApps} apps (--max_apps); there would be ${total}`,
    );
  }
  const problems = externalVolumeProblems(changes, () => allApps(root));
  if (problems.length > 0) return refuse({ kind: 'invalid', problems });
  return checkInstances(state, changes);
}

/** Each instance is a record that is kept: more of them than this would end the process, or the store. */
const MAX_INSTANCES = 200_000;

function checkInstances({ current }: Context['state'], changes: readonly SpecChange[]): Result<void, Refusal> {
  const grown = changes.reduce((sum, { before, after }) => sum + (after?.instances ?? 0) - (before?.instances ?? 0), 0);
  if (grown <= 0) return ok(undefined);
  let total = grown;
  for (const { instances } of current.values()) total += instances;
  if (total <= MAX_INSTANCES) return ok(undefined);
  return invalid(
    '/instances',
    `there would be ${total} instances of all apps and pods, and at most ${MAX_INSTANCES} may be`,
  );
}

/** Nothing that cannot be stored is begun with: the store would refuse it when it is too late. */
function tooLarge(
  { state, options: { maxDefinitionBytes: limit } }: Context,
  changes: readonly SpecChange[],
  root: Group,
): string | undefined {
  if (limit === undefined) return undefined;
  const sentence = (what: string, way: string): string =>
    `The definition of ${what} is too large to be stored: at most ${limit} bytes can be. ${way}`;
  for (const { id, after } of changes) {
    if (after !== undefined && isLarger(after, limit)) return sentence(id, 'Fetch what is large from somewhere else');
  }
  for (const group of allGroups(root)) {
    const { dependencies } = group;
    if (dependencies === groupAt(state.root, group.id)?.dependencies) continue;
    if (isLarger(storedGroup(group), limit))
      return sentence(`the group ${group.id}`, 'Name groups as dependencies instead of what is in them');
  }
  return undefined;
}

function isLarger(value: object, limit: number): boolean {
  const text = JSON.stringify(value);
  // A unit of a text takes three bytes at most.
  return text.length * 3 > limit && utf8Length(text) > limit;
}

function invalid(path: string, error: string): Result<never, Refusal> {
  return refuse({ kind: 'invalid', problems: [{ path, error }] });
}

function* specIds(root: Group): Generator<string> {
  for (const group of allGroups(root)) {
    yield* group.apps.keys();
    yield* group.pods.keys();
  }
}

/** Whether what groups depend on has changed anywhere. */
function haveGroupsChanged(before: Group, after: Group): boolean {
  if (before === after) return false;
  if (before.dependencies.join() !== after.dependencies.join()) return true;
  for (const [id, group] of after.groups) {
    const old = before.groups.get(id);
    if (old === undefined ? hasDependencies(group) : haveGroupsChanged(old, group)) return true;
  }
  return false;
}

function hasDependencies(group: Group): boolean {
  for (const each of allGroups(group)) if (each.dependencies.length > 0) return true;
  return false;
}

/** Makes the tree the present one, and keeps it together with the way back. */
export function install(ctx: Context, root: Group, changes: readonly SpecChange[]): void {
  const { state, emit } = ctx;
  const undo: { specs: Record<string, number | null>; groups: Record<string, StoredGroup | null> } = {
    specs: {},
    groups: {},
  };
  for (const { id, before, after } of changes) {
    undo.specs[id] = before?.version ?? null;
    if (before?.kind === 'app') countPorts(state.servicePorts, before, -1);
    if (after === undefined) {
      state.current.delete(id);
      forgetFailure(ctx, id);
      emit({ kind: 'store', key: specKey(id), value: undefined });
      continue;
    }
    if (after.kind === 'app') countPorts(state.servicePorts, after as App, 1);
    state.current.set(id, after);
    remember(ctx, after);
    emit({ kind: 'store', key: specKey(id), value: { id, version: after.version } });
    state.dirty.add(id);
  }
  noteGroups(ctx, state.root, root, undo.groups);
  state.root = root;
  state.rootVersions.push({ version: root.version, root });
  const record: StoredRootVersion = { version: root.version, ...undo };
  emit({ kind: 'store', key: rootVersionKey(root.version), value: record });
  forgetOldRoots(ctx);
}

/** Of what is gone nobody asks why it failed; under the same id something else may come. */
function forgetFailure({ state, emit }: Context, id: string): void {
  const record = state.specs.get(id);
  if (record?.lastFailure === undefined) return;
  delete record.lastFailure;
  emit({ kind: 'store', key: failureKey(id), value: undefined });
}

function remember({ state, emit }: Context, spec: RunSpec): void {
  let versions = state.history.get(spec.id);
  if (versions === undefined) {
    versions = new Map();
    state.history.set(spec.id, versions);
  }
  versions.set(spec.version, spec);
  emit({ kind: 'store', key: specVersionKey(spec.id, spec.version), value: spec });
}

/** Groups that came, went or say something else of themselves. Versions of groups follow from those of the root. */
function noteGroups(ctx: Context, before: Group, after: Group, undo: Record<string, StoredGroup | null>): void {
  const { emit } = ctx;
  if (before === after) return;
  if (before.enforceRole !== after.enforceRole || before.dependencies !== after.dependencies) {
    undo[after.id] = storedGroup(before);
    emit({ kind: 'store', key: groupKey(after.id), value: storedGroup(after) });
  }
  for (const [id, group] of after.groups) {
    const old = before.groups.get(id);
    if (old !== undefined) noteGroups(ctx, old, group, undo);
    else noteNewGroup(ctx, group, undo);
  }
  for (const [id, group] of before.groups) {
    if (after.groups.has(id)) continue;
    for (const gone of allGroups(group)) {
      undo[gone.id] = storedGroup(gone);
      emit({ kind: 'store', key: groupKey(gone.id), value: undefined });
    }
  }
}

function noteNewGroup({ emit }: Context, group: Group, undo: Record<string, StoredGroup | null>): void {
  for (const each of allGroups(group)) {
    undo[each.id] = null;
    emit({ kind: 'store', key: groupKey(each.id), value: storedGroup(each) });
  }
}

/** Of trees, and of definitions that nothing needs any more, only the last ones are kept. */
function forgetOldRoots(ctx: Context): void {
  const { state, options, emit } = ctx;
  while (state.rootVersions.length > options.maxVersions) {
    const oldest = state.rootVersions.shift()!;
    emit({ kind: 'store', key: rootVersionKey(oldest.version), value: undefined });
  }
}
