import type { Result } from '../base/result.ts';
import type { MasterInfo } from '../wire/v1.ts';
import { authorizeByFlags } from './authorization.ts';
import { type MasterOptions, masterOptions } from './core/options.ts';
import { EMPTY_REGISTRY } from './core/registry.ts';
import type { MasterFlags } from './flags.ts';
import {
  agentRemovalRate,
  maxPatternSize,
  minAllocatable,
  percent,
  rateLimits,
  roleList,
  weightList,
} from './settings.ts';

/** The core's options out of flags that were checked. @param now wall-clock milliseconds */
export function coreOptions(
  flags: MasterFlags,
  info: MasterInfo,
  now: number,
  more: Partial<Pick<MasterOptions, 'stopwatch'>> = {},
): MasterOptions {
  const weights = parsed(flags.weights, weightList);
  return masterOptions({
    ...more,
    info,
    startTime: now,
    electedTime: now,
    registry: { ...EMPTY_REGISTRY, weights: weights ?? [] },
    authorize: authorizeByFlags(flags),
    allocationInterval: flags.allocation_interval,
    allocatorAgentRecoveryFactor: flags.allocator_agent_recovery_factor,
    allocatorRecoveryTimeout: flags.allocator_recovery_timeout,
    offerTimeout: flags.offer_timeout,
    agentPingTimeout: flags.agent_ping_timeout,
    maxAgentPingTimeouts: flags.max_agent_ping_timeouts,
    agentReregisterTimeout: flags.agent_reregister_timeout,
    recoveryAgentRemovalLimit: parsed(flags.recovery_agent_removal_limit, percent) ?? 1,
    maxCompletedFrameworks: flags.max_completed_frameworks,
    maxCompletedTasksPerFramework: flags.max_completed_tasks_per_framework,
    maxUnreachableTasksPerFramework: flags.max_unreachable_tasks_per_framework,
    registryMaxAgentCount: flags.registry_max_agent_count,
    registryMaxAgentAge: flags.registry_max_agent_age,
    registryGcInterval: flags.registry_gc_interval,
    rootSubmissions: flags.root_submissions,
    roleWhitelist: parsed(flags.roles, roleList),
    agentRemovalRateLimit: parsed(flags.agent_removal_rate_limit, agentRemovalRate),
    filterGpuResources: flags.filter_gpu_resources,
    minAllocatableResources: parsed(flags.min_allocatable_resources, minAllocatable),
    fairSharingExcludedResources: new Set(flags.fair_sharing_excluded_resource_names?.split(',')),
    requireAgentDomain: flags.require_agent_domain,
    roleSorter: flags.role_sorter,
    frameworkSorter: flags.framework_sorter,
    offerConstraintsMaxPatternSize: maxPatternSize(
      flags.offer_constraints_re2_max_program_size,
      flags.offer_constraints_re2_max_mem,
    ),
    rateLimits: parsed(flags.rate_limits, rateLimits),
    maxExecutorsPerAgent: flags.max_executors_per_agent,
  });
}

/** The flags were validated when they were loaded, so a text that does not parse is one that is not there. */
function parsed<Given, T>(text: Given | undefined, parse: (text: Given) => Result<T>): T | undefined {
  const result = text === undefined ? undefined : parse(text);
  return result?.ok ? result.value : undefined;
}
