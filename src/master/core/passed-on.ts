/**
 * Acknowledgements of ends that an agent may not have heard yet. What was sent before a ping that the agent has answered, it
 * has heard, because messages keep their order; the rest may lie in a broken connection, and be delivered late or never.
 */
export class PassedOn {
  /** The ends since each ping that was not answered yet; the last are those since the newest. */
  #since: Map<string, Uint8Array>[] = [new Map()];

  /** The end of a task was acknowledged, under a uuid, and that was passed on to the agent. */
  note(frameworkId: string, taskId: string, uuid: Uint8Array): void {
    this.#since.at(-1)?.set(keyOf(frameworkId, taskId), uuid);
  }

  pinged(): void {
    this.#since.push(new Map());
  }

  /** The oldest ping was answered. */
  ponged(): void {
    if (this.#since.length > 1) this.#since.shift();
  }

  /** The connection was replaced: what was to be answered on it is not waited for. */
  relinked(): void {
    this.#since = [new Map(this.#since.flatMap((part) => [...part]))];
  }

  /** What the agent may not have heard. @returns undefined if it has heard everything */
  unheard(): UnheardEnds | undefined {
    const ends = new Map(this.#since.flatMap((part) => [...part]));
    return ends.size > 0 ? ends : undefined;
  }
}

/** Uuids under which ends were acknowledged, by framework and task. */
export type UnheardEnds = ReadonlyMap<string, Uint8Array>;

/** The uuid under which the end of this task was acknowledged, if that may not have been heard. */
export function unheardEnd(ends: UnheardEnds, frameworkId: string, taskId: string): Uint8Array | undefined {
  return ends.get(keyOf(frameworkId, taskId));
}

function keyOf(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}
