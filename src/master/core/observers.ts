/** Pings: who still answers, and what happens to those who do not. */

import { formatDuration } from '../../base/duration.ts';
import { cancelUnreachable, PINGS_FAILED, removeAgent, stateFor, tellLost } from './agents.ts';
import { type Context, commit, countUp, log, nameAgent, send } from './context.ts';
import { loseOperations } from './handlers/operations.ts';
import type { AgentRecord } from './records.ts';

/** Sends the ping that is due, after counting the last one if it was not answered. */
export function ping(ctx: Context, agentId: string): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined) return;
  const { observer } = agent;
  if (observer.pinged) {
    observer.misses++;
    if (observer.misses >= ctx.options.maxAgentPingTimeouts) scheduleUnreachable(ctx, agent);
  }
  observer.pinged = true;
  send(ctx, agent.pid, 'mesos.internal.PingSlaveMessage', { connected: agent.connected }, observer.process);
  ctx.deadlines.set({ type: 'ping', agentId }, ctx.env.now + ctx.options.agentPingTimeout);
}

/** An agent answered its ping. */
export function pong(ctx: Context, agent: AgentRecord): void {
  cancelUnreachable(ctx, agent);
}

/** The agent did not come back in time after its link broke. */
export function reregisterTimedOut(ctx: Context, agentId: string): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined || agent.connected) return;
  markUnreachable(
    ctx,
    agent,
    `agent did not reregister within ${formatDuration(ctx.options.agentReregisterTimeout)} after disconnecting`,
  );
}

/** Marks at once, or in turn where `--agent_removal_rate_limit` says so. */
function scheduleUnreachable(ctx: Context, agent: AgentRecord): void {
  if (agent.observer.markingUnreachable) return;
  agent.observer.markingUnreachable = true;
  countUp(ctx, 'slave_unreachable_scheduled');
  countUp(ctx, 'slave_shutdowns_scheduled');
  if (ctx.options.agentRemovalRateLimit === undefined) {
    completeMark(ctx, agent);
    return;
  }
  ctx.unreachableQueue.add(agent.id);
  scheduleNextMark(ctx);
}

function scheduleNextMark(ctx: Context): void {
  const limit = ctx.options.agentRemovalRateLimit;
  if (limit === undefined || ctx.unreachableQueue.size === 0) return;
  const pace = limit.interval / limit.count;
  ctx.deadlines.hasten({ type: 'markUnreachable' }, Math.max(ctx.env.now, ctx.lastUnreachableMark + pace));
}

/** The rate limit lets one more agent go. */
export function markNextUnreachable(ctx: Context): void {
  for (const agentId of ctx.unreachableQueue) {
    ctx.unreachableQueue.delete(agentId);
    const agent = ctx.state.agents.get(agentId);
    if (agent === undefined) continue;
    ctx.lastUnreachableMark = ctx.env.now;
    completeMark(ctx, agent);
    break;
  }
  scheduleNextMark(ctx);
}

function completeMark(ctx: Context, agent: AgentRecord): void {
  countUp(ctx, 'slave_unreachable_completed');
  countUp(ctx, 'slave_shutdowns_completed');
  markUnreachable(ctx, agent, PINGS_FAILED);
}

function markUnreachable(ctx: Context, agent: AgentRecord, reason: string): void {
  if (ctx.transitioning.has(agent.id)) {
    agent.observer.markingUnreachable = false;
    return;
  }
  log(ctx, 'info', `Marking agent ${nameAgent(agent)} unreachable: ${reason}`);
  agent.observer.markingUnreachable = true;
  ctx.transitioning.set(agent.id, 'markingUnreachable');
  const time = ctx.env.wall;
  commit(
    ctx,
    { type: 'MARK_UNREACHABLE', agentId: agent.id, time },
    { type: 'markUnreachable', agentId: agent.id, time, reason },
  );
}

/** It is durable that the agent is unreachable: what ran there is out of sight. */
export function markedUnreachable(
  ctx: Context,
  { agentId, time, reason }: { agentId: string; time: number; reason: string },
): void {
  ctx.transitioning.delete(agentId);
  const agent = ctx.state.agents.get(agentId);
  const info = agent?.info ?? ctx.state.recovered.get(agentId);
  ctx.state.unreachable.set(agentId, { id: agentId, time, info });
  if (agent === undefined) {
    if (!ctx.state.recovered.delete(agentId)) return;
    countUp(ctx, 'recovery_slave_removals');
    countUp(ctx, 'slave_removals');
    tellLost(ctx, agentId);
    return;
  }
  countUp(ctx, 'slave_removals/reason_unhealthy');
  loseOperations(ctx, agent, 'OPERATION_UNREACHABLE');
  removeAgent(ctx, agent, {
    stateOf: stateFor('TASK_UNREACHABLE'),
    reasonOf: () => 'REASON_AGENT_REMOVED',
    message: reason,
    unreachableTime: time,
  });
}

/** Agents of before the failover that have not come back until now are unreachable, unless there are suspiciously many. */
export function recoveredTimedOut(ctx: Context): void {
  const { state, options } = ctx;
  const missing = [...state.recovered.keys()].filter((id) => !ctx.transitioning.has(id));
  if (missing.length === 0) return;
  const expected = options.registry.agents.length;
  const share = missing.length / expected;
  if (share > options.recoveryAgentRemovalLimit) {
    ctx.emit({
      kind: 'shutdown',
      reason:
        `${missing.length} of ${expected} agents did not come back after failover, more than ` +
        `--recovery_agent_removal_limit allows (${options.recoveryAgentRemovalLimit * 100}%); look at the network first`,
    });
    return;
  }
  for (const agentId of missing) {
    const time = ctx.env.wall;
    ctx.transitioning.set(agentId, 'markingUnreachable');
    const reason = 'agent did not reregister after master failover';
    commit(ctx, { type: 'MARK_UNREACHABLE', agentId, time }, { type: 'markUnreachable', agentId, time, reason });
  }
}
