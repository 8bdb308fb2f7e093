import { Resources } from '../../src/resources/resources.ts';
import type { Resource } from '../../src/wire/v1.ts';
import {
  AllocatorStage,
  declineRounds,
  declineStage,
  expectEqual,
  fragmentedPorts,
  ms,
  parse,
  roundSamples,
  shape,
} from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

const AGENTS = 10_000;
const FRAMEWORKS = 3_000;
const ROUNDS = 10;

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Upstream's DeclineOffers/22. */
function decline(): Sample[] {
  const name = shape(AGENTS, FRAMEWORKS);
  const { stage, samples } = declineStage(AGENTS, FRAMEWORKS);
  // Once without a refusal, so that what is remembered of each agent does not count as one.
  stage.recover(stage.allocate());
  const before = heapBytes();
  const took = declineRounds(stage, AGENTS, ROUNDS);
  const filters = stage.allocator.activeFilters('*');
  expectEqual('filters', filters, AGENTS * ROUNDS);
  const perFilter = (heapBytes() - before) / filters;
  return [
    ...samples,
    ...roundSamples(`round ${name}`, took),
    { metric: `memory of a filter ${name}`, unit: 'bytes', value: perFilter },
  ];
}

/** Upstream's ExtremeSuppressOffers: of a hundred frameworks one wants offers. */
function suppress(): Sample[] {
  const { stage } = declineStage(AGENTS, FRAMEWORKS);
  const suppressed = Math.floor(FRAMEWORKS * 0.99);
  for (let i = 0; i < suppressed; i++) stage.allocator.suppress(`f${i}`);
  const took: number[] = [];
  for (let round = 0; round < 5; round++) {
    const cycle = stage.cycle();
    expectEqual('offers with most suppressed', cycle.given.length, AGENTS);
    took.push(cycle.took);
    stage.recover(cycle.given);
  }
  // Now nobody wants anything, and there is nothing to be found out.
  for (let i = suppressed; i < FRAMEWORKS; i++) stage.allocator.suppress(`f${i}`);
  const silent = stage.cycle();
  expectEqual('offers with all suppressed', silent.given.length, 0);
  return [ms('suppressed cycle', median(took)), ms('cycle with all suppressed', silent.took)];
}

function labels(unique: string): { key: string; value: string }[] {
  return [
    ...Array.from({ length: 11 }, (_, i) => ({ key: `key_${i}`, value: `value_${i}` })),
    { key: 'unique', value: unique },
  ];
}

/** Upstream's ResourceLabels: two reservations on each agent that differ in the last of twelve labels. */
function resourceLabels(): Sample[] {
  const stage = new AllocatorStage();
  const shared = parse('cpus:8;mem:4096;disk:4096;ports:[31000-32000]');
  const used = parse(`mem:2014;disk:1024;${fragmentedPorts(31000, 32000, 16)}`).allocate('role1');
  for (let i = 0; i < FRAMEWORKS; i++) stage.addFramework(`f${i}`, 'role1');
  for (let i = 0; i < AGENTS; i++) {
    const reserved = Resources.of(
      [`first ${i}`, `second ${i}`].map(
        (unique): Resource => ({
          name: 'cpus',
          type: 'SCALAR',
          scalar: { value: 8 },
          reservations: [
            { type: 'DYNAMIC', role: 'role1', principal: 'principal1', labels: { labels: labels(unique) } },
          ],
        }),
      ),
    );
    const held = used.plus(reserved.shrink(() => 12_000).allocate('role1'));
    stage.addAgent(`a${i}`, shared.plus(reserved), [[`f${i % FRAMEWORKS}`, held]]);
  }
  const took = declineRounds(stage, AGENTS, ROUNDS);
  return roundSamples(`round with labels ${shape(AGENTS, FRAMEWORKS)}`, took);
}

export const scenario: Scenario = {
  name: 'decline-suppress',
  about: `The allocator by itself: ${AGENTS} agents are declined for good by ${FRAMEWORKS} frameworks, with labelled reservations too; and 99% of the frameworks suppress offers.`,
  run(): Sample[] {
    return [...decline(), ...suppress(), ...resourceLabels()];
  },
};
