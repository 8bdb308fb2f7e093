/** The registry as the leader holds it: works out which entities an operation changes, and how. */
import type { AgentInfo, DrainInfo } from '../../wire/v1.ts';
import { machineKey } from './records.ts';
import type { RegistryOperation } from './registry.ts';
import {
  type Entities,
  type Entity,
  encodeEntity,
  type Kind,
  machineEntity,
  quotaEntity,
} from './registry-entities.ts';

/** What operators may decide about an agent. */
interface Decision {
  readonly drain_info?: DrainInfo | undefined;
  readonly deactivated?: boolean | undefined;
}

/** One key's new value; none: the key goes. */
export interface EntityChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export class RegistryBook {
  readonly #entities: Entities;
  #changes: EntityChange[] = [];
  /** Agents that are deactivated or draining, by key. */
  readonly #decided = new Set<string>();

  /** @param entities taken over, and changed from now on by operations only */
  constructor(entities: Entities) {
    this.#entities = entities;
    for (const kind of ['agents', 'unreachable'] as const) {
      for (const [id, entity] of entities[kind]) this.#noteDecision(kind, id, entity);
    }
  }

  /** Applies an operation here. @returns what to store for it; nothing if it changes nothing */
  apply(operation: RegistryOperation): readonly EntityChange[] {
    this.#changes = [];
    this.#perform(operation);
    this.#demand('AGENT_DRAINING', this.#decided.size > 0);
    this.#demand('QUOTA_V2', this.#entities.quotas.size > 0);
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
      case 'DEACTIVATE_AGENT':
        this.#decide(operation.agentId, ({ drain_info }) => ({ drain_info, deactivated: true }));
        return;
      case 'DRAIN_AGENT':
        this.#decide(operation.agentId, () => ({ drain_info: operation.drain, deactivated: true }));
        return;
      case 'MARK_DRAINED':
        this.#decide(operation.agentId, ({ drain_info, deactivated }) => ({
          drain_info: drain_info && { ...drain_info, state: 'DRAINED' },
          deactivated,
        }));
        return;
      case 'REACTIVATE_AGENT':
        this.#decide(operation.agentId, () => ({}));
        return;
      case 'UPDATE_MACHINES':
        for (const { hostname, ip } of operation.forget) this.#delete('machines', machineKey(hostname, ip));
        for (const machine of operation.set) {
          const { key, entity } = machineEntity(machine);
          this.#set('machines', key, entity);
        }
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

  /** Changes what is decided about an agent, if it is known. */
  #decide(id: string, decide: (before: Decision) => Decision): void {
    const { agents, unreachable } = this.#entities;
    const admitted = agents.get(id);
    const away = unreachable.get(id);
    const known = admitted ?? away;
    if (known === undefined) return;
    const { drain_info, deactivated } = decide(known);
    const decision = { ...(drain_info && { drain_info }), ...(deactivated && { deactivated }) };
    if (admitted !== undefined) this.#set('agents', id, { info: admitted.info, ...decision });
    else if (away !== undefined) this.#set('unreachable', id, { id: away.id, timestamp: away.timestamp, ...decision });
  }

  /** An older master, which would not honour what was decided, must not lead with this registry. */
  #demand(capability: string, isNeeded: boolean): void {
    if (isNeeded === this.#entities.capabilities.has(capability)) return;
    if (isNeeded) this.#set('capabilities', capability, { capability });
    else this.#delete('capabilities', capability);
  }

  #noteDecision(kind: Kind, name: string, { drain_info, deactivated }: Decision): void {
    if (drain_info !== undefined || deactivated === true) this.#decided.add(`${kind}/${name}`);
    else this.#decided.delete(`${kind}/${name}`);
  }

  #set<K extends Kind>(kind: K, name: string, entity: Entity<K>): void {
    if (kind === 'agents' || kind === 'unreachable') this.#noteDecision(kind, name, entity as Decision);
    (this.#entities[kind] as Map<string, Entity<K>>).set(name, entity);
    this.#changes.push({ key: `${kind}/${name}`, value: encodeEntity(kind, entity) });
  }

  #delete(kind: Kind, name: string): void {
    if (!this.#entities[kind].delete(name)) return;
    this.#decided.delete(`${kind}/${name}`);
    this.#changes.push({ key: `${kind}/${name}`, value: undefined });
  }
}

function nanoseconds(time: number): number {
  return Math.round(time * 1e6);
}
