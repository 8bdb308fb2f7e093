/** All that Marathon's core remembers while it runs. Handlers change it; views read it. */
import type { MasterInfo } from '../../wire/v1.ts';
import { type Launching, newLaunching } from './launch/launching.ts';
import type { Delay, Deployment, Group, Instance, RestartLimits, RunSpec, TaskFailure } from './model.ts';
import type { PortUse } from './tree/service-ports.ts';

/** How many instances of one version of a spec are wanted, and how far they have come. */
export interface Tally {
  /** With the goal to run, whatever their condition, but not counting those given up as unreachable. */
  wanted: number;
  /** Of these, those that do what they should: running, healthy and ready, as far as anybody checks. */
  good: number;
  /** Of the wanted, those that run and that every health check finds well. */
  healthy: number;
}

/** How many instances are where, as the API tells it. */
export interface Counts {
  staged: number;
  running: number;
  healthy: number;
  unhealthy: number;
}

/** What is known of one app or pod besides its definition. */
export interface SpecRecord {
  readonly id: string;
  readonly instances: Map<string, Instance>;
  /** Wanted, and waiting for an offer. */
  readonly scheduled: Map<string, Instance>;
  /** By version of the spec. */
  readonly tallies: Map<number, Tally>;
  readonly counts: Counts;
  /** Not wanted any more, but not gone yet. */
  leaving: number;
  lastFailure?: TaskFailure;
  delay?: Delay;
}

/** A definition as it was, for roll backs and for instances that still have it. */
export type History = Map<string, Map<number, RunSpec>>;

/** What the tree looked like before one change: only what that change touched. */
export interface RootVersion {
  readonly version: number;
  readonly root: Group;
}

export interface MarathonState {
  root: Group;
  /** Every app and pod of the root, by id. */
  readonly current: Map<string, RunSpec>;
  /** How many apps have each service port. */
  readonly servicePorts: PortUse;
  /** Oldest first; the last is the current one. */
  rootVersions: RootVersion[];
  readonly history: History;
  readonly instances: Map<string, Instance>;
  readonly specs: Map<string, SpecRecord>;
  readonly deployments: Map<string, Deployment>;
  /** Which deployment holds a spec. */
  readonly locks: Map<string, string>;
  frameworkId?: string;
  /** Every role that anything was ever reserved for: some of it may still be on an agent that was away when it was given back. */
  readonly residentRoles: Set<string>;
  master?: MasterInfo;
  /** Whether it has taken up what was stored. */
  isStarted: boolean;
  isSubscribed: boolean;
  /** Specs whose instances changed in this step and whose plans have to be looked at. */
  readonly dirty: Set<string>;
  /** Of specs that get many new instances at once: the rest of them is made soon. */
  readonly growing: Set<string>;
  /** Ids of specs that have a delay. */
  readonly delayed: Set<string>;
  /** Of specs whose restart is under way. */
  readonly restarts: Map<string, RestartLimits>;
  readonly launching: Launching;
  readonly kills: { readonly queued: Map<string, Kill>; readonly inFlight: Map<string, Kill> };
  /** By instance id, then one for each health check of its spec. */
  readonly health: Map<string, (Health | undefined)[]>;
  /** By instance id, while a deployment waits for it to be ready. */
  readonly readiness: Map<string, ReadinessResult>;
  /** What knocks at somebody, by the probe's name. */
  readonly probes: Map<string, Probe>;
  /** Names of those that can be looked up; undefined where somebody else does that. */
  secrets?: ReadonlySet<string>;
  /** Ids of apps and pods that this round of compaction has still to look at. */
  compacting: string[];
}

/** A kill that was asked for: queued, or sent and not yet confirmed. */
export interface Kill {
  readonly instanceId: string;
  /** Tasks that are not (or not any more) of an instance of ours are killed by their own id. */
  taskIds: readonly string[];
  attempts: number;
  /** When the last try was sent, once it had its turn. */
  issuedAt: number;
}

/** What one health check knows of one instance. */
export interface Health {
  readonly firstSuccess?: number;
  readonly lastSuccess?: number;
  readonly lastFailure?: number;
  readonly lastFailureCause?: string;
  readonly consecutiveFailures: number;
}

export interface ReadinessResult {
  readonly name: string;
  readonly taskId: string;
  readonly ready: boolean;
  readonly lastResponse?: { readonly status: number; readonly contentType: string; readonly body: string };
}

/** A knock whose answer is awaited. */
export interface Probe {
  readonly instanceId: string;
  readonly version: number;
  /** The index of the health check; absent for a readiness check. */
  readonly check?: number;
}

export function emptyRoot(version: number): Group {
  return {
    id: '/',
    apps: new Map(),
    pods: new Map(),
    groups: new Map(),
    dependencies: [],
    version,
    enforceRole: false,
  };
}

export function newState(now: number): MarathonState {
  const root = emptyRoot(now);
  return {
    root,
    current: new Map(),
    servicePorts: new Map(),
    rootVersions: [{ version: root.version, root }],
    history: new Map(),
    instances: new Map(),
    specs: new Map(),
    deployments: new Map(),
    locks: new Map(),
    residentRoles: new Set(),
    isStarted: false,
    isSubscribed: false,
    dirty: new Set(),
    growing: new Set(),
    delayed: new Set(),
    restarts: new Map(),
    launching: newLaunching(),
    kills: { queued: new Map(), inFlight: new Map() },
    health: new Map(),
    readiness: new Map(),
    probes: new Map(),
    compacting: [],
  };
}

/** The record of this app or pod, made where there is none. */
export function specRecord(state: MarathonState, id: string): SpecRecord {
  let record = state.specs.get(id);
  if (record === undefined) {
    const counts = { staged: 0, running: 0, healthy: 0, unhealthy: 0 };
    record = { id, instances: new Map(), scheduled: new Map(), tallies: new Map(), counts, leaving: 0 };
    state.specs.set(id, record);
  }
  return record;
}
