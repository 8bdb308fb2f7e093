import type { Call_Suppress } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework } from '../context.ts';
import type { FrameworkRecord } from '../records.ts';

/** SUPPRESS: no offers for these roles until REVIVE. No roles: all. */
export function suppress(ctx: Context, framework: FrameworkRecord, call: Call_Suppress | undefined): void {
  countUp(ctx, 'messages_suppress_offers');
  const roles = ownRoles(ctx, framework, call?.roles);
  if (roles === undefined) return;
  framework.suppressedRoles = new Set([...framework.suppressedRoles, ...roles]);
  ctx.allocator.suppress(framework.id, roles);
}

/** The roles named, or all of the framework's if none is. @returns undefined if one is not the framework's */
export function ownRoles(
  ctx: Context,
  framework: FrameworkRecord,
  named: readonly string[] | undefined,
): readonly string[] | undefined {
  if (named === undefined || named.length === 0) return [...framework.roles];
  const foreign = named.find((role) => !framework.roles.has(role));
  if (foreign === undefined) return named;
  const who = nameFramework(framework);
  log(ctx, 'warning', `Ignoring a call of framework ${who}: it is not subscribed to the role '${foreign}'`);
  return undefined;
}
