/** What the core asks before it lets somebody do something. The answer is synchronous and pure. */
import type { ExecutorInfo, FrameworkInfo, MachineID, Resource, TaskInfo } from '../../wire/v1.ts';
import type { QuotaRecord } from './state.ts';

export type AuthorizationQuestion =
  | {
      readonly action: 'REGISTER_FRAMEWORK';
      readonly principal?: string;
      readonly framework: FrameworkInfo;
      readonly roles: readonly string[];
    }
  | { readonly action: 'TEARDOWN_FRAMEWORK'; readonly principal?: string; readonly framework: FrameworkInfo }
  | {
      readonly action: 'RUN_TASK';
      readonly principal?: string;
      readonly framework: FrameworkInfo;
      readonly task?: TaskInfo;
      readonly executor?: ExecutorInfo;
      /** The operating system user that it would run as. */
      readonly user: string;
    }
  | { readonly action: 'REGISTER_AGENT'; readonly principal?: string }
  | {
      readonly action: 'MARK_AGENT_GONE' | 'DRAIN_AGENT' | 'DEACTIVATE_AGENT' | 'REACTIVATE_AGENT';
      readonly principal?: string;
    }
  | {
      readonly action: 'UPDATE_MAINTENANCE_SCHEDULE' | 'START_MAINTENANCE' | 'STOP_MAINTENANCE';
      readonly principal?: string;
      readonly machine: MachineID;
    }
  | {
      readonly action: 'UPDATE_QUOTA' | 'UPDATE_QUOTA_WITH_CONFIG';
      readonly principal?: string;
      /** As it is to be; for a removal, as it is. */
      readonly quota: QuotaRecord;
    }
  | { readonly action: 'UPDATE_WEIGHT'; readonly principal?: string; readonly role: string }
  | ResourceQuestion;

export interface ResourceQuestion {
  readonly action: 'RESERVE_RESOURCES' | 'UNRESERVE_RESOURCES' | 'CREATE_VOLUME' | 'DESTROY_VOLUME' | 'RESIZE_VOLUME';
  readonly principal?: string;
  readonly resource: Resource;
}

/** @returns whether the principal may do it */
export type Authorize = (question: AuthorizationQuestion) => boolean;

export const permitAll: Authorize = () => true;
