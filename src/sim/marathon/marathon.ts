import type { CoreOptions } from '../../marathon/core/context.ts';
import type { Dice } from '../dice.ts';
import type { Masters } from '../masters.ts';
import type { World } from '../world.ts';
import { Prober } from './prober.ts';
import { MarathonProcess } from './process.ts';
import { settingsFor } from './settings.ts';
import { MarathonStore } from './store.ts';

/** What outlives every Marathon that leads, and somebody who sees to it that one does. */
export class Marathon {
  readonly store = new MarathonStore();
  readonly options: CoreOptions;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly masters: Masters;
  private readonly prober: Prober;
  private readonly pause: number;
  private current: MarathonProcess | undefined;
  private lives = 0;

  constructor(world: World, dice: Dice, masters: Masters) {
    this.world = world;
    this.dice = dice;
    this.masters = masters;
    this.options = settingsFor(dice);
    this.prober = new Prober(world, dice.fork());
    this.pause = dice.pick([200, 2000, 10_000]) ?? 200;
    world.observers.push(this.prober);
  }

  /** The one that took over last, if it lives and has read its store. */
  get leader(): MarathonProcess | undefined {
    return this.current?.leading === true ? this.current : undefined;
  }

  start(): void {
    const { world, dice, options, store, masters, prober } = this;
    const name = `marathon.${this.lives++}`;
    const next = new MarathonProcess(world, dice.fork(), {
      name,
      options,
      store,
      masters,
      prober,
      ended: (marathon) => {
        // Whoever has been succeeded already is not missed.
        if (marathon === this.current) this.world.loop.after(this.dice.wait(this.pause), () => this.succeed(marathon));
      },
    });
    this.current = next;
    next.start();
  }

  /** Another one takes over while this one still thinks that it leads, and finds out after a while. */
  failOver(): string | undefined {
    const { current, dice, world } = this;
    if (current?.alive !== true) return undefined;
    this.start();
    world.loop.after(dice.wait(dice.pick([50, 5000]) ?? 50), () => current.end('lost leadership'));
    return current.name;
  }

  private succeed(last: MarathonProcess): void {
    if (this.current === last) this.start();
  }
}
