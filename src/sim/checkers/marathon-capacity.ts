import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import { isConsideredHealthy } from '../../marathon/core/instances.ts';
import type { Action, Goal, RunSpec } from '../../marathon/core/model.ts';
import type { Published } from '../../marathon/core/published.ts';
import type { MarathonState } from '../../marathon/core/state.ts';
import { instanceKey, type StoredInstance } from '../../marathon/core/stored.ts';
import { isResident } from '../../marathon/definition/compare.ts';
import { readTaskId } from '../../marathon/definition/task-id.ts';
import type { TaskState, TaskStatus } from '../../wire/v1.ts';
import type { LiveContainer } from '../containers.ts';
import type { Observer, SeenAgent, SeenMarathon } from '../observer.ts';
import { demand } from '../violation.ts';

const OVER: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
]);

const AWAY: ReadonlySet<TaskState> = new Set<TaskState>(['TASK_UNREACHABLE', 'TASK_LOST']);

/** A task that was launched, as whoever launched it may know it. */
interface Launched {
  readonly specId: string;
  readonly instanceId: string;
  /** Its life and the store allowed for it to leave. */
  isSent: boolean;
  by: string;
  isDoomed: boolean;
  isAway: boolean;
  /** It was out of reach once: it may have been replaced then, and be back. */
  wasAway: boolean;
}

/**
 * No launch takes an app above what its upgrade strategy allows, counted over what was launched, runs and was not ordered
 * killed (nor is to be, unless it is being restarted); and no restart ends a well instance where that leaves fewer than must be well. Out of reach is out of the count.
 */
export class CapacityChecker implements Observer {
  private readonly launched = new Map<string, Launched>();
  private readonly goals = new Map<string, Goal>();
  /** Who took the store over last: what others decide never gets out. */
  private leader = '';
  /** Apps whose deployment was given up halfway: they may have more than they should until people look after them. */
  private readonly givenUp = new Set<string>();

  marathonStarted({ name, core }: SeenMarathon): void {
    this.leader = name;
    // What an earlier life had not sent yet will never be, or it is fenced.
    for (const [id, task] of this.launched) if (!task.isSent && task.by !== name) this.launched.delete(id);
    for (const { id, goal } of core.state.instances.values()) this.goals.set(id, goal);
  }

  marathonStepped(marathon: SeenMarathon, event: MarathonEvent, effects: readonly MarathonEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'publish') this.noteDeployments(effect.event);
      if (effect.kind === 'store' && effect.key.startsWith(instanceKey(''))) {
        this.retired(
          marathon,
          event,
          effect.key.slice(instanceKey('').length),
          effect.value as StoredInstance | undefined,
        );
      } else if (effect.kind === 'call' && effect.call.kill !== undefined) {
        const task = this.launched.get(effect.call.kill.task_id.value);
        if (task !== undefined) task.isDoomed = true;
      } else if (effect.kind === 'call') {
        for (const taskId of launchedBy(effect)) this.launch(marathon, taskId);
      }
    }
  }

  marathonPerforms({ name }: SeenMarathon, effect: MarathonEffect): void {
    for (const taskId of launchedBy(effect)) {
      this.add(name, taskId);
      const task = this.launched.get(taskId);
      if (task !== undefined) task.isSent = true;
    }
  }

  containerEnded(_agent: SeenAgent, { taskId }: LiveContainer): void {
    this.launched.delete(taskId);
  }

  statusSeen(_frameworkId: string, { task_id, state }: TaskStatus): void {
    const task = this.launched.get(task_id.value);
    if (task === undefined) return;
    if (OVER.has(state)) this.launched.delete(task_id.value);
    else task.isAway = AWAY.has(state);
    task.wasAway ||= task.isAway;
  }

  private noteDeployments({ eventType, fields }: Published): void {
    if (eventType === 'deployment_failed') for (const { id } of fields.plan.changes) this.givenUp.add(id);
    else if (eventType === 'deployment_info') for (const { id } of fields.plan.changes) this.givenUp.delete(id);
  }

  private launch({ name, core }: SeenMarathon, taskId: string): void {
    // What one decides whose place was taken is fenced; should it get out all the same, it counts from then on.
    if (name !== this.leader) return;
    const specId = this.add(name, taskId);
    if (specId === undefined || this.givenUp.has(specId)) return;
    const living = new Set<string>();
    const isRestarted = restartOf(core.state, specId) !== undefined;
    for (const task of this.launched.values()) {
      const instance = core.state.instances.get(task.instanceId);
      // This leader may not have heard yet that it is back.
      const isReplaced = task.wasAway && /^Unreachable/.test(instance?.condition ?? 'Unreachable');
      // Restarts wait for the end of the old ones; otherwise who only waits for its turn to be killed holds up nobody.
      const isLeaving = !isRestarted && instance !== undefined && instance.goal !== 'Running';
      if (task.specId !== specId || task.isDoomed || task.isAway || isReplaced || isLeaving) continue;
      living.add(task.instanceId);
    }
    const most = mostOf(core.state, specId);
    demand(living.size <= most, () => `${name} launches ${taskId}: ${living.size} instances live, at most ${most} may`);
  }

  private add(by: string, taskId: string): string | undefined {
    const read = readTaskId(taskId);
    if (!read.ok) return undefined;
    const { specId, instanceId } = read.value;
    if (!this.launched.has(taskId)) {
      this.launched.set(taskId, {
        specId,
        instanceId,
        isSent: false,
        by,
        isDoomed: false,
        isAway: false,
        wasAway: false,
      });
    }
    return specId;
  }

  /** An instance was changed: if a restart has just given it up, enough others must be well. */
  private retired(marathon: SeenMarathon, event: MarathonEvent, id: string, stored: StoredInstance | undefined): void {
    const before = this.goals.get(id);
    if (stored === undefined) this.goals.delete(id);
    else this.goals.set(id, stored.goal);
    if (stored === undefined || before !== 'Running' || stored.goal === 'Running' || event.kind === 'kill') return;
    const { state } = marathon.core;
    const action = restartOf(state, stored.specId);
    const own = state.history.get(stored.specId)?.get(stored.specVersion);
    if (action === undefined || own === undefined || own.version === action.spec.version) return;
    if (stored.condition !== 'Running' || !isConsideredHealthy({ ...stored, spec: own })) return;
    const { spec } = action;
    const instances = [...(state.specs.get(spec.id)?.instances.values() ?? [])];
    const well = instances.filter(
      (each) => each.goal === 'Running' && each.condition === 'Running' && isConsideredHealthy(each),
    );
    const fresh = well.filter((each) => each.spec.version === spec.version);
    const fewest = fewestOf(spec);
    demand(
      well.length >= fewest || fresh.length >= spec.instances,
      () => `${marathon.name} ends ${id}, which leaves ${well.length} well of ${fewest} that must be`,
    );
  }
}

function launchedBy(effect: MarathonEffect): string[] {
  const operations = effect.kind === 'call' ? (effect.call.accept?.operations ?? []) : [];
  return operations.flatMap(({ launch, launch_group }) =>
    [...(launch?.task_infos ?? []), ...(launch_group?.task_group.tasks ?? [])].map(({ task_id }) => task_id.value),
  );
}

/** By the definition that is wanted; while a deployment is on its way there, also by those that it comes from. */
function mostOf(state: MarathonState, specId: string): number {
  const current = state.current.get(specId);
  const holder = state.deployments.get(state.locks.get(specId) ?? '');
  const instances = [...(state.specs.get(specId)?.instances.values() ?? [])];
  const before = holder?.plan.changes.find(({ id }) => id === specId)?.before;
  const specs = [current, before, ...(holder === undefined ? [] : instances.map(({ spec }) => spec))];
  return Math.max(0, ...specs.map((spec) => (spec === undefined ? 0 : ceilingOf(spec, holder !== undefined))));
}

function ceilingOf(spec: RunSpec, isDeployed: boolean): number {
  const { instances, upgradeStrategy } = spec;
  if (!isDeployed) return instances;
  const most = Math.floor(instances * (1 + upgradeStrategy.maximumOverCapacity));
  const least = Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
  // Without room in either direction nothing could ever happen.
  return most === least && !isResident(spec) ? most + 1 : most;
}

function fewestOf(spec: RunSpec): number {
  const { instances, upgradeStrategy } = spec;
  const least = Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
  const most = Math.floor(instances * (1 + upgradeStrategy.maximumOverCapacity));
  return isResident(spec) && most === least ? least - 1 : least;
}

/** What the step of a deployment that runs now does to this app, if it replaces its instances. */
function restartOf({ deployments, locks }: MarathonState, specId: string): Action | undefined {
  const deployment = deployments.get(locks.get(specId) ?? '');
  const action = deployment?.plan.steps[deployment.step]?.find(({ spec }) => spec.id === specId);
  return action?.kind === 'RestartApplication' || action?.kind === 'RestartPod' ? action : undefined;
}
