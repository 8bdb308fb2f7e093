import type { Millis } from '../base/machine.ts';
import type { Dice } from './dice.ts';

/** How unkind the world is at present. Phase two makes all of it calm. */
export interface Weather {
  /** The share of messages that are slow, and how slow these may be. */
  slowShare: number;
  slowest: Millis;
  /** How long until the end of a connection is noticed, at most; and how often one side never notices by itself. */
  noticeWithin: Millis;
  halfOpen: number;
  /** The share of containers that cannot be started. */
  failedStarts: number;
  /** How long the registry takes at most. */
  slowestCommit: Millis;
  /** The share of writes to the registry that are lost, or whose answer is. */
  failedCommits: number;
  /** How long a checkpoint takes at most. */
  slowestDisk: Millis;
  /** How often `Env.chance` says true. */
  unkindness: number;
  /** Schedulers make mistakes and change their minds. */
  fickle: boolean;
}

export const CALM: Weather = {
  slowShare: 0,
  slowest: 0,
  noticeWithin: 5,
  halfOpen: 0,
  failedStarts: 0,
  slowestCommit: 10,
  failedCommits: 0,
  slowestDisk: 1,
  unkindness: 0,
  fickle: false,
};

/** Some seeds are stormy in one way and calm in another: a world that is bad in every way hides what few faults do. */
export function stormy(dice: Dice): Weather {
  const sometimes = (value: number): number => (dice.chance(0.6) ? dice.between(0, value) : 0);
  return {
    slowShare: sometimes(0.3),
    slowest: dice.pick([20, 200, 2000, 10_000]) ?? 0,
    noticeWithin: dice.pick([5, 500, 5000]) ?? 0,
    halfOpen: sometimes(0.5),
    failedStarts: sometimes(0.2),
    slowestCommit: dice.pick([1, 50, 3000]) ?? 0,
    failedCommits: dice.chance(0.3) ? dice.between(0, 0.05) : 0,
    slowestDisk: dice.pick([0.2, 20, 1000]) ?? 0,
    unkindness: sometimes(0.05),
    fickle: dice.chance(0.8),
  };
}

/** How long one message travels. */
export function travel(weather: Weather, dice: Dice): Millis {
  const usual = dice.between(0.1, 2);
  return dice.chance(weather.slowShare) ? usual + dice.between(0, weather.slowest) : usual;
}
