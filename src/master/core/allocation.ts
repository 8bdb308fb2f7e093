/** When offers are made. */
import type { Context } from './context.ts';

/** Milliseconds to wait per known agent between two runs, so that a busy big cluster does not spend its time allocating. */
const GAP_PER_AGENT = 0.05;

/**
 * Something became free, or somebody wants more: allocate soon. Requests of one moment are answered together.
 * @param _agentId where something became free; for now the allocator itself knows what changed
 */
export function requestAllocation(ctx: Context, _agentId?: string): void {
  ctx.allocationAsked ??= ctx.env.now;
  const gap = Math.min(ctx.options.allocationInterval, ctx.state.agents.size * GAP_PER_AGENT);
  ctx.deadlines.hasten({ type: 'allocate' }, Math.max(ctx.env.now, ctx.lastAllocation + gap));
}
