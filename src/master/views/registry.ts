/** `/registrar(1)/registry`: what would survive this master, for people who look into a cluster. */
import type { Millis } from '../../base/machine.ts';
import { AgentInfo, DrainInfo, MachineInfo, MasterInfo } from '../../wire/v1.ts';
import { Schedule } from '../../wire/v1_maintenance.ts';
import { QuotaConfig } from '../../wire/v1_quota.ts';
import type { GoneAgent, MasterState, UnreachableAgent } from '../core/state.ts';
import { isDefaultQuota } from '../core/validation/quota.ts';
import { schedule } from './maintenance.ts';
import { jsonOnce, type Parts } from './parts.ts';
import { quotaConfig } from './quota.ts';
import { type AgentShown, takeSnapshot } from './snapshot.ts';

/** What the registry holds, as of one instant. */
export interface RegistrySnapshot extends Pick<MasterState, 'info' | 'machines' | 'quotas' | 'weights' | 'standings'> {
  readonly agents: readonly AgentShown[];
  readonly recovered: readonly AgentInfo[];
  readonly unreachable: readonly UnreachableAgent[];
  readonly gone: readonly GoneAgent[];
  readonly schedule: Schedule;
}

export function takeRegistry(state: MasterState): RegistrySnapshot {
  const { agents, recovered } = takeSnapshot(state, { agents: true });
  return {
    info: state.info,
    machines: new Map(state.machines),
    quotas: new Map(state.quotas),
    weights: new Map(state.weights),
    standings: new Map(state.standings),
    agents: agents.items,
    recovered: recovered.items,
    unreachable: [...state.unreachable.values()],
    gone: [...state.gone.values()],
    schedule: schedule(state),
  };
}

/** In the form of upstream's registry; what is empty is left out. */
export function* registryParts(registry: RegistrySnapshot): Parts {
  const { standings } = registry;
  yield `{"master":${JSON.stringify({ info: MasterInfo.v0.toJson(registry.info) })}`;
  yield* listed('slaves', [...registry.agents, ...registry.recovered], (agent) => admitted(agent, standings));
  yield* listed('unreachable', registry.unreachable, (agent) => ({
    ...departed(agent),
    ...decisionOn(standings, agent.id),
  }));
  yield* listed('gone', registry.gone, departed);
  const rest = JSON.stringify(restOf(registry));
  yield rest === '{}' ? '}' : `,${rest.slice(1)}`;
}

function restOf({ machines, quotas, weights, standings, agents, schedule: windows }: RegistrySnapshot): object {
  const listing = Array.from(machines.values(), ({ id, mode, unavailability }) => ({
    info: MachineInfo.v0.toJson({ id, mode, ...(unavailability !== undefined && { unavailability }) }),
  }));
  const limited = [...quotas.values()].filter((quota) => !isDefaultQuota(quota));
  const deactivated = standings.size > 0 || agents.some((agent) => agent.deactivated);
  const capabilities = [...(deactivated ? ['AGENT_DRAINING'] : []), ...(limited.length > 0 ? ['QUOTA_V2'] : [])];
  return {
    ...(listing.length > 0 && { machines: { machines: listing } }),
    ...(windows.windows !== undefined && { schedules: [Schedule.v0.toJson(windows)] }),
    ...(limited.length > 0 && { quota_configs: limited.map((quota) => QuotaConfig.v0.toJson(quotaConfig(quota))) }),
    ...(capabilities.length > 0 && { minimum_capabilities: capabilities.map((capability) => ({ capability })) }),
    ...(weights.size > 0 && { weights: [...weights].map(([role, weight]) => ({ info: { role, weight } })) }),
  };
}

function* listed<T>(field: string, list: readonly T[], entryOf: (item: T) => object): Parts {
  if (list.length === 0) return;
  yield `,"${field}":{"slaves":[`;
  yield* jsonOnce(list, (item) => JSON.stringify(entryOf(item)));
  yield ']}';
}

/** An agent that is there, or one that is not back yet. */
function admitted(agent: AgentShown | AgentInfo, standings: MasterState['standings']): object {
  if (!('info' in agent)) return { info: AgentInfo.v0.toJson(agent), ...decisionOn(standings, agent.id?.value ?? '') };
  const { info, deactivated, drain } = agent;
  return {
    info: AgentInfo.v0.toJson(info),
    ...(drain !== undefined && { drain_info: DrainInfo.v0.toJson(drain) }),
    ...(deactivated && { deactivated }),
  };
}

function decisionOn(standings: MasterState['standings'], agentId: string): object {
  const standing = standings.get(agentId);
  if (standing === undefined) return {};
  return { ...(standing.drain && { drain_info: DrainInfo.v0.toJson(standing.drain) }), deactivated: true };
}

function departed({ id, time }: { readonly id: string; readonly time: Millis }): object {
  return { id: { value: id }, timestamp: { nanoseconds: time * 1e6 } };
}
