/** What the scenarios that measure the allocator by itself have in common. */
import type { Allocation, Allocator, AllocatorOptions } from '../src/allocator/allocator.ts';
import { createAllocator } from '../src/allocator/hierarchical.ts';
import { seededRandom } from '../src/base/random.ts';
import { parseResources } from '../src/resources/parse.ts';
import { Quantities } from '../src/resources/quantities.ts';
import type { Resources } from '../src/resources/resources.ts';
import type { Sample } from './scenario.ts';
import { median } from './statistics.ts';

const CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
/** The longest that a refusal lasts: for good, as far as a benchmark can tell. */
const FOR_GOOD = 365 * 24 * 3600;

export function parse(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** Upstream's default minimum of an offer: 0.01 cpus or 32 MB. */
export function defaultMinimum(): Quantities[] {
  return ['cpus:0.01', 'mem:32'].map((text) => {
    const parsed = Quantities.fromText(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value;
  });
}

/** In milliseconds. */
export function elapsed(work: () => void): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

export function ms(metric: string, value: number): Sample {
  return { metric, unit: 'ms', value };
}

export function count(metric: string, value: number): Sample {
  return { metric, unit: 'count', value };
}

/** @throws Error when what came out is not what must come out: then the time that it took says nothing */
export function expectEqual(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, where ${expected} is right`);
}

/** Intervals that are alike, with gaps between them as long as they are: `fragmentedPorts(31000, 32000, 16)`. */
export function fragmentedPorts(first: number, last: number, intervals: number): string {
  const length = Math.floor((last - first + 1) / intervals / 2);
  const ranges = Array.from({ length: intervals }, (_, i) => {
    const begin = first + 2 * i * length;
    return `${begin}-${begin + length - 1}`;
  });
  return `ports:[${ranges.join(',')}]`;
}

/** `10k x 3k` */
export function shape(agents: number, frameworks: number): string {
  const short = (n: number): string => (n >= 1000 ? `${n / 1000}k` : `${n}`);
  return `${short(agents)} x ${short(frameworks)}`;
}

/** An allocator with a clock of its own, one allocation a second. */
export class AllocatorStage {
  readonly allocator: Allocator;
  now = 0;
  private readonly random = seededRandom(1);

  constructor(options: AllocatorOptions = {}) {
    this.allocator = createAllocator({ minAllocatable: defaultMinimum(), ...options });
  }

  addFramework(id: string, role: string): void {
    this.allocator.addFramework(id, { roles: [role], capabilities: CAPABILITIES, active: true });
  }

  addAgent(id: string, total: Resources, used: Iterable<readonly [string, Resources]> = []): void {
    this.allocator.addAgent(id, { info: { hostname: id }, total, capabilities: CAPABILITIES, used });
  }

  /** @param agentIds only these; undefined: all */
  allocate(agentIds?: readonly string[]): Allocation[] {
    this.now += 1000;
    return this.allocator.allocate(this.now, this.random, agentIds);
  }

  /** @returns what was given, and how long that took */
  cycle(): { readonly given: Allocation[]; readonly took: number } {
    let given: Allocation[] = [];
    const took = elapsed(() => {
      given = this.allocate();
    });
    return { given, took };
  }

  recover(given: readonly Allocation[], refuseSeconds?: number): void {
    for (const { frameworkId, agentId, resources } of given) {
      this.allocator.recoverResources(frameworkId, agentId, resources, refuseSeconds, this.now);
    }
  }

  declineForGood(given: readonly Allocation[]): void {
    this.recover(given, FOR_GOOD);
  }
}

/** Agents of upstream's DeclineOffers: two thirds used, by one framework each in turn, ports in 16 intervals. */
export function declineStage(
  agents: number,
  frameworks: number,
): { readonly stage: AllocatorStage; readonly samples: Sample[] } {
  const stage = new AllocatorStage();
  const total = parse('cpus:24;mem:4096;disk:4096;ports:[31000-32000]');
  const used = parse(`cpus:16;mem:2014;disk:1024;${fragmentedPorts(31000, 32000, 16)}`).allocate('*');
  const frameworksTook = elapsed(() => {
    for (let i = 0; i < frameworks; i++) stage.addFramework(`f${i}`, '*');
  });
  const agentsTook = elapsed(() => {
    for (let i = 0; i < agents; i++) stage.addAgent(`a${i}`, total, [[`f${i % frameworks}`, used]]);
  });
  const name = shape(agents, frameworks);
  return { stage, samples: [ms(`add frameworks ${name}`, frameworksTook), ms(`add agents ${name}`, agentsTook)] };
}

/** Rounds in which every agent is offered to somebody who has not declined it, and declined for good. */
export function declineRounds(stage: AllocatorStage, agents: number, rounds: number): number[] {
  return Array.from({ length: rounds }, () => {
    const { given, took } = stage.cycle();
    expectEqual('offers of a round', given.length, agents);
    stage.declineForGood(given);
    return took;
  });
}

/** The median of what rounds took, and the longest. */
export function roundSamples(metric: string, took: readonly number[]): Sample[] {
  return [ms(metric, median(took)), ms(`${metric}, longest`, Math.max(...took))];
}
