import { attributesSummary } from '../../resources/attributes.ts';
import { endpointForm } from '../../resources/refinement.ts';
import type { Resources } from '../../resources/resources.ts';
import { type ResourcesSummary, toSummary } from '../../resources/summary.ts';
import { type AgentInfo, DomainInfo, DrainInfo, Resource } from '../../wire/v1.ts';
import type { Kept } from './kept.ts';
import { jsonForm, jsonItems, type Parts } from './parts.ts';
import type { AgentShown, Snapshot } from './snapshot.ts';

/** An agent as `/state`, `/state-summary` and `/slaves` show it. */
export function agentJson(agent: AgentShown): object {
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

/** Agents as `/state` lists them. */
export const AGENTS = jsonForm<AgentShown>('agents', (agent) => JSON.stringify(agentJson(agent)));
/** Agents that are admitted but not back yet, as every older endpoint lists them. */
export const RECOVERED = jsonForm<AgentInfo>('recovered', (info) => JSON.stringify(agentInfoJson(info)));
const FULL = jsonForm<AgentShown>('agents in full', (agent) =>
  JSON.stringify({ ...agentJson(agent), ...inFull(agent) }),
);

/** `/slaves`: agents with their resources in full, which operators give to `/unreserve` and `/destroy-volumes`. */
export function* agentsParts(kept: Kept, { agents, recovered }: Snapshot, agentId?: string): Parts {
  yield '{"slaves":[';
  if (agentId === undefined) {
    yield* jsonItems(kept, [agents], FULL);
  } else {
    const found = agents.items.filter(({ id }) => id === agentId);
    yield found.map((agent) => JSON.stringify({ ...agentJson(agent), ...inFull(agent) })).join(',');
  }
  yield '],"recovered_slaves":[';
  if (agentId === undefined) yield* jsonItems(kept, [recovered], RECOVERED);
  else yield JSON.stringify(recovered.items.filter(({ id }) => id?.value === agentId).map(agentInfoJson)).slice(1, -1);
  yield ']}';
}

function inFull(agent: AgentShown): object {
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
