import type { Clock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { World } from './world.ts';
import { Candidacy } from './zookeeper/candidacy.ts';

/** Between the end of a session and the next one. */
const PAUSE = 100;

export interface DetectorOptions {
  readonly world: World;
  readonly name: string;
  readonly dice: Dice;
  readonly clock: Clock;
  readonly tell: (pid: string | undefined) => void;
}

/** How agents and schedulers learn who leads: from ZooKeeper, or because there is only one master. */
export class LeaderDetector {
  private readonly options: DetectorOptions;
  private candidacy: Candidacy | undefined;
  private known: { readonly pid: string | undefined } | undefined;
  private stopped = false;

  constructor(options: DetectorOptions) {
    this.options = options;
  }

  start(): void {
    const { world, dice } = this.options;
    const { masterPid } = world;
    if (masterPid === undefined) this.watch();
    else world.loop.after(dice.between(1, 20), () => this.learn(masterPid));
  }

  /** Says it again. */
  detect(): void {
    const { world, dice, tell } = this.options;
    world.loop.after(dice.between(1, 20), () => {
      if (!this.stopped && this.known !== undefined) tell(this.known.pid);
    });
  }

  stop(): void {
    this.stopped = true;
    this.candidacy?.stop();
  }

  private watch(): void {
    if (this.stopped) return;
    const { world, name, clock, dice } = this.options;
    this.candidacy = new Candidacy({
      name,
      ensemble: world.ensemble,
      clock,
      timeout: dice.pick([4000, 10_000]) ?? 4000,
      turn: (run) => run(),
      leader: (info) => this.learn(info?.pid),
      lost: (reason) => {
        world.say(name, `looks for the leader anew: ${reason}`);
        this.candidacy?.stop();
        world.loop.after(PAUSE, () => this.watch());
      },
    });
    this.candidacy.start();
  }

  private learn(pid: string | undefined): void {
    if (this.stopped || (this.known !== undefined && this.known.pid === pid)) return;
    this.known = { pid };
    this.options.tell(pid);
  }
}
