/** Deals out what was taken of an offer among the executor and the containers of a pod. */
import type { Resource } from '../../../wire/v1.ts';
import { milli } from './resources.ts';

type Amounts = Readonly<Partial<Record<'cpus' | 'mem' | 'disk' | 'gpus', number>>>;

export class Portions {
  readonly #left: { readonly resource: Resource; amount: number }[];

  /** @param taken scalars */
  constructor(taken: readonly Resource[]) {
    this.#left = taken.map((resource) => ({ resource, amount: milli(resource.scalar?.value ?? 0) }));
  }

  /** So much of each; it is there, since all of it was taken before. */
  take(amounts: Amounts): readonly Resource[] {
    return (['cpus', 'mem', 'disk', 'gpus'] as const).flatMap((name) => {
      let missing = milli(amounts[name] ?? 0);
      const portion: Resource[] = [];
      for (const each of this.#left) {
        const amount = each.resource.name === name ? Math.min(missing, each.amount) : 0;
        if (amount <= 0) continue;
        each.amount -= amount;
        missing -= amount;
        portion.push({ ...each.resource, scalar: { value: amount / 1000 } });
      }
      return portion;
    });
  }
}
