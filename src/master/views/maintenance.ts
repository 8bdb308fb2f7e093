import type { Allocator } from '../../allocator/allocator.ts';
import type { InverseOfferStatus } from '../../wire/v1_allocator.ts';
import type { ClusterStatus, Schedule, Window } from '../../wire/v1_maintenance.ts';
import { parsePid } from '../core/pid.ts';
import { machineKey } from '../core/records.ts';
import type { MasterState } from '../core/state.ts';

/** Which machines are to go down when; machines with the same unavailability share a window. */
export function schedule(state: MasterState): Schedule {
  const windows = new Map<string, Window>();
  for (const { id, unavailability } of state.machines.values()) {
    if (unavailability === undefined) continue;
    const key = `${unavailability.start.nanoseconds}+${unavailability.duration?.nanoseconds ?? ''}`;
    const machines = windows.get(key)?.machine_ids ?? [];
    windows.set(key, { machine_ids: [...machines, id], unavailability });
  }
  return windows.size === 0 ? {} : { windows: [...windows.values()] };
}

/** The last answers to inverse offers, by agent id and framework id. */
export type InverseOfferStatuses = ReturnType<Allocator['inverseOfferStatuses']>;

/** Which machines are draining, with what frameworks answered to being asked to leave, and which are down. */
export function clusterStatus(state: MasterState, statuses: InverseOfferStatuses = new Map()): ClusterStatus {
  const machines = [...state.machines.values()];
  const answers = answersByMachine(state, statuses);
  const draining = machines
    .filter(({ mode }) => mode === 'DRAINING')
    .map(({ id }) => {
      const given = answers.get(machineKey(id.hostname, id.ip));
      return given === undefined ? { id } : { id, statuses: given };
    });
  const down = machines.filter(({ mode }) => mode === 'DOWN').map(({ id }) => id);
  return {
    ...(draining.length > 0 && { draining_machines: draining }),
    ...(down.length > 0 && { down_machines: down }),
  };
}

function answersByMachine(state: MasterState, statuses: InverseOfferStatuses): Map<string, InverseOfferStatus[]> {
  const answers = new Map<string, InverseOfferStatus[]>();
  for (const [agentId, byFramework] of statuses) {
    const agent = state.agents.get(agentId);
    if (agent === undefined) continue;
    const key = machineKey(agent.info.hostname, parsePid(agent.pid)?.ip);
    answers.set(key, [...(answers.get(key) ?? []), ...byFramework.values()]);
  }
  return answers;
}
