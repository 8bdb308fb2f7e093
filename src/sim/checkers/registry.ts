import type { MasterEffect } from '../../master/core/effects.ts';
import type { MasterEvent } from '../../master/core/events.ts';
import type { EntityChange } from '../../master/core/registry-book.ts';
import { type Entities, snapshotOf } from '../../master/core/registry-entities.ts';
import type { Call as OperatorCall } from '../../wire/v1_master.ts';
import type { Observer, SeenMaster } from '../observer.ts';
import { demand } from '../violation.ts';

/** What the checker needs of the store. */
export interface Durable {
  readonly values: ReadonlyMap<string, Uint8Array>;
  entities(): Entities;
}

/**
 * There is one writer of the registry at a time, and nothing that somebody was told to be settled depends on who leads:
 * it was durable when it was told, and the next leader begins with it.
 */
export class RegistryChecker implements Observer {
  private readonly store: Durable;
  private lastEpoch = 0;
  /** Keys that have been durable at some time. */
  private readonly seen = new Set<string>();
  private readonly gone = new Set<string>();

  constructor(store: Durable) {
    this.store = store;
  }

  registryWritten(epoch: number, changes: readonly EntityChange[]): void {
    demand(epoch >= this.lastEpoch, () => `leader ${epoch} wrote the registry after leader ${this.lastEpoch} had`);
    this.lastEpoch = epoch;
    for (const { key, value } of changes) if (value !== undefined) this.seen.add(key);
  }

  masterStarted({ name, core, reigning }: SeenMaster): void {
    // Another one has taken over in the meantime, and may have written.
    if (!reigning) return;
    const { agents, gone, quotas, weights } = snapshotOf(this.store.entities());
    const same = (what: string, stored: readonly string[], known: Iterable<string>): void => {
      const has = new Set(known);
      const missing = stored.find((one) => !has.has(one));
      demand(missing === undefined, () => `${name} begins without ${what} ${missing}, which is in the registry`);
    };
    const { state } = core;
    same(
      'agent',
      agents.map(({ info }) => info.id?.value ?? ''),
      [...state.recovered.keys(), ...state.agents.keys()],
    );
    same(
      'gone agent',
      gone.map(({ id }) => id),
      state.gone.keys(),
    );
    same(
      'the quota of',
      quotas.map((quota) => JSON.stringify(quota)),
      Array.from(state.quotas.values(), (quota) => JSON.stringify(quota)),
    );
    same(
      'the weight of',
      weights.map(({ role, weight }) => `${role}=${weight}`),
      Array.from(state.weights, ([role, weight]) => `${role}=${weight}`),
    );
  }

  masterStepped({ name, reigning }: SeenMaster, _event: MasterEvent, effects: readonly MasterEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'send') continue;
      if (
        effect.name !== 'mesos.internal.SlaveRegisteredMessage' &&
        effect.name !== 'mesos.internal.SlaveReregisteredMessage'
      )
        continue;
      const id = effect.message.slave_id.value;
      demand(this.seen.has(`agents/${id}`), () => `${name} told agent ${id} that it is admitted, which is not durable`);
      // One that was deposed cannot know what was decided since; agents do not heed it for long.
      demand(
        !reigning || !this.gone.has(id),
        () => `${name} admitted agent ${id}, which an operator was told to be gone for good`,
      );
    }
  }

  /** What an operator was told to be done, is. */
  operatorAnswered(call: OperatorCall, status: number): void {
    if (status !== 200) return;
    const goneId = call.mark_agent_gone?.agent_id.value;
    if (goneId !== undefined) {
      demand(this.seen.has(`gone/${goneId}`), () => `agent ${goneId} is said to be gone, which is not durable`);
      this.gone.add(goneId);
    }
    for (const { role, limits } of call.update_quota?.quota_configs ?? []) {
      const isDurable = limits === undefined || this.seen.has(`quotas/${role}`);
      demand(isDurable, () => `the quota of ${role} is said to be set, which is not durable`);
    }
    for (const { role } of call.update_weights?.weight_infos ?? []) {
      demand(this.seen.has(`weights/${role}`), () => `the weight of ${role} is said to be set, which is not durable`);
    }
  }
}
