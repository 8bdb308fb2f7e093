/** How frameworks come, change and go. */
import type { FrameworkSpec } from '../../allocator/allocator.ts';
import type { OfferConstraintsFilter } from '../../allocator/constraints.ts';
import { Quantities } from '../../resources/quantities.ts';
import type { FrameworkInfo, Task } from '../../wire/v1.ts';
import type { OfferConstraints } from '../../wire/v1_scheduler.ts';
import { freeUsed, removeExecutor } from './accounting.ts';
import { requestAllocation } from './allocation.ts';
import { type Context, log, nameFramework, send, tellOperators } from './context.ts';
import { capabilitiesOf, rolesOf } from './framework-info.ts';
import { takeBackInverseOffers } from './inverse-offers.ts';
import { discardOffer, offersOf, rescindOffer } from './offers.ts';
import { adoptOperations, releaseOperations } from './operations.ts';
import { type AgentRecord, type FrameworkRecord, newFramework, own } from './records.ts';
import type { FrameworkConnection, Pid } from './state.ts';
import { isTerminal, taskStatus } from './status.ts';
import { endStream, greetStream, heartbeat } from './streams.ts';
import { removeTask, updateTask } from './tasks.ts';
import { forgetCounts } from './throttling.ts';

/** What a subscription or an update brings beside the info. */
export interface Subscription {
  readonly info: FrameworkInfo;
  readonly suppressedRoles: ReadonlySet<string>;
  readonly offerConstraints: OfferConstraints | undefined;
  readonly constraints: OfferConstraintsFilter | undefined;
}

/** The id for a framework that has none yet: `<master id>-0000`, `-0001`, … */
export function nextFrameworkId(ctx: Context): string {
  return `${ctx.state.id}-${String(ctx.next.framework++).padStart(4, '0')}`;
}

/** Enters a framework that nobody speaks for yet. */
export function addFramework(ctx: Context, info: FrameworkInfo, id: string): FrameworkRecord {
  const framework = newFramework(info, id, ctx.env.wall, ctx.options);
  ctx.state.frameworks.set(id, framework);
  trackRoles(ctx, framework, new Set());
  ctx.allocator.addFramework(id, { ...specOf(framework), active: false });
  adoptOperations(ctx, framework);
  return framework;
}

function specOf(framework: FrameworkRecord): FrameworkSpec {
  const filters = Object.entries(framework.info.offer_filters ?? {}).flatMap(([role, filter]) => {
    const minimum = filter.min_allocatable_resources;
    if (minimum === undefined) return [];
    const sets = (minimum.quantities ?? []).map((set) => Quantities.fromWire(set.quantities ?? {}));
    return [[role, sets] as const];
  });
  return {
    roles: framework.roles,
    suppressedRoles: framework.suppressedRoles,
    capabilities: framework.capabilities,
    ...(filters.length > 0 && { minAllocatableByRole: new Map(filters) }),
    ...(framework.constraints !== undefined && { constraints: framework.constraints }),
  };
}

function trackRoles(ctx: Context, framework: FrameworkRecord, before: ReadonlySet<string>): void {
  const { roles } = ctx.state;
  for (const name of framework.roles) {
    const role = roles.get(name);
    if (role === undefined) roles.set(name, { name, frameworks: new Set([framework.id]) });
    else role.frameworks.add(framework.id);
  }
  for (const name of before) if (!framework.roles.has(name)) leaveRole(ctx, framework.id, name);
}

function leaveRole(ctx: Context, frameworkId: string, name: string): void {
  const role = ctx.state.roles.get(name);
  role?.frameworks.delete(frameworkId);
  if (role?.frameworks.size === 0) ctx.state.roles.delete(name);
}

/** Takes over a new info, which must have been validated. Offers of roles that it no longer has are rescinded. */
export function updateFramework(ctx: Context, framework: FrameworkRecord, subscription: Subscription): void {
  const before = framework.roles;
  framework.info = { ...subscription.info, id: { value: framework.id } };
  framework.capabilities = capabilitiesOf(framework.info);
  framework.roles = rolesOf(framework.info);
  framework.suppressedRoles = subscription.suppressedRoles;
  framework.offerConstraints = subscription.offerConstraints;
  framework.constraints = subscription.constraints;
  trackRoles(ctx, framework, before);
  for (const offer of offersOf(ctx, framework)) if (!framework.roles.has(offer.role)) rescindOffer(ctx, offer);
  ctx.allocator.updateFramework(framework.id, specOf(framework));
  requestAllocation(ctx);
}

/**
 * Tells agents and operators of a framework's new info, or of its new scheduler. Upstream tells every agent; those that
 * have nothing of the framework would drop it, and after a failover that is a million messages: they learn all with the next launch.
 */
export function announceFramework(ctx: Context, framework: FrameworkRecord): void {
  for (const agent of agentsWith(ctx, framework)) {
    send(ctx, agent.pid, 'mesos.internal.UpdateFrameworkMessage', {
      framework_id: { value: framework.id },
      framework_info: framework.info,
      ...(framework.connection?.kind === 'pid' && { pid: framework.connection.pid }),
    });
  }
  tellOperators(ctx, { type: 'FRAMEWORK_UPDATED', framework });
}

/** Where anything of the framework runs, or is on its way. Not by way of all agents where it has little: they are many, and so are frameworks. */
function agentsWith(ctx: Context, framework: FrameworkRecord): AgentRecord[] {
  const { agents } = ctx.state;
  const { id, tasks, executors, operations } = framework;
  // Not all operations say where they are.
  if (operations.size > 0 || tasks.size + executors.size > agents.size) {
    return [...agents.values()].filter((agent) => hasPartsOf(agent, id));
  }
  const places = new Set(executors.keys());
  for (const { agent_id } of tasks.values()) places.add(agent_id.value);
  return [...places].flatMap((place) => agents.get(place) ?? []);
}

/** Whether anything of the framework runs there, or is on its way. */
function hasPartsOf({ tasks, executors, operations }: AgentRecord, frameworkId: string): boolean {
  if (tasks.has(frameworkId) || executors.has(frameworkId)) return true;
  for (const { framework_id } of operations.values()) if (framework_id?.value === frameworkId) return true;
  return false;
}

/** Gives a framework its connection and starts to offer to it. */
export function connectFramework(ctx: Context, framework: FrameworkRecord, connection: FrameworkConnection): void {
  framework.connection = connection;
  framework.state = 'CONNECTED';
  ctx.deadlines.clear({ type: 'failover', frameworkId: framework.id });
  if (connection.kind === 'http') {
    ctx.frameworkByStream.set(connection.stream, framework.id);
    greetStream(ctx, framework);
  } else {
    ctx.frameworkByPid.set(connection.pid, framework.id);
    ctx.emit({ kind: 'link', pid: connection.pid });
  }
  activateFramework(ctx, framework);
}

export function activateFramework(ctx: Context, framework: FrameworkRecord): void {
  if (!framework.active) {
    framework.active = true;
    ctx.allocator.activateFramework(framework.id);
  }
  requestAllocation(ctx);
}

/** Stops offering to it; its offers are taken back. */
export function deactivateFramework(ctx: Context, framework: FrameworkRecord, tell: boolean): void {
  if (framework.active) {
    framework.active = false;
    ctx.allocator.deactivateFramework(framework.id);
  }
  for (const offer of offersOf(ctx, framework)) {
    if (tell) rescindOffer(ctx, offer);
    else discardOffer(ctx, offer);
  }
  takeBackInverseOffers(ctx, framework, tell);
  requestAllocation(ctx);
}

/**
 * Drops the connection of a framework whose place a newer one takes. Its offers are void; only the old scheduler is told,
 * unless it is the newer one itself.
 */
export function supersede(ctx: Context, framework: FrameworkRecord, reason: string, newPid?: Pid): void {
  const { connection } = framework;
  for (const offer of offersOf(ctx, framework)) discardOffer(ctx, offer);
  takeBackInverseOffers(ctx, framework, false);
  if (connection === undefined) return;
  if (connection.kind === 'http') {
    if (ctx.frameworkByStream.has(connection.stream)) endStream(ctx, connection.stream, reason);
  } else {
    ctx.frameworkByPid.delete(connection.pid);
    if (framework.state === 'CONNECTED' && connection.pid !== newPid) {
      send(ctx, connection.pid, 'mesos.internal.FrameworkErrorMessage', { message: reason });
    }
  }
  ctx.deadlines.clear({ type: 'heartbeat', frameworkId: framework.id });
  framework.connection = undefined;
}

/** The connection to the scheduler is gone: it has `failover_timeout` to come back. */
export function disconnectFramework(ctx: Context, framework: FrameworkRecord): void {
  const { connection } = framework;
  framework.state = 'DISCONNECTED';
  if (connection?.kind === 'http') {
    ctx.frameworkByStream.delete(connection.stream);
    framework.connection = undefined;
  }
  ctx.deadlines.clear({ type: 'heartbeat', frameworkId: framework.id });
  deactivateFramework(ctx, framework, false);
  const timeout = Math.max(0, (framework.info.failover_timeout ?? 0) * 1000);
  log(ctx, 'info', `Framework ${nameFramework(framework)} disconnected; it has ${timeout / 1000} s to come back`);
  if (timeout === 0) removeFramework(ctx, framework);
  else ctx.deadlines.set({ type: 'failover', frameworkId: framework.id }, ctx.env.now + timeout);
}

/** Ends a framework for good: its tasks are killed, and its id is not accepted any more. */
export function removeFramework(ctx: Context, framework: FrameworkRecord): void {
  log(ctx, 'info', `Removing framework ${nameFramework(framework)}`);
  deactivateFramework(ctx, framework, false);
  const frameworkId = { value: framework.id };
  for (const agent of ctx.state.agents.values()) {
    send(ctx, agent.pid, 'mesos.internal.ShutdownFrameworkMessage', { framework_id: frameworkId });
  }
  endTasks(ctx, framework);
  for (const [agentId, executors] of [...framework.executors]) {
    const agent = ctx.state.agents.get(agentId);
    if (agent === undefined) continue;
    for (const executorId of [...executors.keys()]) removeExecutor(ctx, framework, agent, executorId);
  }
  for (const agent of ctx.state.agents.values()) {
    if (agent.pendingKills.has(framework.id)) own(agent, 'pendingKills').delete(framework.id);
    const left = agent.usedByFramework.get(framework.id);
    if (left !== undefined) freeUsed(ctx, framework, agent, left);
  }
  releaseOperations(ctx, framework);
  closeConnection(ctx, framework);
  for (const role of framework.roles) leaveRole(ctx, framework.id, role);
  ctx.deadlines.clear({ type: 'failover', frameworkId: framework.id });
  framework.state = 'DISCONNECTED';
  framework.unregisteredTime = ctx.env.wall;
  ctx.state.frameworks.delete(framework.id);
  forgetCounts(ctx, framework);
  ctx.state.completedFrameworks.set(framework.id, framework);
  ctx.allocator.removeFramework(framework.id);
  tellOperators(ctx, { type: 'FRAMEWORK_REMOVED', framework, frameworkId });
}

/** Nobody is told: the scheduler is gone or has asked for this. */
function endTasks(ctx: Context, framework: FrameworkRecord): void {
  for (const task of [...framework.tasks.values()]) {
    const status = taskStatus(ctx, task, {
      state: 'TASK_KILLED',
      reason: 'REASON_FRAMEWORK_REMOVED',
      message: `Framework ${framework.id} removed`,
    });
    const ended = isTerminal(task.state) ? task : updateTask(ctx, framework, task, { status });
    removeTask(ctx, framework, ended, 'completed');
  }
  endUnreachableTasks(ctx, framework);
}

/** Nobody will ask for them again; what runs of them ends when their agents come back. */
function endUnreachableTasks(ctx: Context, framework: FrameworkRecord): void {
  for (const task of [...framework.unreachableTasks.values()]) {
    framework.unreachableTasks.delete(task.task_id.value);
    framework.completedTasks.push(isTerminal(task.state) ? task : killedWith(ctx, framework, task));
  }
}

function killedWith(ctx: Context, framework: FrameworkRecord, task: Task): Task {
  const state = 'TASK_KILLED';
  const message = `Framework ${framework.id} removed`;
  const status = taskStatus(ctx, task, { state, reason: 'REASON_FRAMEWORK_REMOVED', message });
  tellOperators(ctx, { type: 'TASK_UPDATED', frameworkId: framework.id, status, state });
  return { ...task, state, statuses: [...(task.statuses ?? []), status] };
}

function closeConnection(ctx: Context, framework: FrameworkRecord): void {
  const { connection } = framework;
  if (connection?.kind === 'http' && ctx.frameworkByStream.has(connection.stream)) endStream(ctx, connection.stream);
  if (connection?.kind === 'pid') ctx.frameworkByPid.delete(connection.pid);
  ctx.deadlines.clear({ type: 'heartbeat', frameworkId: framework.id });
  framework.connection = undefined;
}

/** The framework's time without a scheduler is over. */
export function failoverTimedOut(ctx: Context, frameworkId: string): void {
  const framework = ctx.state.frameworks.get(frameworkId);
  if (framework === undefined || framework.state === 'CONNECTED') return;
  log(ctx, 'info', `Failover timeout of framework ${nameFramework(framework)} passed`);
  removeFramework(ctx, framework);
}

/** Sends the heartbeat that is due. */
export function heartbeatDue(ctx: Context, frameworkId: string): void {
  const framework = ctx.state.frameworks.get(frameworkId);
  if (framework !== undefined) heartbeat(ctx, framework);
}
