import { attributesSummary } from '../../../resources/attributes.ts';
import { endpointForm } from '../../../resources/refinement.ts';
import type { Resources } from '../../../resources/resources.ts';
import { toSummary } from '../../../resources/summary.ts';
import { DomainInfo, DrainConfig, Resource } from '../../../wire/v1.ts';
import type { AgentState, Executor, Framework } from '../state.ts';
import { allocatedOn, allocatedTo } from './allocated.ts';
import { labelsJson, queuedTaskJson, roleOf, taskJson } from './task.ts';

/** What the state endpoint says of the program beside what its core knows. */
export interface About {
  /** Upstream's version and build keys, in their order. */
  readonly build: Readonly<Record<string, string | number>>;
  /** Every flag with its value in text form; absent for those who may not see flags. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
  readonly masterHostname?: string | undefined;
  readonly logDir?: string | undefined;
}

/** The agent's `/state`, key by key in upstream's order. */
export function stateJson(state: AgentState, about: About): object {
  const { info, options, drain, total } = state;
  const allocated = allocatedOn(state);
  return {
    ...about.build,
    start_time: state.startTime / 1000,
    id: info.id?.value ?? '',
    pid: options.pid,
    hostname: info.hostname,
    capabilities: options.capabilities.map((capability) => capability.type),
    ...(info.domain && { domain: DomainInfo.v0.toJson(info.domain) }),
    resources: toSummary(total),
    reserved_resources: byRole(total, toSummary),
    unreserved_resources: toSummary(total.unreserved()),
    reserved_resources_full: byRole(total, inFull),
    unreserved_resources_full: inFull(total.unreserved()),
    reserved_resources_allocated: byRole(allocated, toSummary),
    unreserved_resources_allocated: toSummary(allocated.unreserved()),
    resource_providers: [],
    attributes: attributesSummary(info.attributes ?? []),
    ...(about.masterHostname !== undefined && { master_hostname: about.masterHostname }),
    ...(about.logDir !== undefined && { log_dir: about.logDir }),
    ...(about.flags && { flags: about.flags }),
    ...(drain && {
      drain_config: DrainConfig.v0.toJson(drain.config),
      estimated_drain_start_time_seconds: drain.startedAt / 1000,
    }),
    frameworks: [...state.frameworks.values()].map(frameworkJson),
    completed_frameworks: [...state.completedFrameworks].map(frameworkJson),
  };
}

function byRole<T>(resources: Resources, shape: (part: Resources) => T): Record<string, T> {
  return Object.fromEntries([...resources.reservations()].map(([role, part]) => [role, shape(part)]));
}

function inFull(resources: Resources): object[] {
  return [...resources].map((resource) => Resource.v0.toJson(endpointForm(resource)));
}

function frameworkJson(framework: Framework): object {
  const { info } = framework;
  const multiRole = info.capabilities?.some((capability) => capability.type === 'MULTI_ROLE') ?? false;
  return {
    id: framework.id,
    name: info.name,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    hostname: info.hostname ?? '',
    ...(info.principal !== undefined && { principal: info.principal }),
    ...(multiRole ? { roles: info.roles ?? [] } : { role: info.role ?? '*' }),
    executors: [...framework.executors.values()].map(executorJson),
    completed_executors: [...framework.completedExecutors].map(executorJson),
  };
}

function executorJson(executor: Executor): object {
  const { info } = executor;
  const held = allocatedTo(executor);
  const role = roleOf(held);
  const tasks = [...executor.launched.values(), ...executor.terminated.values()];
  return {
    id: executor.id,
    name: info.name ?? '',
    source: info.source ?? '',
    container: executor.containerId.value,
    directory: executor.directory,
    resources: toSummary(held),
    ...(role !== undefined && { role }),
    ...(info.labels && { labels: labelsJson(info.labels) }),
    ...(info.type && { type: info.type }),
    tasks: tasks.map((record) => taskJson(record.task)),
    queued_tasks: [...executor.queued.values()].map((record) => queuedTaskJson(record.info)),
    completed_tasks: [...executor.completed].map((record) => taskJson(record.task)),
  };
}
