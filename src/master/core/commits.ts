import type { RegisterSlaveMessage } from '../../wire/internal.ts';
import type { DrainInfo, MachineID } from '../../wire/v1.ts';
import type { RequestId } from './events.ts';
import type { Reregistration } from './reregistration.ts';
import type { Machine, Pid, QuotaRecord } from './state.ts';

/** How to go on when a registry operation is durable. */
export type PendingCommit =
  | { readonly type: 'register'; readonly pid: Pid; readonly agentId: string; readonly message: RegisterSlaveMessage }
  /** `known`: the agent was registered, only its info changed. */
  | {
      readonly type: 'reregister';
      readonly pid: Pid;
      readonly agentId: string;
      readonly known: boolean;
      readonly message: Reregistration;
    }
  | { readonly type: 'markUnreachable'; readonly agentId: string; readonly time: number; readonly reason: string }
  | { readonly type: 'unregister'; readonly agentId: string }
  | { readonly type: 'markGone'; readonly agentId: string; readonly time: number; readonly request?: RequestId }
  | { readonly type: 'deactivateAgent'; readonly agentId: string; readonly request: RequestId }
  | { readonly type: 'reactivateAgent'; readonly agentId: string; readonly request: RequestId }
  | {
      readonly type: 'drainAgent';
      readonly agentId: string;
      readonly drain: DrainInfo;
      readonly request: RequestId;
    }
  | { readonly type: 'markDrained'; readonly agentId: string }
  | {
      readonly type: 'updateMachines';
      readonly set: readonly Machine[];
      readonly forget: readonly MachineID[];
      readonly request: RequestId;
    }
  /** `forget`: the roles are not even listed any more. */
  | {
      readonly type: 'updateQuota';
      readonly quotas: readonly QuotaRecord[];
      readonly forget: boolean;
      readonly request: RequestId;
    }
  | {
      readonly type: 'updateWeights';
      readonly weights: readonly { readonly role: string; readonly weight: number }[];
      readonly request: RequestId;
    }
  | { readonly type: 'prune'; readonly unreachable: readonly string[]; readonly gone: readonly string[] };
