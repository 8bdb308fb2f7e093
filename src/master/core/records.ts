/** The mutable forms of what `state.ts` shows readonly. Only the core imports this file. */
import type { OfferConstraintsFilter } from '../../allocator/constraints.ts';
import { Resources } from '../../resources/resources.ts';
import type { AgentInfo, ExecutorInfo, FrameworkInfo, Operation, Task, TaskState } from '../../wire/v1.ts';
import type { Counters } from './counters.ts';
import { zeroCounters } from './counters.ts';
import { capabilitiesOf, rolesOf } from './framework-info.ts';
import type { MasterOptions } from './options.ts';
import { PassedOn } from './passed-on.ts';
import { BoundedMap, Ring } from './ring.ts';
import type {
  Agent,
  AgentObserver,
  AgentStanding,
  Framework,
  FrameworkCounters,
  GoneAgent,
  InverseOfferRecord,
  Machine,
  MasterState,
  OfferRecord,
  Pid,
  QuotaRecord,
  Recovery,
  Role,
  UnreachableAgent,
} from './state.ts';
import { TaskTable } from './task-table.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

type FrameworkMaps =
  | 'tasks'
  | 'completedTasks'
  | 'unreachableTasks'
  | 'executors'
  | 'offers'
  | 'inverseOffers'
  | 'used'
  | 'operations'
  | 'counters';

export interface FrameworkCountersRecord extends Writable<Omit<FrameworkCounters, 'calls'>> {
  readonly calls: Map<string, number>;
  readonly events: Map<string, number>;
  readonly operations: Map<string, number>;
  readonly terminalTasks: Map<TaskState, number>;
}

export interface FrameworkRecord extends Writable<Omit<Framework, FrameworkMaps>> {
  readonly id: string;
  readonly tasks: TaskTable;
  readonly completedTasks: Ring<Task>;
  readonly unreachableTasks: BoundedMap<string, Task>;
  readonly executors: Map<string, Map<string, ExecutorInfo>>;
  readonly offers: Set<string>;
  readonly inverseOffers: Set<string>;
  readonly used: Map<string, Resources>;
  readonly operations: Map<string, Operation>;
  readonly counters: FrameworkCountersRecord;
  /** By task: uuids of earlier updates that told of its end. An agent that was restarted may tell of it anew. */
  readonly earlierEnds: Map<string, Uint8Array[]>;
  /** `offerConstraints`, ready for use. */
  constraints: OfferConstraintsFilter | undefined;
}

type AgentMaps =
  | 'usedByFramework'
  | 'tasks'
  | 'executors'
  | 'offers'
  | 'inverseOffers'
  | 'pendingKills'
  | 'operations'
  | 'observer'
  | 'capabilities';

export interface AgentRecord extends Writable<Omit<Agent, AgentMaps>> {
  readonly id: string;
  capabilities: ReadonlySet<string>;
  readonly usedByFramework: Map<string, Resources>;
  readonly tasks: Map<string, Set<string>>;
  // These are changed by way of `own`: most agents have nothing of the kind.
  executors: ReadonlyMap<string, Set<string>>;
  offers: ReadonlySet<string>;
  inverseOffers: ReadonlySet<string>;
  pendingKills: ReadonlyMap<string, Set<string>>;
  operations: ReadonlyMap<string, Operation>;
  /** Uuids of operations that were acknowledged lately: an inventory that was on its way may list them once more. */
  acknowledgedOperations: ReadonlySet<string>;
  /** Acknowledged ends of tasks of which it may not have heard yet. */
  readonly passedOn: PassedOn;
  readonly observer: Writable<AgentObserver>;
  /** It was admitted on a registration that it has not confirmed yet: an earlier life may have sent that. */
  isUnconfirmed: boolean;
}

export interface RoleRecord extends Role {
  readonly frameworks: Set<string>;
}

type MasterMaps =
  | 'frameworks'
  | 'completedFrameworks'
  | 'agents'
  | 'offers'
  | 'inverseOffers'
  | 'recovered'
  | 'unreachable'
  | 'standings'
  | 'gone'
  | 'removed'
  | 'roles'
  | 'weights'
  | 'quotas'
  | 'machines'
  | 'counters'
  | 'taskCounters'
  | 'operationCounts'
  | 'orphanOperations'
  | 'messageCounts'
  | 'recovery';

export interface MasterRecord extends Writable<Omit<MasterState, MasterMaps>> {
  readonly frameworks: Map<string, FrameworkRecord>;
  readonly completedFrameworks: BoundedMap<string, FrameworkRecord>;
  readonly agents: Map<string, AgentRecord>;
  readonly offers: Map<string, OfferRecord>;
  readonly inverseOffers: Map<string, InverseOfferRecord>;
  readonly recovered: Map<string, AgentInfo>;
  readonly unreachable: Map<string, UnreachableAgent>;
  readonly standings: Map<string, AgentStanding>;
  readonly gone: Map<string, GoneAgent>;
  readonly removed: BoundedMap<string, number>;
  readonly roles: Map<string, RoleRecord>;
  readonly weights: Map<string, number>;
  readonly quotas: Map<string, QuotaRecord>;
  readonly machines: Map<string, Machine>;
  readonly counters: Counters;
  readonly taskCounters: Map<string, number>;
  readonly operationCounts: Map<string, number>;
  readonly orphanOperations: Map<string, Map<string, string>>;
  readonly messageCounts: Map<string, { received: number; processed: number }>;
  recovery: Writable<Recovery>;
}

/** Upstream remembers this many removed agents. */
const MAX_REMOVED_AGENTS = 100_000;

/** The key of a machine in `MasterState.machines`: hostname and IP together identify one. */
export function machineKey(hostname: string | undefined, ip: string | undefined): string {
  return `${hostname?.toLowerCase() ?? ''}/${ip ?? ''}`;
}

/** The state of a master that was just elected: what the registry knows, and nobody connected. */
export function newMasterState(options: MasterOptions): MasterRecord {
  const { registry } = options;
  return {
    id: options.info.id,
    info: options.info,
    startTime: options.startTime,
    electedTime: options.electedTime,
    frameworks: new Map(),
    completedFrameworks: new BoundedMap(options.maxCompletedFrameworks),
    agents: new Map(),
    offers: new Map(),
    inverseOffers: new Map(),
    recovered: new Map(registry.agents.map(({ info }) => [info.id?.value ?? '', info])),
    unreachable: new Map(registry.unreachable.map(({ id, time }) => [id, { id, time, info: undefined }])),
    standings: standingsIn(registry),
    gone: new Map(registry.gone.map((agent) => [agent.id, agent])),
    removed: new BoundedMap(MAX_REMOVED_AGENTS),
    roles: new Map(),
    weights: new Map(registry.weights.map(({ role, weight }) => [role, weight])),
    quotas: new Map(registry.quotas.map((quota) => [quota.role, quota])),
    machines: new Map(registry.machines.map((machine) => [machineKey(machine.id.hostname, machine.id.ip), machine])),
    counters: zeroCounters(),
    taskCounters: new Map(),
    operationCounts: new Map(),
    orphanOperations: new Map(),
    messageCounts: new Map(),
    allocationRuns: 0,
    agentsToWaitFor: 0,
    recovery: { expected: 0, returned: 0, began: 0, until: 0 },
  };
}

function standingsIn({ agents, unreachable }: MasterOptions['registry']): Map<string, AgentStanding> {
  const all = [...agents.map(({ info, ...rest }) => ({ id: info.id?.value ?? '', ...rest })), ...unreachable];
  return new Map(
    all.flatMap(({ id, deactivated, drain }) =>
      deactivated === true || drain !== undefined ? [[id, drain === undefined ? {} : { drain }]] : [],
    ),
  );
}

/** A framework that nothing is known of but its info. */
export function newFramework(info: FrameworkInfo, id: string, now: number, options: MasterOptions): FrameworkRecord {
  return {
    id,
    info: { ...info, id: { value: id } },
    state: 'RECOVERED',
    active: false,
    connection: undefined,
    principal: info.principal,
    capabilities: capabilitiesOf(info),
    roles: rolesOf(info),
    suppressedRoles: new Set(),
    offerConstraints: undefined,
    constraints: undefined,
    tasks: new TaskTable(),
    completedTasks: new Ring(options.maxCompletedTasksPerFramework),
    unreachableTasks: new BoundedMap(options.maxUnreachableTasksPerFramework),
    earlierEnds: new Map(),
    executors: new Map(),
    offers: new Set(),
    inverseOffers: new Set(),
    used: new Map(),
    operations: new Map(),
    registeredTime: now,
    reregisteredTime: now,
    unregisteredTime: 0,
    counters: {
      calls: new Map(),
      events: new Map(),
      operations: new Map(),
      terminalTasks: new Map(),
      offersSent: 0,
      offersAccepted: 0,
      offersDeclined: 0,
      offersRescinded: 0,
    },
  };
}

/** What an agent says of itself when it registers. */
export interface AgentArrival {
  readonly id: string;
  readonly info: AgentInfo;
  readonly pid: Pid;
  readonly version: string;
  readonly capabilities: ReadonlySet<string>;
  readonly total: Resources;
  readonly checkpointed: Resources;
  readonly resourceVersion: Uint8Array | undefined;
}

/** An agent that has just come, with nothing on it. Field by field: a copy that is added to takes half as much room again. */
export function newAgent(arrival: AgentArrival, observer: string, now: number): AgentRecord {
  return {
    id: arrival.id,
    info: arrival.info,
    pid: arrival.pid,
    version: arrival.version,
    capabilities: arrival.capabilities,
    total: arrival.total,
    checkpointed: arrival.checkpointed,
    resourceVersion: arrival.resourceVersion,
    registeredTime: now,
    reregisteredTime: undefined,
    isOverdrawn: false,
    connected: true,
    active: true,
    deactivated: false,
    drain: undefined,
    drainStarted: undefined,
    used: Resources.EMPTY,
    offered: Resources.EMPTY,
    usedByFramework: new Map(),
    tasks: new Map(),
    executors: NO_ENTRIES,
    offers: NO_ITEMS,
    inverseOffers: NO_ITEMS,
    pendingKills: NO_ENTRIES,
    operations: NO_ENTRIES,
    acknowledgedOperations: NO_ITEMS,
    passedOn: new PassedOn(),
    observer: { process: observer, misses: 0, pinged: false, markingUnreachable: false },
    isUnconfirmed: false,
  };
}

const NO_ENTRIES: ReadonlyMap<string, never> = new Map<string, never>();
const NO_ITEMS: ReadonlySet<string> = new Set();

interface OwnCollections {
  executors: Map<string, Set<string>>;
  offers: Set<string>;
  inverseOffers: Set<string>;
  pendingKills: Map<string, Set<string>>;
  operations: Map<string, Operation>;
  acknowledgedOperations: Set<string>;
}

/** A collection of an agent, to be changed. Ten thousand agents without offers need no ten thousand empty sets. */
export function own<Name extends keyof OwnCollections>(agent: AgentRecord, name: Name): OwnCollections[Name] {
  const shown: unknown = agent[name];
  if (shown === NO_ENTRIES) agent[name] = new Map() as never;
  else if (shown === NO_ITEMS) agent[name] = new Set() as never;
  return agent[name] as OwnCollections[Name];
}

/** Adds to a counter kept in a map. */
export function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Adds to the set under a key. */
export function addTo<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([value]));
  else set.add(value);
}

/** Takes out of the set under a key, and drops the set when it is empty. */
export function takeFrom<K, V>(index: Map<K, Set<V>>, key: K, value: V): boolean {
  const set = index.get(key);
  if (set === undefined || !set.delete(value)) return false;
  if (set.size === 0) index.delete(key);
  return true;
}
