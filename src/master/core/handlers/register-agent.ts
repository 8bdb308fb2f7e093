import { err, ok, type Result } from '../../../base/result.ts';
import { applyCheckpointed } from '../../../resources/checkpointed.ts';
import { recentLists } from '../../../resources/recent.ts';
import { Resources } from '../../../resources/resources.ts';
import type { RegisterSlaveMessage } from '../../../wire/internal.ts';
import type { AgentInfo, Resource, UUID } from '../../../wire/v1.ts';
import { addAgent, NO_LUGGAGE, pingPatience, removeNow, shutdownAgent } from '../agents.ts';
import { type Context, commit, countUp, log, send } from '../context.ts';
import { agentCapabilitiesOf } from '../framework-info.ts';
import { machineOf } from '../maintenance.ts';
import { parsePid } from '../pid.ts';
import type { AgentArrival, AgentRecord } from '../records.ts';
import { sameMessage } from '../same-message.ts';
import type { Pid } from '../state.ts';
import { validateRegistration } from '../validation/agents.ts';
import { endIfDown } from './operator/machines.ts';

/** RegisterSlaveMessage: an agent without an id. Agents repeat it until they are answered. */
export function registerAgent(
  ctx: Context,
  pid: Pid,
  message: RegisterSlaveMessage,
  principal: string | undefined,
): void {
  countUp(ctx, 'messages_register_slave');
  if (!isWelcome(ctx, pid, message.slave, principal)) return;
  const valid = validateRegistration(message);
  const total = valid.ok ? totalOf(message.slave, message.checkpointed_resources) : valid;
  if (!total.ok) {
    log(ctx, 'warning', `Refusing registration of agent at ${pid}: ${total.error}`);
    return;
  }
  const namesake = ctx.state.agents.get(ctx.agentByPid.get(pid) ?? '');
  if (namesake !== undefined) {
    if (namesake.connected && isSameLife(namesake, message)) {
      greet(ctx, namesake);
      return;
    }
    countUp(ctx, 'slave_removals/reason_registered');
    removeNow(ctx, namesake, 'a new agent registered at the same address');
  }
  if (ctx.registering.has(pid)) {
    ctx.newerRegistrations.set(pid, { message, principal });
    return;
  }
  ctx.registering.add(pid);
  const agentId = `${ctx.state.id}-S${ctx.next.agent++}`;
  const agent = { ...message.slave, id: { value: agentId } };
  log(ctx, 'info', `Registering agent ${agentId} at ${pid} (${agent.hostname})`);
  commit(ctx, { type: 'ADMIT_AGENT', agent }, { type: 'register', pid, agentId, message });
}

/**
 * Whether the agent of these books repeats its registration, or another one has taken its address, with nothing of what
 * ran there: a resource version lasts no longer than the process that chose it. Old agents have none, and are believed.
 */
function isSameLife(agent: AgentRecord, { resource_version_uuid: said }: RegisterSlaveMessage): boolean {
  const { resourceVersion: known } = agent;
  return known === undefined || said === undefined || sameMessage(known, said.value);
}

/** It is durable that the agent belongs to the cluster. */
export function registered(
  ctx: Context,
  { pid, agentId, message }: { pid: Pid; agentId: string; message: RegisterSlaveMessage },
): void {
  ctx.registering.delete(pid);
  const newer = ctx.newerRegistrations.get(pid);
  ctx.newerRegistrations.delete(pid);
  const info = { ...message.slave, id: { value: agentId } };
  const total = totalOf(info, message.checkpointed_resources);
  if (!total.ok) return;
  const arrival = arrivalOf(agentId, info, pid, message, total.value);
  clearAddress(ctx, pid, agentId);
  const agent = addAgent(ctx, arrival, NO_LUGGAGE);
  agent.isUnconfirmed = true;
  countUp(ctx, 'slave_registrations');
  if (newer !== undefined && !isSameLife(agent, newer.message)) {
    // It was restarted meanwhile, perhaps as something else: the one that was admitted is no more.
    registerAgent(ctx, pid, newer.message, newer.principal);
    return;
  }
  greet(ctx, agent);
  endIfDown(ctx, agent);
}

function greet(ctx: Context, agent: AgentRecord): void {
  send(ctx, agent.pid, 'mesos.internal.SlaveRegisteredMessage', {
    slave_id: { value: agent.id },
    connection: pingPatience(ctx),
  });
}

/** One address has one agent: whoever was there before is no more, or its pings would be answered by its successor for ever. */
export function clearAddress(ctx: Context, pid: Pid, agentId: string): void {
  const former = ctx.state.agents.get(ctx.agentByPid.get(pid) ?? '');
  if (former === undefined || former.id === agentId) return;
  countUp(ctx, 'slave_removals/reason_registered');
  removeNow(ctx, former, 'another agent registered at the same address');
}

/** Whether an agent may join at all; if not, it is told or ignored, as upstream does. */
export function isWelcome(ctx: Context, pid: Pid, info: AgentInfo, principal: string | undefined): boolean {
  if (machineOf(ctx.state, { info, pid })?.mode === 'DOWN') {
    shutdownAgent(ctx, pid, 'Machine is `DOWN`');
    return false;
  }
  if (parsePid(pid) === undefined) {
    log(ctx, 'warning', `Refusing agent at '${pid}': that is not an address of the form id@ip:port`);
    return false;
  }
  if (!ctx.options.authorize({ action: 'REGISTER_AGENT', ...(principal !== undefined && { principal }) })) {
    log(ctx, 'warning', `Refusing agent at ${pid}: principal '${principal ?? ''}' may not register agents`);
    return false;
  }
  const home = ctx.state.info.domain;
  if (info.domain !== undefined && home === undefined) {
    log(ctx, 'warning', `Refusing agent at ${pid}: it has a domain, and this master has none; give it --domain`);
    return false;
  }
  if (info.domain === undefined && ctx.options.requireAgentDomain) {
    log(ctx, 'warning', `Refusing agent at ${pid}: it has no domain, and --require_agent_domain is set`);
    return false;
  }
  return true;
}

/** What an agent has: its configured resources, with its reservations and volumes. */
export function totalOf(info: AgentInfo, checkpointed: readonly Resource[] | undefined): Result<Resources> {
  const total = applyCheckpointed(OWN.of([info.resources ?? []]), checkpointed ?? []);
  return total.ok ? ok(total.value) : err(total.error);
}

const OWN = recentLists();

export function arrivalOf(
  id: string,
  info: AgentInfo,
  pid: Pid,
  message: Pick<
    RegisterSlaveMessage,
    'version' | 'agent_capabilities' | 'checkpointed_resources' | 'resource_version_uuid'
  >,
  total: Resources,
): AgentArrival {
  return {
    id,
    info,
    pid,
    version: message.version ?? '',
    capabilities: agentCapabilitiesOf(message.agent_capabilities),
    total,
    checkpointed: Resources.of(message.checkpointed_resources ?? []),
    resourceVersion: bytesOf(message.resource_version_uuid),
  };
}

export function bytesOf(uuid: UUID | undefined): Uint8Array | undefined {
  return uuid?.value;
}
