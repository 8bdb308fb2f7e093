import { declineRounds, declineStage, expectEqual, ms, shape } from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

function measure(agents: number, frameworks: number, rounds: number): Sample[] {
  const name = shape(agents, frameworks);
  const { stage, samples } = declineStage(agents, frameworks);
  const took = declineRounds(stage, agents, rounds);
  // Everything is offered once more and kept: then there is nothing left to give.
  expectEqual('offers that are kept', stage.allocate().length, agents);
  const empty = stage.cycle();
  expectEqual('offers when everything is held', empty.given.length, 0);
  return [
    ...samples,
    ms(`cycle ${name}`, median(took)),
    ms(`first cycle ${name}`, took[0]!),
    ms(`last cycle ${name}`, took.at(-1)!),
    ms(`empty cycle ${name}`, empty.took),
  ];
}

export const scenario: Scenario = {
  name: 'alloc-cycle',
  about:
    "The allocator by itself, as in upstream's DeclineOffers: every agent is offered to frameworks of one role, and declined for good.",
  run(): Sample[] {
    return [...measure(10_000, 1_000, 11), ...measure(20_000, 2_000, 7), ...measure(50_000, 6_000, 5)];
  },
};
