import { formatUuid } from '../../../base/random.ts';
import { upgradeOperation } from '../../../resources/carriers.ts';
import { upgrade } from '../../../resources/refinement.ts';
import { Resources } from '../../../resources/resources.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { UpdateSlaveMessage } from '../../../wire/internal.ts';
import type { Operation } from '../../../wire/v1.ts';
import { requestAllocation } from '../allocation.ts';
import { type Context, countUp, log, nameAgent, send } from '../context.ts';
import { checkDrainLater } from '../drain.ts';
import { addOperation } from '../operations.ts';
import type { AgentRecord } from '../records.ts';
import { sameMessage } from '../same-message.ts';
import { bytesOf } from './register-agent.ts';
import { changeTotal } from './reregister-agent.ts';

/** UpdateSlaveMessage: oversubscribed resources, those of resource providers, and the operations that the agent knows. */
export function updateAgent(ctx: Context, message: UpdateSlaveMessage): void {
  countUp(ctx, 'messages_update_slave');
  const agent = ctx.state.agents.get(message.slave_id.value);
  if (agent === undefined && ctx.transitioning.get(message.slave_id.value) === 'reregistering') {
    // It takes the answer to an earlier message for the answer to this one, and would not say so again.
    ctx.earlyUpdates.set(message.slave_id.value, message);
    return;
  }
  if (agent === undefined) {
    log(ctx, 'warning', `Ignoring update of agent ${message.slave_id.value}: it is not registered`);
    return;
  }
  takeUpdate(ctx, agent, message);
}

/** Nothing is being made durable about the agent any more: what it said meanwhile counts now, if it is there. */
export function takeEarlyUpdate(ctx: Context, agentId: string): void {
  const early = ctx.earlyUpdates.get(agentId);
  if (early === undefined || ctx.transitioning.has(agentId)) return;
  ctx.earlyUpdates.delete(agentId);
  const agent = ctx.state.agents.get(agentId);
  if (agent !== undefined) takeUpdate(ctx, agent, early);
}

function takeUpdate(ctx: Context, agent: AgentRecord, message: UpdateSlaveMessage): void {
  const providers = message.resource_providers?.providers?.flatMap((provider) => provider.total_resources ?? []);
  for (const list of [message.oversubscribed_resources ?? [], providers ?? []]) {
    const valid = validateResources(list);
    if (valid.ok && list.every((resource) => resource.allocation_info === undefined)) continue;
    log(
      ctx,
      'warning',
      `Ignoring update of agent ${nameAgent(agent)}: ${valid.ok ? 'allocated resources' : valid.error}`,
    );
    return;
  }
  confirmRegistration(ctx, agent, message);
  agent.resourceVersion = bytesOf(message.resource_version_uuid) ?? agent.resourceVersion;
  reconcileOperations(ctx, agent, message);
  checkDrainLater(ctx, agent);
  let total = agent.total;
  // Agents of before this flag only ever sent the message to say what is oversubscribed.
  if (message.update_oversubscribed_resources ?? message.resource_providers === undefined) {
    total = total.nonRevocable().plus(Resources.of(message.oversubscribed_resources ?? []).revocable());
  }
  if (providers !== undefined) {
    total = total.filter((resource) => resource.provider_id === undefined).plus(Resources.of(providers.map(upgrade)));
  }
  if (total.equals(agent.total)) return;
  changeTotal(ctx, agent, total);
  requestAllocation(ctx, agent.id);
}

/**
 * Whoever takes an admission for the answer to its own registration says the version that it registered with. Another one was
 * meant for an earlier life of the agent, which may have had something else: it is asked to register again.
 */
function confirmRegistration(ctx: Context, agent: AgentRecord, message: UpdateSlaveMessage): void {
  const said = bytesOf(message.resource_version_uuid);
  if (!agent.isUnconfirmed || said === undefined) return;
  agent.isUnconfirmed = false;
  if (agent.resourceVersion === undefined || sameMessage(agent.resourceVersion, said)) return;
  log(
    ctx,
    'warning',
    `Asking agent ${nameAgent(agent)} to register again: it was restarted since it asked for admission`,
  );
  send(ctx, agent.pid, 'mesos.internal.PingSlaveMessage', { connected: false }, agent.observer.process);
}

/**
 * Operations that the agent has and the master does not know (after a failover) are entered. Those that it does not have
 * may still be on their way to it: the agent is asked, and what has not arrived by then is dropped.
 */
function reconcileOperations(ctx: Context, agent: AgentRecord, message: UpdateSlaveMessage): void {
  const providers = message.resource_providers?.providers ?? [];
  const reported = [
    ...(message.operations?.operations ?? []),
    ...providers.flatMap((provider) => provider.operations.operations ?? []),
  ];
  const keys = new Set(reported.map((operation) => formatUuid(operation.uuid.value)));
  for (const operation of reported) takeOver(ctx, agent, operation);
  const missing = [...agent.operations].filter(([key]) => !keys.has(key)).map(([, operation]) => operation);
  if (missing.length === 0) return;
  send(ctx, agent.pid, 'mesos.internal.ReconcileOperationsMessage', {
    operations: missing.map(({ uuid }) => ({ operation_uuid: uuid })),
  });
}

function takeOver(ctx: Context, agent: AgentRecord, operation: Operation): void {
  const key = formatUuid(operation.uuid.value);
  if (agent.operations.has(key) || agent.acknowledgedOperations.has(key)) return;
  const info = upgradeOperation(operation.info);
  if (!info.ok) {
    log(ctx, 'warning', `Ignoring operation ${key} that agent ${nameAgent(agent)} tells of: ${info.error}`);
    return;
  }
  addOperation(ctx, agent, { ...operation, info: info.value, agent_id: { value: agent.id } });
}
