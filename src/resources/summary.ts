import type { Resource } from '../wire/v1.ts';
import { type Amount, type AmountType, addAmounts, amountOf, formatAmount, hasAmount } from './amount.ts';
import { fromMilli, type Milli } from './scalars.ts';

/** The "resources object" of the older endpoints: scalars as numbers, ranges as `[1-2, 4-5]`, sets as `{a, b}`. */
export type ResourcesSummary = Record<string, number | string>;

/**
 * Sums by name, revocable things under `<name>_revocable`; cpus, gpus, mem and disk are always there.
 * @param resources in any form; a list from the wire will do as well as `Resources`
 */
export function toSummary(resources: Iterable<Resource>): ResourcesSummary {
  const sums = new Map<string, { type: AmountType; amount: Amount }>();
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) sums.set(name, { type: 'SCALAR', amount: 0 });
  for (const resource of resources) {
    if (!hasAmount(resource)) continue;
    const name = resource.revocable === undefined ? resource.name : `${resource.name}_revocable`;
    const type = resource.type as AmountType;
    const before = sums.get(name);
    const amount = amountOf(resource);
    sums.set(name, { type, amount: before?.type === type ? addAmounts(type, before.amount, amount) : amount });
  }
  const summary: ResourcesSummary = {};
  for (const wanted of ['SCALAR', 'RANGES', 'SET']) {
    for (const [name, { type, amount }] of sums) {
      if (type === wanted) summary[name] = type === 'SCALAR' ? fromMilli(amount as Milli) : formatAmount(type, amount);
    }
  }
  return summary;
}
