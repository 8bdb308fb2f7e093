/**
 * What Marathon knows, as records. Definitions and groups are immutable values; instances are records that only
 * `instances.ts` changes, so that tallies, what is stored and what is told stay true. Instants are wall-clock
 * milliseconds since the epoch.
 */
import type { TaskStatus } from '../../wire/v1.ts';
import type { App, Pod, RunSpec, UnreachableStrategy } from '../definition/types.ts';

export type { RunSpec };

/** Where an instance, or one of its tasks, stands. Names are upstream's, since clients read them. */
export type Condition =
  | 'Scheduled'
  | 'Provisioned'
  | 'Staging'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Unreachable'
  | 'UnreachableInactive'
  | 'Finished'
  | 'Killed'
  | 'Error'
  | 'Failed'
  | 'Gone'
  | 'Dropped'
  | 'Unknown';

/** `Stopped` keeps the reservation of a resident instance; `Decommissioned` keeps nothing. */
export type Goal = 'Running' | 'Stopped' | 'Decommissioned';

/** The agent an instance was placed on, as its offer told it. */
export interface Placement {
  readonly agentId: string;
  readonly host: string;
  readonly region?: string;
  readonly zone?: string;
  /** Attribute name to its text form, as constraints compare it. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** One Mesos task: the only one of an app's instance, or one for each container of a pod's. */
export interface TaskRecord {
  readonly id: string;
  /** The pod's container; absent for apps. */
  readonly container?: string;
  readonly condition: Condition;
  readonly stagedAt: number;
  /** When it first ran. */
  readonly startedAt?: number;
  /** The host ports it holds, in the order of its definition's ports; `null` where one has no host port. */
  readonly hostPorts: readonly (number | null)[];
  /** The last update that changed it; without `data`. */
  readonly status?: TaskStatus;
  /** When it became unreachable; gone once it is back. */
  readonly unreachableSince?: number;
}

export interface LocalVolume {
  readonly persistenceId: string;
  /** The app's container path, or the name of the pod's volume. */
  readonly name: string;
  readonly uuid: string;
}

/** What is kept on an agent for a resident instance while none of its tasks runs, and before the first one does. */
export interface Reservation {
  readonly volumes: readonly LocalVolume[];
  /** `new`: asked for, not used yet. `launched`: in use. `suspended`: waits for the next launch. */
  readonly state: 'new' | 'launched' | 'suspended';
  /**
   * While `new`: when it is given up. Still there while `launched`: no agent has said yet that it used it, and what a master
   * offers may be what an agent has failed to make.
   */
  readonly deadline?: number;
  /** The role that it was made for: it stays, though the definition may get another one. */
  readonly role: string;
}

export interface Instance {
  readonly id: string;
  readonly specId: string;
  /** How often tasks of it were launched: the last part of its task ids. */
  incarnation: number;
  goal: Goal;
  condition: Condition;
  /** Since when it has this condition. */
  since: number;
  /** Since when all of it has been running. */
  activeSince?: number;
  /** Unknown until every health check has spoken. */
  healthy?: boolean;
  /** Only while a deployment waits for it. */
  ready?: boolean;
  /** The definition it was scheduled or launched with. */
  spec: RunSpec;
  placement?: Placement;
  reservation?: Reservation;
  tasks: readonly TaskRecord[];
  readonly unreachable: UnreachableStrategy;
}

/** A group of the tree that apps and pods hang in. Immutable: a change makes new ones along the path. */
export interface Group {
  /** `/`, `/prod`, `/prod/db`. */
  readonly id: string;
  /** By their full id. */
  readonly apps: ReadonlyMap<string, App>;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly dependencies: readonly string[];
  readonly version: number;
  readonly enforceRole: boolean;
}

export type ActionKind =
  | 'StartApplication'
  | 'StopApplication'
  | 'ScaleApplication'
  | 'RestartApplication'
  | 'StartPod'
  | 'StopPod'
  | 'ScalePod'
  | 'RestartPod';

/** What a deployment does to one app or pod in one of its steps. */
export interface Action {
  readonly kind: ActionKind;
  /** As it shall be; for a stop, as it was. */
  readonly spec: RunSpec;
  /** For a start and a scale. */
  readonly scaleTo?: number;
  /** Instances that the one who asked has chosen to go first. */
  readonly toKill?: readonly string[];
}

/** One app or pod before and after: what undoing the deployment needs. */
export interface SpecChange {
  readonly id: string;
  readonly before?: RunSpec;
  readonly after?: RunSpec;
}

/** Steps come one after another, the actions of a step together. */
export interface Plan {
  readonly id: string;
  readonly version: number;
  readonly steps: readonly (readonly Action[])[];
  readonly changes: readonly SpecChange[];
}

export interface Deployment {
  readonly plan: Plan;
  /** Counted from 0; the number of steps once all are done. */
  step: number;
  /** Ids of the specs whose action of this step is done. */
  done: Set<string>;
  /** Whether the actions of this step have begun. */
  begun: boolean;
}

/** The last failure of an app or a pod, for people who ask why. */
export interface TaskFailure {
  readonly specId: string;
  readonly taskId: string;
  readonly state: string;
  readonly message: string;
  readonly host: string;
  readonly version: number;
  readonly timestamp: number;
  readonly agentId?: string;
}

/** How long to wait before the next launch after failures of one definition of an app. */
export interface Delay {
  /** The `lastConfigChangeAt` it belongs to. */
  readonly version: number;
  /** In ms. */
  duration: number;
  /** When the next launch may be. */
  deadline: number;
  /** Counted from here it is forgotten after `maxLaunchDelay`. */
  reference: number;
}

/** How far a restart may go, fixed when it begins. */
export interface RestartLimits {
  /** So many must stay healthy. */
  readonly minimum: number;
  /** So many may be there at most, old and new. */
  readonly maximum: number;
  /** Old ones that may go before any new one is well. */
  readonly atOnce: number;
  /** Old ones at the beginning. */
  readonly old: number;
}

export type { App, Pod, UnreachableStrategy };
