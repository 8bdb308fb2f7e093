import { isTerminal } from '../../marathon/core/condition.ts';
import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import type { MarathonState } from '../../marathon/core/state.ts';
import { instanceKey, type StoredInstance } from '../../marathon/core/stored.ts';
import { readTaskId } from '../../marathon/definition/task-id.ts';
import type { TaskStatus } from '../../wire/v1.ts';
import type { Observer, SeenMarathon } from '../observer.ts';
import { hex } from '../transcript.ts';
import { demand } from '../violation.ts';

/** What a step that answered somebody left behind. */
interface Answered {
  readonly number: number;
  readonly tree: string;
  /** Instances that are to be given up, volumes and all. */
  readonly wiped: readonly string[];
}

/**
 * What people, the master and agents were told is in the store by then: the next Marathon begins with a tree that no
 * answered change is missing from, with the deployments that nobody has ended, and with every task that was launched.
 */
export class DurabilityChecker implements Observer {
  /** By life and request, until the answer goes out. */
  private readonly waiting = new Map<string, Answered>();
  /** Trees that steps have made, newest last, back to the last one that was told. */
  private trees: { readonly number: number; readonly tree: string }[] = [];
  private readonly wiped = new Set<string>();
  /** Deployments that people were told of, and that have not ended. */
  private readonly promised = new Set<string>();
  private readonly ends = new Map<string, string>();
  private steps = 0;

  marathonStarted({ name, core }: SeenMarathon): void {
    const { state } = core;
    const tree = treeOf(state);
    const last = this.trees[0];
    demand(
      last === undefined || this.trees.some((known) => known.tree === tree),
      () => `${name} begins with a tree that lacks what people were told: ${tree} instead of ${last?.tree}`,
    );
    for (const id of this.promised) {
      demand(state.deployments.has(id), () => `${name} begins without deployment ${id}, of which people were told`);
    }
    for (const id of this.wiped) {
      const goal = state.instances.get(id)?.goal ?? 'Decommissioned';
      demand(goal === 'Decommissioned', () => `${name} begins with instance ${id} as ${goal}, which was to be wiped`);
    }
  }

  marathonStepped({ name, core }: SeenMarathon, event: MarathonEvent, effects: readonly MarathonEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'store' && effect.key.startsWith('deployment/') && effect.value === undefined) {
        this.promised.delete(effect.key.slice('deployment/'.length));
      }
    }
    if (event.kind === 'start') this.note(core.state);
    if (!('request' in event)) return;
    const number = this.note(core.state);
    const answer = effects.find((effect) => effect.kind === 'answer' && effect.request === event.request);
    if (answer?.kind !== 'answer' || !answer.outcome.ok) return;
    const wiped = event.kind === 'kill' && event.wipe ? event.instances : [];
    this.waiting.set(`${name} ${event.request}`, { number, tree: treeOf(core.state), wiped });
  }

  marathonPerforms(marathon: SeenMarathon, effect: MarathonEffect): void {
    if (effect.kind === 'answer') this.answered(marathon, effect);
    if (effect.kind !== 'call') return;
    const { accept, acknowledge } = effect.call;
    for (const { launch, launch_group } of accept?.operations ?? []) {
      const tasks = [...(launch?.task_infos ?? []), ...(launch_group?.task_group.tasks ?? [])];
      for (const { task_id } of tasks) {
        const stored = storedInstanceOf(marathon, task_id.value);
        const isThere = stored?.tasks.some(({ id }) => id === task_id.value) === true;
        demand(isThere, () => `${marathon.name} launches ${task_id.value}, which is not durable`);
      }
    }
    if (acknowledge === undefined) return;
    const taskId = acknowledge.task_id.value;
    const state = this.ends.get(hex(acknowledge.uuid));
    const task = storedInstanceOf(marathon, taskId)?.tasks.find(({ id }) => id === taskId);
    demand(
      state === undefined || task === undefined || isTerminal(task.condition),
      () => `${marathon.name} acknowledges ${state} of ${taskId}, which is stored as ${task?.condition}`,
    );
  }

  statusSeen(_frameworkId: string, { state, uuid }: TaskStatus): void {
    if (uuid === undefined || !/FINISHED|FAILED|KILLED|DROPPED|GONE/.test(state)) return;
    this.ends.set(hex(uuid), state);
  }

  private note(state: MarathonState): number {
    const number = ++this.steps;
    this.trees.push({ number, tree: treeOf(state) });
    return number;
  }

  private answered(
    { name, core }: SeenMarathon,
    { request, outcome }: Extract<MarathonEffect, { readonly kind: 'answer' }>,
  ): void {
    const told = this.waiting.get(`${name} ${request}`);
    this.waiting.delete(`${name} ${request}`);
    if (told === undefined) return;
    this.trees = this.trees.filter(({ number }) => number >= told.number);
    for (const id of told.wiped) this.wiped.add(id);
    if (!outcome.ok || !('started' in outcome) || outcome.started === undefined) return;
    const { deploymentId } = outcome.started;
    // Else it is over already.
    if (core.state.deployments.has(deploymentId)) this.promised.add(deploymentId);
  }
}

/** Which apps and pods there are, in which versions. */
function treeOf({ current }: MarathonState): string {
  const specs = [...current.values()].map(({ id, version, instances }) => `${id}@${version}x${instances}`).sort();
  return specs.join(' ');
}

function storedInstanceOf({ stored }: SeenMarathon, taskId: string): StoredInstance | undefined {
  const read = readTaskId(taskId);
  const text = read.ok ? stored.get(instanceKey(read.value.instanceId)) : undefined;
  return text === undefined ? undefined : (JSON.parse(text) as StoredInstance);
}
