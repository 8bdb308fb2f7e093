/** Host ports: the ones that were asked for, or any that are offered. */
import type { Resource } from '../../../wire/v1.ts';
import { type Left, type OpenOffer, type PortRange, takePort } from './open-offer.ts';
import type { Selector } from './resources.ts';

/** One port that a task needs: a number, `any`, or `none` of the host's. */
export type PortWish = number | 'any' | 'none';

/** A port of the host, and the resource that it comes from. */
interface Found {
  readonly port: number;
  readonly from: Left;
}

/** @returns the ports in the order of the wishes (null: none), or which wish cannot be met. Nothing is taken yet */
export function findPorts(
  { left }: OpenOffer,
  wishes: readonly PortWish[],
  mayUse: Selector,
  random: () => number,
): { readonly ok: true; readonly ports: readonly (Found | null)[] } | { readonly ok: false; readonly detail: string } {
  const sources = left.filter((each) => each.name === 'ports' && each.ranges.length > 0 && mayUse(each));
  const fixed = new Set(wishes.filter((wish): wish is number => typeof wish === 'number'));
  const anyPort = dynamicPorts(sources, fixed, random);
  const ports: (Found | null)[] = [];
  for (const wish of wishes) {
    if (wish === 'none') {
      ports.push(null);
      continue;
    }
    const found = wish === 'any' ? anyPort.next().value : owner(sources, wish);
    if (found === undefined) {
      const what =
        wish === 'any' ? `${wishes.filter((each) => each === 'any').length} host ports` : `host port ${wish}`;
      return { ok: false, detail: `needs ${what}, offered are ${shown(sources)}` };
    }
    ports.push(found);
  }
  return { ok: true, ports };
}

/** Takes what was found. @returns it as resources, one for each of those it came from */
export function takePorts(found: readonly (Found | null)[]): readonly Resource[] {
  const byOwner = new Map<Left, number[]>();
  for (const each of found) {
    if (each === null) continue;
    takePort(each.from, each.port);
    byOwner.set(each.from, [...(byOwner.get(each.from) ?? []), each.port]);
  }
  return [...byOwner].map(([from, ports]) => ({
    ...from.resource,
    ranges: { range: rangesOf(ports).map(({ begin, end }) => ({ begin, end })) },
  }));
}

function rangesOf(ports: readonly number[]): PortRange[] {
  const ranges: { begin: number; end: number }[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last.end === port - 1) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  return ranges;
}

function owner(sources: readonly Left[], port: number): Found | undefined {
  const from = sources.find(({ ranges }) => ranges.some(({ begin, end }) => begin <= port && port <= end));
  return from && { port, from };
}

/** All offered ports but the fixed ones, from a place that is chosen by chance: what was freed a moment ago should rest. */
function* dynamicPorts(
  sources: readonly Left[],
  fixed: ReadonlySet<number>,
  random: () => number,
): Generator<Found, undefined> {
  const ranges = sources.flatMap((from) => from.ranges.map((range) => ({ from, ...range })));
  const total = ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  if (total === 0) return undefined;
  const start = Math.min(total - 1, Math.floor(random() * total));
  for (let step = 0; step < total; step++) {
    let at = (start + step) % total;
    for (const { from, begin, end } of ranges) {
      const size = end - begin + 1;
      if (at < size) {
        const port = begin + at;
        if (!fixed.has(port)) yield { port, from };
        break;
      }
      at -= size;
    }
  }
  return undefined;
}

function shown(sources: readonly Left[]): string {
  const ranges = sources.flatMap((each) => each.ranges);
  if (ranges.length === 0) return 'none';
  const text = ranges.slice(0, 5).map(({ begin, end }) => (begin === end ? `${begin}` : `${begin}-${end}`));
  return `${text.join(', ')}${ranges.length > 5 ? ', …' : ''}`;
}
