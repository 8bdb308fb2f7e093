/** `/registrar(1)/registry`: what would survive this master, for people who look into a cluster. */
import type { Millis } from '../../base/machine.ts';
import { AgentInfo, DrainInfo, MachineInfo, MasterInfo } from '../../wire/v1.ts';
import { Schedule } from '../../wire/v1_maintenance.ts';
import { QuotaConfig } from '../../wire/v1_quota.ts';
import type { MasterState } from '../core/state.ts';
import { isDefaultQuota } from '../core/validation/quota.ts';
import { schedule } from './maintenance.ts';
import { quotaConfig } from './quota.ts';

/** In the form of upstream's registry; what is empty is left out. */
export function registryJson(state: MasterState): string {
  const machines = [...state.machines.values()];
  const quotas = [...state.quotas.values()].filter((quota) => !isDefaultQuota(quota));
  const windows = schedule(state);
  const deactivated = state.standings.size > 0 || [...state.agents.values()].some((agent) => agent.deactivated);
  const capabilities = [...(deactivated ? ['AGENT_DRAINING'] : []), ...(quotas.length > 0 ? ['QUOTA_V2'] : [])];
  return JSON.stringify({
    master: { info: MasterInfo.v0.toJson(state.info) },
    ...listed('slaves', 'slaves', agentsIn(state)),
    ...listed(
      'unreachable',
      'slaves',
      [...state.unreachable.values()].map((agent) => ({ ...departed(agent), ...decisionOn(state, agent.id) })),
    ),
    ...listed('gone', 'slaves', [...state.gone.values()].map(departed)),
    ...listed(
      'machines',
      'machines',
      machines.map(({ id, mode, unavailability }) => ({
        info: MachineInfo.v0.toJson({ id, mode, ...(unavailability !== undefined && { unavailability }) }),
      })),
    ),
    ...(windows.windows !== undefined && { schedules: [Schedule.v0.toJson(windows)] }),
    ...(quotas.length > 0 && { quota_configs: quotas.map((quota) => QuotaConfig.v0.toJson(quotaConfig(quota))) }),
    ...(capabilities.length > 0 && { minimum_capabilities: capabilities.map((capability) => ({ capability })) }),
    ...(state.weights.size > 0 && {
      weights: [...state.weights].map(([role, weight]) => ({ info: { role, weight } })),
    }),
  });
}

function agentsIn(state: MasterState): object[] {
  const recovered = [...state.recovered].map(([id, info]) => ({
    info: AgentInfo.v0.toJson(info),
    ...decisionOn(state, id),
  }));
  const registered = [...state.agents.values()].map(({ info, deactivated, drain }) => ({
    info: AgentInfo.v0.toJson(info),
    ...(drain !== undefined && { drain_info: DrainInfo.v0.toJson(drain) }),
    ...(deactivated && { deactivated }),
  }));
  return [...registered, ...recovered];
}

function decisionOn(state: MasterState, agentId: string): object {
  const standing = state.standings.get(agentId);
  if (standing === undefined) return {};
  return { ...(standing.drain && { drain_info: DrainInfo.v0.toJson(standing.drain) }), deactivated: true };
}

function departed({ id, time }: { readonly id: string; readonly time: Millis }): object {
  return { id: { value: id }, timestamp: { nanoseconds: time * 1e6 } };
}

function listed(field: string, inner: string, list: readonly object[]): object {
  return list.length === 0 ? {} : { [field]: { [inner]: list } };
}
