import { type Context, log } from './context.ts';
import { makeOffers } from './offers.ts';

/** Makes offers of all that is free, and sets the time of the next regular run. */
export function allocate(ctx: Context): void {
  ctx.lastAllocation = ctx.env.now;
  ctx.state.allocationRuns++;
  const allocations = ctx.allocator.allocate(ctx.env.now, ctx.env.random);
  if (allocations.length > 0) {
    log(ctx, 'info', `Allocation made ${allocations.length} offers`);
    makeOffers(ctx, allocations);
  }
  ctx.deadlines.set({ type: 'allocate' }, ctx.env.now + ctx.options.allocationInterval);
}
