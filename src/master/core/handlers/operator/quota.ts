/** UPDATE_QUOTA, and the older SET_QUOTA and REMOVE_QUOTA. Several roles in one call change together or not at all. */
import { err, ok, type Result } from '../../../../base/result.ts';
import { Quantities } from '../../../../resources/quantities.ts';
import { requestAllocation } from '../../allocation.ts';
import type { PendingCommit } from '../../commits.ts';
import { type Context, commit, log, reply } from '../../context.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { rescindOffer } from '../../offers.ts';
import { clusterCapacity, consumedQuota, isWithin, offeredQuota } from '../../role-usage.ts';
import type { QuotaRecord } from '../../state.ts';
import { isDefaultQuota, isWithinLimits, readQuotaConfig, readQuotaRequest } from '../../validation/quota.ts';

/** UPDATE_QUOTA */
export function updateQuota(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const { quota_configs: configs = [], force = false } = call.update_quota ?? {};
  const quotas: QuotaRecord[] = [];
  for (const config of configs) {
    const quota = chain(validateRoleOfQuota(ctx, config.role), () => readQuotaConfig(config));
    if (!quota.ok) {
      reply(ctx, request, 400, `Invalid QuotaConfig: ${quota.error}`);
      return;
    }
    quotas.push(quota.value);
  }
  const problem = force ? undefined : (consumptionProblem(ctx, quotas) ?? overcommitment(ctx, quotas));
  if (problem !== undefined) {
    reply(ctx, request, 400, `Invalid QuotaConfig: ${problem}`);
    return;
  }
  if (!quotas.every((quota) => isAllowed(ctx, 'UPDATE_QUOTA_WITH_CONFIG', quota, principal))) {
    forbid(ctx, request, principal);
    return;
  }
  if (quotas.length === 0) reply(ctx, request, 200);
  else store(ctx, { type: 'updateQuota', quotas, forget: false, request });
}

/** SET_QUOTA: for a role that has none yet. */
export function setQuota(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const { quota_request: wanted = {} } = call.set_quota ?? {};
  const refuse = (reason: string): void => reply(ctx, request, 400, `Failed to validate set quota request: ${reason}`);
  const read = readQuotaRequest(wanted);
  if (!read.ok) {
    refuse(read.error);
    return;
  }
  const quota = read.value;
  const validRole = validateRoleOfQuota(ctx, quota.role);
  if (!validRole.ok) {
    refuse(validRole.error);
    return;
  }
  const current = plannedQuotas(ctx).get(quota.role);
  if (current !== undefined && !isDefaultQuota(current)) {
    refuse(`the role '${quota.role}' already has a quota; change it with UPDATE_QUOTA`);
    return;
  }
  if (!isAllowed(ctx, 'UPDATE_QUOTA', quota, principal)) {
    forbid(ctx, request, principal);
    return;
  }
  const problem = wanted.force ? undefined : overcommitment(ctx, [quota]);
  if (problem !== undefined) reply(ctx, request, 409, `Quota guarantees overcommit the cluster: ${problem}`);
  else store(ctx, { type: 'updateQuota', quotas: [quota], forget: false, request });
}

/** REMOVE_QUOTA: of a role that has one. */
export function removeQuota(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const role = call.remove_quota?.role ?? '';
  const quota = plannedQuotas(ctx).get(role);
  if (quota === undefined) {
    reply(ctx, request, 400, `Failed to remove quota: Role '${role}' has no quota set`);
    return;
  }
  if (!isAllowed(ctx, 'UPDATE_QUOTA', quota, principal)) {
    forbid(ctx, request, principal);
    return;
  }
  const quotas = [{ role, guarantees: {}, limits: {} }];
  store(ctx, { type: 'updateQuota', quotas, forget: true, request });
}

type PendingUpdate = Extract<PendingCommit, { type: 'updateQuota' }>;

function store(ctx: Context, pending: PendingUpdate): void {
  commit(ctx, { type: 'UPDATE_QUOTA', quotas: pending.quotas }, pending);
}

/** The new quotas are durable: they take effect, and offers that stand in their way are taken back. */
export function quotaUpdated(ctx: Context, { quotas, forget, request }: PendingUpdate): void {
  for (const quota of quotas) {
    const { role } = quota;
    // A role whose quota was set to the default is still listed, until REMOVE_QUOTA or the next master.
    if (forget) ctx.state.quotas.delete(role);
    else ctx.state.quotas.set(role, quota);
    ctx.allocator.updateQuota(role, isDefaultQuota(quota) ? undefined : quota);
    log(ctx, 'info', `Updated the quota of the role '${role}'`);
  }
  for (const quota of quotas) {
    const held = rescindForLimits(ctx, quota);
    rescindForGuarantees(ctx, quota, held);
  }
  requestAllocation(ctx);
  reply(ctx, request, 200);
}

/** @returns what the role has, offers included, when its limits are kept or none of its offers are left */
function rescindForLimits(ctx: Context, { role, limits }: QuotaRecord): Quantities {
  let held = consumedQuota(ctx.state, role).plus(offeredQuota(ctx.state, role));
  for (const offer of [...ctx.state.offers.values()]) {
    if (isWithinLimits(limits, held)) break;
    if (!isWithin(offer.role, role)) continue;
    held = held.minus(offer.resources.quantities());
    rescindOffer(ctx, offer);
  }
  return held;
}

/** What is guaranteed must not lie in the hands of others who may never use it. */
function rescindForGuarantees(ctx: Context, { role, guarantees }: QuotaRecord, held: Quantities): void {
  const wanted = amounts(guarantees);
  let secured = held;
  for (const offer of [...ctx.state.offers.values()]) {
    if (secured.contains(wanted)) return;
    if (isWithin(offer.role, role)) continue;
    secured = secured.plus(offer.resources.quantities());
    rescindOffer(ctx, offer);
  }
}

function validateRoleOfQuota(ctx: Context, role: string): Result<void> {
  if (ctx.options.roleWhitelist?.has(role) === false) return err(`Unknown role '${role}': it is not one of --roles`);
  if (role.includes('/')) {
    return err(`Setting quota on nested role '${role}' is not supported; set it on '${role.split('/')[0]}'`);
  }
  return ok(undefined);
}

function consumptionProblem(ctx: Context, quotas: readonly QuotaRecord[]): string | undefined {
  for (const { role, limits } of quotas) {
    if (Object.keys(limits).length === 0) continue;
    const consumed = consumedQuota(ctx.state, role);
    if (isWithinLimits(limits, consumed)) continue;
    return (
      `the role '${role}' is already consuming '${consumed}', more than the limits '${amounts(limits)}' ` +
      "(use 'force' to set them nevertheless)"
    );
  }
  return undefined;
}

/** Whether more would be guaranteed than all agents have. */
function overcommitment(ctx: Context, changes: readonly QuotaRecord[]): string | undefined {
  const quotas = plannedQuotas(ctx);
  for (const quota of changes) quotas.set(quota.role, quota);
  const total = Quantities.of([...quotas.values()].flatMap(({ guarantees }) => Object.entries(guarantees)));
  const capacity = clusterCapacity(ctx.state);
  if (capacity.contains(total)) return undefined;
  return `total quota guarantees '${total}' exceed cluster capacity '${capacity}' (use 'force' to set them nevertheless)`;
}

/** The quotas as they will be when all that is being committed is done. */
function plannedQuotas(ctx: Context): Map<string, QuotaRecord> {
  const quotas = new Map(ctx.state.quotas);
  for (const pending of ctx.commits.values()) {
    if (pending.type !== 'updateQuota') continue;
    for (const quota of pending.quotas) {
      if (pending.forget) quotas.delete(quota.role);
      else quotas.set(quota.role, quota);
    }
  }
  return quotas;
}

function isAllowed(
  ctx: Context,
  action: 'UPDATE_QUOTA' | 'UPDATE_QUOTA_WITH_CONFIG',
  quota: QuotaRecord,
  principal: string | undefined,
): boolean {
  return ctx.options.authorize({ action, quota, ...(principal !== undefined && { principal }) });
}

function forbid(ctx: Context, request: number, principal: string | undefined): void {
  reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to change this quota`);
}

function amounts(record: QuotaRecord['limits']): Quantities {
  return Quantities.of(Object.entries(record));
}

function chain<T>(first: Result<void>, then: () => Result<T>): Result<T> {
  return first.ok ? then() : first;
}
