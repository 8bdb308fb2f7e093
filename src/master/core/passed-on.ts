/**
 * Acknowledgements of ends that an agent may not have heard yet. What was sent before a ping that the agent has answered, it
 * has heard, because messages keep their order; the rest may lie in a broken connection, and be delivered late or never.
 */
export class PassedOn {
  #pings = 0;
  #answered = 0;
  /** The ends that were noted after so many pings, oldest first. Most agents never have any. */
  #noted: readonly { readonly pings: number; readonly ends: Map<string, Uint8Array> }[] = NONE;

  /** The end of a task was acknowledged, under a uuid, and that was passed on to the agent. */
  note(frameworkId: string, taskId: string, uuid: Uint8Array): void {
    const last = this.#noted.at(-1);
    const key = keyOf(frameworkId, taskId);
    if (last?.pings === this.#pings) last.ends.set(key, uuid);
    else this.#noted = [...this.#noted, { pings: this.#pings, ends: new Map([[key, uuid]]) }];
  }

  pinged(): void {
    this.#pings++;
  }

  /** The oldest ping was answered. */
  ponged(): void {
    if (this.#answered === this.#pings) return;
    this.#answered++;
    if (this.#noted !== NONE) this.#noted = this.#noted.filter(({ pings }) => pings >= this.#answered);
  }

  /** The connection was replaced: what was to be answered on it is not waited for. */
  relinked(): void {
    this.#answered = this.#pings;
    const ends = this.#all();
    this.#noted = ends.size === 0 ? NONE : [{ pings: this.#pings, ends }];
  }

  /** What the agent may not have heard. @returns undefined if it has heard everything */
  unheard(): UnheardEnds | undefined {
    const ends = this.#all();
    return ends.size > 0 ? ends : undefined;
  }

  #all(): Map<string, Uint8Array> {
    return new Map(this.#noted.flatMap(({ ends }) => [...ends]));
  }
}

const NONE: readonly never[] = [];

/** Uuids under which ends were acknowledged, by framework and task. */
export type UnheardEnds = ReadonlyMap<string, Uint8Array>;

/** The uuid under which the end of this task was acknowledged, if that may not have been heard. */
export function unheardEnd(ends: UnheardEnds, frameworkId: string, taskId: string): Uint8Array | undefined {
  return ends.get(keyOf(frameworkId, taskId));
}

function keyOf(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}
