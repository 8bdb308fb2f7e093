/** Constraints: which agents an instance may be on, given where the others are. */

import type { Pattern } from '../../../base/pattern.ts';
import { compilePattern } from '../../definition/pattern.ts';
import type { Constraint } from '../../definition/types.ts';
import type { Instance, Placement, RunSpec } from '../model.ts';
import { constraintValue, scalarText } from './values.ts';

/** @param placed the instances that count  @returns a sentence for each constraint that is not met */
export function unmetConstraints(spec: RunSpec, placed: readonly Instance[], placement: Placement): readonly string[] {
  return spec.constraints.flatMap((constraint) =>
    isMet(constraint, spec, placed, placement) ? [] : [sentence(constraint, placement)],
  );
}

function sentence({ field, operator, value }: Constraint, placement: Placement): string {
  const wanted = `constraint ${field} ${operator}${value === undefined ? '' : ` ${value}`}`;
  const there = constraintValue(placement, field);
  return `${wanted} is not met: ${there === undefined ? `the agent has no '${field}'` : `${field} is '${there}'`}`;
}

function isMet(constraint: Constraint, spec: RunSpec, placed: readonly Instance[], placement: Placement): boolean {
  const { field, operator, value } = constraint;
  const there = constraintValue(placement, field);
  if (there === undefined) return operator === 'UNLIKE';
  const others = (): readonly (string | undefined)[] => placed.map((each) => constraintValue(each.placement, field));
  switch (operator) {
    case 'UNIQUE':
      return !others().includes(there);
    case 'CLUSTER':
      return value === undefined || value === '' ? isFirstOrSame(others(), there) : there === value;
    case 'GROUP_BY':
      return fitsGroup(others(), there, value === undefined ? undefined : Number(value), spec.instances);
    case 'LIKE':
      return matches(there, value);
    case 'UNLIKE':
      return !matches(there, value);
    case 'MAX_PER':
      return others().filter((each) => each === there).length < Number(value);
    case 'IS':
      return isSame(there, value ?? '');
  }
}

function isFirstOrSame(others: readonly (string | undefined)[], there: string): boolean {
  const first = others.find((each) => each !== undefined);
  return first === undefined || first === there;
}

/**
 * With a number of groups, each may have its even share, and as many of them one more as are left over. Without a number
 * new values are always welcome, and known ones while no other has fewer.
 */
function fitsGroup(
  others: readonly (string | undefined)[],
  there: string,
  groups: number | undefined,
  instances: number,
): boolean {
  const counts = new Map<string, number>();
  for (const each of others) if (each !== undefined) counts.set(each, (counts.get(each) ?? 0) + 1);
  const known = counts.get(there);
  if (groups === undefined || groups <= 0) {
    return known === undefined || known === Math.min(...counts.values());
  }
  if (known === undefined) return counts.size < groups;
  const share = Math.floor(instances / groups);
  if (known < share) return true;
  const over = [...counts.values()].reduce((sum, count) => sum + Math.max(0, count - share), 0);
  return known === share && (instances % groups) - over > 0;
}

const patterns = new Map<string, Pattern | undefined>();

/** The whole value has to match. */
export function matches(value: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return false;
  if (!patterns.has(pattern)) {
    const compiled = compilePattern(pattern);
    if (patterns.size > 1_000) patterns.clear();
    patterns.set(pattern, compiled.ok ? compiled.value : undefined);
  }
  return patterns.get(pattern)?.(value) === true;
}

const NUMBER = /^\d+(\.\d+)?$/;

/** Numbers are the same however they are written; three decimals count. */
function isSame(there: string, wanted: string): boolean {
  if (there === wanted) return true;
  return NUMBER.test(there) && NUMBER.test(wanted) && scalarText(Number(there)) === scalarText(Number(wanted));
}
