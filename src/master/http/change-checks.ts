/** What can be wrong with a call that changes something, as far as it can be seen without the core. */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, failure, notFound } from '../../http/answer.ts';
import { validateRole } from '../../resources/roles.ts';
import { validateResources } from '../../resources/validate.ts';
import type { AgentID, MachineID, Resource } from '../../wire/v1.ts';
import type { Schedule } from '../../wire/v1_maintenance.ts';
import type { Call } from '../../wire/v1_master.ts';
import type { QuotaConfig, QuotaRequest } from '../../wire/v1_quota.ts';
import type { MasterState } from '../core/state.ts';

/** @returns the refusal of a call that cannot be carried out whatever the core says */
export function refusalOf(state: MasterState, call: Call): Answer | undefined {
  const agent = agentOf(call);
  switch (call.type) {
    case 'RESERVE_RESOURCES':
    case 'UNRESERVE_RESOURCES':
    case 'CREATE_VOLUMES':
    case 'DESTROY_VOLUMES':
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return refusalOfResources(call) ?? unknownAgent(state, agent);
    case 'DRAIN_AGENT':
    case 'DEACTIVATE_AGENT':
      return isKnown(state, agent) ? undefined : badRequest('Unknown agent');
    case 'REACTIVATE_AGENT': {
      const deactivated = state.agents.get(agent?.value ?? '')?.deactivated ?? false;
      return deactivated ? undefined : badRequest('Agent is not deactivated');
    }
    case 'MARK_AGENT_GONE':
      return isKnown(state, agent) ? undefined : notFound(`Agent '${agent?.value}' not found`);
    case 'UPDATE_WEIGHTS':
      return asAnswer(checkWeights(call.update_weights?.weight_infos ?? []));
    case 'UPDATE_QUOTA':
      return asAnswer(checkQuotaConfigs(call.update_quota?.quota_configs ?? []));
    case 'SET_QUOTA':
      return asAnswer(checkQuotaRequest(call.set_quota?.quota_request ?? {}));
    case 'REMOVE_QUOTA': {
      const role = call.remove_quota?.role ?? '';
      return state.quotas.has(role) ? undefined : badRequest(`Failed to remove quota: role '${role}' has no quota set`);
    }
    case 'UPDATE_MAINTENANCE_SCHEDULE':
      return asAnswer(checkSchedule(call.update_maintenance_schedule?.schedule ?? {}));
    case 'START_MAINTENANCE':
      return asAnswer(checkMaintained(state, call.start_maintenance?.machines ?? [], 'DRAINING'));
    case 'STOP_MAINTENANCE':
      return asAnswer(checkMaintained(state, call.stop_maintenance?.machines ?? [], 'DOWN'));
    default:
      return undefined;
  }
}

/** Whether a call asks for no change at all, and so has succeeded. */
export function isVoid(call: Call): boolean {
  return call.type === 'UPDATE_WEIGHTS' && (call.update_weights?.weight_infos ?? []).length === 0;
}

function agentOf(call: Call): AgentID | undefined {
  const argument =
    call.reserve_resources ??
    call.unreserve_resources ??
    call.create_volumes ??
    call.destroy_volumes ??
    call.grow_volume ??
    call.shrink_volume ??
    call.drain_agent ??
    call.deactivate_agent ??
    call.reactivate_agent ??
    call.mark_agent_gone;
  return argument?.agent_id;
}

function isKnown(state: MasterState, agent: AgentID | undefined): boolean {
  const id = agent?.value ?? '';
  return state.agents.has(id) || state.recovered.has(id) || state.unreachable.has(id) || state.gone.has(id);
}

function unknownAgent(state: MasterState, agent: AgentID | undefined): Answer | undefined {
  return state.agents.has(agent?.value ?? '') ? undefined : badRequest('No agent found with specified ID');
}

function refusalOfResources(call: Call): Answer | undefined {
  const resources: readonly Resource[] = [
    ...(call.reserve_resources?.resources ?? []),
    ...(call.reserve_resources?.source ?? []),
    ...(call.unreserve_resources?.resources ?? []),
    ...(call.create_volumes?.volumes ?? []),
    ...(call.destroy_volumes?.volumes ?? []),
    ...(call.grow_volume ? [call.grow_volume.volume, call.grow_volume.addition] : []),
    ...(call.shrink_volume ? [call.shrink_volume.volume] : []),
  ];
  const valid = validateResources(resources);
  return valid.ok ? undefined : badRequest(`Failed to validate master::Call: ${valid.error}`);
}

/** Weights are for roles that exist by name alone, and positive. */
export function checkWeights(weights: readonly { readonly role?: string; readonly weight: number }[]): Result<void> {
  for (const { role, weight } of weights) {
    const name = (role ?? '').trim();
    const valid = validateRole(name);
    if (!valid.ok) return err(`Failed to validate update weights request JSON: Invalid role '${name}': ${valid.error}`);
    if (!(weight > 0))
      return err(
        `Failed to validate update weights request JSON for role '${name}': Invalid weight '${weight}': Weights must be positive`,
      );
  }
  return ok(undefined);
}

function checkQuotaConfigs(configs: readonly QuotaConfig[]): Result<void> {
  for (const { role, guarantees, limits } of configs) {
    const valid = validateRole(role);
    if (!valid.ok) return err(`Invalid QuotaConfig: Invalid role '${role}': ${valid.error}`);
    if (role.includes('/'))
      return err(`Invalid QuotaConfig: Setting quota on nested role '${role}' is not supported yet`);
    for (const [name, { value }] of Object.entries({ ...guarantees, ...limits })) {
      if (!(value >= 0))
        return err(`Invalid QuotaConfig: the amount of '${name}' must not be negative, it is ${value}`);
    }
    for (const [name, { value }] of Object.entries(guarantees ?? {})) {
      const limit = limits?.[name]?.value;
      if (limit !== undefined && value > limit)
        return err(`Invalid QuotaConfig: the guarantee ${name}:${value} is above the limit ${name}:${limit}`);
    }
  }
  return ok(undefined);
}

function checkQuotaRequest({ role, guarantee }: QuotaRequest): Result<void> {
  const wrong = (sentence: string): Result<void> => err(`Failed to validate set quota request: QuotaInfo ${sentence}`);
  const valid = validateRole(role ?? '');
  if (!valid.ok) return wrong(`with invalid role: ${valid.error}`);
  const resources = guarantee ?? [];
  if (resources.length === 0) return wrong("with empty 'guarantee'");
  const validResources = validateResources(resources);
  if (!validResources.ok) return wrong(`with invalid resource: ${validResources.error}`);
  for (const resource of resources) {
    if (resource.type !== 'SCALAR') return wrong(`must not include non-scalar resources: ${resource.name}`);
    const reserved = (resource.reservations ?? []).length > 0 || (resource.role ?? '*') !== '*';
    if (reserved) return wrong(`must not contain any ReservationInfo: ${resource.name}`);
    if (resource.disk !== undefined) return wrong(`must not contain DiskInfo: ${resource.name}`);
    if (resource.revocable !== undefined) return wrong(`must not contain RevocableInfo: ${resource.name}`);
  }
  const names = resources.map(({ name }) => name);
  if (new Set(names).size < names.length) return wrong(`contains duplicate resource names: ${names.join(', ')}`);
  return ok(undefined);
}

function checkSchedule(schedule: Schedule): Result<void> {
  const seen = new Set<string>();
  for (const { machine_ids: machines, unavailability } of schedule.windows ?? []) {
    if ((machines ?? []).length === 0) return err('List of machines in the maintenance window is empty');
    if ((unavailability.duration?.nanoseconds ?? 0) < 0) return err("Unavailability 'duration' is negative");
    const valid = checkMachines(machines ?? [], seen);
    if (!valid.ok) return valid;
  }
  return ok(undefined);
}

function checkMaintained(state: MasterState, machines: readonly MachineID[], mode: 'DRAINING' | 'DOWN'): Result<void> {
  if (machines.length === 0) return err('List of machines is empty');
  const valid = checkMachines(machines, new Set());
  if (!valid.ok) return valid;
  const known = new Map([...state.machines.values()].map((machine) => [keyOf(machine.id), machine]));
  for (const machine of machines) {
    const found = known.get(keyOf(machine));
    if (found === undefined) return err(`Machine '${JSON.stringify(machine)}' is not part of a maintenance schedule`);
    if (found.mode !== mode)
      return err(`Machine '${JSON.stringify(machine)}' is not in ${mode} mode: it is ${found.mode}`);
  }
  return ok(undefined);
}

function checkMachines(machines: readonly MachineID[], seen: Set<string>): Result<void> {
  for (const machine of machines) {
    if (!machine.hostname && !machine.ip) return err("Both 'hostname' and 'ip' for a machine are empty");
    if (machine.ip && !/^\d{1,3}(\.\d{1,3}){3}$/.test(machine.ip)) return err(`Failed to parse IPv4: ${machine.ip}`);
    const key = keyOf(machine);
    if (seen.has(key)) return err(`Machine '${JSON.stringify(machine)}' appears more than once in the schedule`);
    seen.add(key);
  }
  return ok(undefined);
}

/** Host names are the same in any case. */
function keyOf({ hostname, ip }: MachineID): string {
  return `${(hostname ?? '').toLowerCase()}|${ip ?? ''}`;
}

function asAnswer(result: Result<void>): Answer | undefined {
  return result.ok ? undefined : failure(400, result.error);
}
