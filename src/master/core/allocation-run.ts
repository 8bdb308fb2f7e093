import { type Context, log } from './context.ts';
import { makeInverseOffers } from './inverse-offers.ts';
import { makeOffers } from './offers.ts';

/**
 * With quota, and most agents of before the failover still away, what is there must not be dealt out: it would all go to
 * guarantees, or past limits. Offers wait until enough agents are back, or for some time.
 */
export function waitForAgents(ctx: Context): void {
  const expected = agentsToWaitFor(ctx);
  if (expected === 0) return;
  log(ctx, 'info', `No offers until ${expected} agents are back, because roles have quota`);
  ctx.state.agentsToWaitFor = expected;
  ctx.deadlines.set(RESUME, ctx.env.now + ctx.options.allocatorRecoveryTimeout);
}

/** The time is over. */
export function resumeAllocation(ctx: Context): void {
  log(ctx, 'warning', `Making offers with ${ctx.state.agents.size} agents; ${agentsToWaitFor(ctx)} were waited for`);
  ctx.state.agentsToWaitFor = 0;
  allocate(ctx);
}

const RESUME = { type: 'resumeAllocation' } as const;

function agentsToWaitFor({ options }: Context): number {
  const { agents, quotas } = options.registry;
  return quotas.length === 0 ? 0 : Math.floor(agents.length * options.allocatorAgentRecoveryFactor);
}

function isWaiting(ctx: Context): boolean {
  if (!ctx.deadlines.has(RESUME)) return false;
  if (ctx.state.agents.size < agentsToWaitFor(ctx)) return true;
  ctx.deadlines.clear(RESUME);
  ctx.state.agentsToWaitFor = 0;
  return false;
}

/** Makes offers of all that is free, and sets the time of the next regular run. */
export function allocate(ctx: Context): void {
  if (isWaiting(ctx)) {
    ctx.deadlines.set({ type: 'allocate' }, ctx.env.now + ctx.options.allocationInterval);
    return;
  }
  ctx.lastAllocation = ctx.env.now;
  ctx.state.allocationRuns++;
  const { stopwatch } = ctx.options;
  stopwatch.allocationWaited(ctx.env.now - (ctx.allocationAsked ?? ctx.env.now));
  ctx.allocationAsked = undefined;
  const allocations = stopwatch.allocation(() => ctx.allocator.allocate(ctx.env.now, ctx.env.random));
  if (allocations.length > 0) {
    log(ctx, 'info', `Allocation made ${allocations.length} offers`);
    makeOffers(ctx, allocations);
  }
  if (ctx.state.machines.size > 0) makeInverseOffers(ctx, ctx.allocator.allocateInverse(ctx.env.now));
  ctx.deadlines.set({ type: 'allocate' }, ctx.env.now + ctx.options.allocationInterval);
}
