/** Whether an offer has what an instance needs, and taking it. */
import type { Resource } from '../../../wire/v1.ts';
import type { NoMatchReason } from '../launch/launching.ts';
import type { Left, OpenOffer } from './open-offer.ts';
import { takeScalar } from './open-offer.ts';

/** Thousandths. */
export interface Needs {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
}

/** Which of the offered resources may be used. */
export type Selector = (left: Left) => boolean;

type Scalar = keyof Needs;
const SCALARS: readonly Scalar[] = ['cpus', 'mem', 'disk', 'gpus'];

const LACKING: Readonly<Record<Scalar, NoMatchReason>> = {
  cpus: 'InsufficientCpus',
  mem: 'InsufficientMemory',
  disk: 'InsufficientDisk',
  gpus: 'InsufficientGpus',
};

/** One requirement that an offer does not meet. */
export interface Lack {
  readonly reason: NoMatchReason;
  readonly detail: string;
}

/** From numbers of a definition to thousandths. */
export function milli(value: number): number {
  return Math.round(value * 1000);
}

/** What is missing of the scalars. */
export function lackingScalars({ left }: OpenOffer, needs: Needs, mayUse: Selector): readonly Lack[] {
  return SCALARS.flatMap((name) => {
    const wanted = needs[name];
    if (wanted === 0) return [];
    const there = usable(left, name, mayUse).reduce((sum, each) => sum + each.amount, 0);
    if (there >= wanted) return [];
    return [{ reason: LACKING[name], detail: `needs ${wanted / 1000} ${name}, ${there / 1000} are offered` }];
  });
}

/** Takes the scalars; they are there. Reserved ones go first: others cannot use them. */
export function takeScalars({ left }: OpenOffer, needs: Needs, mayUse: Selector): readonly Resource[] {
  return SCALARS.flatMap((name) => {
    const taken: Resource[] = [];
    let missing = needs[name];
    const sources = usable(left, name, mayUse).sort((a, b) => Number(a.role === '*') - Number(b.role === '*'));
    for (const source of sources) {
      const amount = Math.min(missing, source.amount);
      if (amount <= 0) continue;
      taken.push(takeScalar(source, amount));
      missing -= amount;
    }
    return taken;
  });
}

/** Volumes, and disks of their own, are not for scratch space. */
function usable(left: readonly Left[], name: string, mayUse: Selector): Left[] {
  return left.filter(
    (each) => each.name === name && each.amount > 0 && each.resource.disk === undefined && mayUse(each),
  );
}
