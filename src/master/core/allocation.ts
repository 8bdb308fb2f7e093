/** When offers are made. */
import type { Context } from './context.ts';

/** Milliseconds to wait after a run for each agent that it looked at: several times of what that costs. */
const GAP_PER_LOOK = 0.02;
/** Milliseconds to wait for each known agent, so that what is freed one by one in a big cluster is offered together. */
const GAP_PER_AGENT = 0.001;

/**
 * Something became free, or somebody wants more: allocate soon. Requests of one moment are answered together.
 * @param _agentId where something became free; for now the allocator itself knows what changed
 */
export function requestAllocation(ctx: Context, _agentId?: string): void {
  ctx.allocationAsked ??= ctx.env.now;
  const pause = ctx.allocator.lookedAt * GAP_PER_LOOK + ctx.state.agents.size * GAP_PER_AGENT;
  const gap = Math.min(ctx.options.allocationInterval, pause);
  ctx.deadlines.hasten({ type: 'allocate' }, Math.max(ctx.env.now, ctx.lastAllocation + gap));
}
