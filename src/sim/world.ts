import type { Dice } from './dice.ts';
import { Loop } from './loop.ts';
import { Network } from './network.ts';
import type { Observer } from './observer.ts';
import { SimulatedRegistry } from './registry.ts';
import { Transcript } from './transcript.ts';
import { stormy, type Weather } from './weather.ts';

/** What all simulated programs share. */
export interface World {
  readonly loop: Loop;
  readonly weather: Weather;
  readonly network: Network;
  readonly registry: SimulatedRegistry;
  readonly transcript: Transcript;
  readonly observers: Observer[];
  say(who: string, what: string): void;
}

export function createWorld(dice: Dice, sink: ((line: string) => void) | undefined): World {
  const loop = new Loop();
  const weather = stormy(dice.fork());
  const transcript = new Transcript(sink);
  return {
    loop,
    weather,
    network: new Network(loop, dice.fork(), weather),
    registry: new SimulatedRegistry(),
    transcript,
    observers: [],
    say: (who, what) => transcript.say(loop.now, who, what),
  };
}
