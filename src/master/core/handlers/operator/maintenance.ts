import type { MachineID } from '../../../../wire/v1.ts';
import type { Schedule } from '../../../../wire/v1_maintenance.ts';
import { requestAllocation } from '../../allocation.ts';
import type { PendingCommit } from '../../commits.ts';
import { type Context, commit, log, nameAgent, reply } from '../../context.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { takeBackInverseOffers } from '../../inverse-offers.ts';
import {
  agentsOn,
  keyOf,
  plannedMachines,
  sameUnavailability,
  unavailabilityOf,
  validateSchedule,
} from '../../maintenance.ts';
import { offersOf, rescindOffer } from '../../offers.ts';
import type { Machine } from '../../state.ts';
import { endIfDown, forbidMachines, mayAll } from './machines.ts';

/** UPDATE_MAINTENANCE_SCHEDULE: replaces the whole schedule. Machines in it drain, or stay down; the others are up. */
export function updateMaintenanceSchedule(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const { schedule = {} } = call.update_maintenance_schedule ?? {};
  const machines = plannedMachines(ctx);
  const valid = validateSchedule(schedule, machines);
  if (!valid.ok) {
    reply(ctx, request, 400, valid.error);
    return;
  }
  const ids = (schedule.windows ?? []).flatMap(({ machine_ids = [] }) => machine_ids);
  if (!mayAll(ctx, 'UPDATE_MAINTENANCE_SCHEDULE', ids, principal)) {
    forbidMachines(ctx, request, principal);
    return;
  }
  const { set, forget } = planned(schedule, machines);
  if (set.length + forget.length === 0) {
    reply(ctx, request, 200);
    return;
  }
  commit(ctx, { type: 'UPDATE_MACHINES', set, forget }, { type: 'updateMachines', set, forget, request });
}

/** What a schedule changes. */
function planned(
  schedule: Schedule,
  machines: ReadonlyMap<string, Machine>,
): { set: readonly Machine[]; forget: readonly MachineID[] } {
  const wanted = new Map<string, Machine>();
  for (const { machine_ids = [], unavailability } of schedule.windows ?? []) {
    for (const id of machine_ids) {
      wanted.set(keyOf(id), { id, mode: machines.get(keyOf(id))?.mode ?? 'DRAINING', unavailability });
    }
  }
  const forget = [...machines].filter(([key]) => !wanted.has(key)).map(([, { id }]) => id);
  const set = [...wanted].filter(([key, machine]) => {
    const before = machines.get(key);
    return before === undefined || !sameUnavailability(before.unavailability, machine.unavailability);
  });
  return { set: set.map(([, machine]) => machine), forget };
}

/** The machines' new state is durable: after a new schedule, and when machines went down or came up. */
export function machinesUpdated(
  ctx: Context,
  { set, forget, request }: Extract<PendingCommit, { type: 'updateMachines' }>,
): void {
  const { state } = ctx;
  const changed = new Set([...forget, ...set.map(({ id }) => id)].map(keyOf));
  const agents = agentsOn(ctx, changed).map((agent) => ({ agent, before: unavailabilityOf(state, agent) }));
  for (const id of forget) state.machines.delete(keyOf(id));
  for (const machine of set) state.machines.set(keyOf(machine.id), machine);
  for (const { agent, before } of agents) {
    if (endIfDown(ctx, agent)) continue;
    const { unavailability } = unavailabilityOf(state, agent);
    if (sameUnavailability(before.unavailability, unavailability)) continue;
    log(ctx, 'info', `Agent ${nameAgent(agent)} ${unavailability ? 'is to go down' : 'is not to go down any more'}`);
    for (const offer of offersOf(ctx, agent)) rescindOffer(ctx, offer);
    takeBackInverseOffers(ctx, agent, true);
    ctx.allocator.updateUnavailability(agent.id, unavailability);
  }
  requestAllocation(ctx);
  reply(ctx, request, 200);
}
