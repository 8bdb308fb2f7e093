import type { Allocation } from '../../src/allocator/allocator.ts';
import { AllocatorStage, count, elapsed, expectEqual, ms, parse } from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';

const SMALL = 2500;
const LARGE = 500;
const CPUS = 1000;
const AGENT = parse('cpus:2;mem:2048;disk:2048');

type Sorter = 'drf' | 'random';

function cpusOf(given: readonly Allocation[]): number {
  return given.reduce((sum, { resources }) => sum + resources.scalar('cpus'), 0);
}

function amounts(cpus: number): { cpus: number; mem: number; disk: number } {
  return { cpus: cpus * CPUS, mem: cpus * 1024_000, disk: cpus * 1024_000 };
}

function setQuota(stage: AllocatorStage, role: string, cpus: number): void {
  stage.allocator.updateQuota(role, { guarantees: amounts(cpus), limits: amounts(cpus) });
}

function twoCycles(stage: AllocatorStage, cpus: number): { given: Allocation[]; full: number; empty: number } {
  const { given, took: full } = stage.cycle();
  expectEqual('thousandths of cpus that are given', cpusOf(given), cpus * CPUS);
  const { given: more, took: empty } = stage.cycle();
  expectEqual('offers when there is nothing to do', more.length, 0);
  return { given, full, empty };
}

/** Upstream's LargeAndSmallQuota/2: half an agent for each small role, two agents for each large one. */
function largeAndSmall(sorter: Sorter, suffix: string): Sample[] {
  const stage = new AllocatorStage({ roleSorter: sorter, frameworkSorter: sorter });
  const roles = [
    ...Array.from({ length: SMALL }, (_, i) => `smallQuotaRole${i}`),
    ...Array.from({ length: LARGE }, (_, i) => `largeQuotaRole${i}`),
  ];
  const agents = elapsed(() => {
    for (let i = 0; i < SMALL / 5 + LARGE * 5; i++) stage.addAgent(`a${i}`, AGENT);
  });
  const frameworks = elapsed(() => {
    for (const [i, role] of roles.entries()) stage.addFramework(`f${i}`, role);
  });
  const quotas = elapsed(() => {
    for (const [i, role] of roles.entries()) setQuota(stage, role, i < SMALL ? 1 : 4);
  });
  const { given, full, empty } = twoCycles(stage, SMALL + LARGE * 4);
  // Whether large roles are given whole agents depends on whose turn it is, and that is random there.
  if (sorter === 'drf') expectEqual('allocations', given.length, SMALL + LARGE * 2);
  return [
    ms(`add agents${suffix}`, agents),
    ms(`add frameworks${suffix}`, frameworks),
    ms(`set quotas${suffix}`, quotas),
    ms(`full cycle${suffix}`, full),
    ms(`empty cycle${suffix}`, empty),
    count(`allocations${suffix}`, given.length),
  ];
}

/** Upstream's NonQuotaVsQuota/1000: two agents and two frameworks for each role, whole agents, with quota and without. */
function whole(sorter: Sorter, hasQuota: boolean): Sample[] {
  const roles = 1000;
  const stage = new AllocatorStage({ roleSorter: sorter, frameworkSorter: sorter });
  for (let i = 0; i < roles * 2; i++) stage.addAgent(`a${i}`, AGENT);
  for (let i = 0; i < roles * 2; i++) stage.addFramework(`f${i}`, `r${i >> 1}`);
  for (let i = 0; i < (hasQuota ? roles : 0); i++) setQuota(stage, `r${i}`, 4);
  const { given, full, empty } = twoCycles(stage, roles * 4);
  expectEqual('whole agents', given.length, roles * 2);
  const name = `${hasQuota ? '' : 'no '}quota, whole agents, ${sorter}`;
  return [ms(`full cycle, ${name}`, full), ms(`empty cycle, ${name}`, empty)];
}

export const scenario: Scenario = {
  name: 'quota-3000',
  about: `The allocator by itself: ${SMALL} small and ${LARGE} large roles with guarantees and limits share 3000 agents; and 1000 roles with and without quota.`,
  run(): Sample[] {
    return [
      ...largeAndSmall('drf', ''),
      ...largeAndSmall('random', ', random'),
      ...(['drf', 'random'] as const).flatMap((sorter) => [...whole(sorter, false), ...whole(sorter, true)]),
    ];
  },
};
