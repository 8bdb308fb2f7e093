/** What outlives the master: read once when it is elected, changed only by committed operations. */
import type { Millis } from '../../base/machine.ts';
import type { AgentInfo, DrainInfo, MachineID } from '../../wire/v1.ts';
import type { Machine, QuotaRecord } from './state.ts';

export interface RegistryAgent {
  readonly info: AgentInfo;
  readonly deactivated?: boolean;
  readonly drain?: DrainInfo;
}

export interface RegistryUnreachable {
  readonly id: string;
  readonly time: Millis;
  readonly deactivated?: boolean;
  readonly drain?: DrainInfo;
}

export interface RegistrySnapshot {
  readonly agents: readonly RegistryAgent[];
  readonly unreachable: readonly RegistryUnreachable[];
  readonly gone: readonly { readonly id: string; readonly time: Millis }[];
  readonly weights: readonly { readonly role: string; readonly weight: number }[];
  readonly quotas: readonly QuotaRecord[];
  readonly machines: readonly Machine[];
}

export const EMPTY_REGISTRY: RegistrySnapshot = {
  agents: [],
  unreachable: [],
  gone: [],
  weights: [],
  quotas: [],
  machines: [],
};

/** One change of the registry. Operations are idempotent: applying one twice leaves what applying it once does. */
export type RegistryOperation =
  | { readonly type: 'ADMIT_AGENT'; readonly agent: AgentInfo }
  | { readonly type: 'UPDATE_AGENT'; readonly agent: AgentInfo }
  | { readonly type: 'MARK_UNREACHABLE'; readonly agentId: string; readonly time: Millis }
  | { readonly type: 'MARK_REACHABLE'; readonly agent: AgentInfo }
  | { readonly type: 'MARK_GONE'; readonly agentId: string; readonly time: Millis }
  | { readonly type: 'REMOVE_AGENT'; readonly agentId: string }
  /** These four change an agent that is admitted or unreachable; for others they do nothing. */
  | { readonly type: 'DEACTIVATE_AGENT'; readonly agentId: string }
  /** Deactivates it too. */
  | { readonly type: 'DRAIN_AGENT'; readonly agentId: string; readonly drain: DrainInfo }
  | { readonly type: 'MARK_DRAINED'; readonly agentId: string }
  /** It is neither deactivated nor draining any more. */
  | { readonly type: 'REACTIVATE_AGENT'; readonly agentId: string }
  /** Machines that are scheduled for maintenance, as they are from now on, and machines that are not any more. */
  | { readonly type: 'UPDATE_MACHINES'; readonly set: readonly Machine[]; readonly forget: readonly MachineID[] }
  /** Quotas by role; the default one, with neither guarantees nor limits, takes a role's quota out. */
  | { readonly type: 'UPDATE_QUOTA'; readonly quotas: readonly QuotaRecord[] }
  | {
      readonly type: 'UPDATE_WEIGHTS';
      readonly weights: readonly { readonly role: string; readonly weight: number }[];
    }
  | { readonly type: 'PRUNE'; readonly unreachable: readonly string[]; readonly gone: readonly string[] };
