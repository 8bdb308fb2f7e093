/** What outlives the master: read once when it is elected, changed only by committed operations. */
import type { Millis } from '../../base/machine.ts';
import type { AgentInfo, DrainInfo } from '../../wire/v1.ts';
import type { Machine, QuotaRecord } from './state.ts';

export interface RegistryAgent {
  readonly info: AgentInfo;
  readonly deactivated?: boolean;
  readonly drain?: DrainInfo;
}

export interface RegistrySnapshot {
  readonly agents: readonly RegistryAgent[];
  readonly unreachable: readonly { readonly id: string; readonly time: Millis }[];
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
  /** Quotas by role; the default one, with neither guarantees nor limits, takes a role's quota out. */
  | { readonly type: 'UPDATE_QUOTA'; readonly quotas: readonly QuotaRecord[] }
  | {
      readonly type: 'UPDATE_WEIGHTS';
      readonly weights: readonly { readonly role: string; readonly weight: number }[];
    }
  | { readonly type: 'PRUNE'; readonly unreachable: readonly string[]; readonly gone: readonly string[] };
