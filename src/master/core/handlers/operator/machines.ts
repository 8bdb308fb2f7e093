/** START_MAINTENANCE and STOP_MAINTENANCE: machines that are scheduled for it go down, and come up again. */
import type { MachineID } from '../../../../wire/v1.ts';
import { removeNow } from '../../agents.ts';
import { type Context, commit, log, nameAgent, reply, send } from '../../context.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { keyOf, machineOf, plannedMachines, validateMachines } from '../../maintenance.ts';
import type { AgentRecord } from '../../records.ts';
import type { Machine } from '../../state.ts';

type MaintenanceAction = 'UPDATE_MAINTENANCE_SCHEDULE' | 'START_MAINTENANCE' | 'STOP_MAINTENANCE';

/** START_MAINTENANCE: agents there are told to end, and none may register from there. */
export function startMaintenance(ctx: Context, event: OperatorCallEvent): void {
  const machines = check(ctx, event, event.call.start_maintenance?.machines ?? [], 'START_MAINTENANCE', 'DRAINING');
  if (machines === undefined) return;
  const { request } = event;
  const set = machines.map((machine): Machine => ({ ...machine, mode: 'DOWN' }));
  commit(ctx, { type: 'UPDATE_MACHINES', set, forget: [] }, { type: 'updateMachines', set, forget: [], request });
}

/** STOP_MAINTENANCE: the machines leave the schedule, and agents may register from there. */
export function stopMaintenance(ctx: Context, event: OperatorCallEvent): void {
  const machines = check(ctx, event, event.call.stop_maintenance?.machines ?? [], 'STOP_MAINTENANCE', 'DOWN');
  if (machines === undefined) return;
  const { request } = event;
  const forget = machines.map(({ id }) => id);
  commit(ctx, { type: 'UPDATE_MACHINES', set: [], forget }, { type: 'updateMachines', set: [], forget, request });
}

/** @returns the machines; undefined if the call was refused */
function check(
  ctx: Context,
  { request, principal }: OperatorCallEvent,
  ids: readonly MachineID[],
  action: MaintenanceAction,
  needed: 'DRAINING' | 'DOWN',
): Machine[] | undefined {
  const machines = validateMachines(ids, plannedMachines(ctx), needed);
  if (!machines.ok) {
    reply(ctx, request, 400, machines.error);
    return undefined;
  }
  if (mayAll(ctx, action, ids, principal)) return machines.value;
  forbidMachines(ctx, request, principal);
  return undefined;
}

export function mayAll(
  ctx: Context,
  action: MaintenanceAction,
  machines: readonly MachineID[],
  principal: string | undefined,
): boolean {
  const who = principal === undefined ? {} : { principal };
  return machines.every((machine) => ctx.options.authorize({ action, machine, ...who }));
}

export function forbidMachines(ctx: Context, request: number, principal: string | undefined): void {
  reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to maintain these machines`);
}

/** An agent on a machine that is down is told to end. @returns whether it is on one */
export function endIfDown(ctx: Context, agent: AgentRecord): boolean {
  const machine = machineOf(ctx.state, agent);
  if (machine?.mode !== 'DOWN') return false;
  const message = 'an operator has taken its machine down for maintenance';
  log(ctx, 'info', `Telling agent ${nameAgent(agent)} to end: ${message} (${keyOf(machine.id)})`);
  send(ctx, agent.pid, 'mesos.internal.ShutdownMessage', { message: `Shutting down: ${message}` });
  const doing = ctx.transitioning.get(agent.id);
  if (doing !== 'markingUnreachable' && doing !== 'markingGone') removeNow(ctx, agent, message);
  return true;
}
