/** What long lists were encoded to, kept for the next reader: a change costs the few items around it, not the whole list. */

/** One way to write a stretch of items. A constant: what it made is found again by it. */
export interface Form<T, Made = Uint8Array | string> {
  readonly name: string;
  /** Depends on the items alone. Text becomes bytes by the way. */
  make(items: readonly T[]): Made;
}

/** A list as it is at one instant. Its items are immutable: another item in a place is another value. */
export interface Listed<T> {
  /** The same for the same list at another instant. */
  readonly id: string;
  readonly items: readonly T[];
}

/** A list under way: undefined is a place to pause at. */
export type Steps<Result, Step = never> = Generator<Step | undefined, Result>;

/** Items that stay together. What one change makes anew is this many; what one piece of an answer holds, too. */
export const STRETCH = 64;

/** Items in stretches, for what is written once. */
export function* stretchesOf<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += STRETCH) yield items.slice(from, from + STRETCH);
}

interface Stretch {
  readonly items: readonly unknown[];
  readonly made: Map<Form<never, unknown>, unknown>;
  bytes: number;
}

/**
 * Stretches are recognised by the identity of their items, so that what is kept cannot be out of date: there is nobody who
 * would have to remember to invalidate it.
 */
export class Kept {
  readonly #store: (made: string | Uint8Array) => Uint8Array;
  readonly #lists = new Map<string, readonly Stretch[]>();
  /** Since lists were forgotten last. */
  readonly #asked = new Set<string>();

  /** @param store turns text to UTF-8, and puts bytes where they can stay for long */
  constructor(store: (made: string | Uint8Array) => Uint8Array) {
    this.#store = store;
  }

  /** Bytes of pieces that are kept at present. */
  get bytes(): number {
    let total = 0;
    for (const stretches of this.#lists.values()) for (const stretch of stretches) total += stretch.bytes;
    return total;
  }

  /** The bytes of a list, a stretch at a time. */
  *pieces<T>(list: Listed<T>, form: Form<T>): Steps<void, Uint8Array> {
    for (const stretch of yield* this.#stretches(list)) {
      const known = stretch.made.get(form);
      if (known !== undefined) {
        yield known as Uint8Array;
        continue;
      }
      const bytes = this.#store(form.make(stretch.items as readonly T[]));
      stretch.made.set(form, bytes);
      stretch.bytes += bytes.length;
      yield bytes;
    }
  }

  /** What a form makes of each stretch of a list, in order. */
  *values<T, Made>(list: Listed<T>, form: Form<T, Made>): Steps<Made[]> {
    const all: Made[] = [];
    for (const stretch of yield* this.#stretches(list)) {
      if (!stretch.made.has(form)) {
        stretch.made.set(form, form.make(stretch.items as readonly T[]));
        yield;
      }
      all.push(stretch.made.get(form) as Made);
    }
    return all;
  }

  /** Forgets everything. */
  clear(): void {
    this.#lists.clear();
    this.#asked.clear();
  }

  /** Forgets the lists that are not among these, and that nobody has asked for since this was called before. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#lists.keys()) if (!ids.has(id) && !this.#asked.has(id)) this.#lists.delete(id);
    this.#asked.clear();
  }

  *#stretches<T>(list: Listed<T>): Steps<readonly Stretch[]> {
    const stretches = yield* cut(list.items, this.#lists.get(list.id) ?? []);
    this.#asked.add(list.id);
    if (stretches.length === 0) this.#lists.delete(list.id);
    else this.#lists.set(list.id, stretches);
    return stretches;
  }
}

/** Items looked at between two places to pause. */
const BREATH = 50_000;

/** Cuts a list into stretches, those of before where they still stand. Neighbours that are new and small grow together. */
function* cut(items: readonly unknown[], before: readonly Stretch[]): Steps<Stretch[]> {
  const result: Stretch[] = [];
  let heads: Map<unknown, number> | undefined;
  let next = 0;
  let loose: unknown[] = [];
  let breath = BREATH;
  for (let at = 0; at < items.length; ) {
    if (at > breath) {
      breath = at + BREATH;
      yield;
    }
    const candidate = before[next];
    if (candidate !== undefined && stands(candidate, items, at)) {
      flush(result, loose);
      loose = [];
      keep(result, candidate);
      at += candidate.items.length;
      next++;
      continue;
    }
    // Built when something has changed, and only then.
    heads ??= new Map(before.map((stretch, index) => [stretch.items[0], index]));
    loose.push(items[at++]);
    if (loose.length >= STRETCH) {
      flush(result, loose);
      loose = [];
    }
    next = heads.get(items[at]) ?? before.length;
  }
  flush(result, loose);
  return result;
}

function stands({ items: own }: Stretch, items: readonly unknown[], at: number): boolean {
  if (at + own.length > items.length) return false;
  for (let i = 0; i < own.length; i++) if (own[i] !== items[at + i]) return false;
  return true;
}

function keep(result: Stretch[], stretch: Stretch): void {
  const last = result.at(-1);
  const together = (last?.items.length ?? STRETCH) + stretch.items.length;
  if (last === undefined || together > STRETCH || (last.made.size > 0 && stretch.made.size > 0)) result.push(stretch);
  else result[result.length - 1] = { items: [...last.items, ...stretch.items], made: new Map(), bytes: 0 };
}

function flush(result: Stretch[], loose: readonly unknown[]): void {
  if (loose.length > 0) keep(result, { items: loose, made: new Map(), bytes: 0 });
}
