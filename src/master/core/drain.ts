/** Agents that are being emptied: what is decided about them, and what happens when nothing is left on one. */
import type { DrainInfo } from '../../wire/v1.ts';
import { type Context, commit, log, nameAgent, send } from './context.ts';
import type { AgentRecord } from './records.ts';

/** Whether an agent is registered, awaited or unreachable. */
export function isKnown({ state }: Context, agentId: string): boolean {
  return state.agents.has(agentId) || state.recovered.has(agentId) || state.unreachable.has(agentId);
}

export function isDeactivated({ state }: Context, agentId: string): boolean {
  return state.agents.get(agentId)?.deactivated ?? state.standings.has(agentId);
}

export function drainOf({ state }: Context, agentId: string): DrainInfo | undefined {
  const agent = state.agents.get(agentId);
  return agent === undefined ? state.standings.get(agentId)?.drain : agent.drain;
}

/** A registered agent learns that it is to end all tasks, again each time that it comes back. */
export function tellToDrain(ctx: Context, agent: AgentRecord): void {
  const config = agent.drain?.config;
  if (config !== undefined) send(ctx, agent.pid, 'mesos.internal.DrainSlaveMessage', { config });
}

/** Something on the agent has ended: if it is draining, it may be empty now. Looked at when the step is done. */
export function checkDrainLater(ctx: Context, agent: AgentRecord): void {
  if (agent.drain?.state === 'DRAINING') ctx.drainChecks.add(agent.id);
}

/** Marks the agents that have become empty drained, or gone if that was asked for. */
export function settleDrains(ctx: Context, markGone: (ctx: Context, agentId: string) => void): void {
  for (const agentId of ctx.drainChecks) {
    const agent = ctx.state.agents.get(agentId);
    if (agent?.drain?.state !== 'DRAINING' || agent.tasks.size + agent.operations.size > 0) continue;
    if (ctx.transitioning.get(agentId) === 'markingGone' || isMarking(ctx, agentId)) continue;
    log(ctx, 'info', `Nothing is left on draining agent ${nameAgent(agent)}`);
    if (agent.drain.config.mark_gone === true) markGone(ctx, agentId);
    else commit(ctx, { type: 'MARK_DRAINED', agentId }, { type: 'markDrained', agentId });
  }
  ctx.drainChecks.clear();
}

function isMarking(ctx: Context, agentId: string): boolean {
  return [...ctx.commits.values()].some((pending) => pending.type === 'markDrained' && pending.agentId === agentId);
}

/** It is durable that nothing is left on the agent. */
export function drained(ctx: Context, { agentId }: { agentId: string }): void {
  const { agents, standings } = ctx.state;
  const agent = agents.get(agentId);
  const drain = drainOf(ctx, agentId);
  if (drain === undefined) return;
  const after: DrainInfo = { ...drain, state: 'DRAINED' };
  log(ctx, 'info', `Agent ${agentId} is drained`);
  if (agent === undefined) standings.set(agentId, { drain: after });
  else agent.drain = after;
}
