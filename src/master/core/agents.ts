/** How agents come, break off and go. */
import { recentLists, recentSums } from '../../resources/recent.ts';
import type { AgentInfo, ExecutorInfo, FrameworkInfo, Resource, Task, TaskState } from '../../wire/v1.ts';
import { addExecutor, bookUsed, removeExecutor } from './accounting.ts';
import { requestAllocation } from './allocation.ts';
import { type Context, commit, countUp, log, nameAgent, nameFramework, send, tellOperators } from './context.ts';
import { addFramework } from './frameworks.ts';
import { takeBackInverseOffers } from './inverse-offers.ts';
import { unavailabilityOf } from './maintenance.ts';
import { offersOf, rescindOffer } from './offers.ts';
import { loseOperations } from './operations.ts';
import { type AgentArrival, type AgentRecord, addTo, type FrameworkRecord, newAgent } from './records.ts';
import { isRemovable, isTerminal, type MasterStatus, masterStatus, sendUpdate } from './status.ts';
import { sendToFramework } from './streams.ts';
import { removeTask, tasksOn, updateTask } from './tasks.ts';

/** The message that names a lapse in pings, as upstream words it; clients show it. */
export const PINGS_FAILED = 'health check timed out';

/** What an agent that comes back brings with it. Resources are allocated. */
export interface AgentLuggage {
  readonly frameworks: readonly FrameworkInfo[];
  readonly executors: readonly ExecutorInfo[];
  readonly tasks: readonly Task[];
}

export const NO_LUGGAGE: AgentLuggage = { frameworks: [], executors: [], tasks: [] };

/** Seconds without a ping after which an agent looks for the master anew. */
export function pingPatience(ctx: Context): { total_ping_timeout_seconds: number } {
  const { agentPingTimeout, maxAgentPingTimeouts } = ctx.options;
  return { total_ping_timeout_seconds: (agentPingTimeout * maxAgentPingTimeouts) / 1000 };
}

/** Enters an agent with all that runs on it, starts to ping it and to offer what it has. */
export function addAgent(ctx: Context, arrival: AgentArrival, luggage: AgentLuggage): AgentRecord {
  const agent = newAgent(arrival, `slave-observer(${ctx.next.observer++})`, ctx.env.wall);
  const { state } = ctx;
  const standing = state.standings.get(agent.id);
  if (standing !== undefined) {
    agent.deactivated = true;
    agent.drain = standing.drain;
  }
  agent.active = !agent.deactivated;
  state.standings.delete(agent.id);
  cancelUnreachable(ctx, agent);
  state.agents.set(agent.id, agent);
  if (state.recovered.delete(agent.id)) state.recovery.returned++;
  state.unreachable.delete(agent.id);
  state.removed.delete(agent.id);
  ctx.agentByPid.set(agent.pid, agent.id);
  ctx.agentByObserver.set(agent.observer.process, agent.id);
  ctx.emit({ kind: 'link', pid: agent.pid });
  for (const info of luggage.frameworks) recoverFramework(ctx, info);
  for (const executor of luggage.executors) {
    const framework = state.frameworks.get(executor.framework_id?.value ?? '');
    if (framework !== undefined) addExecutor(framework, agent, executor);
  }
  adoptTasks(ctx, agent, luggage.tasks);
  enterInAllocator(ctx, agent);
  ctx.deadlines.set({ type: 'ping', agentId: agent.id }, ctx.env.now);
  tellOperators(ctx, { type: 'AGENT_ADDED', agent });
  requestAllocation(ctx, agent.id);
  return agent;
}

/** Tells the allocator all about an agent. */
export function enterInAllocator(ctx: Context, agent: AgentRecord): void {
  const { info, total, capabilities, usedByFramework: used } = agent;
  ctx.allocator.addAgent(agent.id, { info, total, capabilities, used, ...unavailabilityOf(ctx.state, agent) });
  if (!agent.active) ctx.allocator.deactivateAgent(agent.id);
}

/** Enters a framework of which only an agent has told; its scheduler is expected to subscribe. */
function recoverFramework(ctx: Context, info: FrameworkInfo): void {
  const id = info.id?.value;
  if (id === undefined || ctx.state.frameworks.has(id) || ctx.state.completedFrameworks.has(id)) return;
  const framework = addFramework(ctx, info, id);
  log(ctx, 'info', `Framework ${nameFramework(framework)} is known from an agent; waiting for its scheduler`);
  tellOperators(ctx, { type: 'FRAMEWORK_ADDED', framework });
}

/** Enters many tasks at once: what a framework holds is added up before it is booked. */
function adoptTasks(ctx: Context, agent: AgentRecord, tasks: readonly Task[]): void {
  // Most come framework by framework.
  let framework: FrameworkRecord | undefined;
  let held: (readonly Resource[])[] = [];
  const used = [agent.used];
  for (const task of tasks) {
    if (framework?.id !== task.framework_id.value) {
      if (framework !== undefined) used.push(bookUsed(framework, agent, HELD.of(held)));
      held = [];
      framework = ctx.state.frameworks.get(task.framework_id.value);
    }
    if (framework === undefined) continue;
    const id = task.task_id.value;
    const known = framework.tasks.enter(id, task);
    if (known !== undefined) {
      const where = known.agent_id.value;
      log(ctx, 'error', `Agent ${nameAgent(agent)} has a task ${id} that agent ${where} has too; ignoring the former`);
      continue;
    }
    addTo(agent.tasks, framework.id, id);
    if (!isRemovable(task.state) && task.resources !== undefined) held.push(task.resources);
  }
  if (framework !== undefined) used.push(bookUsed(framework, agent, HELD.of(held)));
  agent.used = SUMS.of(used);
}

const HELD = recentLists();
const SUMS = recentSums();

/** The agent is back: what it had then is either here again, or gone. */
export function forgetUnreachableTasks(ctx: Context, agentId: string): void {
  for (const [frameworkId, taskIds] of ctx.unreachableTasks.get(agentId) ?? []) {
    const framework = ctx.state.frameworks.get(frameworkId);
    for (const id of taskIds) framework?.unreachableTasks.delete(id);
  }
  ctx.unreachableTasks.delete(agentId);
  ctx.unheardEnds.delete(agentId);
}

/** Stops offering what an agent has; its offers are rescinded. */
export function deactivateAgent(ctx: Context, agent: AgentRecord): void {
  if (agent.active) {
    agent.active = false;
    ctx.allocator.deactivateAgent(agent.id);
  }
  for (const offer of offersOf(ctx, agent)) rescindOffer(ctx, offer);
  takeBackInverseOffers(ctx, agent, true);
}

/** Offers what an agent has, again. */
export function activateAgent(ctx: Context, agent: AgentRecord): void {
  if (agent.active || !agent.connected || agent.deactivated) return;
  agent.active = true;
  ctx.allocator.activateAgent(agent.id);
  requestAllocation(ctx, agent.id);
}

/**
 * The link to an agent broke. What runs there for frameworks without checkpointing does not survive an agent's restart,
 * and is given up at once; the rest has until `agent_reregister_timeout`.
 */
export function disconnectAgent(ctx: Context, agent: AgentRecord): void {
  if (!agent.connected) return;
  log(ctx, 'info', `Agent ${nameAgent(agent)} disconnected`);
  agent.connected = false;
  deactivateAgent(ctx, agent);
  for (const frameworkId of new Set([...agent.tasks.keys(), ...agent.executors.keys()])) {
    const framework = ctx.state.frameworks.get(frameworkId);
    if (framework === undefined || framework.info.checkpoint === true) continue;
    const message = `Agent ${agent.info.hostname} disconnected`;
    const reasonOf = (): MasterStatus['reason'] => 'REASON_AGENT_DISCONNECTED';
    giveUp(ctx, framework, agent, { stateOf: () => 'TASK_LOST', reasonOf, message });
  }
  ctx.deadlines.set({ type: 'agentReregister', agentId: agent.id }, ctx.env.now + ctx.options.agentReregisterTimeout);
}

/** What the tasks of an agent become when the agent is lost. */
export interface Loss {
  readonly stateOf: (framework: FrameworkRecord) => TaskState;
  readonly reasonOf: (framework: FrameworkRecord) => MasterStatus['reason'];
  readonly message: string;
  /** Set if the agent may come back. */
  readonly unreachableTime?: number;
}

/** Ends all that a framework has on an agent, as far as the master is concerned. */
function giveUp(ctx: Context, framework: FrameworkRecord, agent: AgentRecord, loss: Loss): void {
  for (const task of tasksOn(framework, agent)) {
    if (isTerminal(task.state)) {
      removeTask(ctx, framework, task, 'completed');
      continue;
    }
    const status = masterStatus(ctx, {
      taskId: task.task_id,
      agentId: task.agent_id,
      ...(task.executor_id !== undefined && { executorId: task.executor_id }),
      state: loss.stateOf(framework),
      reason: loss.reasonOf(framework),
      message: loss.message,
      ...(loss.unreachableTime !== undefined && { unreachableTime: loss.unreachableTime }),
    });
    const ended = updateTask(ctx, framework, task, { status });
    sendUpdate(ctx, framework, status);
    removeTask(ctx, framework, ended, loss.unreachableTime === undefined ? 'completed' : 'unreachable');
  }
  for (const executorId of [...(agent.executors.get(framework.id) ?? [])]) {
    removeExecutor(ctx, framework, agent, executorId);
  }
}

/** Takes an agent out of the cluster, with everything on it, and tells the schedulers. */
export function removeAgent(ctx: Context, agent: AgentRecord, loss: Loss): void {
  log(ctx, 'info', `Removing agent ${nameAgent(agent)}: ${loss.message}`);
  ctx.allocator.removeAgent(agent.id);
  if (loss.unreachableTime !== undefined) {
    const tasks = new Map([...agent.tasks].map(([frameworkId, ids]) => [frameworkId, new Set(ids)]));
    ctx.unreachableTasks.set(agent.id, tasks);
    const unheard = agent.passedOn.unheard();
    if (unheard !== undefined) ctx.unheardEnds.set(agent.id, unheard);
  }
  for (const frameworkId of new Set([...agent.tasks.keys(), ...agent.executors.keys()])) {
    const framework = ctx.state.frameworks.get(frameworkId);
    if (framework !== undefined) giveUp(ctx, framework, agent, loss);
  }
  for (const offer of offersOf(ctx, agent)) rescindOffer(ctx, offer);
  takeBackInverseOffers(ctx, agent, true);
  loseOperations(ctx, agent);
  // Who is unreachable may come back, and is then to be as it was.
  if (loss.unreachableTime !== undefined && agent.deactivated) {
    ctx.state.standings.set(agent.id, agent.drain === undefined ? {} : { drain: agent.drain });
  }
  for (const framework of ctx.state.frameworks.values()) framework.used.delete(agent.id);
  forgetAgent(ctx, agent);
  ctx.state.removed.set(agent.id, ctx.env.wall);
  countUp(ctx, 'slave_removals');
  tellLost(ctx, agent.id);
  tellOperators(ctx, { type: 'AGENT_REMOVED', agentId: { value: agent.id } });
}

/** The registry is told, but nobody waits for it: whether the entry of an agent that is gone lives on is of no consequence. */
export function removeNow(ctx: Context, agent: AgentRecord, message: string): void {
  ctx.transitioning.set(agent.id, 'removing');
  commit(ctx, { type: 'REMOVE_AGENT', agentId: agent.id }, { type: 'unregister', agentId: agent.id });
  removeAgent(ctx, agent, { stateOf: () => 'TASK_LOST', reasonOf: () => 'REASON_AGENT_REMOVED', message });
}

function forgetAgent(ctx: Context, agent: AgentRecord): void {
  ctx.state.agents.delete(agent.id);
  if (ctx.agentByPid.get(agent.pid) === agent.id) ctx.agentByPid.delete(agent.pid);
  ctx.agentByObserver.delete(agent.observer.process);
  ctx.unreachableQueue.delete(agent.id);
  ctx.deadlines.clear({ type: 'ping', agentId: agent.id });
  ctx.deadlines.clear({ type: 'agentReregister', agentId: agent.id });
}

/** Every connected scheduler hears that an agent is lost, whether it had something there or not. */
export function tellLost(ctx: Context, agentId: string): void {
  for (const framework of ctx.state.frameworks.values()) {
    sendToFramework(ctx, framework, { type: 'FAILURE', failure: { agent_id: { value: agentId } } });
  }
}

/** The agent has a new address: its link and its index move with it. */
export function moveAgent(ctx: Context, agent: AgentRecord, pid: string): void {
  if (ctx.agentByPid.get(agent.pid) === agent.id) ctx.agentByPid.delete(agent.pid);
  agent.pid = pid;
  ctx.agentByPid.set(pid, agent.id);
  ctx.emit({ kind: 'link', pid, relink: true });
}

/** The agent is heard from again after its link had broken. */
export function reconnectAgent(ctx: Context, agent: AgentRecord): void {
  if (agent.connected) return;
  agent.connected = true;
  ctx.deadlines.clear({ type: 'agentReregister', agentId: agent.id });
  cancelUnreachable(ctx, agent);
  activateAgent(ctx, agent);
}

/** The agent lives after all: it keeps its place if it was only waiting to be marked unreachable. */
export function cancelUnreachable(ctx: Context, agent: AgentRecord): void {
  agent.observer.misses = 0;
  agent.observer.pinged = false;
  if (!ctx.unreachableQueue.delete(agent.id)) return;
  agent.observer.markingUnreachable = false;
  countUp(ctx, 'slave_unreachable_canceled');
  countUp(ctx, 'slave_shutdowns_canceled');
}

/** Tells an agent, and whoever runs it, that it is not welcome; it ends itself. */
export function shutdownAgent(ctx: Context, pid: string, message: string): void {
  log(ctx, 'warning', `Telling agent at ${pid} to shut down: ${message}`);
  send(ctx, pid, 'mesos.internal.ShutdownMessage', { message });
}

/** The id that an agent claims, or an empty text. */
export function idOf(info: AgentInfo): string {
  return info.id?.value ?? '';
}

/** A framework that can tell an unreachable task from a lost one learns the difference. */
export function stateFor(aware: TaskState): (framework: FrameworkRecord) => TaskState {
  return (framework) => (framework.capabilities.has('PARTITION_AWARE') ? aware : 'TASK_LOST');
}
