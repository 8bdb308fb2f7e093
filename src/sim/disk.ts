import type { Persist } from '../agent/core/persist.ts';
import { readUtf8 } from '../wire/utf8.ts';
import type { Dice } from './dice.ts';

/** What a machine's disk holds of an agent's checkpoints: what is durable, and nothing else. */
export class SimulatedDisk {
  private readonly files = new Map<string, Uint8Array>();
  private readonly links = new Map<string, string>();

  write(operations: readonly Persist[]): void {
    for (const operation of operations) this.apply(operation);
  }

  /** The program is killed while this is being written: what was handed to the system is there, the rest is not. */
  interrupted(operations: readonly Persist[], dice: Dice): void {
    this.write(operations.slice(0, dice.whole(0, operations.length)));
  }

  /**
   * The machine loses its power while this is being written: files that get their names by renaming are there up to some
   * point, which is what file systems with a journal keep to; of what was appended any part may be missing.
   */
  powerLost(operations: readonly Persist[], dice: Dice): void {
    const lost = new Set<string>();
    for (const operation of operations.slice(0, dice.whole(0, operations.length))) {
      const { path } = operation;
      if (lost.has(path)) continue;
      if (operation.how !== 'append' || dice.chance(0.5)) {
        this.apply(operation);
        continue;
      }
      lost.add(path);
      const { bytes } = operation;
      if (dice.chance(0.5)) this.apply({ ...operation, bytes: bytes.subarray(0, dice.whole(0, bytes.length - 1)) });
    }
  }

  content(path: string): Uint8Array | undefined {
    return this.files.get(path);
  }

  text(path: string): string | undefined {
    const bytes = this.files.get(path);
    return bytes && readUtf8(bytes, 0, bytes.length);
  }

  target(path: string): string | undefined {
    return this.links.get(path);
  }

  /** The names of what lies in a folder. */
  names(folder: string): string[] {
    const prefix = `${folder}/`;
    const names = new Set<string>();
    for (const path of [...this.files.keys(), ...this.links.keys()]) {
      if (!path.startsWith(prefix)) continue;
      const slash = path.indexOf('/', prefix.length);
      names.add(path.slice(prefix.length, slash < 0 ? undefined : slash));
    }
    return [...names];
  }

  /** Cuts the end of a file off. */
  truncate(path: string, length: number): void {
    const bytes = this.files.get(path);
    if (bytes !== undefined) this.files.set(path, bytes.slice(0, length));
  }

  remove(path: string): void {
    for (const map of [this.files, this.links]) {
      for (const key of [...map.keys()]) if (key === path || key.startsWith(`${path}/`)) map.delete(key);
    }
  }

  private apply(operation: Persist): void {
    const { path } = operation;
    switch (operation.how) {
      case 'replace':
        this.files.set(path, operation.bytes.slice());
        break;
      case 'append': {
        const before = this.files.get(path) ?? new Uint8Array(0);
        const after = new Uint8Array(before.length + operation.bytes.length);
        after.set(before);
        after.set(operation.bytes, before.length);
        this.files.set(path, after);
        break;
      }
      case 'link':
        this.links.set(path, operation.target);
        break;
      case 'remove':
        this.remove(path);
        break;
    }
  }
}
