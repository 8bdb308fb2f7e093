import type { EntityChange } from '../master/core/registry-book.ts';
import { type Entities, readEntities } from '../master/core/registry-entities.ts';
import { demand } from './violation.ts';

/** Where the registry is kept: outlives all masters, and takes the writes of the one that took it over last. */
export class SimulatedStore {
  readonly values = new Map<string, Uint8Array>();
  /** How often it was taken over. */
  epoch = 0;
  /** Writes that came from a leader of before, and were refused. */
  fenced = 0;
  /** Whether it refuses these; only a test says no. */
  fence = true;

  takeOver(): number {
    return ++this.epoch;
  }

  /** @returns why it was not stored */
  write(epoch: number, changes: readonly EntityChange[]): string | undefined {
    if (this.fence && epoch !== this.epoch) {
      this.fenced++;
      return 'the store was taken over by another leader';
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.values.delete(key);
      else this.values.set(key, value);
    }
    return undefined;
  }

  /** What is in it now. */
  entities(): Entities {
    const entities = readEntities(this.values);
    demand(entities.ok, () => `the registry cannot be read: ${entities.ok ? '' : entities.error}`);
    return entities.value;
  }
}
