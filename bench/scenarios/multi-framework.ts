import type { Resources } from '../../src/resources/resources.ts';
import { AllocatorStage, count, elapsed, expectEqual, ms, parse } from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

interface Profile {
  readonly task: Resources;
  readonly tasks: number;
  readonly perOffer: number;
}

const AGENTS = 80;
const AGENT = parse('cpus:64;mem:488000');
const MARATHON: Profile = { task: parse('cpus:0.07;mem:400'), tasks: 4000, perOffer: 100 };
const JENKINS: Profile = { task: parse('cpus:0.1;mem:4000'), tasks: 5, perOffer: 1 };
const SPARK: Profile = { task: parse('cpus:1;mem:1000'), tasks: 20, perOffer: 5 };
const TASKS = 4 * MARATHON.tasks + 500 * JENKINS.tasks + 50 * SPARK.tasks;
/** Thousandths of the cluster's cpus that all tasks need. */
const CPUS = 4 * 4000 * 70 + 500 * 5 * 100 + 50 * 20 * 1000;

class Workload {
  readonly stage = new AllocatorStage();
  private readonly profiles = new Map<string, Profile>();
  private readonly launched = new Map<string, number>();
  total = 0;
  private readonly suppresses: boolean;

  /** @param suppresses whether frameworks that have launched all their tasks say so */
  constructor(suppresses: boolean) {
    this.suppresses = suppresses;
    for (let i = 0; i < AGENTS; i++) this.stage.addAgent(`agent-${i}`, AGENT);
    for (let i = 1; i <= 4; i++) this.add(`Marathon-${i}-0`, `roleA-${i}`, MARATHON);
    for (let i = 0; i < 500; i++) this.add(`Jenkins-${i}`, 'roleB', JENKINS);
    for (let i = 1; i <= 50; i++) this.add(`SparkDispatcher-${i}-0`, `roleC-${i}`, SPARK);
  }

  private add(id: string, role: string, profile: Profile): void {
    this.profiles.set(id, profile);
    this.stage.addFramework(id, role);
  }

  /** Each framework launches what it may on each offer and gives back the rest, to be offered again at once. */
  round(): { readonly offers: number; readonly took: number } {
    const { given, took } = this.stage.cycle();
    for (const { frameworkId, role, agentId, resources } of given) {
      const profile = this.profiles.get(frameworkId)!;
      let rest = resources.unallocate();
      let done = this.launched.get(frameworkId) ?? 0;
      for (let n = 0; n < profile.perOffer && done < profile.tasks && rest.contains(profile.task); n++) {
        rest = rest.minus(profile.task);
        done++;
        this.total++;
      }
      this.launched.set(frameworkId, done);
      if (this.suppresses && done === profile.tasks) this.stage.allocator.suppress(frameworkId);
      this.stage.allocator.recoverResources(frameworkId, agentId, rest.allocate(role), undefined, this.stage.now);
    }
    return { offers: given.length, took };
  }

  /** In thousandths of cpus. */
  get used(): number {
    let free = 0;
    for (let i = 0; i < AGENTS; i++) free += this.stage.allocator.available(`agent-${i}`).scalar('cpus');
    return AGENTS * AGENT.scalar('cpus') - free;
  }
}

function everythingLaunched(): Sample[] {
  const workload = new Workload(true);
  const took: number[] = [];
  let offers = 0;
  const wall = elapsed(() => {
    while (workload.total < TASKS && took.length < 1000) {
      const round = workload.round();
      took.push(round.took);
      offers += round.offers;
    }
  });
  expectEqual('tasks launched', workload.total, TASKS);
  expectEqual('thousandths of cpus in use', workload.used, CPUS);
  return [
    ms('all launched', wall),
    count('rounds', took.length),
    count('offers', offers),
    ms('allocation of a round', median(took)),
    { metric: 'cpus in use', unit: '%', value: (100 * workload.used) / (AGENTS * AGENT.scalar('cpus')) },
  ];
}

/**
 * As upstream's benchmark has it: frameworks that are done keep taking offers and giving them back. Those with the smallest
 * shares then get everything, and the others wait for ever.
 */
function nobodySuppresses(): Sample[] {
  const workload = new Workload(false);
  for (let round = 0; round < 200; round++) workload.round();
  const before = workload.total;
  for (let round = 0; round < 20; round++) workload.round();
  return [count('tasks launched, nobody suppresses', workload.total), count('of them late', workload.total - before)];
}

export const scenario: Scenario = {
  name: 'multi-framework',
  about: `The allocator by itself: ${TASKS} tasks of 554 frameworks in 55 roles come to run on ${AGENTS} agents, as in upstream's MultiFrameworkAllocations.`,
  run: () => [...everythingLaunched(), ...nobodySuppresses()],
};
