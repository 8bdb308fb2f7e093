import type { AgentMachine } from '../agent-machine.ts';
import type { MachineSpec } from '../agent-process.ts';
import type { Cluster } from '../checkers/agreement.ts';
import { lingering, unconverged } from '../checkers/marathon-agreement.ts';
import { CapacityChecker } from '../checkers/marathon-capacity.ts';
import { DeploymentsChecker } from '../checkers/marathon-deployments.ts';
import { DurabilityChecker } from '../checkers/marathon-durability.ts';
import type { Dice } from '../dice.ts';
import type { Masters } from '../masters.ts';
import type { World } from '../world.ts';
import { Marathon } from './marathon.ts';
import { People } from './people.ts';
import { Trouble } from './trouble.ts';

/** A Marathon, those who use it, and what happens to it. */
export class MarathonParty {
  readonly marathon: Marathon;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly people: People;
  private readonly trouble: Trouble;

  constructor(world: World, dice: Dice, masters: Masters, machines: readonly MachineSpec[]) {
    this.world = world;
    this.dice = dice;
    world.observers.push(new DeploymentsChecker(), new CapacityChecker(), new DurabilityChecker());
    this.marathon = new Marathon(world, dice.fork(), masters);
    const room = { machines: machines.length, ports: machines.reduce((sum, machine) => sum + portsOf(machine), 0) };
    this.people = new People(world, dice.fork(), this.marathon, room);
    this.trouble = new Trouble(world, dice.fork(), this.marathon);
  }

  start(): void {
    this.world.loop.after(this.dice.wait(500), () => this.marathon.start());
    this.people.start();
    this.trouble.start();
  }

  /** The faults end. */
  mend(machines: readonly AgentMachine[]): void {
    this.trouble.stop();
    this.people.mend(machines);
  }

  /** Everything that Marathon runs is to end. */
  leave(): void {
    this.people.leave();
  }

  unconverged(cluster: Cluster): Iterable<string> {
    return unconverged(cluster, this.marathon);
  }

  lingering(cluster: Cluster): Iterable<string> {
    return lingering(cluster, this.marathon);
  }
}

function portsOf({ resources }: MachineSpec): number {
  const ranges = resources.flatMap(({ ranges }) => ranges?.range ?? []);
  return ranges.reduce((sum, { begin, end }) => sum + Number(end) - Number(begin) + 1, 0);
}
