import { type MasterOptions, masterOptions } from '../master/core/options.ts';
import type { Dice } from './dice.ts';
import { MasterProcess } from './master-process.ts';
import type { World } from './world.ts';

const addressOf = (number: number): string => `10.0.0.${number + 1}:5050`;
export const pidOf = (number: number): string => `master@${addressOf(number)}`;

type Settings = Omit<MasterOptions, 'info' | 'registry' | 'startTime' | 'electedTime'>;

/** Waiting times are shorter than in real life, so that more happens in a run. */
function settingsFor(dice: Dice): Settings {
  const { info: _, registry: __, startTime: ___, electedTime: ____, ...base } = masterOptions({ info: infoOf(0, '') });
  return {
    ...base,
    offerTimeout: dice.chance(0.5) ? dice.between(2000, 20_000) : undefined,
    heartbeatInterval: 5000,
    agentPingTimeout: 3000,
    maxAgentPingTimeouts: 4,
    agentReregisterTimeout: dice.pick([15_000, 60_000]) ?? 15_000,
    allocatorRecoveryTimeout: 20_000,
    ...(dice.chance(0.3) && { agentRemovalRateLimit: { count: 1, interval: 5000 } }),
    roleSorter: dice.chance(0.2) ? 'random' : 'drf',
    maxCompletedTasksPerFramework: dice.pick([5, 1000]) ?? 5,
  };
}

function infoOf(number: number, id: string): MasterOptions['info'] {
  const hostname = `master${number}`;
  return { id, ip: ((number + 1) << 24) | 10, port: 5050, pid: pidOf(number), hostname };
}

/** The machines that masters run on, and somebody who starts them again. */
export class Masters {
  /** On each machine the present or the last life. */
  readonly all: MasterProcess[] = [];
  private readonly world: World;
  private readonly dice: Dice;
  private readonly settings: Settings;
  private readonly pause: number;
  private lives = 0;

  constructor(world: World, dice: Dice, count: number) {
    this.world = world;
    this.dice = dice;
    this.settings = settingsFor(dice);
    this.pause = dice.pick([200, 2000, 20_000]) ?? 200;
    for (let number = 0; number < count; number++) this.all.push(this.make(number));
  }

  start(): void {
    for (const master of this.all) this.world.loop.after(this.dice.between(0, 500), () => master.start());
  }

  /** Whoever leads; of two who both think so the one that took over last. */
  get leader(): MasterProcess | undefined {
    const leading = this.all.filter((master) => master.leading);
    return leading.find((master) => master.reigning) ?? leading[0];
  }

  /** The program that listens there, if any does. */
  at(pid: string): MasterProcess | undefined {
    return this.all.find(({ address, alive }) => alive && pid === `master@${address}`);
  }

  private make(number: number): MasterProcess {
    const name = `master${number}.${this.lives++}`;
    return new MasterProcess(this.world, this.dice.fork(), {
      name,
      address: addressOf(number),
      options: { ...this.settings, info: infoOf(number, name), registry: NOTHING_YET, startTime: 0, electedTime: 0 },
      alone: this.world.masterPid !== undefined,
      ended: () => {
        this.world.loop.after(this.dice.wait(this.pause), () => {
          const next = this.make(number);
          this.all[number] = next;
          next.start();
        });
      },
    });
  }
}

const NOTHING_YET = masterOptions({ info: infoOf(0, '') }).registry;
