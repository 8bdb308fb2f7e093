/** Machines that are to go down, or are down: what is planned, and which agents it is about. */
import { err, ok, type Result } from '../../base/result.ts';
import type { MachineID, Unavailability } from '../../wire/v1.ts';
import type { Schedule } from '../../wire/v1_maintenance.ts';
import type { Context } from './context.ts';
import { parsePid } from './pid.ts';
import { type AgentRecord, machineKey } from './records.ts';
import type { Agent, Machine, MasterState } from './state.ts';

export function keyOf({ hostname, ip }: MachineID): string {
  return machineKey(hostname, ip);
}

/** The machine that an agent runs on, if maintenance is planned for it. */
export function machineOf(state: MasterState, agent: Pick<Agent, 'info' | 'pid'>): Machine | undefined {
  if (state.machines.size === 0) return undefined;
  return state.machines.get(machineKey(agent.info.hostname, parsePid(agent.pid)?.ip));
}

/** When an agent is to be down. */
export function unavailabilityOf(
  state: MasterState,
  agent: Pick<Agent, 'info' | 'pid'>,
): { readonly unavailability?: Unavailability } {
  const unavailability = machineOf(state, agent)?.unavailability;
  return unavailability === undefined ? {} : { unavailability };
}

/** The registered agents on these machines, by the machine's key. */
export function agentsOn(ctx: Context, keys: ReadonlySet<string>): AgentRecord[] {
  return [...ctx.state.agents.values()].filter(({ info, pid }) =>
    keys.has(machineKey(info.hostname, parsePid(pid)?.ip)),
  );
}

/** The machines as they will be when all that is being committed is done: what the next change has to count on. */
export function plannedMachines(ctx: Context): Map<string, Machine> {
  const machines = new Map(ctx.state.machines);
  for (const pending of ctx.commits.values()) {
    if (pending.type !== 'updateMachines') continue;
    for (const id of pending.forget) machines.delete(keyOf(id));
    for (const machine of pending.set) machines.set(keyOf(machine.id), machine);
  }
  return machines;
}

/** Whether a schedule makes sense, and leaves machines that are down in it. @param machines as planned so far */
export function validateSchedule(schedule: Schedule, machines: ReadonlyMap<string, Machine>): Result<void> {
  const seen = new Set<string>();
  for (const { machine_ids: ids = [], unavailability } of schedule.windows ?? []) {
    if (ids.length === 0) return err("A maintenance window has an empty list of 'machine_ids'; name at least one");
    const { nanoseconds = 0 } = unavailability.duration ?? {};
    if (nanoseconds < 0) return err(`Unavailability 'duration' is negative: ${nanoseconds} ns; it must be at least 0`);
    for (const id of ids) {
      const valid = validateMachine(id, seen);
      if (!valid.ok) return valid;
    }
  }
  for (const [key, { id, mode }] of machines) {
    if (mode !== 'DOWN' || seen.has(key)) continue;
    return err(`Machine ${show(id)} is DOWN and cannot be removed from the schedule; bring it up first`);
  }
  return ok(undefined);
}

/** Whether this is a list of different machines that are all in the mode. @param machines as planned so far */
export function validateMachines(
  ids: readonly MachineID[],
  machines: ReadonlyMap<string, Machine>,
  needed: 'DRAINING' | 'DOWN',
): Result<Machine[]> {
  if (ids.length === 0) return err('The list of machines is empty; name at least one');
  const seen = new Set<string>();
  for (const id of ids) {
    const valid = validateMachine(id, seen);
    if (!valid.ok) return valid;
  }
  const found: Machine[] = [];
  for (const id of ids) {
    const machine = machines.get(keyOf(id));
    if (machine === undefined) return err(`Machine ${show(id)} is not part of a maintenance schedule`);
    if (machine.mode !== needed) return err(`Machine ${show(id)} is ${machine.mode}; it must be ${needed} for this`);
    found.push(machine);
  }
  return ok(found);
}

function validateMachine(id: MachineID, seen: Set<string>): Result<void> {
  if (!id.hostname && !id.ip) return err("A machine has neither 'hostname' nor 'ip'; give the values of its agent");
  if (id.ip && !isIpv4(id.ip)) return err(`Machine ${show(id)}: 'ip' is not an IPv4 address such as 10.0.0.1`);
  if (seen.has(keyOf(id))) return err(`Machine ${show(id)} appears more than once; name it once`);
  seen.add(keyOf(id));
  return ok(undefined);
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** How answers and logs name a machine. */
function show({ hostname, ip }: MachineID): string {
  return `'${[hostname, ip].filter((part) => part !== undefined && part !== '').join('/')}'`;
}

export function sameUnavailability(a: Unavailability | undefined, b: Unavailability | undefined): boolean {
  return a?.start.nanoseconds === b?.start.nanoseconds && a?.duration?.nanoseconds === b?.duration?.nanoseconds;
}
