import { removeAgent, stateFor } from '../agents.ts';
import { type Context, commit, reply, send } from '../context.ts';
import type { RequestId } from '../events.ts';
import { loseOperations } from './operations.ts';

/** MARK_AGENT_GONE: the agent never comes back, and schedulers may rely on it. */
export function markAgentGone(ctx: Context, request: RequestId, agentId: string, principal: string | undefined): void {
  const { state } = ctx;
  if (!ctx.options.authorize({ action: 'MARK_AGENT_GONE', ...(principal !== undefined && { principal }) })) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to mark agents gone`);
    return;
  }
  if (state.gone.has(agentId)) {
    reply(ctx, request, 200);
    return;
  }
  if (!state.agents.has(agentId) && !state.recovered.has(agentId) && !state.unreachable.has(agentId)) {
    reply(ctx, request, 404, `No agent ${agentId} is known`);
    return;
  }
  const doing = ctx.transitioning.get(agentId);
  if (doing !== undefined) {
    reply(ctx, request, 503, `Agent ${agentId} is ${doing} at this moment; try again`);
    return;
  }
  ctx.transitioning.set(agentId, 'markingGone');
  const time = ctx.env.wall;
  commit(ctx, { type: 'MARK_GONE', agentId, time }, { type: 'markGone', agentId, time, request });
}

/** It is durable that the agent is gone. */
export function markedGone(
  ctx: Context,
  { agentId, time, request }: { agentId: string; time: number; request: RequestId },
): void {
  const { state } = ctx;
  ctx.transitioning.delete(agentId);
  state.gone.set(agentId, { id: agentId, time });
  state.recovered.delete(agentId);
  state.unreachable.delete(agentId);
  ctx.unreachableTasks.delete(agentId);
  const agent = state.agents.get(agentId);
  if (agent !== undefined) {
    send(ctx, agent.pid, 'mesos.internal.ShutdownMessage', { message: 'Agent has been marked gone' });
    loseOperations(ctx, agent, 'OPERATION_GONE_BY_OPERATOR');
    removeAgent(ctx, agent, {
      stateOf: stateFor('TASK_GONE_BY_OPERATOR'),
      reasonOf: (framework) =>
        framework.capabilities.has('PARTITION_AWARE') ? 'REASON_AGENT_REMOVED_BY_OPERATOR' : 'REASON_AGENT_REMOVED',
      message: 'Agent marked gone by operator',
    });
  }
  reply(ctx, request, 200);
}
