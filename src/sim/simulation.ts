import type { Millis } from '../base/machine.ts';
import { machineSpec } from './agent-process.ts';
import { Chaos } from './chaos.ts';
import { type Cluster, unsettled } from './checkers/agreement.ts';
import { BooksChecker } from './checkers/books.ts';
import { InstancesChecker } from './checkers/instances.ts';
import { OffersChecker } from './checkers/offers.ts';
import { RegistryChecker } from './checkers/registry.ts';
import { UpdatesChecker } from './checkers/updates.ts';
import { Dice } from './dice.ts';
import type { Loop } from './loop.ts';
import { MarathonParty } from './marathon/party.ts';
import { Masters, pidOf } from './masters.ts';
import { Operator } from './operator.ts';
import { SchedulerProcess } from './scheduler.ts';
import { demand } from './violation.ts';
import { CALM } from './weather.ts';
import { createWorld } from './world.ts';

/** How long a healed cluster may take to finish its work: upstream's longest wait between two sendings is 10 minutes. */
const PATIENCE: Millis = 30 * 60_000;

/** From this seed on, what takes part that older seeds know nothing of: these go on to play the same. */
const WIDE = 1_000_000;

export interface SimulationResult {
  readonly seed: number;
  /** Of the whole transcript. */
  readonly hash: string;
  readonly lines: number;
  readonly tasks: number;
  /** Simulated time until the faults ended, and until the cluster was at rest after that. */
  readonly stormFor: Millis;
  readonly restAfter: Millis;
  /** How often each kind of fault came about, how many steps the cores took, and what else is counted. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A run that ended badly. The message says how; `seed` runs it again. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly seed: number;
  /** The last lines of the transcript. */
  readonly tail: readonly string[];

  constructor(seed: number, cause: unknown, tail: readonly string[]) {
    const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`seed ${seed}: ${what}\nRun it again with: node src/sim/main.ts --seed ${seed} --verbose`, { cause });
    this.seed = seed;
    this.tail = tail;
  }
}

/** Lets time pass until nothing is in the way any more. @throws Violation if that takes too long */
function untilNothing(loop: Loop, what: string, obstaclesNow: () => Iterable<string>): void {
  const rests = (): boolean => obstaclesNow()[Symbol.iterator]().next().done === true;
  const rested = loop.runUntil(loop.now + PATIENCE, rests);
  demand(
    rested,
    () => `${what} ${PATIENCE / 60_000} minutes after the end of all faults:\n  ${[...obstaclesNow()].join('\n  ')}`,
  );
}

function* obstacles(cluster: Cluster, party: MarathonParty | undefined): Iterable<string> {
  yield* unsettled(cluster);
  if (party !== undefined) yield* party.lingering(cluster);
}

/**
 * One seed, one run: a cluster to which bad things happen for a while, and which must then come to rest.
 * @param sink takes the transcript, line by line
 * @throws SimulationFailure if a promise was broken, or the cluster did not come to rest
 */
export function simulate(seed: number, sink?: (line: string) => void): SimulationResult {
  const dice = new Dice(seed);
  const masterCount = dice.chance(0.3) ? 1 : dice.whole(2, 3);
  const world = createWorld(dice, masterCount === 1 ? pidOf(0) : undefined, sink, seed >= WIDE);
  const { loop, transcript } = world;
  try {
    const books = new BooksChecker(world);
    const instances = new InstancesChecker();
    const updates = new UpdatesChecker();
    world.observers.push(books, instances, updates, new OffersChecker(), new RegistryChecker(world.store));
    const masters = new Masters(world, dice.fork(), masterCount);
    const schedulers = Array.from({ length: dice.whole(1, 4) }, (_, i) => {
      return new SchedulerProcess(world, dice.fork(), masters, i, world.isWide && dice.chance(0.7));
    });
    const machines = Array.from({ length: dice.whole(1, 5) }, (_, i) => machineSpec(i, dice));
    const chaos = new Chaos(world, dice.fork(), machines, schedulers, masters);
    const operator = new Operator(world, dice.fork(), masters);
    const party =
      world.isWide && dice.chance(0.7) ? new MarathonParty(world, dice.fork(), masters, machines) : undefined;
    if (party !== undefined && dice.chance(0.3)) schedulers.length = 0;
    masters.start();
    chaos.start();
    operator.start();
    for (const scheduler of schedulers) loop.after(dice.wait(500), () => scheduler.start());
    const stormFor = dice.between(20_000, 120_000);
    party?.start();
    loop.runUntil(stormFor);

    world.say('phase', 'two: the faults end');
    chaos.stop();
    operator.tidy();
    world.network.heal();
    world.ensemble.heal();
    for (const master of masters.all) master.resume();
    Object.assign(world.weather, CALM);
    for (const { workload } of schedulers) workload.closing = true;
    const cluster: Cluster = { masters, machines: chaos.machines, schedulers, instances, updates };
    if (party !== undefined) {
      party.mend(chaos.machines);
      untilNothing(loop, 'Marathon has not converged', () => party.unconverged(cluster));
      world.say('phase', 'three: all of Marathon is to go');
      party.leave();
    }
    untilNothing(loop, 'no rest', () => obstacles(cluster, party));
    if (masters.leader !== undefined) books.check(masters.leader);
    const tasks = schedulers.reduce((sum, { workload }) => sum + workload.tasks.size, 0);
    const { hash, lines } = transcript;
    world.counts.set('writes of deposed leaders refused', world.store.fenced);
    return { seed, hash, lines, tasks, stormFor, restAfter: loop.now - stormFor, counts: world.counts };
  } catch (cause) {
    throw new SimulationFailure(seed, cause, transcript.tail());
  }
}
