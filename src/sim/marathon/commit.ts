import type { Millis } from '../../base/machine.ts';
import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { Dice } from '../dice.ts';
import type { World } from '../world.ts';
import type { MarathonStore, StoreChange } from './store.ts';

/** What takes longer to be stored counts as failed. */
const STORE_TIMEOUT: Millis = 5000;

type StoreEffect = Extract<MarathonEffect, { readonly kind: 'store' }>;

export interface CommitOptions {
  readonly world: World;
  readonly dice: Dice;
  readonly name: string;
  readonly store: MarathonStore;
  readonly epoch: number;
  readonly perform: (effect: MarathonEffect) => void;
  /** Nothing gets out any more. */
  readonly fail: (reason: string) => void;
}

/** As `marathon/store.ts`: what comes after something to store waits until that is durable. */
export class StoreCommit {
  private readonly options: CommitOptions;
  private waiting: MarathonEffect[] = [];
  private isWriting = false;
  private over = false;
  private failsNext = false;

  constructor(options: CommitOptions) {
    this.options = options;
  }

  submit(effect: MarathonEffect): void {
    if (this.over) return;
    if (!this.isWriting && effect.kind !== 'store') {
      this.options.perform(effect);
      return;
    }
    this.waiting.push(effect);
    if (this.isWriting) return;
    this.isWriting = true;
    this.options.world.loop.after(0, () => this.flush());
  }

  /** The next write is lost, or its answer is. */
  failNext(): void {
    this.failsNext = true;
  }

  /** The program ends in the middle of it; what is on its way to the store arrives nevertheless. */
  stop(): void {
    this.over = true;
  }

  private flush(): void {
    if (this.over) return;
    const batch = this.waiting;
    this.waiting = [];
    const stored = batch.filter((effect): effect is StoreEffect => effect.kind === 'store');
    this.write(stored, (error) => {
      if (this.over) return;
      if (error === undefined) {
        for (const effect of batch) if (effect.kind !== 'store') this.release(effect);
        this.advance();
      } else {
        this.over = true;
        this.options.fail(error);
      }
    });
  }

  /** The way there and back takes its time; a write may be lost, or only its answer, and the writer cannot know which. */
  private write(effects: readonly StoreEffect[], answered: (error: string | undefined) => void): void {
    const { world, dice, store, epoch, name } = this.options;
    const { loop, weather } = world;
    const isLost = dice.chance(weather.failedCommits) || this.failsNext;
    this.failsNext = false;
    const arrives = !isLost || dice.chance(0.5);
    const changes = effects.map(changeOf);
    loop.after(dice.between(0.1, weather.slowestCommit / 2), () => {
      const refused = arrives ? store.write(epoch, changes) : 'lost on the way';
      world.say('marathon store', `${name} ${refused ?? changes.map(({ key }) => key).join(' ')}`);
      const outcome = isLost ? 'writing the state took too long' : refused;
      const later = dice.between(0.1, weather.slowestCommit / 2) + (isLost ? STORE_TIMEOUT : 0);
      loop.after(later, () => answered(outcome));
    });
  }

  /** What came meanwhile: up to the next thing to write it may go out at once. */
  private advance(): void {
    const first = this.waiting.findIndex(({ kind }) => kind === 'store');
    const free = first < 0 ? this.waiting : this.waiting.slice(0, first);
    this.waiting = first < 0 ? [] : this.waiting.slice(first);
    for (const effect of free) this.release(effect);
    if (this.waiting.length > 0) this.flush();
    else this.isWriting = false;
  }

  private release(effect: MarathonEffect): void {
    if (!this.over) this.options.perform(effect);
  }
}

function changeOf({ key, value }: StoreEffect): StoreChange {
  return { key, value: value === undefined ? undefined : JSON.stringify(value) };
}
