import { isActive } from '../../marathon/core/condition.ts';
import { hasHealthChecks } from '../../marathon/core/instances.ts';
import type { Instance, RunSpec } from '../../marathon/core/model.ts';
import { labelsOf, RESERVED_FOR } from '../../marathon/core/placement/reserved.ts';
import type { MarathonState } from '../../marathon/core/state.ts';
import type { Marathon } from '../marathon/marathon.ts';
import type { MasterProcess } from '../master-process.ts';
import type { Cluster } from './agreement.ts';

/** What still stands between Marathon and what people want of it; nothing when all runs that should, and all agree. */
export function* unconverged(cluster: Cluster, marathon: Marathon): Iterable<string> {
  const { leader } = marathon;
  const master = cluster.masters.leader;
  if (leader === undefined || master?.reigning !== true) {
    yield 'no Marathon or no master leads';
    return;
  }
  const { state } = leader.core;
  if (!leader.subscribed || !state.isSubscribed) yield 'Marathon is not subscribed';
  for (const { plan, step } of state.deployments.values()) yield `deployment ${plan.id} is at step ${step}`;
  for (const spec of state.current.values()) yield* unconvergedSpec(state, spec);
  for (const instance of state.instances.values()) yield* leftover(state, instance);
  yield* disagreements(cluster, master, state);
  yield* leaks(master, state);
}

/** What of Marathon is still there when nothing is wanted of it any more. */
export function* lingering(cluster: Cluster, marathon: Marathon): Iterable<string> {
  const { leader } = marathon;
  const master = cluster.masters.leader;
  if (leader === undefined || master === undefined) {
    yield 'no Marathon or no master leads';
    return;
  }
  const { state } = leader.core;
  if (!leader.subscribed || !state.isSubscribed) yield 'Marathon is not subscribed';
  for (const id of state.current.keys()) yield `${id} is still wanted`;
  for (const { id, condition, goal } of state.instances.values()) yield `instance ${id} is ${condition} (${goal})`;
  for (const id of state.deployments.keys()) yield `deployment ${id} runs`;
  for (const id of state.specs.keys()) yield `something is remembered of ${id}`;
  for (const key of marathon.store.values.keys()) {
    if (key.startsWith('instance/') || key.startsWith('deployment/')) yield `the store has ${key}`;
  }
  yield* leaks(master, state);
}

function* unconvergedSpec(state: MarathonState, spec: RunSpec): Iterable<string> {
  const instances = [...(state.specs.get(spec.id)?.instances.values() ?? [])];
  const wanted = instances.filter(({ goal }) => goal === 'Running');
  if (wanted.length !== spec.instances) yield `${spec.id} has ${wanted.length} instances, not ${spec.instances}`;
  for (const { id, condition, healthy, spec: own } of wanted) {
    if (condition !== 'Running') yield `${id} is ${condition}${whyNot(state, spec)}`;
    if (hasHealthChecks(own) && healthy !== true) yield `${id} is not healthy`;
    if (configOf(own) !== configOf(spec)) yield `${id} has version ${own.version}, not ${spec.version}`;
  }
}

/** What was wrong with the last offers. */
function whyNot({ launching }: MarathonState, { id }: RunSpec): string {
  const unused = [...(launching.statistics.get(id)?.lastUnused.values() ?? [])];
  return unused.map(({ offer, details }) => ` (${offer.agent_id.value}: ${details.join('; ')})`).join('');
}

function configOf({ version, versionInfo }: RunSpec): number {
  return versionInfo?.lastConfigChangeAt ?? version;
}

/** Only volumes are kept when nothing is wanted to run with them. */
function* leftover(state: MarathonState, { id, specId, goal, reservation }: Instance): Iterable<string> {
  if (!state.current.has(specId)) yield `${id} belongs to no app`;
  else if (goal !== 'Running' && !(goal === 'Stopped' && reservation !== undefined)) yield `${id} is ${goal}`;
}

/** Marathon's instances, the master's tasks and what runs must be the same. */
function* disagreements({ instances }: Cluster, master: MasterProcess, state: MarathonState): Iterable<string> {
  const known = new Set<string>();
  for (const { tasks } of state.instances.values()) {
    for (const { id, condition } of tasks) if (isActive(condition)) known.add(id);
  }
  const framework = master.core.state.frameworks.get(state.frameworkId ?? '');
  const listed = new Set<string>();
  for (const { task_id, state: at } of framework?.tasks.values() ?? []) {
    listed.add(task_id.value);
    if (!known.has(task_id.value)) yield `the master has task ${task_id.value} as ${at}, Marathon has not`;
  }
  for (const id of known) {
    if (!listed.has(id)) yield `Marathon has task ${id}, the master has not`;
    if (!instances.running.has(id)) yield `Marathon has task ${id}, which runs nowhere`;
  }
  for (const [id, where] of instances.running) {
    if (isOurs(id) && !known.has(id)) yield `task ${id} runs on ${where}, Marathon has it not`;
  }
}

/** Whether Marathon launched it. */
export function isOurs(taskId: string): boolean {
  return taskId.includes('.instance-');
}

/** What is reserved for an instance that is not there, or whose volumes are elsewhere. */
function* leaks(master: MasterProcess, state: MarathonState): Iterable<string> {
  for (const { id, total } of master.core.state.agents.values()) {
    for (const resource of total.toProto()) {
      const owner = labelsOf(resource)[RESERVED_FOR];
      if (owner === undefined) continue;
      const instance = state.instances.get(owner);
      if (instance?.reservation === undefined || instance.placement?.agentId !== id) {
        yield `${resource.name} is reserved on ${id} for ${owner}, which is not there or elsewhere`;
      }
    }
  }
}
