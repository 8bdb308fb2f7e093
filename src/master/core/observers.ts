/** Pings: who still answers, and what happens to those who do not. */

import { formatDuration } from '../../base/duration.ts';
import { cancelUnreachable, PINGS_FAILED, removeAgent, stateFor, tellLost } from './agents.ts';
import { type Context, commit, countUp, log, nameAgent, send } from './context.ts';
import { loseOperations } from './operations.ts';
import type { AgentRecord } from './records.ts';

/** Sends the ping that is due, after counting the last one if it was not answered. */
export function ping(ctx: Context, agentId: string): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined) return;
  const { observer } = agent;
  if (observer.pinged) {
    observer.misses++;
    if (observer.misses >= ctx.options.maxAgentPingTimeouts) scheduleUnreachable(ctx, agent.id, PINGS_FAILED);
  }
  observer.pinged = true;
  agent.passedOn.pinged();
  send(ctx, agent.pid, 'mesos.internal.PingSlaveMessage', { connected: agent.connected }, observer.process);
  ctx.deadlines.set({ type: 'ping', agentId }, ctx.env.now + ctx.options.agentPingTimeout);
}

/** An agent answered its ping. */
export function pong(ctx: Context, agent: AgentRecord): void {
  agent.passedOn.ponged();
  cancelUnreachable(ctx, agent);
}

/** The agent did not come back in time after its link broke. */
export function reregisterTimedOut(ctx: Context, agentId: string): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined || agent.connected) return;
  const timeout = formatDuration(ctx.options.agentReregisterTimeout);
  scheduleUnreachable(ctx, agentId, `agent did not reregister within ${timeout} after disconnecting`);
}

/** Marks at once, or in turn where `--agent_removal_rate_limit` says so. */
function scheduleUnreachable(ctx: Context, agentId: string, reason: string): void {
  const { unreachableQueue } = ctx;
  if (unreachableQueue.has(agentId) || ctx.transitioning.has(agentId)) return;
  countUp(ctx, 'slave_unreachable_scheduled');
  countUp(ctx, 'slave_shutdowns_scheduled');
  const agent = ctx.state.agents.get(agentId);
  if (agent !== undefined) agent.observer.markingUnreachable = true;
  if (ctx.options.agentRemovalRateLimit === undefined) {
    markUnreachable(ctx, agentId, reason);
    return;
  }
  unreachableQueue.set(agentId, reason);
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
  for (const [agentId, reason] of ctx.unreachableQueue) {
    ctx.unreachableQueue.delete(agentId);
    if (!markUnreachable(ctx, agentId, reason)) continue;
    ctx.lastUnreachableMark = ctx.env.now;
    break;
  }
  scheduleNextMark(ctx);
}

/** @returns false if something else became of the agent meanwhile */
function markUnreachable(ctx: Context, agentId: string, reason: string): boolean {
  const agent = ctx.state.agents.get(agentId);
  const isKnown = agent !== undefined || ctx.state.recovered.has(agentId);
  if (!isKnown || ctx.transitioning.has(agentId)) {
    if (agent !== undefined) agent.observer.markingUnreachable = false;
    countUp(ctx, 'slave_unreachable_canceled');
    countUp(ctx, 'slave_shutdowns_canceled');
    return false;
  }
  countUp(ctx, 'slave_unreachable_completed');
  countUp(ctx, 'slave_shutdowns_completed');
  log(ctx, 'info', `Marking agent ${agent === undefined ? agentId : nameAgent(agent)} unreachable: ${reason}`);
  ctx.transitioning.set(agentId, 'markingUnreachable');
  const time = ctx.env.wall;
  commit(ctx, { type: 'MARK_UNREACHABLE', agentId, time }, { type: 'markUnreachable', agentId, time, reason });
  return true;
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
    countUp(ctx, 'slave_removals/reason_unhealthy');
    tellLost(ctx, agentId);
    return;
  }
  countUp(ctx, 'slave_removals/reason_unhealthy');
  loseOperations(ctx, agent, { state: 'OPERATION_UNREACHABLE', message: 'Agent was marked unreachable' });
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
  const timeout = formatDuration(options.agentReregisterTimeout);
  const reason = `agent did not reregister within ${timeout} after master failover`;
  for (const agentId of missing) scheduleUnreachable(ctx, agentId, reason);
}
