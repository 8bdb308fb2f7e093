/**
 * What the master knows, as everything outside the core sees it: readonly. The core itself works on the mutable forms
 * in `records.ts`. Instants are milliseconds of wall-clock time since the Unix epoch; values (infos, tasks, resources)
 * are immutable and replaced on change.
 */
import type { Millis } from '../../base/machine.ts';
import type { Resources } from '../../resources/resources.ts';
import type {
  AgentInfo,
  DrainInfo,
  ExecutorInfo,
  FrameworkInfo,
  MachineID,
  MasterInfo,
  Operation,
  Task,
  TaskState,
  Unavailability,
} from '../../wire/v1.ts';
import type { OfferConstraints } from '../../wire/v1_scheduler.ts';
import type { CounterName } from './counters.ts';
import type { BoundedMap, Ring } from './ring.ts';
import type { ReadonlyTaskTable } from './task-table.ts';

/** `<id>@<ip>:<port>`, how libprocess names a process. */
export type Pid = string;
/** The value of a Mesos-Stream-Id header: one subscribed scheduler connection. */
export type StreamId = string;

/** A reader's view of `Ring`. */
export type ReadonlyRing<T> = Pick<Ring<T>, 'size' | 'toArray'> & Iterable<T>;
/** A reader's view of `BoundedMap`. */
export type ReadonlyBoundedMap<K, V> = Pick<BoundedMap<K, V>, 'size' | 'get' | 'has' | 'values' | 'keys'> &
  Iterable<[K, V]>;

/** How a scheduler is reached: an HTTP event stream (v1) or a libprocess process (v0 driver). */
export type FrameworkConnection =
  | { readonly kind: 'http'; readonly stream: StreamId }
  | { readonly kind: 'pid'; readonly pid: Pid };

/** Counts of one framework, for `master/frameworks/<name>/<id>/…`. Keys are upper-case type names. */
export interface FrameworkCounters {
  readonly calls: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, number>;
  readonly operations: ReadonlyMap<string, number>;
  readonly terminalTasks: ReadonlyMap<TaskState, number>;
  readonly offersSent: number;
  readonly offersAccepted: number;
  readonly offersDeclined: number;
  readonly offersRescinded: number;
}

export interface Framework {
  readonly id: string;
  readonly info: FrameworkInfo;
  /** RECOVERED: known only from agents' reports; no scheduler has subscribed to this master yet. */
  readonly state: 'CONNECTED' | 'DISCONNECTED' | 'RECOVERED';
  /** Gets offers; false as soon as it is disconnected or deactivated. */
  readonly active: boolean;
  /** Absent while not connected over HTTP; a v0 framework keeps its pid while disconnected. */
  readonly connection: FrameworkConnection | undefined;
  readonly principal: string | undefined;
  /** Names of `FrameworkInfo.Capability.Type` values. */
  readonly capabilities: ReadonlySet<string>;
  /** Subscribed roles: `roles` with MULTI_ROLE, else the one `role` (default `*`). */
  readonly roles: ReadonlySet<string>;
  readonly suppressedRoles: ReadonlySet<string>;
  readonly offerConstraints: OfferConstraints | undefined;
  /** Not yet removed tasks by task id; a terminal task stays until its terminal update is acknowledged. */
  readonly tasks: ReadonlyTaskTable;
  readonly completedTasks: ReadonlyRing<Task>;
  readonly unreachableTasks: ReadonlyBoundedMap<string, Task>;
  /** agent id -> executor id -> info. */
  readonly executors: ReadonlyMap<string, ReadonlyMap<string, ExecutorInfo>>;
  /** Outstanding offer ids. */
  readonly offers: ReadonlySet<string>;
  /** Outstanding inverse offer ids. */
  readonly inverseOffers: ReadonlySet<string>;
  /** agent id -> resources of non-terminal tasks and executors there. */
  readonly used: ReadonlyMap<string, Resources>;
  /** Offer operations by operation uuid (text form). */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly registeredTime: Millis;
  readonly reregisteredTime: Millis;
  /** 0 until it is removed. */
  readonly unregisteredTime: Millis;
  readonly counters: FrameworkCounters;
}

/** What the pings to one agent have brought so far. */
export interface AgentObserver {
  /** The libprocess process that pings it: `slave-observer(N)`. */
  readonly process: string;
  /** Pings in a row without a pong. */
  readonly misses: number;
  /** A ping is out and not answered yet. */
  readonly pinged: boolean;
  /** The agent is on its way to be marked unreachable. */
  readonly markingUnreachable: boolean;
}

export interface Agent {
  readonly id: string;
  readonly info: AgentInfo;
  readonly pid: Pid;
  readonly version: string;
  /** Names of `AgentInfo.Capability.Type` values. */
  readonly capabilities: ReadonlySet<string>;
  readonly registeredTime: Millis;
  readonly reregisteredTime: Millis | undefined;
  /** The link to it stands. */
  readonly connected: boolean;
  /** Its resources are offered: connected and not deactivated. */
  readonly active: boolean;
  /** By an operator (DEACTIVATE_AGENT or DRAIN_AGENT). */
  readonly deactivated: boolean;
  readonly drain: DrainInfo | undefined;
  readonly drainStarted: Millis | undefined;
  /** Everything it has, reservations and volumes included. */
  readonly total: Resources;
  /** It has come back with less than what runs on it by the books: tasks of which it has not yet said that it lost them. */
  readonly isOverdrawn: boolean;
  /** Of non-terminal tasks and executors, all frameworks (with allocation info). */
  readonly used: Resources;
  readonly offered: Resources;
  readonly usedByFramework: ReadonlyMap<string, Resources>;
  readonly checkpointed: Resources;
  /** framework id -> task ids; the tasks are in `Framework.tasks`. */
  readonly tasks: ReadonlyMap<string, ReadonlySet<string>>;
  /** framework id -> executor ids; the infos are in `Framework.executors`. */
  readonly executors: ReadonlyMap<string, ReadonlySet<string>>;
  readonly offers: ReadonlySet<string>;
  readonly inverseOffers: ReadonlySet<string>;
  /** framework id -> ids of tasks to kill when the agent is back. */
  readonly pendingKills: ReadonlyMap<string, ReadonlySet<string>>;
  /** Offer operations by operation uuid (text form). */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly resourceVersion: Uint8Array | undefined;
  readonly observer: AgentObserver;
}

/** An outstanding offer. */
export interface OfferRecord {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  /** With allocation info. */
  readonly resources: Resources;
  readonly created: Millis;
}

/** A framework is asked to leave an agent that is to go down for maintenance. */
export interface InverseOfferRecord {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly unavailability: Unavailability;
}

/** What operators decided about an agent: no offers are made of what it has. */
export interface AgentStanding {
  /** Absent: deactivated without being drained. */
  readonly drain?: DrainInfo;
}

export interface UnreachableAgent {
  readonly id: string;
  readonly time: Millis;
  readonly info: AgentInfo | undefined;
}

export interface GoneAgent {
  readonly id: string;
  readonly time: Millis;
}

/** A role that some framework subscribes to, or has resources of. */
export interface Role {
  readonly name: string;
  readonly frameworks: ReadonlySet<string>;
}

/** A machine that is scheduled for maintenance, or under maintenance. Others are not listed; they are UP. */
export interface Machine {
  readonly id: MachineID;
  readonly mode: 'UP' | 'DRAINING' | 'DOWN';
  readonly unavailability: Unavailability | undefined;
}

/** Guarantees and limits in thousandths by resource name. */
export interface QuotaRecord {
  readonly role: string;
  readonly guarantees: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
}

export interface MasterState {
  readonly id: string;
  readonly info: MasterInfo;
  readonly startTime: Millis;
  readonly electedTime: Millis;
  readonly frameworks: ReadonlyMap<string, Framework>;
  readonly completedFrameworks: ReadonlyBoundedMap<string, Framework>;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly offers: ReadonlyMap<string, OfferRecord>;
  readonly inverseOffers: ReadonlyMap<string, InverseOfferRecord>;
  /** Admitted according to the registry, but not heard of since this master was elected. */
  readonly recovered: ReadonlyMap<string, AgentInfo>;
  readonly unreachable: ReadonlyMap<string, UnreachableAgent>;
  /** Of deactivated agents that are recovered or unreachable; registered ones have it in their record. */
  readonly standings: ReadonlyMap<string, AgentStanding>;
  readonly gone: ReadonlyMap<string, GoneAgent>;
  readonly removed: ReadonlyBoundedMap<string, Millis>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly weights: ReadonlyMap<string, number>;
  readonly quotas: ReadonlyMap<string, QuotaRecord>;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly counters: Readonly<Record<CounterName, number>>;
  /** `task_<state>/source_<source>/reason_<reason>`, lower case -> how often. */
  readonly taskCounters: ReadonlyMap<string, number>;
  /** `<type>/<state>` -> how many operations are in that state, or have ended in it. */
  readonly operationCounts: ReadonlyMap<string, number>;
  /** Of frameworks that nobody speaks for: framework id -> operation uuid (text form) -> agent id. */
  readonly orphanOperations: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Messages of version 0 frameworks by principal. */
  readonly messageCounts: ReadonlyMap<string, { readonly received: number; readonly processed: number }>;
  /** How often the allocator has run. */
  readonly allocationRuns: number;
  /** No offers are made until so many agents are known again after a failover; 0: offers are made. */
  readonly agentsToWaitFor: number;
  readonly recovery: Recovery;
}

/** How the return of agents after a failover goes; all zero where the registry knew none. Times are those of `Env.now`. */
export interface Recovery {
  /** Agents that the registry knew when this master was elected. Those awaited still are in `recovered`. */
  readonly expected: number;
  /** Of these, how many have registered again. */
  readonly returned: number;
  readonly began: Millis;
  /** From then on those who are away are given up. */
  readonly until: Millis;
}
