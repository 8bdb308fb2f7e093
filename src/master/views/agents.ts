import { attributesSummary } from '../../resources/attributes.ts';
import { endpointForm } from '../../resources/refinement.ts';
import type { Resources } from '../../resources/resources.ts';
import { type ResourcesSummary, toSummary } from '../../resources/summary.ts';
import { type AgentInfo, DomainInfo, DrainInfo, Resource } from '../../wire/v1.ts';
import type { Agent, MasterState } from '../core/state.ts';

/** An agent as `/state`, `/state-summary` and `/slaves` show it. */
export function agentJson(agent: Agent): object {
  const reserved: Record<string, ResourcesSummary> = {};
  for (const [role, resources] of agent.total.reservations()) reserved[role] = toSummary(resources);
  return {
    ...agentInfoJson(agent.info),
    pid: agent.pid,
    registered_time: agent.registeredTime / 1000,
    ...(agent.reregisteredTime !== undefined && { reregistered_time: agent.reregisteredTime / 1000 }),
    resources: toSummary(agent.total),
    used_resources: toSummary(agent.used),
    offered_resources: toSummary(agent.offered),
    reserved_resources: reserved,
    unreserved_resources: toSummary(agent.total.unreserved()),
    active: agent.active,
    deactivated: agent.deactivated,
    version: agent.version,
    capabilities: [...agent.capabilities],
    ...(agent.drain && {
      drain_info: DrainInfo.v0.toJson(agent.drain),
      ...(agent.drainStarted !== undefined && { estimated_drain_start_time_seconds: agent.drainStarted / 1000 }),
    }),
  };
}

/** An agent that is admitted but not back yet. */
export function agentInfoJson(info: AgentInfo): object {
  return {
    id: info.id?.value ?? '',
    hostname: info.hostname,
    port: info.port ?? 5051,
    attributes: attributesSummary(info.attributes ?? []),
    ...(info.domain && { domain: DomainInfo.v0.toJson(info.domain) }),
  };
}

/** `/slaves`: agents with their resources in full, which operators give to `/unreserve` and `/destroy-volumes`. */
export function agentsJson(state: MasterState, agentId?: string): string {
  const wanted = (id: string | undefined): boolean => agentId === undefined || id === agentId;
  const agents = [...state.agents.values()].filter(({ id }) => wanted(id));
  const recovered = [...state.recovered.values()].filter(({ id }) => wanted(id?.value));
  const texts = agents.map((agent) => JSON.stringify({ ...agentJson(agent), ...inFull(agent) }));
  return `{"slaves":[${texts.join(',')}],"recovered_slaves":${JSON.stringify(recovered.map(agentInfoJson))}}`;
}

function inFull(agent: Agent): object {
  const reserved: Record<string, object[]> = {};
  for (const [role, resources] of agent.total.reservations()) reserved[role] = resourcesJson(resources);
  return {
    reserved_resources_full: reserved,
    unreserved_resources_full: resourcesJson(agent.total.unreserved()),
    used_resources_full: resourcesJson(agent.used),
    offered_resources_full: resourcesJson(agent.offered),
  };
}

function resourcesJson(resources: Resources): object[] {
  return resources.toProto().map((resource) => Resource.v0.toJson(endpointForm(resource)));
}
