/** What can be wrong with a call that changes something, as far as it can be seen without the core. */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, failure, notFound } from '../../http/answer.ts';
import type { AgentID, MachineID } from '../../wire/v1.ts';
import type { Schedule } from '../../wire/v1_maintenance.ts';
import type { Call } from '../../wire/v1_master.ts';
import type { MasterState } from '../core/state.ts';

/** @returns the refusal of a call that cannot be carried out whatever the core says */
export function refusalOf(state: MasterState, call: Call): Answer | undefined {
  const agent = agentOf(call);
  switch (call.type) {
    case 'DRAIN_AGENT':
    case 'DEACTIVATE_AGENT':
      return isKnown(state, agent) ? undefined : badRequest('Unknown agent');
    case 'REACTIVATE_AGENT': {
      const deactivated = state.agents.get(agent?.value ?? '')?.deactivated ?? false;
      return deactivated ? undefined : badRequest('Agent is not deactivated');
    }
    case 'MARK_AGENT_GONE':
      return isKnown(state, agent) ? undefined : notFound(`Agent '${agent?.value}' not found`);
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

function agentOf(call: Call): AgentID | undefined {
  const argument = call.drain_agent ?? call.deactivate_agent ?? call.reactivate_agent ?? call.mark_agent_gone;
  return argument?.agent_id;
}

function isKnown(state: MasterState, agent: AgentID | undefined): boolean {
  const id = agent?.value ?? '';
  return state.agents.has(id) || state.recovered.has(id) || state.unreachable.has(id) || state.gone.has(id);
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
