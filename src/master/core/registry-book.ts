/** The registry as the leader holds it: works out which entities an operation changes, and how. */
import type { AgentInfo } from '../../wire/v1.ts';
import type { RegistryOperation } from './registry.ts';
import { type Entities, type Entity, encodeEntity, type Kind, quotaEntity } from './registry-entities.ts';

/** One key's new value; none: the key goes. */
export interface EntityChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export class RegistryBook {
  readonly #entities: Entities;
  #changes: EntityChange[] = [];

  /** @param entities taken over, and changed from now on by operations only */
  constructor(entities: Entities) {
    this.#entities = entities;
  }

  /** Applies an operation here. @returns what to store for it; nothing if it changes nothing */
  apply(operation: RegistryOperation): readonly EntityChange[] {
    this.#changes = [];
    this.#perform(operation);
    return this.#changes;
  }

  #perform(operation: RegistryOperation): void {
    switch (operation.type) {
      case 'ADMIT_AGENT':
      case 'UPDATE_AGENT':
      case 'MARK_REACHABLE':
        this.#admit(operation.agent);
        return;
      case 'MARK_UNREACHABLE':
        this.#markUnreachable(operation.agentId, operation.time);
        return;
      case 'MARK_GONE': {
        const { agentId, time } = operation;
        this.#delete('agents', agentId);
        this.#delete('unreachable', agentId);
        this.#set('gone', agentId, { id: { value: agentId }, timestamp: { nanoseconds: nanoseconds(time) } });
        return;
      }
      case 'REMOVE_AGENT':
        this.#delete('agents', operation.agentId);
        return;
      case 'UPDATE_QUOTA':
        for (const quota of operation.quotas) {
          const isDefault = Object.keys(quota.guarantees).length + Object.keys(quota.limits).length === 0;
          if (isDefault) this.#delete('quotas', quota.role);
          else this.#set('quotas', quota.role, quotaEntity(quota));
        }
        return;
      case 'UPDATE_WEIGHTS':
        for (const { role, weight } of operation.weights) this.#set('weights', role, { info: { role, weight } });
        return;
      case 'PRUNE':
        for (const id of operation.unreachable) this.#delete('unreachable', id);
        for (const id of operation.gone) this.#delete('gone', id);
        return;
    }
  }

  /** What is decided about an agent (draining, deactivated) stays with it wherever it goes. */
  #admit(info: AgentInfo): void {
    const id = info.id?.value ?? '';
    const { agents, unreachable } = this.#entities;
    const { drain_info, deactivated } = agents.get(id) ?? unreachable.get(id) ?? {};
    this.#delete('unreachable', id);
    this.#set('agents', id, { info, ...(drain_info && { drain_info }), ...(deactivated && { deactivated }) });
  }

  #markUnreachable(id: string, time: number): void {
    const { agents, unreachable } = this.#entities;
    const { drain_info, deactivated } = agents.get(id) ?? unreachable.get(id) ?? {};
    this.#delete('agents', id);
    this.#set('unreachable', id, {
      id: { value: id },
      timestamp: { nanoseconds: nanoseconds(time) },
      ...(drain_info && { drain_info }),
      ...(deactivated && { deactivated }),
    });
  }

  #set<K extends Kind>(kind: K, name: string, entity: Entity<K>): void {
    (this.#entities[kind] as Map<string, Entity<K>>).set(name, entity);
    this.#changes.push({ key: `${kind}/${name}`, value: encodeEntity(kind, entity) });
  }

  #delete(kind: Kind, name: string): void {
    if (this.#entities[kind].delete(name)) this.#changes.push({ key: `${kind}/${name}`, value: undefined });
  }
}

function nanoseconds(time: number): number {
  return Math.round(time * 1e6);
}
