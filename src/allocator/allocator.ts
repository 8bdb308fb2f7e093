/**
 * Who is offered what: what the master core asks of an allocator. It is synchronous and keeps no clock and no timers;
 * where time matters the caller says what time it is. `createAllocator` in hierarchical.ts makes one.
 *
 * Everything offered counts as allocated from the moment `allocate` hands it out until `recoverResources` takes it back.
 * Resources that go in and out are allocated: each carries the role in its `allocation_info`.
 */
import type { Millis } from '../base/machine.ts';
import type { Quantities } from '../resources/quantities.ts';
import type { Resources } from '../resources/resources.ts';
import type { AgentInfo, DomainInfo, Unavailability } from '../wire/v1.ts';
import type { InverseOfferStatus } from '../wire/v1_allocator.ts';
import type { OfferConstraintsFilter } from './constraints.ts';
import type { NoOfferDetails, NoOfferReason } from './reason.ts';

export interface AllocatorOptions {
  /** How roles take turns. Default: `drf`. */
  readonly roleSorter?: 'drf' | 'random';
  /** How the frameworks of one role take turns. Default: `drf`. */
  readonly frameworkSorter?: 'drf' | 'random';
  /** An offer has at least one of these; with none, anything is offered. Default: none. */
  readonly minAllocatable?: readonly Quantities[];
  /** Names of resources that do not count as shares. */
  readonly fairSharingExcluded?: ReadonlySet<string>;
  /** Agents with GPUs are for frameworks with GPU_RESOURCES only. Default: true. */
  readonly filterGpuResources?: boolean;
  /** The master's own domain: agents of other regions are for frameworks with REGION_AWARE only. */
  readonly domain?: DomainInfo;
  /** A refusal lasts at least this long, so that it is felt by at least one allocation. Default: 1000. */
  readonly allocationInterval?: Millis;
}

export interface FrameworkSpec {
  readonly roles: Iterable<string>;
  /** A subset of `roles`. */
  readonly suppressedRoles?: Iterable<string>;
  /** Names of `FrameworkInfo.Capability.Type` values. */
  readonly capabilities: ReadonlySet<string>;
  /** In place of the option `minAllocatable`; an empty list means that anything is offered. */
  readonly minAllocatableByRole?: ReadonlyMap<string, readonly Quantities[]>;
  /** From `compileOfferConstraints`. */
  readonly constraints?: OfferConstraintsFilter;
}

export interface AgentSpec {
  /** Hostname, attributes and domain are looked at. */
  readonly info: AgentInfo;
  /** Everything it has, oversubscribed resources included; not allocated. */
  readonly total: Resources;
  /** Names of `AgentInfo.Capability.Type` values. */
  readonly capabilities: ReadonlySet<string>;
  /** What frameworks hold there, known to this allocator or not. */
  readonly used?: Iterable<readonly [frameworkId: string, held: Resources]>;
  /** Its machine is to go down for maintenance. */
  readonly unavailability?: Unavailability;
}

/** What an agent may change while it is known; what is absent stays. */
export interface AgentUpdate {
  readonly info?: AgentInfo;
  readonly total?: Resources;
  readonly capabilities?: ReadonlySet<string>;
}

/** In thousandths per resource name, scalars only. A name without a limit is not limited. */
export interface Quota {
  readonly guarantees: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
}

/** One offer to make. There is at most one per framework, role and agent in the answer of one `allocate`. */
export interface Allocation {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  /** Allocated to `role`. */
  readonly resources: Resources;
}

/** One inverse offer to make: the framework is asked to give up what it holds on an agent that is to go down. */
export interface InverseAllocation {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly unavailability: Unavailability;
}

/** Why a role of a framework is offered nothing now, on how many agents, and one of these agents as an example. */
export interface NoOffer {
  readonly role: string;
  readonly reason: NoOfferReason;
  readonly agents: number;
  readonly exampleAgentId: string | undefined;
  /** REFUSED: when the first of these agents may be offered again. */
  readonly until?: Millis;
  /** As it is on the example. */
  readonly details?: NoOfferDetails;
}

/** Why a role of a framework is offered nothing of one agent now. */
export interface NoOfferHere {
  readonly role: string;
  readonly agentId: string;
  readonly reason: NoOfferReason;
  /** REFUSED: when it may be offered again. */
  readonly until?: Millis;
  readonly details?: NoOfferDetails;
}

/** Naming an unknown framework or agent is a bug in the caller and throws, except where it says otherwise. */
export interface Allocator {
  /**
   * @param active false: known, but offered nothing until `activateFramework`
   * @param used what it holds already; agents that are not known yet are skipped, they bring it with `addAgent`
   */
  addFramework(
    id: string,
    spec: FrameworkSpec & { readonly active: boolean },
    used?: Iterable<readonly [agentId: string, held: Resources]>,
  ): void;
  /** Takes over all of the spec. Roles that are no longer suppressed are revived: their filters go. */
  updateFramework(id: string, spec: FrameworkSpec): void;
  /** Everything that it holds becomes free. */
  removeFramework(id: string): void;
  activateFramework(id: string): void;
  /** It is offered nothing until it is activated again; its filters go. What it holds stays. */
  deactivateFramework(id: string): void;
  hasFramework(id: string): boolean;

  /** Starts out active. */
  addAgent(id: string, spec: AgentSpec): void;
  /** Filters for the agent go if its attributes change. @returns whether anything changed */
  updateAgent(id: string, update: AgentUpdate): boolean;
  /** Adds to its total what a resource provider has; `used` is what frameworks hold of it. */
  addResourceProvider(
    id: string,
    total: Resources,
    used?: Iterable<readonly [frameworkId: string, held: Resources]>,
  ): void;
  removeAgent(id: string): void;
  activateAgent(id: string): void;
  /** What is free there is not offered; what frameworks hold stays. */
  deactivateAgent(id: string): void;
  hasAgent(id: string): boolean;

  /**
   * The agent is to go down in this interval, or (undefined) is not any more. What frameworks have answered before is
   * forgotten, and so are refusals of inverse offers for the agent.
   */
  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void;
  /**
   * Inverse offers that are due: one for each active framework that holds something on an agent that is to go down, unless
   * one is outstanding or it does not want to hear of it for a while. Each counts as outstanding until it is answered.
   */
  allocateInverse(now: Millis): InverseAllocation[];
  /**
   * An inverse offer is outstanding no more: it was answered, or (status undefined) taken back or it ran out.
   * Ignored if the framework or the agent is gone.
   * @param refuseSeconds how long the framework is not asked again about this agent; as in `recoverResources`
   */
  answerInverseOffer(
    agentId: string,
    frameworkId: string,
    status: InverseOfferStatus | undefined,
    refuseSeconds: number | undefined,
    now: Millis,
  ): void;
  /** The last answers to inverse offers, by agent id and framework id, for `/maintenance/status`. */
  inverseOfferStatuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>>;

  /** Only agents with these hostnames are offered; undefined means all. */
  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void;

  /**
   * Takes back what was declined, left over, or has ended; all of one role. Ignored if the framework or the agent is gone.
   * @param refuseSeconds how long this much of the agent is not offered again to the framework's role; undefined or 0: it
   *   may be at once; negative or not a number counts as 5; more than a year counts as a year
   */
  recoverResources(
    frameworkId: string,
    agentId: string,
    resources: Resources,
    refuseSeconds: number | undefined,
    now: Millis,
  ): void;
  /**
   * An operation changed what a framework holds, all of one role, and so what the agent has (RESERVE, CREATE, …).
   * A further copy of a shared volume does not change what the agent has.
   */
  updateAllocation(frameworkId: string, agentId: string, before: Resources, after: Resources): void;
  /** The same for free resources (an operator's RESERVE); both are not allocated. @returns false if `before` is not all free */
  updateAvailable(agentId: string, before: Resources, after: Resources): boolean;

  /** No roles: all roles of the framework. */
  suppress(frameworkId: string, roles?: Iterable<string>): void;
  /** Ends suppression and clears the filters of these roles; no roles: all roles of the framework. */
  revive(frameworkId: string, roles?: Iterable<string>): void;

  /** Positive numbers by role; roles that are not named keep theirs. The default is 1. */
  updateWeights(weights: Iterable<readonly [role: string, weight: number]>): void;
  /** Of a top-level role; undefined: none. */
  updateQuota(role: string, quota: Quota | undefined): void;

  /**
   * Hands out what is free. Cheap if nothing has changed since the last time. Call it when something became free or somebody
   * wants more, and at every allocation interval, when filters run out.
   * @param agentIds only these agents are looked at; undefined: all
   * @param random uniform in [0, 1); the order of agents is random
   */
  allocate(now: Millis, random: () => number, agentIds?: Iterable<string>): Allocation[];

  /** How many agents the last `allocate` looked at: a measure of what it cost. */
  readonly lookedAt: number;

  /** Why a framework gets no more than it has; worked out when asked, as of the last `allocate`. */
  explain(frameworkId: string, now: Millis): NoOffer[];
  /** The same agent by agent, for one role or agent or for all; none for those that are not known. */
  explainAgents(
    frameworkId: string,
    now: Millis,
    question?: { readonly role?: string | undefined; readonly agentId?: string | undefined },
  ): Iterable<NoOfferHere>;
  /** Agents on which the framework's offer constraints exclude a role, by role. */
  excludedByConstraints(frameworkId: string): Map<string, string[]>;

  /** What is free on an agent: neither offered nor used. */
  available(agentId: string): Resources;
  /** Offered and used by one framework on one agent. */
  allocated(frameworkId: string, agentId: string): Resources;
  /** The current dominant share of a role (with its subroles), divided by its weight; 0 for an unknown role. */
  roleShare(role: string): number;
  /** The current dominant share of a framework among those of a role; 0 where it has none. */
  frameworkShare(frameworkId: string, role: string): number;
  /** What counts against the quota of a top-level role: what is offered or used of it, and what is reserved to it. */
  quotaConsumed(topRole: string): Quantities;
  /** How many unexpired filters there are for a role, for metrics. */
  activeFilters(role: string): number;
  /** The earliest time at which a filter runs out, if there is any: nothing is offered because of time before then. */
  nextExpiry(): Millis | undefined;
}
