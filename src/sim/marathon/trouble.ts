import type { Dice } from '../dice.ts';
import type { World } from '../world.ts';
import type { Marathon } from './marathon.ts';

type Fault = (trouble: Trouble) => string | undefined;

/** What goes wrong with Marathon itself. A fault says what it did. */
const FAULTS: Readonly<Record<string, Fault>> = {
  marathonKilled: ({ dice, marathon }) => {
    const { leader } = marathon;
    // In the middle of what it does next, or right now.
    if (dice.chance(0.7)) leader?.endAfter(dice.whole(0, 40));
    else leader?.end('killed');
    return leader?.name;
  },
  marathonSucceeded: ({ marathon }) => marathon.failOver(),
  marathonStream: ({ marathon: { leader } }) => {
    leader?.breakStream();
    return leader?.name;
  },
  marathonCalls: ({ marathon: { leader } }) => {
    leader?.breakCalls();
    return leader?.name;
  },
  marathonStoreFailed: ({ marathon: { leader } }) => {
    leader?.failStore();
    return leader?.name;
  },
};

/** Breaks things around Marathon until it is told to stop. */
export class Trouble {
  readonly dice: Dice;
  readonly marathon: Marathon;
  private readonly world: World;
  private readonly enabled: readonly string[];
  private readonly pause: number;
  private stopped = false;

  constructor(world: World, dice: Dice, marathon: Marathon) {
    this.world = world;
    this.dice = dice;
    this.marathon = marathon;
    this.enabled = Object.keys(FAULTS).filter(() => dice.chance(0.6));
    this.pause = dice.between(2000, 30_000);
  }

  start(): void {
    this.world.loop.after(this.dice.wait(this.pause), () => {
      if (this.stopped) return;
      const name = this.dice.pick(this.enabled);
      const done = name === undefined ? undefined : FAULTS[name]?.(this);
      if (done !== undefined) {
        this.world.say('fault', `${name}: ${done}`);
        this.world.count(`fault ${name}`);
      }
      this.start();
    });
  }

  stop(): void {
    this.stopped = true;
  }
}
