import type { AgentEffect } from '../agent/core/effects.ts';
import type { Persist } from '../agent/core/persist.ts';
import type { Dice } from './dice.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Loop } from './loop.ts';
import type { Weather } from './weather.ts';

/** As `agent/checkpoint/output-commit.ts`: what comes after something to persist waits until that is durable. */
export class SimulatedCommit {
  private readonly loop: Loop;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly disk: SimulatedDisk;
  private readonly perform: (effect: AgentEffect) => void;
  private waiting: AgentEffect[] = [];
  private writing: readonly Persist[] | undefined;
  private over = false;

  constructor(
    { loop, weather }: { readonly loop: Loop; readonly weather: Weather },
    dice: Dice,
    disk: SimulatedDisk,
    perform: (effect: AgentEffect) => void,
  ) {
    this.loop = loop;
    this.dice = dice;
    this.weather = weather;
    this.disk = disk;
    this.perform = perform;
  }

  submit(effect: AgentEffect): void {
    if (this.over) return;
    if (this.writing === undefined && effect.kind !== 'persist') {
      this.perform(effect);
      return;
    }
    this.waiting.push(effect);
    if (this.writing !== undefined) return;
    this.writing = [];
    this.loop.after(0, () => this.flush());
  }

  /** The program ends in the middle of it. @param power so does the machine */
  stop(power: boolean): void {
    this.over = true;
    if (power) this.disk.powerLost(this.writing ?? [], this.dice);
    else this.disk.interrupted(this.writing ?? [], this.dice);
  }

  private flush(): void {
    if (this.over) return;
    const batch = this.waiting;
    this.waiting = [];
    const operations = batch.flatMap((effect) => (effect.kind === 'persist' ? [effect.operation] : []));
    this.writing = operations;
    this.loop.after(this.dice.between(0.1, this.weather.slowestDisk), () => {
      if (this.over) return;
      this.disk.write(operations);
      this.writing = [];
      for (const effect of batch) if (effect.kind !== 'persist') this.release(effect);
      this.advance();
    });
  }

  /** What came meanwhile: up to the next thing to write it may go out at once. */
  private advance(): void {
    const first = this.waiting.findIndex(({ kind }) => kind === 'persist');
    const free = first < 0 ? this.waiting : this.waiting.slice(0, first);
    this.waiting = first < 0 ? [] : this.waiting.slice(first);
    for (const effect of free) this.release(effect);
    if (this.waiting.length > 0) this.flush();
    else this.writing = undefined;
  }

  private release(effect: AgentEffect): void {
    if (!this.over) this.perform(effect);
  }
}
