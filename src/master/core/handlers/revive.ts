import type { Call_Revive } from '../../../wire/v1_scheduler.ts';
import { requestAllocation } from '../allocation.ts';
import { type Context, countUp } from '../context.ts';
import type { FrameworkRecord } from '../records.ts';
import { ownRoles } from './suppress.ts';

/** REVIVE: offers come again for these roles, also of what was declined. No roles: all. */
export function revive(ctx: Context, framework: FrameworkRecord, call: Call_Revive | undefined): void {
  countUp(ctx, 'messages_revive_offers');
  const roles = ownRoles(ctx, framework, call?.roles);
  if (roles === undefined) return;
  framework.suppressedRoles = new Set([...framework.suppressedRoles].filter((role) => !roles.includes(role)));
  ctx.allocator.revive(framework.id, roles);
  requestAllocation(ctx);
}
