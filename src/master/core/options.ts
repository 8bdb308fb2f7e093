import type { Millis } from '../../base/machine.ts';
import type { Quantities } from '../../resources/quantities.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import type { Authorize } from './authorization.ts';
import { permitAll } from './authorization.ts';
import type { RateLimits } from './rate-limits.ts';
import { EMPTY_REGISTRY, type RegistrySnapshot } from './registry.ts';

/** How one master is set up. Durations in milliseconds; the names and defaults are those of upstream's flags. */
export interface MasterOptions {
  /** With the id, a random UUID per master process. */
  readonly info: MasterInfo;
  /** Wall-clock instants. */
  readonly startTime: Millis;
  readonly electedTime: Millis;
  readonly registry: RegistrySnapshot;
  readonly authorize: Authorize;
  readonly allocationInterval: Millis;
  /** After a failover, where roles have quota: this share (0..1) of the agents must be back before offers are made, ... */
  readonly allocatorAgentRecoveryFactor: number;
  /** ... or this much time must have passed. */
  readonly allocatorRecoveryTimeout: Millis;
  /** Absent: offers stay until they are answered. */
  readonly offerTimeout: Millis | undefined;
  readonly heartbeatInterval: Millis;
  readonly agentPingTimeout: Millis;
  readonly maxAgentPingTimeouts: number;
  readonly agentReregisterTimeout: Millis;
  /** The share (0..1) of recovered agents that may fail to come back; beyond it the master stops. */
  readonly recoveryAgentRemovalLimit: number;
  readonly maxCompletedFrameworks: number;
  readonly maxCompletedTasksPerFramework: number;
  readonly maxUnreachableTasksPerFramework: number;
  readonly registryMaxAgentCount: number;
  readonly registryMaxAgentAge: Millis;
  readonly registryGcInterval: Millis;
  readonly rootSubmissions: boolean;
  /** `--roles`: the only roles that may be used, if set. */
  readonly roleWhitelist: ReadonlySet<string> | undefined;
  /** `--agent_removal_rate_limit`: at most `count` agents marked unreachable in each `interval`. */
  readonly agentRemovalRateLimit: { readonly count: number; readonly interval: Millis } | undefined;
  readonly filterGpuResources: boolean;
  readonly minAllocatableResources: readonly Quantities[] | undefined;
  readonly fairSharingExcludedResources: ReadonlySet<string>;
  readonly requireAgentDomain: boolean;
  /** `--offer_constraints_re2_max_program_size` */
  readonly offerConstraintsMaxPatternSize: number;
  readonly roleSorter: 'drf' | 'random';
  readonly frameworkSorter: 'drf' | 'random';
  /** `--max_executors_per_agent`: an agent with so many is not offered. */
  readonly maxExecutorsPerAgent: number | undefined;
  /** `--rate_limits` */
  readonly rateLimits: RateLimits | undefined;
  readonly stopwatch: Stopwatch;
}

/** Measures allocations, for metrics; nothing is decided by what it measures. */
export interface Stopwatch {
  /** Does the work, at once and once. */
  allocation<T>(work: () => T): T;
  /** So long an allocation that was asked for had to wait. */
  allocationWaited(time: Millis): void;
}

const NO_STOPWATCH: Stopwatch = { allocation: (work) => work(), allocationWaited: () => {} };

/** Upstream's defaults for everything but who this master is. */
export function masterOptions(given: Partial<MasterOptions> & Pick<MasterOptions, 'info'>): MasterOptions {
  return {
    startTime: 0,
    electedTime: given.startTime ?? 0,
    registry: EMPTY_REGISTRY,
    authorize: permitAll,
    allocationInterval: 1000,
    allocatorAgentRecoveryFactor: 0.8,
    allocatorRecoveryTimeout: 600_000,
    offerTimeout: undefined,
    heartbeatInterval: 15_000,
    agentPingTimeout: 15_000,
    maxAgentPingTimeouts: 5,
    agentReregisterTimeout: 600_000,
    recoveryAgentRemovalLimit: 1,
    maxCompletedFrameworks: 50,
    maxCompletedTasksPerFramework: 1000,
    maxUnreachableTasksPerFramework: 1000,
    registryMaxAgentCount: 102_400,
    registryMaxAgentAge: 14 * 24 * 3600_000,
    registryGcInterval: 900_000,
    rootSubmissions: true,
    roleWhitelist: undefined,
    agentRemovalRateLimit: undefined,
    filterGpuResources: true,
    minAllocatableResources: undefined,
    fairSharingExcludedResources: new Set(),
    requireAgentDomain: false,
    offerConstraintsMaxPatternSize: 100,
    roleSorter: 'drf',
    frameworkSorter: 'drf',
    maxExecutorsPerAgent: undefined,
    rateLimits: undefined,
    stopwatch: NO_STOPWATCH,
    ...given,
  };
}
