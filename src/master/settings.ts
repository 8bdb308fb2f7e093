/** The texts of flags that have a form of their own, read. */
import { parseDuration } from '../base/duration.ts';
import type { Millis } from '../base/machine.ts';
import { err, ok, type Result } from '../base/result.ts';
import { Quantities } from '../resources/quantities.ts';
import { validateRole } from '../resources/roles.ts';
import { RateLimits as WireRateLimits } from '../wire/v1.ts';
import type { RateLimit, RateLimits } from './core/rate-limits.ts';

/** `50%`. @returns a share from 0 to 1 */
export function percent(text: string): Result<number> {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text.trim());
  const value = Number(match?.[1]);
  if (!match || value > 100) return err(`'${text}' is not a percentage; write a number from 0 to 100 and %, as in 50%`);
  return ok(value / 100);
}

/** `1/10mins`: so many agents in each interval. */
export function agentRemovalRate(text: string): Result<{ readonly count: number; readonly interval: Millis }> {
  const [count, interval, ...rest] = text.split('/');
  const duration = parseDuration(interval ?? '');
  if (rest.length > 0 || !/^[1-9]\d*$/.test(count ?? '') || !duration.ok || duration.value <= 0)
    return err(`'${text}' is not a rate; write <number of agents>/<duration>, as in 1/10mins`);
  return ok({ count: Number(count), interval: duration.value });
}

/** `{"limits": [{"principal", "qps", "capacity"}], "aggregate_default_qps", "aggregate_default_capacity"}`. */
export function rateLimits(value: Readonly<Record<string, unknown>>): Result<RateLimits> {
  const read = WireRateLimits.fromJson(value);
  if (!read.ok) return read;
  const { limits = [], aggregate_default_qps: qps, aggregate_default_capacity: capacity } = read.value;
  const principals = new Map<string, RateLimit | undefined>();
  for (const [index, limit] of limits.entries()) {
    const at = `limits[${index}]`;
    if (principals.has(limit.principal))
      return err(`${at}.principal '${limit.principal}' is named twice; give each principal one limit`);
    const wrong = wrongPace(`${at}.qps`, limit.qps);
    if (wrong !== undefined) return err(wrong);
    principals.set(limit.principal, limitOf(limit.qps, limit.capacity));
  }
  const wrong = wrongPace('aggregate_default_qps', qps);
  return wrong === undefined ? ok({ principals, others: limitOf(qps, capacity) }) : err(wrong);
}

function wrongPace(field: string, qps: number | undefined): string | undefined {
  if (qps === undefined || (qps > 0 && Number.isFinite(qps))) return undefined;
  return `${field} is ${qps}; it must be a number of messages a second that is more than zero`;
}

function limitOf(qps: number | undefined, capacity: number | undefined): RateLimit | undefined {
  return qps === undefined ? undefined : { qps, ...(capacity !== undefined && { capacity }) };
}

/**
 * How many steps a regular expression of offer constraints may have. Of the memory that it may take, RE2 (which upstream
 * uses) gives two thirds to the program; one of our steps counts as 24 bytes of that.
 */
export function maxPatternSize(programSize: number, memory: number): number {
  return Math.min(programSize, Math.floor((memory * 2) / 3 / 24));
}

/** `a,b`: the roles that may be used; `*` always may. */
export function roleList(text: string): Result<ReadonlySet<string>> {
  const roles = text.split(',').filter((role) => role !== '');
  for (const role of roles) {
    const valid = validateRole(role);
    if (!valid.ok) return valid;
  }
  return ok(new Set([...roles, '*']));
}

/** `a=2,b=0.5`. */
export function weightList(text: string): Result<readonly { readonly role: string; readonly weight: number }[]> {
  const weights: { role: string; weight: number }[] = [];
  for (const token of text.split(',').filter((part) => part !== '')) {
    const [role, value, ...rest] = token.split('=');
    if (!role || !value || rest.length > 0) return err(`'${token}' is not a weight; write role=weight,role=weight`);
    const valid = validateRole(role);
    if (!valid.ok) return valid;
    const weight = Number(value);
    if (!(weight > 0) || !Number.isFinite(weight))
      return err(`the weight '${token}' must be a number greater than zero`);
    weights.push({ role, weight });
  }
  return ok(weights);
}

/** `cpus:0.01|mem:32`: alternatives, one of which makes an offer worth making. */
export function minAllocatable(text: string): Result<readonly Quantities[]> {
  const alternatives: Quantities[] = [];
  for (const token of text.split('|').filter((part) => part !== '')) {
    const quantities = Quantities.fromText(token);
    if (!quantities.ok) return quantities;
    alternatives.push(quantities.value);
  }
  return ok(alternatives);
}
