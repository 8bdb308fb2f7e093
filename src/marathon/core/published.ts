/** What the event stream tells, in upstream's names; instants are in ms, formatted when they are sent. */
import type { Action, Condition, Plan, RunSpec } from './model.ts';

interface PublishedPlan {
  readonly plan: Plan;
}

interface PublishedStep extends PublishedPlan {
  readonly currentStep: readonly Action[];
}

export interface PublishedAddress {
  readonly ipAddress: string;
  readonly protocol: 'IPv4' | 'IPv6';
}

/** By upstream's `eventType`. */
export interface PublishedFields {
  readonly api_post_event: { readonly clientIp: string; readonly uri: string; readonly appDefinition: RunSpec };
  readonly pod_created_event: { readonly clientIp: string; readonly uri: string };
  readonly pod_updated_event: { readonly clientIp: string; readonly uri: string };
  readonly pod_deleted_event: { readonly clientIp: string; readonly uri: string };
  readonly status_update_event: {
    readonly slaveId: string;
    readonly taskId: string;
    readonly taskStatus: string;
    readonly message: string;
    readonly appId: string;
    readonly host: string;
    readonly ipAddresses: readonly PublishedAddress[];
    readonly ports: readonly number[];
    readonly version: number;
  };
  readonly framework_message_event: {
    readonly executorId: string;
    readonly slaveId: string;
    readonly message: readonly number[];
  };
  readonly add_health_check_event: { readonly appId: string; readonly version: number; readonly healthCheck: object };
  readonly remove_health_check_event: { readonly appId: string };
  readonly failed_health_check_event: {
    readonly appId: string;
    /** The instance's id, under the name that clients know. */
    readonly taskId: string;
    readonly healthCheck: object;
  };
  readonly health_status_changed_event: {
    readonly appId: string;
    readonly instanceId: string;
    readonly version: number;
    readonly alive: boolean;
  };
  readonly unhealthy_instance_kill_event: {
    readonly appId: string;
    readonly taskId: string;
    readonly instanceId: string;
    readonly version: number;
    readonly reason: string;
    readonly host: string;
    readonly slaveId: string | undefined;
  };
  readonly group_change_success: { readonly groupId: string; readonly version: number };
  readonly group_change_failed: { readonly groupId: string; readonly version: number; readonly reason: string };
  readonly deployment_info: PublishedStep;
  readonly deployment_step_success: PublishedStep;
  readonly deployment_step_failure: PublishedStep;
  readonly deployment_success: PublishedPlan & { readonly id: string };
  readonly deployment_failed: PublishedPlan & { readonly id: string; readonly reason?: string };
  readonly app_terminated_event: { readonly appId: string };
  readonly instance_changed_event: {
    readonly instanceId: string;
    readonly condition: Condition;
    readonly runSpecId: string;
    readonly agentId: string | undefined;
    readonly host: string | undefined;
    readonly runSpecVersion: number;
  };
  readonly instance_health_changed_event: {
    readonly instanceId: string;
    readonly runSpecId: string;
    readonly healthy: boolean | null;
    readonly runSpecVersion: number;
  };
  readonly unknown_instance_terminated_event: {
    readonly instanceId: string;
    readonly runSpecId: string;
    readonly condition: Condition;
  };
  readonly scheduler_registered_event: { readonly frameworkId: string; readonly master: string };
  readonly scheduler_reregistered_event: { readonly master: string };
  readonly scheduler_disconnected_event: object;
}

export type EventType = keyof PublishedFields;

/** One event of the stream, when it happened, and what it says. */
export type Published = {
  readonly [Type in EventType]: {
    readonly eventType: Type;
    readonly timestamp: number;
    readonly fields: PublishedFields[Type];
  };
}[EventType];
