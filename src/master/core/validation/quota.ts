/** What the master demands of quotas and weights, as far as it can be seen in the request alone. */
import { err, ok, type Result } from '../../../base/result.ts';
import { upgrade } from '../../../resources/refinement.ts';
import { validateRole } from '../../../resources/roles.ts';
import { fromMilli, toMilli } from '../../../resources/scalars.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { Resource, Value_Scalar, WeightInfo } from '../../../wire/v1.ts';
import type { QuotaConfig, QuotaRequest } from '../../../wire/v1_quota.ts';
import type { QuotaRecord } from '../state.ts';

type Scalars = Readonly<Record<string, Value_Scalar>>;

/** One exabyte, in the megabytes that memory and disks are counted in. */
const MAX_BYTES = 1024 ** 4;
const MAX_OTHER = 1e12;

const VALID: Result<void> = ok(undefined);

/** One entry of UPDATE_QUOTA. @returns the quota; both parts empty if it is the default, no quota at all */
export function readQuotaConfig({ role, guarantees = {}, limits = {} }: QuotaConfig): Result<QuotaRecord> {
  const validRole = validateRole(role);
  if (!validRole.ok) return err(`Invalid role '${role}': ${validRole.error}`);
  const valid = validateScalars('guarantees', guarantees);
  const validLimits = valid.ok ? validateScalars('limits', limits) : valid;
  if (!validLimits.ok) return validLimits;
  const quota: QuotaRecord = {
    role,
    // No guarantee is as good as one of nothing; a limit of nothing is not.
    guarantees: Object.fromEntries(Object.entries(inThousandths(guarantees)).filter(([, amount]) => amount > 0)),
    limits: inThousandths(limits),
  };
  for (const [name, amount] of Object.entries(quota.guarantees)) {
    const limit = Object.hasOwn(quota.limits, name) ? quota.limits[name]! : amount;
    if (amount > limit) {
      return err(`the guarantee ${name}:${fromMilli(amount)} is above the limit ${name}:${fromMilli(limit)}`);
    }
  }
  return ok(quota);
}

function inThousandths(scalars: Scalars): Record<string, number> {
  return Object.fromEntries(Object.entries(scalars).map(([name, { value }]) => [name, toMilli(value)]));
}

function validateScalars(part: string, scalars: Scalars): Result<void> {
  for (const [name, { value }] of Object.entries(scalars)) {
    const where = `'${part}.${name}'`;
    if (!Number.isFinite(value)) return err(`${where} must be a number, not ${value}`);
    if (value < 0) return err(`${where} must not be negative, it is ${value}`);
    const isBytes = name === 'mem' || name === 'disk';
    const most = isBytes ? MAX_BYTES : MAX_OTHER;
    if (value > most) {
      return err(`${where} is ${value}; more than ${most} (${isBytes ? '1 exabyte' : '1 trillion'}) is not supported`);
    }
  }
  return VALID;
}

/** SET_QUOTA, the older form: what is guaranteed is the limit as well. */
export function readQuotaRequest({ role = '', guarantee = [] }: QuotaRequest): Result<QuotaRecord> {
  const validResources = validateResources(guarantee);
  if (!validResources.ok) return err(`QuotaInfo with invalid resource: ${validResources.error}`);
  const validRole = validateRole(role);
  if (!validRole.ok) return err(`QuotaInfo with invalid role: ${validRole.error}`);
  if (guarantee.length === 0) return err("QuotaInfo with empty 'guarantee'");
  const scalars: Record<string, Value_Scalar> = Object.create(null);
  for (const resource of guarantee.map(upgrade)) {
    const problem = guaranteeProblem(resource);
    if (problem !== undefined) return err(`QuotaInfo must not contain ${problem}: ${resource.name}`);
    if (resource.name in scalars) return err(`QuotaInfo contains the resource name '${resource.name}' twice`);
    scalars[resource.name] = resource.scalar ?? { value: 0 };
  }
  return readQuotaConfig({ role, guarantees: scalars, limits: scalars });
}

function guaranteeProblem(resource: Resource): string | undefined {
  if ((resource.reservations ?? []).length > 0) return 'a reservation';
  if (resource.disk !== undefined) return "'disk'";
  if (resource.revocable !== undefined) return "'revocable'";
  return resource.type === 'SCALAR' ? undefined : `a resource of type ${resource.type}`;
}

/** Whether it says no more than that there is no quota. */
export function isDefaultQuota({ guarantees, limits }: QuotaRecord): boolean {
  return Object.keys(guarantees).length === 0 && Object.keys(limits).length === 0;
}

/** Whether no limit is exceeded. */
export function isWithinLimits(limits: QuotaRecord['limits'], amounts: { get(name: string): number }): boolean {
  return Object.entries(limits).every(([name, limit]) => amounts.get(name) <= limit);
}

/** UPDATE_WEIGHTS. @returns the pairs in order; of a role named twice the last one counts */
export function readWeights(
  infos: readonly WeightInfo[],
  roleWhitelist: ReadonlySet<string> | undefined,
): Result<readonly { readonly role: string; readonly weight: number }[]> {
  const weights: { role: string; weight: number }[] = [];
  for (const { role: given = '', weight } of infos) {
    const role = given.trim();
    const valid = validateRole(role);
    if (!valid.ok) return err(`Invalid role '${role}': ${valid.error}`);
    if (roleWhitelist?.has(role) === false) return err(`Unknown role '${role}': it is not one of --roles`);
    if (!(weight > 0 && Number.isFinite(weight))) {
      return err(`Invalid weight '${weight}' of the role '${role}': Weights must be positive`);
    }
    weights.push({ role, weight });
  }
  return ok(weights);
}
