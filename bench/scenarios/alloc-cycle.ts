import type { Allocation, Allocator } from '../../src/allocator/allocator.ts';
import { createAllocator } from '../../src/allocator/hierarchical.ts';
import { seededRandom } from '../../src/base/random.ts';
import { parseResources } from '../../src/resources/parse.ts';
import type { Resources } from '../../src/resources/resources.ts';
import type { Sample, Scenario } from '../scenario.ts';

const CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
const YEAR = 365 * 24 * 3600;

function parse(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function elapsed(work: () => void): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** 16 port ranges, every second block of 20 ports. */
function usedPorts(): string {
  return Array.from({ length: 16 }, (_, i) => `${31000 + i * 40}-${31019 + i * 40}`).join(',');
}

/** Upstream's DeclineOffers: everybody in one role, agents two thirds used, and every offer declined for good. */
function declineOffers(agents: number, frameworks: number, cycles: number): Sample[] {
  const name = `${agents / 1000}k x ${frameworks >= 1000 ? `${frameworks / 1000}k` : frameworks}`;
  const allocator = createAllocator();
  const random = seededRandom(1);
  for (let i = 0; i < frameworks; i++) {
    allocator.addFramework(`f${i}`, { roles: ['*'], capabilities: CAPABILITIES, active: true });
  }
  const total = parse('cpus:24;mem:4096;disk:4096;ports:[31000-32000]');
  const used = parse(`cpus:16;mem:2014;disk:1024;ports:[${usedPorts()}]`).allocate('*');
  const added = elapsed(() => {
    for (let i = 0; i < agents; i++) {
      const id = `a${i}`;
      allocator.addAgent(id, {
        info: { hostname: id },
        total,
        capabilities: CAPABILITIES,
        used: [[`f${i % frameworks}`, used]],
      });
    }
  });
  let now = 0;
  const times: number[] = [];
  for (let i = 0; i < cycles; i++) {
    let given: Allocation[] = [];
    now += 1000;
    times.push(
      elapsed(() => {
        given = allocator.allocate(now, random);
      }),
    );
    if (given.length !== agents) throw new Error(`${given.length} offers for ${agents} agents`);
    decline(allocator, given, now);
  }
  // All is offered again, and this time nobody declines: then there is nothing to do.
  allocator.allocate(now + 1000, random);
  const empty = elapsed(() => allocator.allocate(now + 2000, random));
  return [
    { metric: `${name}: add agents`, unit: 'ms', value: added },
    { metric: `${name}: first cycle`, unit: 'ms', value: times[0]! },
    { metric: `${name}: later cycles, median`, unit: 'ms', value: median(times.slice(1)) },
    { metric: `${name}: last cycle`, unit: 'ms', value: times[times.length - 1]! },
    { metric: `${name}: cycle with nothing free`, unit: 'ms', value: empty },
  ];
}

function decline(allocator: Allocator, given: readonly Allocation[], now: number): void {
  for (const { frameworkId, agentId, resources } of given) {
    allocator.recoverResources(frameworkId, agentId, resources, YEAR, now);
  }
}

/** Upstream's LargeAndSmallQuota: each role has a guarantee and a limit, and one framework. */
function manyQuotas(small: number, large: number): Sample[] {
  const roles = small + large;
  const allocator = createAllocator();
  const random = seededRandom(1);
  const agent = parse('cpus:2;mem:2048;disk:2048');
  for (let i = 0; i < roles; i++) {
    allocator.addAgent(`a${i}`, { info: { hostname: `a${i}` }, total: agent, capabilities: CAPABILITIES });
    const size = i < small ? 1 : 4;
    const amounts = { cpus: size * 1000, mem: size * 1024_000, disk: size * 1024_000 };
    allocator.updateQuota(`r${i}`, { guarantees: amounts, limits: amounts });
  }
  const added = elapsed(() => {
    for (let i = 0; i < roles; i++) {
      allocator.addFramework(`f${i}`, { roles: [`r${i}`], capabilities: CAPABILITIES, active: true });
    }
  });
  let given: Allocation[] = [];
  const first = elapsed(() => {
    given = allocator.allocate(0, random);
  });
  const expected = small + 2 * large;
  if (given.length < expected) throw new Error(`${given.length} offers where at least ${expected} are due`);
  const empty = elapsed(() => allocator.allocate(1000, random));
  const name = `${roles} roles with quota`;
  return [
    { metric: `${name}: add frameworks`, unit: 'ms', value: added },
    { metric: `${name}: first cycle`, unit: 'ms', value: first },
    { metric: `${name}: empty cycle`, unit: 'ms', value: empty },
  ];
}

export const scenario: Scenario = {
  name: 'alloc-cycle',
  about:
    'The allocator by itself: all agents offered to frameworks of one role, over and over; and thousands of roles with quota.',
  run(): Sample[] {
    declineOffers(1000, 100, 5);
    manyQuotas(250, 50);
    return [
      ...declineOffers(10_000, 1_000, 12),
      ...declineOffers(20_000, 2_000, 4),
      ...declineOffers(50_000, 6_000, 2),
      ...manyQuotas(2500, 500),
    ];
  },
};
