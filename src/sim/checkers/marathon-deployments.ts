import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import type { Plan } from '../../marathon/core/model.ts';
import type { Observer, SeenMarathon } from '../observer.ts';
import { demand } from '../violation.ts';

/**
 * No app or pod is in two deployments at once. Only who insists cancels a deployment of others, and it is over before the next
 * one begins; and none is over without a word.
 */
export class DeploymentsChecker implements Observer {
  /** Of each life of a Marathon: the deployments that it had after its last step. */
  private readonly known = new Map<string, ReadonlyMap<string, Plan>>();

  marathonStarted({ name, core }: SeenMarathon): void {
    this.known.set(name, plansOf(core.state.deployments));
  }

  marathonStepped({ name, core }: SeenMarathon, event: MarathonEvent, effects: readonly MarathonEffect[]): void {
    const { deployments, locks } = core.state;
    const held = new Map<string, string>();
    for (const { plan } of deployments.values()) {
      for (const { id } of plan.changes) {
        const other = held.get(id);
        demand(other === undefined, () => `${name} has ${id} in two deployments, ${other} and ${plan.id}`);
        demand(locks.get(id) === plan.id, () => `${id} of deployment ${plan.id} is held by ${locks.get(id)}`);
        held.set(id, plan.id);
      }
    }
    demand(
      locks.size === held.size,
      () => `${name} holds ${[...locks.keys()]}, in deployments are ${[...held.keys()]}`,
    );
    this.compare(name, deployments, event, effects);
    this.known.set(name, plansOf(deployments));
  }

  private compare(
    name: string,
    now: SeenMarathon['core']['state']['deployments'],
    event: MarathonEvent,
    effects: readonly MarathonEffect[],
  ): void {
    const over = new Set<string>();
    const cancelled: Plan[] = [];
    for (const effect of effects) {
      if (effect.kind !== 'publish') continue;
      const { eventType, fields } = effect.event;
      if (eventType === 'deployment_success') over.add(fields.id);
      else if (eventType === 'deployment_failed') {
        over.add(fields.id);
        cancelled.push(fields.plan);
      } else if (eventType === 'deployment_info') {
        const { plan } = fields;
        const before = [...(this.known.get(name)?.values() ?? [])].find(
          (old) => overlap(old, plan) && !over.has(old.id),
        );
        demand(before === undefined, () => `${name} begins ${plan.id} before ${before?.id} is over`);
      }
    }
    const isForced = event.kind === 'cancelDeployment' || (event.kind === 'change' && event.force);
    demand(isForced || cancelled.length === 0, () => `${name} cancels ${cancelled[0]?.id} though nobody insisted`);
    for (const id of this.known.get(name)?.keys() ?? []) {
      demand(now.has(id) || over.has(id), () => `${name} has lost deployment ${id} without a word`);
    }
  }
}

function plansOf(deployments: SeenMarathon['core']['state']['deployments']): ReadonlyMap<string, Plan> {
  return new Map([...deployments].map(([id, { plan }]) => [id, plan]));
}

function overlap(a: Plan, b: Plan): boolean {
  return a.id !== b.id && a.changes.some(({ id }) => b.changes.some((change) => change.id === id));
}
