/** DEACTIVATE_AGENT and REACTIVATE_AGENT: whether what an agent has is offered. What runs there is not touched. */
import { activateAgent, deactivateAgent } from '../../agents.ts';
import { type Context, commit, log, nameAgent, reply } from '../../context.ts';
import { drainOf, isDeactivated, isKnown } from '../../drain.ts';
import type { OperatorCallEvent } from '../../events.ts';

interface Pending {
  readonly agentId: string;
  readonly request: number;
}

export function deactivateAgentCall(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const agentId = call.deactivate_agent?.agent_id.value ?? '';
  if (!ctx.options.authorize({ action: 'DEACTIVATE_AGENT', ...(principal !== undefined && { principal }) })) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to deactivate agents`);
    return;
  }
  if (!isKnown(ctx, agentId)) {
    reply(ctx, request, 400, `Unknown agent '${agentId}'`);
    return;
  }
  commit(ctx, { type: 'DEACTIVATE_AGENT', agentId }, { type: 'deactivateAgent', agentId, request });
}

/** It is durable that the agent is deactivated. */
export function agentDeactivated(ctx: Context, { agentId, request }: Pending): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent !== undefined) {
    log(ctx, 'info', `Deactivating agent ${nameAgent(agent)} for an operator`);
    agent.deactivated = true;
    deactivateAgent(ctx, agent);
  } else if (isKnown(ctx, agentId)) {
    ctx.state.standings.set(agentId, { ...ctx.state.standings.get(agentId) });
  }
  reply(ctx, request, 200);
}

export function reactivateAgentCall(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const agentId = call.reactivate_agent?.agent_id.value ?? '';
  if (!ctx.options.authorize({ action: 'REACTIVATE_AGENT', ...(principal !== undefined && { principal }) })) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to reactivate agents`);
    return;
  }
  if (!isDeactivated(ctx, agentId)) {
    reply(ctx, request, 400, `Agent '${agentId}' is not deactivated`);
    return;
  }
  if (drainOf(ctx, agentId)?.state === 'DRAINING') {
    reply(ctx, request, 400, `Agent '${agentId}' is DRAINING; it can be reactivated when it is DRAINED`);
    return;
  }
  commit(ctx, { type: 'REACTIVATE_AGENT', agentId }, { type: 'reactivateAgent', agentId, request });
}

/** It is durable that the agent is neither deactivated nor drained. */
export function agentReactivated(ctx: Context, { agentId, request }: Pending): void {
  ctx.state.standings.delete(agentId);
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined) {
    reply(ctx, request, 409, `Agent '${agentId}' is not registered at present; it will be active when it comes back`);
    return;
  }
  log(ctx, 'info', `Reactivating agent ${nameAgent(agent)} for an operator`);
  agent.deactivated = false;
  agent.drain = undefined;
  agent.drainStarted = undefined;
  activateAgent(ctx, agent);
  reply(ctx, request, 200);
}
