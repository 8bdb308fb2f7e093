import { Resources } from '../resources/resources.ts';
import type { Quota } from './allocator.ts';
import { addTo, isZero, type Measure, type NameTable, NOTHING, subtractFrom, type Vector } from './scalar-vector.ts';

/** A quota by resource index. */
export interface QuotaRule {
  readonly guarantees: Vector;
  /** Infinity where there is no limit. */
  readonly limits: readonly number[];
  readonly isLimited: boolean;
}

/** What counts against the quota of a top-level role, subroles included. */
interface Account {
  /** Reserved to it anywhere, in use or not. */
  readonly reserved: Vector;
  /** Offered or in use: unreserved and not revocable. */
  readonly held: Vector;
}

const NO_ACCOUNT: Account = { reserved: NOTHING, held: NOTHING };

function topOf(role: string): string {
  const slash = role.indexOf('/');
  return slash < 0 ? role : role.slice(0, slash);
}

/** Guarantees, limits, and what is consumed of them. */
export class QuotaBook {
  private readonly names: NameTable;
  private readonly rules = new Map<string, QuotaRule>();
  private readonly accounts = new Map<string, Account>();
  /** Of the cluster: what is reserved, what is revocable, and what is held of all else. */
  private readonly reserved: Vector = [];
  private readonly revocable: Vector = [];
  private readonly held: Vector = [];

  constructor(names: NameTable) {
    this.names = names;
  }

  get isEmpty(): boolean {
    return this.rules.size === 0;
  }

  rule(topRole: string): QuotaRule | undefined {
    return this.rules.get(topRole);
  }

  set(role: string, quota: Quota | undefined): void {
    if (quota === undefined) {
      this.rules.delete(role);
      this.forgetIfEmpty(role);
      return;
    }
    const limits: number[] = [];
    for (const [name, limit] of Object.entries(quota.limits)) {
      const at = this.names.index(name);
      while (limits.length <= at) limits.push(Infinity);
      limits[at] = limit;
    }
    this.rules.set(role, {
      guarantees: this.names.vector(Object.entries(quota.guarantees).filter(([, amount]) => amount > 0)),
      limits,
      isLimited: limits.length > 0,
    });
  }

  addTotal(total: Resources): void {
    this.countTotal(total, addTo);
  }

  removeTotal(total: Resources): void {
    this.countTotal(total, subtractFrom);
  }

  give(topRole: string, { quotaScalars }: Measure): void {
    addTo(this.account(topRole).held, quotaScalars);
    addTo(this.held, quotaScalars);
  }

  take(topRole: string, { quotaScalars }: Measure): void {
    subtractFrom(this.account(topRole).held, quotaScalars);
    subtractFrom(this.held, quotaScalars);
    this.forgetIfEmpty(topRole);
  }

  /** What a top-level role has of its quota. */
  consumed(topRole: string, index: number): number {
    const { reserved, held } = this.accounts.get(topRole) ?? NO_ACCOUNT;
    return (reserved[index] ?? 0) + (held[index] ?? 0);
  }

  /** What is free, unreserved and not revocable in the whole cluster. */
  headroom(total: Vector, index: number): number {
    const bound = (this.reserved[index] ?? 0) + (this.revocable[index] ?? 0) + (this.held[index] ?? 0);
    return Math.max(0, (total[index] ?? 0) - bound);
  }

  /** What is missing to the guarantees of a role. */
  unsatisfied(topRole: string, { guarantees }: QuotaRule): Vector {
    return guarantees.map((amount, i) => Math.max(0, amount - this.consumed(topRole, i)));
  }

  /** What is missing to the guarantees of all roles. */
  required(): Vector {
    const sum: Vector = [];
    for (const [role, rule] of this.rules) addTo(sum, this.unsatisfied(role, rule));
    return sum;
  }

  /** The roles to whose guarantees something of a resource is missing. */
  lacking(index: number): string[] {
    const lacks = (role: string, rule: QuotaRule) => (rule.guarantees[index] ?? 0) > this.consumed(role, index);
    return [...this.rules].filter(([role, rule]) => lacks(role, rule)).map(([role]) => role);
  }

  private account(topRole: string): Account {
    let account = this.accounts.get(topRole);
    if (account === undefined) {
      account = { reserved: [], held: [] };
      this.accounts.set(topRole, account);
    }
    return account;
  }

  private forgetIfEmpty(topRole: string): void {
    const account = this.accounts.get(topRole);
    if (account !== undefined && isZero(account.held) && isZero(account.reserved)) this.accounts.delete(topRole);
  }

  private countTotal(total: Resources, count: (sum: Vector, part: Vector) => void): void {
    const unrevocable = total.nonRevocable();
    if (unrevocable !== total) count(this.revocable, this.names.scalars(total.revocable()));
    for (const [role, resources] of unrevocable.reservations()) {
      const part = this.names.scalars(resources);
      count(this.reserved, part);
      count(this.account(topOf(role)).reserved, part);
      this.forgetIfEmpty(topOf(role));
    }
  }
}

/** The part of some scalars within an allowance per resource index. @param amounts of `scalars` */
export function shrinkTo(
  names: NameTable,
  scalars: Resources,
  amounts: Vector,
  allowance: (index: number) => number,
): Resources {
  let fits = true;
  let isAnyAllowed = false;
  for (let i = 0; i < amounts.length; i++) {
    const amount = amounts[i]!;
    if (amount === 0) continue;
    const allowed = allowance(i);
    if (amount > allowed) fits = false;
    if (allowed > 0) isAnyAllowed = true;
  }
  if (fits) return scalars;
  if (!isAnyAllowed) return Resources.EMPTY;
  return scalars.shrink((name) => allowance(names.index(name)));
}

/** Guarantees, limits and headroom during one allocation. */
export class QuotaRound {
  readonly book: QuotaBook;
  private readonly names: NameTable;
  private readonly total: Vector;
  private readonly required: Vector;
  private isAnyRequired: boolean;
  private readonly wasAnyRequired: boolean;

  constructor(book: QuotaBook, names: NameTable, total: Vector) {
    this.book = book;
    this.names = names;
    this.total = total;
    this.required = book.required();
    this.isAnyRequired = !isZero(this.required);
    this.wasAnyRequired = this.isAnyRequired;
  }

  /** Part of the headroom that was held back for guarantees is now given for them. */
  satisfy(part: Vector): void {
    for (let i = 0; i < this.required.length; i++) {
      this.required[i] = Math.max(0, this.required[i]! - (part[i] ?? 0));
    }
    this.isAnyRequired = !isZero(this.required);
  }

  /** Whether something was held back for guarantees, and no longer is: each has what it lacked. */
  get isFulfilled(): boolean {
    return this.wasAnyRequired && !this.isAnyRequired;
  }

  /** Whether less is missing to guarantees than was held back, since some was given in the second stage. */
  isEased(): boolean {
    if (!this.isAnyRequired) return false;
    const now = this.book.required();
    return this.required.some((amount, i) => amount > (now[i] ?? 0));
  }

  /** Whether what a role may be given beyond its guarantees is bounded at all. */
  isBounded(rule: QuotaRule | undefined): boolean {
    return this.isAnyRequired || rule?.isLimited === true;
  }

  /**
   * What a role may have beyond its guarantees: within its limits, and leaving enough for the guarantees of others.
   * @param given to the role in this very offer for its guarantees
   */
  beyond(
    scalars: Resources,
    amounts: Vector,
    topRole: string,
    rule: QuotaRule | undefined,
    given: Vector = NOTHING,
  ): Resources {
    return shrinkTo(this.names, scalars, amounts, (i) => {
      const limit = rule?.limits[i] ?? Infinity;
      const granted = given[i] ?? 0;
      const within = limit === Infinity ? limit : Math.max(0, limit - this.book.consumed(topRole, i) - granted);
      return this.isAnyRequired ? Math.min(within, this.surplus(i)) : within;
    });
  }

  /** Whether a role has reached a limit of everything there is; it stays so until the end of the round. */
  isClosed(topRole: string, rule: QuotaRule | undefined): boolean {
    if (rule === undefined || !rule.isLimited) return false;
    for (let i = 0; i < this.total.length; i++) {
      if (this.total[i]! > 0 && this.book.consumed(topRole, i) < (rule.limits[i] ?? Infinity)) return false;
    }
    return true;
  }

  private surplus(index: number): number {
    return Math.max(0, this.book.headroom(this.total, index) - (this.required[index] ?? 0));
  }
}
