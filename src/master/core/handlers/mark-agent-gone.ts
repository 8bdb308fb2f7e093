import { type Loss, removeAgent, stateFor } from '../agents.ts';
import { type Context, commit, reply, send, tellOperators } from '../context.ts';
import type { RequestId } from '../events.ts';
import { loseOperations } from '../operations.ts';
import { sendUpdate, taskStatus } from '../status.ts';

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
  commitGone(ctx, agentId, request);
}

/** Has it made durable that the agent is gone. @param request of the operator who asked for it at this moment */
export function commitGone(ctx: Context, agentId: string, request?: RequestId): void {
  ctx.transitioning.set(agentId, 'markingGone');
  const time = ctx.env.wall;
  const asked = request === undefined ? {} : { request };
  commit(ctx, { type: 'MARK_GONE', agentId, time }, { type: 'markGone', agentId, time, ...asked });
}

/** Whoever waits for tasks that were unreachable learns that they never come back. */
function endUnreachableTasks(ctx: Context, agentId: string): void {
  for (const [frameworkId, taskIds] of ctx.unreachableTasks.get(agentId) ?? []) {
    const framework = ctx.state.frameworks.get(frameworkId);
    if (framework === undefined) continue;
    for (const id of taskIds) {
      const task = framework.unreachableTasks.get(id);
      if (task === undefined) continue;
      const state = GONE.stateOf(framework);
      const status = taskStatus(ctx, task, { state, reason: GONE.reasonOf(framework), message: GONE.message });
      framework.unreachableTasks.delete(id);
      framework.completedTasks.push({ ...task, state, statuses: [...(task.statuses ?? []), status] });
      tellOperators(ctx, { type: 'TASK_UPDATED', frameworkId, status, state });
      sendUpdate(ctx, framework, status);
    }
  }
  ctx.unreachableTasks.delete(agentId);
  ctx.unheardEnds.delete(agentId);
}

const GONE: Loss = {
  stateOf: stateFor('TASK_GONE_BY_OPERATOR'),
  reasonOf: (framework) =>
    framework.capabilities.has('PARTITION_AWARE') ? 'REASON_AGENT_REMOVED_BY_OPERATOR' : 'REASON_AGENT_REMOVED',
  message: 'Agent marked gone by operator',
};

/** It is durable that the agent is gone. */
export function markedGone(
  ctx: Context,
  { agentId, time, request }: { agentId: string; time: number; request?: RequestId },
): void {
  const { state } = ctx;
  ctx.transitioning.delete(agentId);
  state.gone.set(agentId, { id: agentId, time });
  state.recovered.delete(agentId);
  state.unreachable.delete(agentId);
  state.standings.delete(agentId);
  endUnreachableTasks(ctx, agentId);
  const agent = state.agents.get(agentId);
  if (agent !== undefined) {
    send(ctx, agent.pid, 'mesos.internal.ShutdownMessage', { message: 'Agent has been marked gone' });
    loseOperations(ctx, agent, { state: 'OPERATION_GONE_BY_OPERATOR', message: 'Agent has been marked gone' });
    removeAgent(ctx, agent, GONE);
  }
  if (request !== undefined) reply(ctx, request, 200);
}
