import type { Millis } from '../base/machine.ts';
import { ok, type Result } from '../base/result.ts';
import type { RegistryOperation, RegistrySnapshot } from '../master/core/registry.ts';
import { type EntityChange, RegistryBook } from '../master/core/registry-book.ts';
import { FORMAT, FORMAT_KEY, readEntities, snapshotOf } from '../master/core/registry-entities.ts';
import type { Dice } from './dice.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

/** What takes longer to be stored counts as failed. */
const STORE_TIMEOUT: Millis = 5000;

/** One leader's way to the registry: reads it once, then writes operation by operation, in order. */
export class Registrar {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly name: string;
  private book: RegistryBook | undefined;
  private epoch = 0;
  private lastArrival: Millis = 0;
  private lastAnswer: Millis = 0;
  private failure: string | undefined;

  constructor(world: World, dice: Dice, name: string) {
    this.world = world;
    this.dice = dice;
    this.name = name;
  }

  /** Its number among those that have led. */
  get turn(): number {
    return this.epoch;
  }

  /** Takes the store over and reads it. @param read is told what is in it, or why it cannot be had */
  recover(read: (registry: Result<RegistrySnapshot>) => void): void {
    const { loop, weather, store } = this.world;
    loop.after(this.dice.between(0.5, weather.slowestCommit), () => {
      if (this.dice.chance(weather.failedCommits)) {
        read({ ok: false, error: 'reading the registry took too long' });
        return;
      }
      this.epoch = store.takeOver();
      const values = new Map(store.values);
      const entities = readEntities(values);
      demand(entities.ok, () => `the registry cannot be read: ${entities.ok ? '' : entities.error}`);
      this.book = new RegistryBook(entities.value);
      const isNew = !values.has(FORMAT_KEY);
      loop.after(this.dice.between(0.5, weather.slowestCommit), () => {
        if (!isNew) {
          read(ok(snapshotOf(entities.value)));
          return;
        }
        const format = Uint8Array.from(FORMAT, (digit) => digit.charCodeAt(0));
        this.store([{ key: FORMAT_KEY, value: format }], (error) => {
          read(error === undefined ? ok(snapshotOf(entities.value)) : { ok: false, error });
        });
      });
    });
  }

  /** Makes an operation durable. @param answered is told when it is, or what is in its way */
  commit(operation: RegistryOperation, answered: (error: string | undefined) => void): void {
    demand(this.book !== undefined, () => `${this.name} writes the registry before it has read it`);
    this.store(this.book.apply(operation), answered);
  }

  /** The way there and back takes its time; a write may be lost, or only its answer, and the writer cannot know which. */
  private store(changes: readonly EntityChange[], answered: (error: string | undefined) => void): void {
    const { loop, weather } = this.world;
    const slowest = weather.slowestCommit / 2;
    const isLost = this.dice.chance(weather.failedCommits);
    const arrives = !isLost || this.dice.chance(0.5);
    this.lastArrival = Math.max(this.lastArrival, loop.now + this.dice.between(0.2, slowest));
    this.lastAnswer = Math.max(this.lastAnswer, this.lastArrival + this.dice.between(0.2, slowest));
    const late = this.lastAnswer + (isLost ? STORE_TIMEOUT : 0);
    let outcome: string | undefined;
    loop.after(this.lastArrival - loop.now, () => {
      // After a failure nobody knows what is stored: nothing more is written on top of it.
      outcome = this.failure ?? (arrives ? this.write(changes) : undefined);
    });
    this.lastAnswer = late;
    loop.after(late - loop.now, () => {
      if (isLost) outcome ??= 'writing the registry took too long';
      this.failure ??= outcome;
      answered(outcome);
    });
  }

  private write(changes: readonly EntityChange[]): string | undefined {
    const { world, epoch, name } = this;
    const refused = world.store.write(epoch, changes);
    world.say('registry', `${name} ${refused ?? changes.map(({ key }) => key).join(' ')}`);
    if (refused === undefined) {
      for (const observer of world.observers) observer.registryWritten?.(epoch, changes);
    }
    return refused;
  }
}
