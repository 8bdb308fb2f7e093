import type { Dice } from './dice.ts';
import { Loop } from './loop.ts';
import { Network } from './network.ts';
import type { Observer } from './observer.ts';
import { SimulatedStore } from './store.ts';
import { Transcript } from './transcript.ts';
import { stormy, type Weather } from './weather.ts';
import { Ensemble } from './zookeeper/ensemble.ts';

/** What all simulated programs share. */
export interface World {
  readonly loop: Loop;
  readonly weather: Weather;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly ensemble: Ensemble;
  /** The only master there is, where none is elected. */
  readonly masterPid: string | undefined;
  /** More takes part than in the worlds of old seeds, which go on to play the same. */
  readonly isWide: boolean;
  readonly transcript: Transcript;
  readonly observers: Observer[];
  readonly counts: Map<string, number>;
  say(who: string, what: string): void;
  /** Counts what is worth a number in the end. */
  count(what: string): void;
}

export function createWorld(
  dice: Dice,
  masterPid: string | undefined,
  sink: ((line: string) => void) | undefined,
  isWide = false,
): World {
  const loop = new Loop();
  const weather = stormy(dice.fork());
  const transcript = new Transcript(sink);
  const counts = new Map<string, number>();
  return {
    loop,
    weather,
    network: new Network(loop, dice.fork(), weather),
    store: new SimulatedStore(),
    ensemble: new Ensemble({ loop, dice: dice.fork(), weather }),
    masterPid,
    isWide,
    transcript,
    observers: [],
    counts,
    say: (who, what) => transcript.say(loop.now, who, what),
    count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
  };
}
