import { ok, type Result } from '../../../base/result.ts';
import { mapExecutor } from '../../../resources/carriers.ts';
import { recentLists } from '../../../resources/recent.ts';
import { upgrade } from '../../../resources/refinement.ts';
import { Resources } from '../../../resources/resources.ts';
import type { ReconcileTasksMessage, StatusUpdateAcknowledgementMessage } from '../../../wire/internal.ts';
import type { FrameworkInfo, Resource, Task } from '../../../wire/v1.ts';
import { removeExecutor } from '../accounting.ts';
import {
  type AgentLuggage,
  activateAgent,
  addAgent,
  deactivateAgent,
  forgetUnreachableTasks,
  idOf,
  moveAgent,
  pingPatience,
  reconnectAgent,
  shutdownAgent,
} from '../agents.ts';
import { type Context, commit, countUp, log, nameAgent, send } from '../context.ts';
import { checkDrainLater, tellToDrain } from '../drain.ts';
import { agentCapabilitiesOf, rolesOf } from '../framework-info.ts';
import { takeInHistory } from '../history.ts';
import { offersOf, rescindOffer, resourceFor } from '../offers.ts';
import { isTerminalOperation, removeOperation } from '../operations.ts';
import { unheardEnd } from '../passed-on.ts';
import { parsePid } from '../pid.ts';
import { type AgentRecord, count, own } from '../records.ts';
import type { Reregistration } from '../reregistration.ts';
import { sameMessage } from '../same-message.ts';
import type { Pid } from '../state.ts';
import { isTerminal, masterStatus, sendUpdate, taskStatus } from '../status.ts';
import { takeInStrays } from '../strays.ts';
import { tasksOn } from '../tasks.ts';
import { validateFit, validateReregistration } from '../validation/agents.ts';
import { endIfDown } from './operator/machines.ts';
import { arrivalOf, bytesOf, clearAddress, isWelcome, totalOf } from './register-agent.ts';

type Message = Reregistration;

/** An agent that is not among those that the master has. */
interface Newcomer {
  readonly pid: Pid;
  readonly agentId: string;
  readonly message: Message;
  readonly luggage: AgentLuggage;
}

/** ReregisterSlaveMessage: an agent with an id, known or not. Agents repeat it until they are answered. */
export function reregisterAgent(ctx: Context, pid: Pid, message: Message, principal: string | undefined): void {
  countUp(ctx, 'messages_reregister_slave');
  const agentId = idOf(message.slave);
  if (!isWelcome(ctx, pid, message.slave, principal)) return;
  if (ctx.state.gone.has(agentId)) {
    shutdownAgent(ctx, pid, 'Agent has been marked gone');
    return;
  }
  const doing = ctx.transitioning.get(agentId);
  if (doing !== undefined && doing !== 'reregistering') {
    log(ctx, 'info', `Ignoring reregistration of agent ${agentId} for now: it is ${doing}`);
    return;
  }
  const luggage = inspect(message);
  if (!luggage.ok) {
    log(ctx, 'warning', `Refusing reregistration of agent ${agentId} at ${pid}: ${luggage.error}`);
    return;
  }
  const known = ctx.state.agents.get(agentId);
  if (doing === 'reregistering') {
    ctx.earlyUpdates.delete(agentId);
    if (known !== undefined && hasMoved(known, pid, message)) return;
    ctx.newerReregistrations.set(agentId, { pid, message });
    count(ctx.overtakenReregistrations, agentId);
  } else if (known !== undefined) reregisterKnown(ctx, known, pid, message);
  else readmit(ctx, { pid, agentId, message, luggage: luggage.value });
}

/** @returns what the agent brings with it, if that makes sense */
function inspect(message: Message): Result<AgentLuggage> {
  const valid = validateReregistration(message);
  if (!valid.ok) return valid;
  const total = totalOf(message.slave, message.checkpointed_resources);
  if (!total.ok) return total;
  const luggage = unpack(message);
  const held: (readonly Resource[])[] = [];
  for (const { resources } of luggage.executors) if (resources !== undefined) held.push(resources);
  for (const { resources, state } of luggage.tasks) {
    if (resources !== undefined && !isTerminal(state)) held.push(resources);
  }
  const fit = validateFit(total.value, HELD.of(held));
  return fit.ok ? ok(luggage) : fit;
}

const HELD = recentLists();

/** In the form that the master keeps: stack reservations, and allocated. */
function unpack(message: Message): AgentLuggage {
  const frameworks = message.frameworks ?? [];
  const infos = new Map(frameworks.map((info) => [info.id?.value, info]));
  const allocate =
    (info: FrameworkInfo | undefined) =>
    (resource: Resource): Resource => {
      const upgraded = upgrade(resource);
      if (upgraded.allocation_info?.role !== undefined || info === undefined) return upgraded;
      const [role = '*'] = rolesOf(info);
      return { ...upgraded, allocation_info: { role } };
    };
  return {
    frameworks,
    executors: (message.executor_infos ?? []).map((executor) =>
      mapExecutor(executor, allocate(infos.get(executor.framework_id?.value))),
    ),
    tasks: (message.tasks ?? []).map((task) => {
      const { resources } = task;
      // Most come in this form, and are kept as they are.
      if (resources === undefined || resources.every(isAsKept)) return task;
      return { ...task, resources: resources.map(allocate(infos.get(task.framework_id.value))) };
    }),
  };
}

function isAsKept({ role, reservation, allocation_info }: Resource): boolean {
  return role === undefined && reservation === undefined && allocation_info?.role !== undefined;
}

function hasMoved(agent: AgentRecord, pid: Pid, { slave }: Message): boolean {
  return parsePid(agent.pid)?.ip !== parsePid(pid)?.ip || agent.info.hostname !== slave.hostname;
}

function reregisterKnown(ctx: Context, agent: AgentRecord, pid: Pid, message: Message): void {
  if (hasMoved(agent, pid, message)) {
    shutdownAgent(
      ctx,
      pid,
      `Agent ${agent.id} is registered from ${agent.pid} (${agent.info.hostname}) and may not move to ` +
        `${pid} (${message.slave.hostname}); started again it is a new agent`,
    );
    return;
  }
  const pending = { type: 'reregister', pid, agentId: agent.id, known: true, message } as const;
  if (sameMessage(agent.info, message.slave)) {
    reregistered(ctx, pending);
    return;
  }
  // What would be reserved there meanwhile is not in what it says that it has, and would be forgotten when that is durable.
  deactivateAgent(ctx, agent);
  ctx.transitioning.set(agent.id, 'reregistering');
  commit(ctx, { type: 'UPDATE_AGENT', agent: message.slave }, pending);
}

function readmit(ctx: Context, newcomer: Newcomer): void {
  const { pid, agentId, message } = newcomer;
  const { slave } = message;
  const before = ctx.state.recovered.get(agentId);
  if (before !== undefined && sameMessage(before, slave)) {
    // The registry says so already: after a failover this is what all agents do at once.
    admitAgain(ctx, newcomer);
    return;
  }
  log(ctx, 'info', `Readmitting agent ${agentId} at ${pid} (${slave.hostname})`);
  ctx.transitioning.set(agentId, 'reregistering');
  const pending = { type: 'reregister', pid, agentId, known: false, message } as const;
  commit(ctx, { type: before === undefined ? 'MARK_REACHABLE' : 'UPDATE_AGENT', agent: slave }, pending);
}

/** The registry knows the agent as it is now. */
export function reregistered(
  ctx: Context,
  pending: { pid: Pid; agentId: string; known: boolean; message: Message },
): void {
  const { agentId, known } = pending;
  ctx.transitioning.delete(agentId);
  const newer = ctx.newerReregistrations.get(agentId);
  ctx.newerReregistrations.delete(agentId);
  const { pid, message } = newer ?? pending;
  if (ctx.state.gone.has(agentId)) {
    ctx.overtakenReregistrations.delete(agentId);
    shutdownAgent(ctx, pid, 'Agent has been marked gone');
    return;
  }
  const agent = ctx.state.agents.get(agentId);
  if (newer !== undefined && !sameMessage(pending.message.slave, message.slave)) {
    // It was restarted meanwhile, and is something else now: the registry has to know that first.
    ctx.transitioning.set(agentId, 'reregistering');
    const again = { type: 'reregister', pid, agentId, known, message } as const;
    commit(ctx, { type: 'UPDATE_AGENT', agent: message.slave }, again);
    return;
  }
  if (agent !== undefined) resume(ctx, agent, pid, message);
  else if (!known) admitAgain(ctx, { pid, agentId, message, luggage: unpack(message) });
  answerOvertaken(ctx, agentId, pid);
}

/** An agent counts the answers: one that is missing it would take for the answer to what an earlier life has said. */
function answerOvertaken(ctx: Context, agentId: string, pid: Pid): void {
  const overtaken = ctx.overtakenReregistrations.get(agentId) ?? 0;
  ctx.overtakenReregistrations.delete(agentId);
  for (let at = 0; at < overtaken; at++) {
    send(ctx, pid, 'mesos.internal.SlaveReregisteredMessage', {
      slave_id: { value: agentId },
      connection: pingPatience(ctx),
    });
  }
}

/** A registered agent is back, perhaps restarted: the books are compared. */
function resume(ctx: Context, agent: AgentRecord, pid: Pid, message: Message): void {
  const total = totalOf(message.slave, message.checkpointed_resources);
  if (!total.ok) return;
  clearAddress(ctx, pid, agent.id);
  moveAgent(ctx, agent, pid);
  agent.info = message.slave;
  agent.version = message.version ?? '';
  const capabilities = agentCapabilitiesOf(message.agent_capabilities);
  if (!capabilities.has('AGENT_OPERATION_FEEDBACK')) forgetEnded(ctx, agent);
  agent.capabilities = capabilities;
  agent.resourceVersion = bytesOf(message.resource_version_uuid);
  // Acknowledgements on the old connection may be lost: what the agent tells from now on counts again.
  if (agent.acknowledgedOperations.size > 0) own(agent, 'acknowledgedOperations').clear();
  agent.passedOn.relinked();
  agent.reregisteredTime = ctx.env.wall;
  agent.isUnconfirmed = false;
  retotal(ctx, agent, total.value, message);
  compareBooks(ctx, agent, message);
  if (!agent.connected) takeInStrays(ctx, agent, unpack(message));
  noteOverdraft(agent);
  reconnectAgent(ctx, agent);
  activateAgent(ctx, agent);
  goOnDraining(ctx, agent);
  updateFrameworksOn(ctx, agent, message.frameworks ?? []);
  if (!agent.capabilities.has('RESOURCE_PROVIDER')) {
    send(ctx, agent.pid, 'mesos.internal.CheckpointResourcesMessage', {
      resources: agent.checkpointed.toProto().map((resource) => resourceFor(agent.capabilities, resource)),
    });
  }
}

/** An agent that is to be empty learns so each time, whatever it may have been told to run in between. */
function goOnDraining(ctx: Context, agent: AgentRecord): void {
  tellToDrain(ctx, agent);
  // Others do not tell of their operations before their first UpdateSlaveMessage.
  if (!agent.capabilities.has('RESOURCE_PROVIDER')) checkDrainLater(ctx, agent);
}

/** An agent of an older version than before takes no acknowledgement of what had ended. */
function forgetEnded(ctx: Context, agent: AgentRecord): void {
  for (const operation of [...agent.operations.values()]) {
    const ended = isTerminalOperation(operation.latest_status.state);
    if (ended && operation.info.id !== undefined) removeOperation(ctx, agent, operation);
  }
}

/** The agent's word counts for what it has, if it sends its reservations itself; else the master's does. */
function retotal(ctx: Context, agent: AgentRecord, own: Resources, message: Message): void {
  const others = agent.total.filter(
    (resource) => resource.revocable !== undefined || resource.provider_id !== undefined,
  );
  if (agent.capabilities.has('RESOURCE_PROVIDER')) {
    agent.checkpointed = Resources.of(message.checkpointed_resources ?? []);
    changeTotal(ctx, agent, own.plus(others));
    return;
  }
  const kept = totalOf(message.slave, agent.checkpointed.toProto());
  if (kept.ok) changeTotal(ctx, agent, kept.value.plus(others));
}

/** Takes over a new total; offers that it might not cover any more are rescinded. */
export function changeTotal(ctx: Context, agent: AgentRecord, total: Resources): void {
  if (!agent.total.equals(total)) for (const offer of offersOf(ctx, agent)) rescindOffer(ctx, offer);
  agent.total = total;
  noteOverdraft(agent);
  ctx.allocator.updateAgent(agent.id, { info: agent.info, total, capabilities: agent.capabilities });
}

/** Tasks in the books that a smaller agent cannot hold: it has yet to say that it lost them. */
function noteOverdraft(agent: AgentRecord): void {
  const used = agent.used.unallocate().nonRevocable();
  agent.isOverdrawn = !agent.total.contains(used.filter((resource) => resource.shared === undefined));
}

function compareBooks(ctx: Context, agent: AgentRecord, message: Message): void {
  const reported = new Set((message.tasks ?? []).map((task) => `${task.framework_id.value}/${task.task_id.value}`));
  const reconciliations = [...agent.tasks.keys()].flatMap((id) => missingTasks(ctx, agent, id, reported));
  send(ctx, agent.pid, 'mesos.internal.SlaveReregisteredMessage', {
    slave_id: { value: agent.id },
    connection: pingPatience(ctx),
    ...(reconciliations.length > 0 && { reconciliations }),
  });
  const executors = new Set(
    (message.executor_infos ?? []).map((e) => `${e.framework_id?.value ?? ''}/${e.executor_id.value}`),
  );
  for (const [frameworkId, executorIds] of [...agent.executors]) {
    const framework = ctx.state.frameworks.get(frameworkId);
    if (framework === undefined) continue;
    for (const id of [...executorIds]) {
      if (!executors.has(`${frameworkId}/${id}`)) removeExecutor(ctx, framework, agent, id);
    }
  }
  repeatKills(ctx, agent, message.tasks ?? []);
}

/** Tasks that the agent should have and did not report: it answers for them. */
function missingTasks(
  ctx: Context,
  agent: AgentRecord,
  frameworkId: string,
  reported: ReadonlySet<string>,
): ReconcileTasksMessage[] {
  const framework = ctx.state.frameworks.get(frameworkId);
  if (framework === undefined) return [];
  const missing = tasksOn(framework, agent).filter((task) => !reported.has(`${frameworkId}/${task.task_id.value}`));
  if (missing.length === 0) return [];
  const statuses = missing.map((task) =>
    masterStatus(ctx, {
      taskId: task.task_id,
      agentId: task.agent_id,
      state: task.status_update_state ?? task.state,
      reason: 'REASON_RECONCILIATION',
      message: 'Reconciliation request',
    }),
  );
  return [{ framework_id: { value: frameworkId }, statuses, framework: framework.info }];
}

function repeatKills(ctx: Context, agent: AgentRecord, tasks: readonly Task[]): void {
  for (const { framework_id, task_id, state } of tasks) {
    if (isTerminal(state) || !agent.pendingKills.get(framework_id.value)?.has(task_id.value)) continue;
    send(ctx, agent.pid, 'mesos.internal.KillTaskMessage', { framework_id, task_id });
  }
}

/** An agent that this master does not have in its books: from before a failover, or given up before. */
function admitAgain(ctx: Context, { agentId, pid, message, luggage: brought }: Newcomer): void {
  const total = totalOf(message.slave, message.checkpointed_resources);
  if (!total.ok) return;
  const [luggage, acknowledgements] = withoutUnheard(ctx, agentId, brought);
  const wasLost = !ctx.state.recovered.has(agentId);
  const isNews = !ctx.state.removed.has(agentId);
  const again = ctx.state.unreachable.has(agentId) ? 'Unreachable' : 'Unknown';
  if (wasLost) for (const task of luggage.tasks) tellFound(ctx, task, `${again} agent re-registered`);
  forgetUnreachableTasks(ctx, agentId);
  clearAddress(ctx, pid, agentId);
  const agent = addAgent(ctx, arrivalOf(agentId, message.slave, pid, message, total.value), luggage);
  agent.reregisteredTime = ctx.env.wall;
  if (isNews) takeInHistory(ctx, message);
  countUp(ctx, 'slave_reregistrations');
  send(ctx, pid, 'mesos.internal.SlaveReregisteredMessage', {
    slave_id: { value: agentId },
    connection: pingPatience(ctx),
  });
  for (const acknowledgement of acknowledgements) {
    send(ctx, pid, 'mesos.internal.StatusUpdateAcknowledgementMessage', acknowledgement);
  }
  log(ctx, 'info', `Readmitted agent ${nameAgent(agent)} with ${agent.total}`);
  updateFrameworksOn(ctx, agent, luggage.frameworks);
  goOnDraining(ctx, agent);
  endIfDown(ctx, agent);
}

/**
 * Leaves out tasks whose end was acknowledged when the agent could not be reached any more: nobody would acknowledge it again
 * if the agent, who is told once more, heard of it from the old connection meanwhile.
 */
function withoutUnheard(
  ctx: Context,
  agentId: string,
  luggage: AgentLuggage,
): readonly [AgentLuggage, readonly StatusUpdateAcknowledgementMessage[]] {
  const unheard = ctx.unheardEnds.get(agentId);
  if (unheard === undefined) return [luggage, []];
  const acknowledgements: StatusUpdateAcknowledgementMessage[] = [];
  const tasks = luggage.tasks.filter(({ framework_id, task_id, status_update_uuid }) => {
    const uuid = unheardEnd(unheard, framework_id.value, task_id.value);
    if (uuid === undefined || !sameMessage(uuid, status_update_uuid)) return true;
    acknowledgements.push({ slave_id: { value: agentId }, framework_id, task_id, uuid });
    return false;
  });
  return [{ ...luggage, tasks }, acknowledgements];
}

/** A task that had been given up runs after all. */
function tellFound(ctx: Context, task: Task, message: string): void {
  const framework = ctx.state.frameworks.get(task.framework_id.value);
  if (framework === undefined) return;
  framework.unreachableTasks.delete(task.task_id.value);
  framework.completedTasks.remove((ended) => ended.task_id.value === task.task_id.value);
  const status = taskStatus(ctx, task, { state: task.state, reason: 'REASON_AGENT_REREGISTERED', message });
  sendUpdate(ctx, framework, status);
}

/** Tells an agent what became of the frameworks that it knows. */
function updateFrameworksOn(ctx: Context, agent: AgentRecord, frameworks: readonly FrameworkInfo[]): void {
  for (const { id } of frameworks) {
    if (id === undefined) continue;
    if (ctx.state.completedFrameworks.has(id.value)) {
      send(ctx, agent.pid, 'mesos.internal.ShutdownFrameworkMessage', { framework_id: id });
      continue;
    }
    const framework = ctx.state.frameworks.get(id.value);
    if (framework === undefined || framework.state === 'RECOVERED') continue;
    send(ctx, agent.pid, 'mesos.internal.UpdateFrameworkMessage', {
      framework_id: id,
      framework_info: framework.info,
      ...(framework.connection?.kind === 'pid' && { pid: framework.connection.pid }),
    });
  }
}
