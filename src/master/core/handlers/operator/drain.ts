import type { DrainInfo } from '../../../../wire/v1.ts';
import type { Call_DrainAgent } from '../../../../wire/v1_master.ts';
import { deactivateAgent } from '../../agents.ts';
import { type Context, commit, log, nameAgent, reply } from '../../context.ts';
import { checkDrainLater, isKnown, tellToDrain } from '../../drain.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { machineOf } from '../../maintenance.ts';

/** DRAIN_AGENT: deactivates an agent and ends what runs there; asked again, the new settings count. */
export function drainAgent(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const { drain_agent: wanted } = call;
  const agentId = wanted?.agent_id.value ?? '';
  const problem = problemOf(ctx, agentId, wanted);
  if (problem !== undefined) {
    reply(ctx, request, 400, problem);
    return;
  }
  const markGone = wanted?.mark_gone ?? false;
  const who = principal === undefined ? {} : { principal };
  const may =
    ctx.options.authorize({ action: 'DRAIN_AGENT', ...who }) &&
    (!markGone || ctx.options.authorize({ action: 'MARK_AGENT_GONE', ...who }));
  if (!may) {
    reply(
      ctx,
      request,
      403,
      `Principal '${principal ?? ''}' is not authorized to drain agents${markGone ? ' and mark them gone' : ''}`,
    );
    return;
  }
  if (!isKnown(ctx, agentId)) {
    reply(ctx, request, 400, `Unknown agent '${agentId}'`);
    return;
  }
  if (ctx.transitioning.get(agentId) === 'markingGone') {
    reply(ctx, request, 409, `Agent '${agentId}' is being marked gone at this moment`);
    return;
  }
  const nanoseconds = nanosecondsOf(wanted?.max_grace_period);
  const config = { ...(nanoseconds !== undefined && { max_grace_period: { nanoseconds } }), mark_gone: markGone };
  const drain: DrainInfo = { state: 'DRAINING', config };
  commit(ctx, { type: 'DRAIN_AGENT', agentId, drain }, { type: 'drainAgent', agentId, drain, request });
}

function problemOf(ctx: Context, agentId: string, wanted: Call_DrainAgent | undefined): string | undefined {
  const agent = ctx.state.agents.get(agentId);
  if (agent !== undefined) {
    if (machineOf(ctx.state, agent) !== undefined) {
      return `Agent '${agentId}' is on a machine of the maintenance schedule; take the machine out of it to drain the agent`;
    }
    if (!agent.capabilities.has('AGENT_DRAINING')) {
      return `Agent '${agentId}' cannot drain: it lacks the capability AGENT_DRAINING`;
    }
  }
  const grace = nanosecondsOf(wanted?.max_grace_period) ?? 0;
  if (grace >= 0 && grace <= MAX_GRACE) return undefined;
  return `'max_grace_period' is ${grace / 1e9} s; it must be from 0 s to ${MAX_GRACE / 1e9} s (100 days)`;
}

/** Whole numbers of nanoseconds are exact up to here, and no task needs longer to end. */
const MAX_GRACE = 100 * 24 * 3600 * 1e9;

function nanosecondsOf(duration: Call_DrainAgent['max_grace_period']): number | undefined {
  return duration && (duration.seconds ?? 0) * 1e9 + (duration.nanos ?? 0);
}

/** It is durable that the agent is to be drained. */
export function drainDecided(
  ctx: Context,
  { agentId, drain, request }: { agentId: string; drain: DrainInfo; request: number },
): void {
  const agent = ctx.state.agents.get(agentId);
  if (agent !== undefined) {
    log(ctx, 'info', `Draining agent ${nameAgent(agent)} for an operator`);
    agent.drain = drain;
    agent.drainStarted = ctx.env.wall;
    agent.deactivated = true;
    deactivateAgent(ctx, agent);
    tellToDrain(ctx, agent);
    checkDrainLater(ctx, agent);
  } else if (isKnown(ctx, agentId)) {
    ctx.state.standings.set(agentId, { drain });
  }
  reply(ctx, request, 200);
}
