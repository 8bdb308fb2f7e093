import { requestAllocation } from '../../allocation.ts';
import type { PendingCommit } from '../../commits.ts';
import { type Context, commit, log, reply } from '../../context.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { rescindOffer } from '../../offers.ts';
import { readWeights } from '../../validation/quota.ts';

/** UPDATE_WEIGHTS: how roles share; what is not named keeps its weight. */
export function updateWeights(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const read = readWeights(call.update_weights?.weight_infos ?? [], ctx.options.roleWhitelist);
  if (!read.ok) {
    reply(ctx, request, 400, `Failed to validate update weights request: ${read.error}`);
    return;
  }
  const weights = read.value;
  const may = (role: string): boolean =>
    ctx.options.authorize({ action: 'UPDATE_WEIGHT', role, ...(principal !== undefined && { principal }) });
  if (!weights.every(({ role }) => may(role))) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to change these weights`);
    return;
  }
  if (weights.length === 0) reply(ctx, request, 200);
  else commit(ctx, { type: 'UPDATE_WEIGHTS', weights }, { type: 'updateWeights', weights, request });
}

/** The new weights are durable. If frameworks are in one of the roles, what is offered is dealt anew. */
export function weightsUpdated(
  ctx: Context,
  { weights, request }: Extract<PendingCommit, { type: 'updateWeights' }>,
): void {
  for (const { role, weight } of weights) {
    ctx.state.weights.set(role, weight);
    log(ctx, 'info', `Updated the weight of the role '${role}' to ${weight}`);
  }
  ctx.allocator.updateWeights(weights.map(({ role, weight }) => [role, weight] as const));
  if (weights.some(({ role }) => ctx.state.roles.has(role))) {
    for (const offer of [...ctx.state.offers.values()]) rescindOffer(ctx, offer);
    requestAllocation(ctx);
  }
  reply(ctx, request, 200);
}
