/** Which instances go first when there are too many. */
import type { Constraint, KillSelection } from '../../definition/types.ts';
import type { Condition, Instance, RunSpec } from '../model.ts';
import { constraintValue } from '../placement/values.ts';

/**
 * Those with a lower weight go first. Upstream has no words for who waits for an offer or was launched a moment ago, and lets them
 * go last: running ones would end for such as may never come.
 */
const WEIGHT: Partial<Record<Condition, number>> = {
  Unreachable: 1,
  Provisioned: 2,
  Staging: 2,
  Starting: 3,
  Running: 4,
  Killing: 5,
};
const WAITING = 0;

/**
 * @param sentenced go first, whatever else is said, and even when there are not too many
 * @returns the instances to take away so that `target` are left
 */
export function chooseVictims(
  instances: readonly Instance[],
  sentenced: readonly Instance[],
  spec: RunSpec,
  target: number,
): readonly Instance[] {
  const wanted = instances.filter(({ goal, condition }) => goal === 'Running' && condition !== 'UnreachableInactive');
  const condemned = new Set(sentenced.filter((instance) => wanted.includes(instance)));
  const amount = Math.max(wanted.length - target, condemned.size);
  if (amount <= 0) return [];
  const waiting = wanted.filter(({ condition }) => WEIGHT[condition] === undefined).sort(firstToGo(spec.killSelection));
  for (const instance of waiting) if (condemned.size < amount) condemned.add(instance);
  const rest = wanted.filter((instance) => !condemned.has(instance));
  const balanced = keepBalance(rest, spec, amount - condemned.size);
  for (const instance of balanced) condemned.add(instance);
  const others = rest.filter((instance) => !condemned.has(instance)).sort(firstToGo(spec.killSelection));
  return [...condemned, ...others].slice(0, amount);
}

/** Orders instances: lost before starting before running, and among equals by age. */
export function firstToGo(selection: KillSelection): (a: Instance, b: Instance) => number {
  const sign = selection === 'OLDEST_FIRST' ? 1 : -1;
  return (a, b) => {
    const byWeight = (WEIGHT[a.condition] ?? WAITING) - (WEIGHT[b.condition] ?? WAITING);
    if (byWeight !== 0) return byWeight;
    const age = ageOf(a) - ageOf(b);
    return age !== 0 ? sign * age : a.id < b.id ? -1 : 1;
  };
}

function ageOf(instance: Instance): number {
  switch (instance.condition) {
    case 'Provisioned':
    case 'Staging':
      return Math.max(...instance.tasks.map(({ stagedAt }) => stagedAt));
    case 'Starting':
      return instance.since;
    default:
      return instance.activeSince ?? Number.NEGATIVE_INFINITY;
  }
}

/** With GROUP_BY, takes from the fullest group each time, so that what is left is spread evenly. */
function keepBalance(instances: readonly Instance[], spec: RunSpec, amount: number): readonly Instance[] {
  const groupings = spec.constraints.filter(({ operator }) => operator === 'GROUP_BY');
  if (groupings.length === 0 || amount <= 0) return [];
  const left = [...instances].sort(firstToGo(spec.killSelection));
  const victims: Instance[] = [];
  while (victims.length < amount) {
    const victim = fullestFirst(left, groupings);
    if (victim === undefined) break;
    left.splice(left.indexOf(victim), 1);
    victims.push(victim);
  }
  return victims;
}

/** The first instance that sits in a fullest group of every grouping. */
function fullestFirst(left: readonly Instance[], groupings: readonly Constraint[]): Instance | undefined {
  let candidates = left;
  for (const { field } of groupings) {
    const sizes = new Map<string | undefined, number>();
    for (const { placement } of left) {
      const value = constraintValue(placement, field);
      sizes.set(value, (sizes.get(value) ?? 0) + 1);
    }
    const most = Math.max(...sizes.values());
    candidates = candidates.filter(({ placement }) => sizes.get(constraintValue(placement, field)) === most);
  }
  return candidates[0];
}
