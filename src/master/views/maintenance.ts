import type { ClusterStatus, Schedule, Window } from '../../wire/v1_maintenance.ts';
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

/** Which machines are draining, and which are down. */
export function clusterStatus(state: MasterState): ClusterStatus {
  const machines = [...state.machines.values()];
  const draining = machines.filter(({ mode }) => mode === 'DRAINING').map(({ id }) => ({ id }));
  const down = machines.filter(({ mode }) => mode === 'DOWN').map(({ id }) => id);
  return {
    ...(draining.length > 0 && { draining_machines: draining }),
    ...(down.length > 0 && { down_machines: down }),
  };
}
