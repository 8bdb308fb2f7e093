/** One protobuf enum: strings (the v1 names) in memory, numbers in binary, names in JSON. */
export interface EnumType<E extends string> {
  /** Full protobuf name, as in `mesos.v1.TaskState`. */
  readonly name: string;
  /** All names, in the order of the .proto file. */
  readonly values: readonly E[];
  /** The number of each name. */
  readonly numbers: { readonly [Name in E]: number };
  /** The name of a number, or undefined for a number that this version does not know. */
  of(number: number): E | undefined;
  /** Whether `name` is one of the v1 names. */
  has(name: string): name is E;
  /** The name that version 0 has for a value, and back: `SOURCE_SLAVE` for `SOURCE_AGENT`. */
  toV0(name: E): string;
  fromV0(name: string): E | undefined;
}

class Names<E extends string> implements EnumType<E> {
  readonly name: string;
  readonly numbers: { readonly [Name in E]: number };
  readonly #v0: { readonly [Name in E]?: string };
  #byNumber: Map<number, E> | undefined;
  #values: readonly E[] | undefined;

  constructor(name: string, numbers: { readonly [Name in E]: number }, v0: { readonly [Name in E]?: string }) {
    this.name = name;
    this.numbers = numbers;
    this.#v0 = v0;
  }

  get values(): readonly E[] {
    this.#values ??= Object.keys(this.numbers) as E[];
    return this.#values;
  }

  of(number: number): E | undefined {
    this.#byNumber ??= this.#index();
    return this.#byNumber.get(number);
  }

  /** Of two names for one number (an alias) the first is the one that is read. */
  #index(): Map<number, E> {
    const index = new Map<number, E>();
    for (const name of this.values) if (!index.has(this.numbers[name])) index.set(this.numbers[name], name);
    return index;
  }

  has(name: string): name is E {
    return Object.hasOwn(this.numbers, name);
  }

  toV0(name: E): string {
    return this.#v0[name] ?? name;
  }

  fromV0(name: string): E | undefined {
    if (this.has(name)) return this.#v0[name] === undefined ? name : undefined;
    return this.values.find((value) => this.#v0[value] === name);
  }
}

/** @param v0 the names that version 0 spells differently */
export function enumType<E extends string>(
  name: string,
  numbers: { readonly [Name in E]: number },
  v0: { readonly [Name in E]?: string } = {},
): EnumType<E> {
  return new Names(name, numbers, v0);
}
